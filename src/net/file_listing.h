// net/file_listing: the lines of LIST, made in steps.  Spec: filestream.md §3.1, §4.1.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <dirent.h>

#include "net/file_shares.h"
#include "net/workers.h"

namespace usher::net {

/// Beneath `directory`, whatever links, `..` and mounts say. `flags`: open(2)'s, beside O_CLOEXEC.
/// Errors: not_found, not_permitted (also what leads out), io.
[[nodiscard]] Result<Descriptor> open_beneath(int directory, const std::string& name, int flags);

/// One list under way, for one client. Holds no more than one directory open, so that many may be under way.
class FileListing {
 public:
  static constexpr std::size_t kTurn = 1'000;  // entries that a step looks at, before others have their turn

  FileListing(std::shared_ptr<const FileShares> shares, std::string prefix, identity::Certificate client)
      : shares_(std::move(shares)), prefix_(std::move(prefix)), client_(std::move(client)) {}

  /// Looks at kTurn more entries at most: reads directories, so not for an event loop. False: the list is whole.
  /// Errors: too_long (lines, or folders that wait); io; those of the vault.
  [[nodiscard]] Result<bool> step();
  /// The answer, ordered by the names' bytes.
  [[nodiscard]] std::string text() const;

 private:
  struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
  };

  [[nodiscard]] const FileShares::Share& share() const { return shares_->shares_[share_]; }
  [[nodiscard]] std::string before() const;
  [[nodiscard]] bool may_hold_names(const std::string& inner) const;
  void begin_share();
  void end_share();
  [[nodiscard]] Result<> open_folder();
  [[nodiscard]] Result<> look_at_entry();
  [[nodiscard]] Result<> look_at_medium();
  [[nodiscard]] Result<> add_folder(std::string inner);
  [[nodiscard]] Result<> add(const std::string& name, std::uint64_t size, std::int64_t modified_seconds);

  std::shared_ptr<const FileShares> shares_;
  std::string prefix_;
  identity::Certificate client_;

  std::size_t share_ = 0;
  bool begun_ = false;                // that share
  std::vector<std::string> folders_;  // of it, that wait: their names with a slash, or nothing for the share itself
  std::string folder_;                // the one that is read
  std::unique_ptr<DIR, CloseDirectory> directory_;
  std::size_t medium_ = 0;
  std::map<std::string, std::string> lines_;  // by name
};

/// Who asks for a list, and who is told, by a worker. An asker that is gone is not told, and its list not made.
struct ListAsker {
  std::string client;  // whose job it is, see Workers
  std::weak_ptr<const void> alive;
  std::function<void(Result<std::string>)> done;
};
/// Errors: server_busy; cancelled. What fails later is told to the asker.
[[nodiscard]] Result<> make_list(Workers& workers, std::shared_ptr<FileListing> listing, ListAsker asker);

}  // namespace usher::net
