#include "net/file_listing.h"

#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/os_error.h"
#include "wire/file_request.h"

namespace usher::net {
namespace {

constexpr int kTries = 16;  // openat2 gives up when something above is renamed meanwhile

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

/// A file directly, or through a link that stays beneath.
Result<FileState> state_beneath(int root, const std::string& inner) {
  USHER_TRY(const Descriptor file, open_beneath(root, inner, O_PATH));
  return state_of(file.get());
}

}  // namespace

Result<Descriptor> open_beneath(int directory, const std::string& name, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (int i = 0; i < kTries; ++i) {
    const long number = ::syscall(SYS_openat2, directory, name.c_str(), &how, sizeof how);
    if (number >= 0) return Descriptor(static_cast<int>(number));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  // Out of the directory (EXDEV), or round in circles: not there, as far as this share is concerned.
  if (errno == EXDEV || errno == ELOOP || errno == ENOTDIR || errno == ENXIO) {
    return fail(Fault::not_found, "share: leads out");
  }
  return fail_errno("share: open");
}

struct FileListing::Walk {
  int root;
  const std::string& before;
  const std::function<bool(std::string_view)>& allows;
};

Result<> FileListing::add(const std::string& name, std::uint64_t size, std::int64_t modified_seconds) {
  if (!name.starts_with(prefix_)) return {};
  if (lines_.size() >= wire::kMaxFileListLines) return fail(Fault::too_long, "file list");
  lines_.emplace(name, fmt::format("{} {:%Y-%m-%dT%H:%M:%SZ} {}\n", size, fmt::gmtime(modified_seconds), name));
  return {};
}

Result<> FileListing::add_directory(int directory, const std::string& before,
                                    const std::function<bool(std::string_view)>& allows) {
  return walk({.root = directory, .before = before, .allows = allows}, "", 1);
}

/// `inner`: the folder's name with a slash, or nothing for the share itself.
Result<> FileListing::walk(const Walk& walk, const std::string& inner, std::size_t depth) {
  const std::string whole = walk.before + inner;
  const std::size_t common = std::min(whole.size(), prefix_.size());
  if (depth > wire::kMaxFileComponents || whole.compare(0, common, prefix_, 0, common) != 0) return {};
  auto opened = open_beneath(walk.root, inner.empty() ? "." : inner, O_RDONLY | O_DIRECTORY);
  if (!opened) return {};  // gone meanwhile, or not for this server to read: nothing can be fetched from it
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(opened->get()));
  if (!directory) return fail_errno("file list");
  const int number = opened->release();
  while (const dirent* entry = ::readdir(directory.get())) {
    if (cancelled_()) return fail(Fault::cancelled, "file list");
    USHER_CHECK(look_at(walk, number, entry->d_name, inner, depth));
  }
  return {};
}

Result<> FileListing::look_at(const Walk& walk, int directory, const char* entry, const std::string& inner,
                              std::size_t depth) {
  const std::string name = inner + entry;
  struct stat status{};
  if (!wire::is_file_name(walk.before + name) || ::fstatat(directory, entry, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return {};
  }
  if (S_ISDIR(status.st_mode)) return this->walk(walk, name + "/", depth + 1);
  if (!(S_ISREG(status.st_mode) || S_ISLNK(status.st_mode)) || !walk.allows(name)) return {};
  if (!(walk.before + name).starts_with(prefix_)) return {};
  const auto state = state_beneath(walk.root, name);
  if (!state) return {};
  return add(walk.before + name, state->size, state->modified_ns / 1'000'000'000);
}

std::string FileListing::text() const {
  std::string text;
  for (const auto& [name, line] : lines_) text += line;
  return text;
}

}  // namespace usher::net
