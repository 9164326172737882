#include "files.h"

#include <algorithm>
#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_error.h"
#include "media/source.h"

namespace usher::usherd {
namespace fs = std::filesystem;
namespace {

Result<> check_mode(const fs::path& file, mode_t refused, std::string_view advice) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return fail_errno("permissions", file.string());
  if ((info.st_mode & refused) == 0) return {};
  return fail(Fault::not_permitted, "permissions", file.string() + " can be read by others; " + std::string(advice));
}

}  // namespace

Result<> write_file(const fs::path& file, std::string_view content, unsigned mode, bool replace) {
  if (replace) {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
  USHER_TRY(media::NewFile out, media::NewFile::create(file));
  USHER_CHECK(out.write_at(0, view_of(content)));
  USHER_CHECK(out.publish());
  if (::chmod(file.c_str(), static_cast<mode_t>(mode)) != 0) return fail_errno("file: mode", file.string());
  return {};
}

Result<> make_directory(const fs::path& directory) {
  if (fs::is_directory(directory)) return {};
  std::error_code error;
  if (directory.has_parent_path()) fs::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("directory", directory.string());
  return {};
}

Result<> check_private(const fs::path& file) { return check_mode(file, 0077, "set its mode to 0600"); }

Result<> check_passphrase_file(const fs::path& file) { return check_mode(file, 0007, "set its mode to 0600"); }

bool is_below(const fs::path& file, const fs::path& directory) {
  std::error_code ignored;
  const fs::path inner = fs::weakly_canonical(fs::absolute(file, ignored), ignored);
  const fs::path outer = fs::weakly_canonical(fs::absolute(directory, ignored), ignored);
  const auto [end, unused] = std::ranges::mismatch(outer, inner);
  return end == outer.end();
}

}  // namespace usher::usherd
