// client/wallet: the person's licences, kept by the listener, so that the server's figures can be checked.
//
//   <home>/wallet/<server>/<pseudonym>/          0700; server: SHA-256 of its id, 32 hex digits
//       licences/<id>.jws                        the document, byte for byte; never removed
//       figures.json                             what the server told last of each licence
//       keys/<kid>.der                           licence keys that this server has had
//       plays/<play>.json                        plays of ours that were not closed; locked while they are played
//       numbers                                  media by the numbers that people type (client/numbers)
//       differences.log                          what was told to the listener, with its time
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "client/own_clock.h"
#include "licence/licence.h"
#include "wire/api.h"

namespace usher::client {

/// A licence with the server's word on what is left of it.
struct HeldLicence {
  licence::LicenceTerms terms;
  wire::LicenceEntry entry;
};

/// How the server's figures and ours contradict each other. What is new and fits is none: see Reconciled::news.
enum class DifferenceKind : std::uint8_t {
  missing,        // kept here, not listed by the server
  changed,        // another document under the same id
  bad_signature,  // not signed by this server's licence key
  foreign,        // another person's, or another server's
  more_plays,     // plays left went up, and no play can have been given back
  fewer_plays,    // plays left went down, though the licence can be used here alone and no play is open
  impossible,     // more left than the licence ever had
  key_changed,    // the server has no longer the key of a licence that can still be used
  damaged,        // a file here cannot be read, or is not what was written
};
[[nodiscard]] std::string_view name_of(DifferenceKind kind) noexcept;

struct Difference {
  DifferenceKind kind;
  std::string licence;   // id in hexadecimal; empty where it is not known
  std::string sentence;  // what exactly differs
};

struct Reconciled {
  std::vector<HeldLicence> licences;  // those whose signature holds, in the server's order
  std::vector<Difference> differences;
  std::vector<std::string> news;  // sentences: what came since the last list, and contradicts nothing
};

/// A play that was opened here and not closed.
struct UnfinishedPlay {
  Id128 play{};
  Id128 medium{};
  Id128 licence{};
  std::uint64_t position_ms = 0;  // up to where it was heard
  std::uint64_t deadline = 0;     // unix seconds
  OwnClock own{};                 // what was heard in it
  wire::ChunkRanges asked{};      // chunks that were asked for in it
};

/// Keeps the play's file and its lock; while it lives no other process takes the play for unfinished.
class PlayMark {
 public:
  PlayMark(const PlayMark&) = delete;
  PlayMark& operator=(const PlayMark&) = delete;
  ~PlayMark() = default;
  /// Best effort: what is not written costs the listener some seconds, or repeats.
  void keep(std::uint64_t position_ms, const OwnClock& own, const wire::ChunkRanges& asked) noexcept;
  /// The play is over: nothing to resume.
  void done() noexcept;

 private:
  friend class Wallet;
  PlayMark(FileLock lock, std::filesystem::path file, UnfinishedPlay play)
      : lock_(std::move(lock)), file_(std::move(file)), play_(std::move(play)) {}
  void write() noexcept;
  FileLock lock_;
  std::filesystem::path file_;
  UnfinishedPlay play_;
};

/// One person's licences of one server. One thread at a time; processes exclude each other by a lock.
class Wallet {
 public:
  /// Makes the directories. `installation`: SHA-256 of this installation's public key, as licences name it.
  /// Errors: not_permitted, disk_full, io; bad_key, of the server's licence keys.
  [[nodiscard]] static Result<Wallet> open(const std::filesystem::path& home, const wire::Authenticated& person,
                                           const Hash256& installation, const Clock& clock);

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// What open() found wrong: a key that has gone, files that are damaged. Once.
  [[nodiscard]] std::vector<Difference> take_findings();
  /// The documents that are kept and verify.
  [[nodiscard]] const std::map<Id128, licence::VerifiedLicence>& kept() const noexcept { return kept_; }
  /// Whether a licence for the medium is kept that had plays left, and time, when the server told last.
  [[nodiscard]] bool knows_usable(const Id128& medium, Time now) const;

