#include "usherd/home/file_permissions.h"

#include <algorithm>

#include <sys/stat.h>

#include "base/os_error.h"

namespace usher::usherd {
namespace fs = std::filesystem;
namespace {

Result<> check_mode(const fs::path& file, mode_t refused, std::string_view advice) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return fail_errno("permissions", file.string());
  if (S_ISDIR(info.st_mode)) return fail(Fault::not_a_file, "permissions", file.string());
  if ((info.st_mode & refused) == 0) return {};
  return fail(Fault::not_permitted, "permissions", file.string() + " can be read by others; " + std::string(advice));
}

}  // namespace

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
