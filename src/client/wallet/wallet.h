// client/wallet/wallet: stores the person's licences at the listener, so that the server's figures can be checked.
//
//   <home>/wallet/<server>/<pseudonym>/          0700; server: SHA-256 of its id, 32 hex digits
//       licences/<id>.jws                        the document, byte for byte; never removed
//       figures.json                             the server's last figures for each licence
//       keys/<kid>.der                           licence keys that this server has had
//       plays/<play>.json                        plays that were opened here and not closed; locked while playing
//       numbers                                  the numbers that people type for media (client/numbers)
//       differences.log                          the differences that were reported, with their times
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "client/play/heard_clock.h"
#include "licence/licence.h"
#include "wire/api.h"

namespace usher::client {

/// A licence, with the server's figures for what is left of it.
struct HeldLicence {
  licence::LicenceTerms terms;
  wire::LicenceEntry entry;
};

/// How the server's figures contradict the wallet's. A change that contradicts nothing is not a difference: see
/// Reconciled::news.
enum class DifferenceKind : std::uint8_t {
  missing,        // in the wallet, but not listed by the server
  changed,        // another document under the same id
  bad_signature,  // not signed by this server's licence key
  foreign,        // of another person or another server
  more_plays,     // plays left increased, and no play can have been given back
  fewer_plays,    // plays left decreased, though the licence can be used only here and no play is open
  impossible,     // more plays left than the licence ever had
  key_changed,    // the server no longer has the key of a licence that can still be used
  damaged,        // a file in the wallet cannot be read, or was changed
};
[[nodiscard]] std::string_view name_of(DifferenceKind kind) noexcept;

struct Difference {
  DifferenceKind kind;
  std::string licence;   // id in hexadecimal; empty if unknown
  std::string sentence;  // what exactly differs
};

struct Reconciled {
  std::vector<HeldLicence> licences;  // those with a valid signature, in the server's order
  std::vector<Difference> differences;
  std::vector<std::string> news;  // sentences: changes since the last list that contradict nothing
};

/// A play that was opened here and not closed.
struct UnfinishedPlay {
  Id128 play{};
  Id128 medium{};
  Id128 licence{};
  std::uint64_t position_ms = 0;  // the last position that was heard
  std::uint64_t deadline = 0;     // unix seconds
  HeardClock own{};               // what was heard in this play
  wire::ChunkRanges asked{};      // chunks that were requested in this play
};

/// Owns the play's file and its lock. While it lives, no other process sees the play as unfinished.
class PlayMark {
 public:
  PlayMark(const PlayMark&) = delete;
  PlayMark& operator=(const PlayMark&) = delete;
  ~PlayMark() = default;
  /// Saves the progress. Best effort: if it is not written, the listener loses some seconds, or repeats.
  void keep(std::uint64_t position_ms, const HeardClock& own, const wire::ChunkRanges& asked) noexcept;
  /// The play is over: removes its file.
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

/// One person's licences of one server. Not thread-safe; processes exclude each other by a lock.
class Wallet {
 public:
  /// Makes the directories. `installation`: SHA-256 of this installation's public key, as licences name it.
  /// Errors: not_permitted, disk_full, io; bad_key, of the server's licence keys.
  [[nodiscard]] static Result<Wallet> open(const std::filesystem::path& home, const wire::Authenticated& person,
                                           const Hash256& installation, const Clock& clock);

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// The differences that open() and reconcile() found in the files: missing keys, damaged files. Returns each once.
  [[nodiscard]] std::vector<Difference> take_findings();
  /// The documents in the wallet whose signature is valid.
  [[nodiscard]] const std::map<Id128, licence::VerifiedLicence>& kept() const noexcept { return kept_; }
  /// Whether the wallet has a licence for the medium that, by the server's last figures, has plays left and has not
  /// ended at `now`.
  [[nodiscard]] bool knows_usable(const Id128& medium, Time now) const;

  /// Compares the server's whole list with the wallet, stores new licences, and adopts the server's figures. Other
  /// processes may have bought licences, or opened and closed plays, since the list was requested: this is not a
  /// difference.
  /// Errors: disk_full, io.
  [[nodiscard]] Result<Reconciled> reconcile(const std::vector<wire::LicenceEntry>& listed);
  /// Whether a licence could be stored now. Errors: disk_full, not_permitted, io.
  [[nodiscard]] Result<> check_writable() const;
  /// Stores a licence that was just acquired. Errors: bad_signature, unknown_licence (of another person or server),
  /// malformed; io.
  [[nodiscard]] Result<HeldLicence> add(const wire::LicenceEntry& entry);
  /// Makes the play's file, and locks it. `left`: the licence's plays left, from the server's response when it opened
  /// or resumed the play; empty: unknown.
  /// Errors: busy (another process plays it), io.
  [[nodiscard]] Result<std::unique_ptr<PlayMark>> begin(const UnfinishedPlay& play,
                                                        std::optional<std::uint32_t> left = std::nullopt);
  /// Call it after the server has closed the play. `left`: the licence's plays left, from the server's response.
  void closed(PlayMark& mark, std::uint32_t left);
  /// Plays of this medium that were begun here and not closed, and that no process is playing now; the newest first.
  [[nodiscard]] std::vector<UnfinishedPlay> unfinished(const Id128& medium, Time now) const;

 private:
  struct Figure {
    std::uint32_t plays_left = 0;
    wire::LicenceState state{};
    std::uint64_t usable_until = 0;
    std::uint32_t open_plays = 0;  // plays that the server listed as open, without those that were closed here since
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
  /// `keys`: the server's current keys, or these and its earlier ones.
  [[nodiscard]] Result<licence::VerifiedLicence> check(std::string_view document,
                                                       const std::vector<crypto::PublicKey>& keys) const;
  [[nodiscard]] Result<> keep(const licence::VerifiedLicence& licence);
  /// The listed licence, if it is accepted; else adds a difference, or news, to `result`.
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
  std::vector<crypto::PublicKey> keys_;      // the server's current keys
  std::vector<crypto::PublicKey> all_keys_;  // these and the earlier ones
  bool first_time_ = true;
  std::map<Id128, licence::VerifiedLicence> kept_;
  std::map<Id128, Figure> figures_;
  std::vector<Difference> findings_;
  std::set<std::filesystem::path> damaged_;  // files that were reported already
};

}  // namespace usher::client
