#include "server/files/file_listing.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/os_error.h"
#include "wire/file_request.h"

namespace usher::server {
namespace {

constexpr std::size_t kMaxFolders = 100'000;  // folders of one share that wait to be read: filestream.md §1
constexpr int kTries = 16;                    // openat2 fails with EAGAIN if a parent is renamed meanwhile

/// The state of a file, also through a link that stays beneath `root`.
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
  // The name leads out of the directory (EXDEV) or in a circle (ELOOP): in this share it does not exist.
  if (errno == EXDEV || errno == ELOOP || errno == ENOTDIR || errno == ENXIO) {
    return fail(Fault::not_found, "share: leads out");
  }
  return fail_errno("share: open");
}

std::string FileListing::before() const { return shares_->shares_.size() == 1 ? "" : share().what.name + "/"; }

/// Whether names in this folder can begin with the prefix without having more components than allowed.
bool FileListing::may_hold_names(const std::string& inner) const {
  const std::string whole = before() + inner;
  const std::size_t common = std::min(whole.size(), prefix_.size());
  return std::ranges::count(inner, '/') < static_cast<std::ptrdiff_t>(wire::kMaxFileComponents) &&
         whole.compare(0, common, prefix_, 0, common) == 0;
}

Result<> FileListing::add(const std::string& name, std::uint64_t size, std::int64_t modified_seconds) {
  if (!name.starts_with(prefix_)) return {};
  if (lines_.size() >= wire::kMaxFileListLines) return fail(Fault::too_long, "file list");
  lines_.emplace(name, fmt::format("{} {:%Y-%m-%dT%H:%M:%SZ} {}\n", size, fmt::gmtime(modified_seconds), name));
  return {};
}

Result<> FileListing::add_folder(std::string inner) {
  if (!may_hold_names(inner)) return {};
  if (folders_.size() >= kMaxFolders) return fail(Fault::too_long, "file list: folders");
  folders_.push_back(std::move(inner));
  return {};
}

void FileListing::begin_share() {
  begun_ = true;
  if (share().directory.is_open() && may_hold_names("")) folders_.emplace_back();
}

void FileListing::end_share() {
  ++share_;
  begun_ = false;
  medium_ = 0;
}

Result<bool> FileListing::step() {
  for (std::size_t looked = 0; looked < kTurn; ++looked) {
    if (directory_) {
      USHER_CHECK(look_at_entry());
    } else if (!folders_.empty()) {
      USHER_CHECK(open_folder());
    } else if (share_ == shares_->shares_.size()) {
      return false;
    } else if (!begun_) {
      begin_share();
    } else if (medium_ < share().what.media.size()) {
      USHER_CHECK(look_at_medium());
    } else {
      end_share();
    }
  }
  return true;
}

Result<> FileListing::open_folder() {
  folder_ = std::move(folders_.back());
  folders_.pop_back();
  auto opened = open_beneath(share().directory.get(), folder_.empty() ? "." : folder_, O_RDONLY | O_DIRECTORY);
  if (!opened) return {};  // removed meanwhile, or not readable for this server: it has no files to fetch
  directory_.reset(::fdopendir(opened->get()));
  if (!directory_) return fail_errno("file list");
  static_cast<void>(opened->release());
  return {};
}

Result<> FileListing::look_at_entry() {
  const dirent* const entry = ::readdir(directory_.get());
  if (entry == nullptr) {
    directory_.reset();
    return {};
  }
  const std::string own = entry->d_name;
  const std::string inner = folder_ + own;
  const std::string name = before() + inner;
  const int directory = ::dirfd(directory_.get());
  struct stat status{};
  if (directory < 0 || !wire::is_file_name(name) ||
      ::fstatat(directory, own.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return {};
  }
  if (S_ISDIR(status.st_mode)) return add_folder(inner + "/");
  if (!(S_ISREG(status.st_mode) || S_ISLNK(status.st_mode)) || !name.starts_with(prefix_)) return {};
  if (!shares_->may_see(share(), client_, inner)) return {};
  const auto state = state_beneath(share().directory.get(), inner);
  if (!state) return {};
  return add(name, state->size, state->modified_ns / 1'000'000'000);
}

Result<> FileListing::look_at_medium() {
  const auto& [name, id] = share().what.media[medium_++];
  const media::Vault* const vault = shares_->vault_;
  if (vault == nullptr || !shares_->may_see(share(), client_, name)) return {};
  USHER_TRY(const media::SignedManifest manifest, vault->manifest(id));
  USHER_TRY(const media::Manifest contents, manifest.contents());
  return add(before() + name, contents.size, contents.pressed_at);
}

std::string FileListing::text() const {
  std::string text;
  for (const auto& [name, line] : lines_) text += line;
  return text;
}

Result<> make_list(Workers& workers, std::shared_ptr<FileListing> listing, ListAsker asker) {
  const std::string client = asker.client;
  return workers.run(client, [listing = std::move(listing), asker = std::move(asker)] {
    if (asker.alive.expired()) return false;
    const auto more = listing->step();
    if (more && *more) return true;
    asker.done(more ? Result<std::string>(listing->text()) : std::unexpected(more.error()));
    return false;
  });
}

}  // namespace usher::server
