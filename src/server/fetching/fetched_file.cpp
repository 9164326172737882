#include "server/fetching/fetched_file.h"

#include <cerrno>

#include <sys/stat.h>

#include "base/file.h"
#include "base/os_error.h"

namespace usher::server {

Result<Bytes> read_fetched(const std::filesystem::path& file, std::size_t max_bytes) {
  USHER_TRY(const std::string content, read_file(file, max_bytes));
  return to_bytes(view_of(content));
}

Result<> write_fetched(const std::filesystem::path& file, View content) {
  const std::filesystem::path directory = file.parent_path();
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("fetched file", directory.string());
  return replace_file(file, text_of(content));
}

}  // namespace usher::server
