// store/sqlite/rows: reads and writes the rows of media, licences, plays and operations.
#pragma once

#include "store/records.h"
#include "store/sqlite/connection.h"

namespace usher::store::sqlite {

[[nodiscard]] std::optional<MediumRecord> load_medium(Connection& connection, const Id128& id);
/// A medium that is in the catalogue. Errors: unknown_medium.
[[nodiscard]] Result<MediumRecord> require_medium(Connection& connection, const Id128& id);
[[nodiscard]] Page<MediumRecord> load_media(Connection& connection, Range range);

struct LicenceRow {
  std::int64_t n = 0;
  Licence licence;
};
[[nodiscard]] std::optional<LicenceRow> load_licence(Connection& connection, const Id128& id);
[[nodiscard]] LicenceRow load_licence(Connection& connection, std::int64_t n);
/// "Briefly": without the document and the number of open plays. These are the fields that every chunk request needs.
[[nodiscard]] LicenceRow load_licence_briefly(Connection& connection, std::int64_t n);
/// The caller's licence for the medium that is valid now, not revoked, has a play left and may be used on this
/// installation, briefly: the one that ends first, then the oldest.
[[nodiscard]] std::optional<LicenceRow> find_licence_for(Connection& connection, const Caller& caller,
                                                         const Id128& medium, Time now);
/// The same for any installation: whether a licence could be used on another one.
[[nodiscard]] bool has_licence_elsewhere(Connection& connection, const Caller& caller, const Id128& medium, Time now);
/// A person's newest licence for the medium, usable or not, briefly.
[[nodiscard]] std::optional<LicenceRow> load_last_licence_for(Connection& connection, const Hash256& pseudonym,
                                                              const Id128& medium);
[[nodiscard]] Page<Licence> load_licences(Connection& connection, const Hash256& pseudonym, Range range);
[[nodiscard]] Page<Licence> load_all_licences(Connection& connection, Range range);

struct PlayRow {
  std::int64_t n = 0;
  Id128 id{};
  std::int64_t licence = 0;  // its row
  Hash256 pseudonym{};
  Hash256 installation{};  // the one that last opened or resumed it
  Id128 medium{};
  licence::Play play;
};
[[nodiscard]] std::optional<PlayRow> load_play(Connection& connection, const Id128& id);
[[nodiscard]] PlayRow load_play(Connection& connection, std::int64_t n);
/// The number of a person's plays of the medium that are not over.
[[nodiscard]] std::uint32_t count_open_plays(Connection& connection, const Hash256& pseudonym, const Id128& medium);
/// Plays that are not over and whose deadline has passed; of one person, or of all people. At most 256.
[[nodiscard]] std::vector<PlayRow> load_overdue(Connection& connection, const std::optional<Hash256>& pseudonym,
                                                Time now);
/// A person's plays that are not over, the newest first. At most 256.
[[nodiscard]] std::vector<PlayRow> load_open_plays(Connection& connection, const Hash256& pseudonym);

/// The result of an operation, stored for repeats.
struct Done {
  enum class Kind : std::uint8_t { issue = 1, open = 2, resume = 3, close = 4 };
  Kind kind = Kind::issue;
  std::int64_t subject = 0;  // the row of a licence (issue) or of a play
  std::uint64_t epoch = 0;
  std::optional<std::uint32_t> plays_left;
  bool flag = false;  // refunded (close)
};
/// Errors: operation_conflict (other content, or another kind of operation).
[[nodiscard]] Result<std::optional<Done>> load_done(Connection& connection, const Hash256& pseudonym,
                                                    const Operation& operation, Done::Kind kind);
void save_done(Connection& connection, const Hash256& pseudonym, const Operation& operation, const Done& done,
               Time now);

}  // namespace usher::store::sqlite
