#include "usherd/home/owner.h"

#include <optional>
#include <string>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace usher::usherd {
namespace {

struct Owner {
  uid_t user;
  gid_t group;
  std::string name;  // for messages
};

std::optional<Owner> owner_of(const std::filesystem::path& directory) {
  struct stat info{};
  if (::stat(directory.c_str(), &info) != 0) return std::nullopt;
  const passwd* const entry = ::getpwuid(info.st_uid);  // one thread only: none has been started yet
  if (entry == nullptr) return Owner{info.st_uid, info.st_gid, "user " + std::to_string(info.st_uid)};
  return Owner{info.st_uid, entry->pw_gid, entry->pw_name};
}

bool become(const Owner& owner) {
  const bool known = !owner.name.starts_with("user ");
  const int grouped = known ? ::initgroups(owner.name.c_str(), owner.group) : ::setgroups(0, nullptr);
  return grouped == 0 && ::setgid(owner.group) == 0 && ::setuid(owner.user) == 0;
}

}  // namespace

Result<> work_as_owner(const Config& config) {
  auto home = config.path_of(config.data);
  auto owner = owner_of(home);
  if (!owner) {
    home = config.file.parent_path();
    owner = owner_of(home);
  }
  if (!owner || owner->user == ::geteuid()) return {};
  if (::geteuid() == 0 && become(*owner)) return {};
  return fail(Fault::not_permitted, "home",
              home.string() + " belongs to " + owner->name +
                  ", and what is written there has to be that user's: run this as " + owner->name);
}

}  // namespace usher::usherd
