#include "net/fetched_file.h"

#include <cerrno>

#include <sys/stat.h>

#include "base/os_error.h"
#include "media/source.h"

namespace usher::net {

Result<Bytes> read_fetched(const std::filesystem::path& file, std::size_t max_bytes) {
  USHER_TRY(const media::SourcePtr source, media::open_file(file));
  if (source->size() > max_bytes) return fail(Fault::too_long, "fetched file", file.string());
  Bytes bytes(static_cast<std::size_t>(source->size()));
  USHER_TRY(const std::size_t got, source->read_at(0, bytes));
  if (got != bytes.size()) return fail(Fault::truncated, "fetched file", file.string());
  return bytes;
}

Result<> write_fetched(const std::filesystem::path& file, View content) {
  const std::filesystem::path directory = file.parent_path();
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("fetched file", directory.string());
  USHER_TRY(media::NewFile out, media::NewFile::create(file));
  USHER_CHECK(out.write_at(0, content));
  return out.publish(media::Replace::yes);
}

}  // namespace usher::net