  /// Compares all of what the server lists with what is kept, keeps what is new, and takes over its figures. Other
  /// processes may have bought, opened and closed since the list was asked for: that makes no difference.
  /// Errors: disk_full, io.
  [[nodiscard]] Result<Reconciled> reconcile(const std::vector<wire::LicenceEntry>& listed);
  /// Whether a licence could be kept now. Errors: disk_full, not_permitted, io.
  [[nodiscard]] Result<> check_writable() const;
  /// A licence just acquired. Errors: bad_signature, unknown_licence (another person's or server's), malformed; io.
  [[nodiscard]] Result<HeldLicence> add(const wire::LicenceEntry& entry);
  /// `left`: what the server told of the licence when it opened or resumed the play.
  /// Errors: busy (another process plays it), io.
  [[nodiscard]] Result<std::unique_ptr<PlayMark>> begin(const UnfinishedPlay& play,
                                                        std::optional<std::uint32_t> left = std::nullopt);
  /// The server has closed the play; `left` is what it told then.
  void closed(PlayMark& mark, std::uint32_t left);
  /// Plays of this medium that were begun here, not closed, and that no process is playing; the newest first.
  [[nodiscard]] std::vector<UnfinishedPlay> unfinished(const Id128& medium, Time now) const;

 private:
  struct Figure {
    std::uint32_t plays_left = 0;
    wire::LicenceState state{};
    std::uint64_t usable_until = 0;
    std::uint32_t open_plays = 0;  // of those that the server listed, and that were not closed here since
  };
  Wallet(std::filesystem::path folder, const Clock& clock) : folder_(std::move(folder)), clock_(&clock) {}
  [[nodiscard]] Result<> load(const wire::Authenticated& person);
  [[nodiscard]] Result<> load_keys(const wire::Authenticated& person);
  void load_known_keys();
  void load_licences();
  void find_lost_keys();
  void note(const Id128& licence, std::uint32_t left, std::uint32_t closed);
  void load_figures();
  [[nodiscard]] Result<> save_figures() const;
  [[nodiscard]] Result<> check_holder(const licence::LicenceTerms& terms) const;
  /// keys: those the server gave now, or also those that it had before.
  [[nodiscard]] Result<licence::VerifiedLicence> check(std::string_view document,
                                                       const std::vector<crypto::PublicKey>& keys) const;
  [[nodiscard]] Result<> keep(const licence::VerifiedLicence& licence);
  /// One listed licence, if it can be taken; what speaks against it goes into `result`.
  [[nodiscard]] std::optional<licence::VerifiedLicence> admit(const wire::LicenceEntry& entry,
                                                              Reconciled& result) const;
  [[nodiscard]] Result<> take(HeldLicence held, const licence::VerifiedLicence& verified, Reconciled& result);
  void compare(const HeldLicence& held, std::vector<Difference>& differences) const;
  [[nodiscard]] std::uint32_t marks_of(const Id128& licence) const;
  [[nodiscard]] std::vector<UnfinishedPlay> all_unfinished() const;
  void forget_old_plays() const;
  void log(const std::vector<Difference>& differences) const;

  std::filesystem::path folder_;
  const Clock* clock_;
  std::string server_;
  Hash256 pseudonym_{};
  Hash256 installation_{};
  std::vector<crypto::PublicKey> keys_;      // given now
  std::vector<crypto::PublicKey> all_keys_;  // and those of before
  bool first_time_ = true;
  std::map<Id128, licence::VerifiedLicence> kept_;
  std::map<Id128, Figure> figures_;
  std::vector<Difference> findings_;
  std::set<std::filesystem::path> damaged_;  // files that were told of
};

}  // namespace usher::client
