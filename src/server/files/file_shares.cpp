#include "server/files/file_shares.h"

#include <algorithm>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/encoding.h"
#include "base/os_error.h"
#include "server/files/file_listing.h"
#include "wire/file_request.h"

namespace usher::server {
namespace {

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec; }

}  // namespace

Result<> FileShares::check(const std::vector<FileShare>& shares) {
  std::set<std::string_view> seen;
  for (const FileShare& share : shares) {
    if (!wire::is_file_name(share.name) || share.name.find('/') != std::string::npos) {
      return fail(Fault::bad_config, "share", "\"" + printable(share.name) + "\" cannot be a share's name");
    }
    if (!seen.insert(share.name).second) return fail(Fault::bad_config, "share", share.name + " is there twice");
    if (share.directory.empty() == share.media.empty()) {
      return fail(Fault::bad_config, "share", share.name + " needs a directory, or media, and not both");
    }
    std::set<std::string_view> media;
    for (const auto& [name, id] : share.media) {
      if (!wire::is_file_name(name) || !media.insert(name).second) {
        return fail(Fault::bad_config, "share", "\"" + printable(name) + "\" cannot be the name of a medium");
      }
    }
  }
  return {};
}

Result<FileState> state_of(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return fail_errno("file: state");
  if (!S_ISREG(status.st_mode)) return fail(Fault::malformed, "file: kind");
  return FileState{.device = status.st_dev,
                   .inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .modified_ns = nanoseconds(status.st_mtim),
                   .changed_ns = nanoseconds(status.st_ctim)};
}

Result<std::shared_ptr<const FileShares>> FileShares::open(std::vector<FileShare> shares, const media::Vault* vault) {
  USHER_CHECK(check(shares));
  std::shared_ptr<FileShares> out(new FileShares());
  out->vault_ = vault;
  for (FileShare& share : shares) {
    Descriptor directory;
    if (!share.directory.empty()) {
      directory = Descriptor(::open(share.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!directory.is_open()) return fail_errno("share", share.directory.string());
    }
    for (const auto& [name, id] : share.media) {
      if (vault != nullptr) USHER_CHECK(vault->manifest(id));
    }
    out->shares_.push_back({.what = std::move(share), .directory = std::move(directory)});
  }
  return out;
}

std::pair<const FileShares::Share*, std::string_view> FileShares::find(std::string_view name) const {
  if (shares_.size() == 1) return {&shares_.front(), name};
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return {nullptr, {}};
  const auto at = std::ranges::find_if(shares_, [&](const Share& s) { return s.what.name == name.substr(0, slash); });
  return {at == shares_.end() ? nullptr : &*at, name.substr(slash + 1)};
}

Result<OpenedFilePtr> FileShares::look_up(const Share& share, std::string_view inner) const {
  auto out = std::make_shared<OpenedFile>();
  if (share.directory.is_open()) {
    // O_NONBLOCK: opening a FIFO or a device must not block before it is refused.
    USHER_TRY(out->file, open_beneath(share.directory.get(), std::string(inner), O_RDONLY | O_NONBLOCK | O_NOCTTY));
    USHER_TRY(out->state, state_of(out->file.get()));
    return out;
  }
  const auto& media = share.what.media;
  const auto at = std::ranges::find(media, inner, [](const auto& medium) { return std::string_view(medium.first); });
  if (at == media.end() || vault_ == nullptr) return fail(Fault::not_found, "share: medium");
  USHER_TRY(out->medium, vault_->open_medium(at->second));
  return out;
}

bool FileShares::may_see(const Share& share, const pki::Certificate& client, std::string_view inner) {
  const std::vector<FileRule>& rules = share.what.rules;
  return rules.empty() ||
         std::ranges::any_of(rules, [&](const FileRule& rule) { return rule.allows(inner) && rule.is_for(client); });
}

Result<OpenedFilePtr> FileShares::open_file(std::string_view name, const pki::Certificate& client) const {
  const auto [share, inner] = find(name);
  if (share == nullptr) return fail(Fault::not_found, "share: name");
  auto found = look_up(*share, inner);
  if (!may_see(*share, client, inner)) return fail(Fault::not_permitted, "share: rules");
  return found;
}

bool FileShares::has_media() const noexcept {
  return std::ranges::any_of(shares_, [](const Share& share) { return !share.what.media.empty(); });
}

}  // namespace usher::server
