// server/files/file_listing: makes the answer to LIST in steps.  Spec: filestream.md §3.1, §4.1.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <dirent.h>

#include "server/files/file_shares.h"
#include "server/runtime/workers.h"

namespace usher::server {

/// Opens `name` beneath `directory`. Links, `..` and mounts cannot lead out of it. `flags`: those of open(2); O_CLOEXEC
/// is added. Errors: not_found (also a name that leads out), not_permitted, io.
[[nodiscard]] Result<Descriptor> open_beneath(int directory, const std::string& name, int flags);

/// One list in progress, for one client. Keeps at most one directory open, so that many lists can be in progress.
class FileListing {
 public:
  static constexpr std::size_t kTurn = 1'000;  // entries that one step reads, before other jobs have their turn

  FileListing(std::shared_ptr<const FileShares> shares, std::string prefix, pki::Certificate client)
      : shares_(std::move(shares)), prefix_(std::move(prefix)), client_(std::move(client)) {}

  /// Reads at most kTurn more entries. Not for an event loop, since it reads directories. False: the list is complete.
  /// Errors: too_long (too many lines, or too many folders that wait); io; those of the vault.
  [[nodiscard]] Result<bool> step();
  /// The answer, sorted by the bytes of the names.
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
  pki::Certificate client_;

  std::size_t share_ = 0;
  bool begun_ = false;                // whether reading that share has begun
  std::vector<std::string> folders_;  // its folders that wait: names with a final slash; empty for the share itself
  std::string folder_;                // the folder that is being read
  std::unique_ptr<DIR, CloseDirectory> directory_;
  std::size_t medium_ = 0;
  std::map<std::string, std::string> lines_;  // by name
};

/// A request for a list. A worker calls `done`. Once `alive` has expired, `done` is not called and the list not made.
struct ListAsker {
  std::string client;  // the owner of the job, see Workers
  std::weak_ptr<const void> alive;
  std::function<void(Result<std::string>)> done;
};
/// Starts to make a list. Errors: server_busy; cancelled. Later errors are passed to asker.done.
[[nodiscard]] Result<> make_list(Workers& workers, std::shared_ptr<FileListing> listing, ListAsker asker);

}  // namespace usher::server
