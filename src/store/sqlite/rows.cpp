#include "store/sqlite/rows.h"

namespace usher::store::sqlite {
namespace {

// The function after each list of columns reads these columns, in this order.
#define MEDIUM_COLUMNS                                                                                                \
  "medium, manifest, object, chunk_size, size, chunk_count, duration_ms, structure, head_chunks, seconds, added_at, " \
  "removed_at"

/// Values that usher cannot have written read as empty, and the transaction fails.
licence::Extent extent_of(const Query& q, int column) {
  licence::Extent extent;
  extent.chunks = q.number32(column);
  extent.duration = Milliseconds{q.number(column + 1)};
  const auto structure = wire::decode_ranges(q.blob(column + 2), wire::kMaxStructureRanges);
  extent.head = q.number32(column + 3);
  const auto seconds = wire::decode_seconds(q.blob(column + 4));
  if (structure) extent.structure = *structure;
  if (seconds) extent.seconds = *seconds;
  if (!structure || !seconds || !extent.check()) q.damaged("a medium's chunks in time");
  return extent;
}

MediumRecord medium_of(const Query& q) {
  MediumRecord medium;
  medium.id = q.array<16>(0);
  medium.manifest = q.array<32>(1);
  medium.object = q.array<16>(2);
  medium.chunk_size = q.number32(3);
  medium.size = static_cast<std::uint64_t>(q.number(4));
  medium.extent = extent_of(q, 5);
  medium.added_at = q.time(10);
  if (!q.is_null(11)) medium.removed_at = q.time(11);
  return medium;
}

#define LICENCE_COLUMNS_(document, open_plays)                                                          \
  "n, licence, server, pseudonym, installation, manifest, medium, plays, not_before, expires, window, " \
  "issued_at, " document ", plays_left, first_play, revoked_at, " open_plays                            \
  ", EXISTS (SELECT 1 FROM media WHERE media.medium = licences.medium AND removed_at IS NOT NULL)"
#define LICENCE_COLUMNS        \
  LICENCE_COLUMNS_("document", \
                   "(SELECT count(*) FROM plays WHERE plays.licence = licences.n AND plays.state IN (0, 1))")

std::optional<std::uint32_t> number32_or_null(const Query& q, int column) {
  if (q.is_null(column)) return std::nullopt;
  return q.number32(column);
}

LicenceRow licence_of(const Query& q) {
  LicenceRow row{.n = q.number(0), .licence = {}};
  licence::LicenceTerms& terms = row.licence.terms;
  terms.id = q.array<16>(1);
  terms.server = q.text(2);
  terms.pseudonym = q.array<32>(3);
  if (!q.is_null(4)) terms.installation = q.array<32>(4);
  terms.manifest = q.array<32>(5);
  terms.medium = q.array<16>(6);
  terms.plays = number32_or_null(q, 7);
  terms.not_before = q.number(8);
  terms.expires = q.number_or_null(9);
  terms.window_after_first_play = q.number_or_null(10);
  terms.issued_at = q.number(11);
  row.licence.document = q.text(12);
  row.licence.standing = {
      .plays_left = number32_or_null(q, 13), .first_play = q.number_or_null(14), .revoked_at = q.number_or_null(15)};
  row.licence.open_plays = q.number32(16);
  row.licence.medium_removed = q.number(17) != 0;
  return row;
}

#define PLAY_COLUMNS "n, play, licence, pseudonym, installation, medium, state, epoch, deadline, repeats, moves"

/// The schema allows no other number; an unknown number reads as ended.
licence::PlayState state_of(std::int64_t number) {
  using enum licence::PlayState;
  return number == 0 ? opened : number == 1 ? committed : number == 2 ? refunded : ended;
}

PlayRow play_of(const Query& q) {
  PlayRow row{.n = q.number(0),
              .id = q.array<16>(1),
              .licence = q.number(2),
              .pseudonym = q.array<32>(3),
              .installation = q.array<32>(4),
              .medium = q.array<16>(5),
              .play = {}};
  row.play = {.state = state_of(q.number(6)),
              .epoch = static_cast<std::uint64_t>(q.number(7)),
              .deadline = q.time(8),
              .repeats = q.number32(9),
              .moves = q.number32(10)};
  return row;
}

Page<Licence> page_of_licences(Query& q, std::int64_t total) {
  Page<Licence> page{.total = static_cast<std::uint32_t>(total), .entries = {}};
  while (q.step()) page.entries.push_back(licence_of(q).licence);
  return page;
}

std::vector<PlayRow> plays_of(Query& q) {
  std::vector<PlayRow> plays;
  while (q.step()) plays.push_back(play_of(q));
  return plays;
}

}  // namespace

std::optional<MediumRecord> load_medium(Connection& connection, const Id128& id) {
  Query q = connection.query("SELECT " MEDIUM_COLUMNS " FROM media WHERE medium = ?");
  if (!q.put(id).step()) return std::nullopt;
  return medium_of(q);
}

Result<MediumRecord> require_medium(Connection& connection, const Id128& id) {
  auto medium = load_medium(connection, id);
  if (!medium || medium->removed_at) return fail(Fault::unknown_medium, "store");
  return *std::move(medium);
}

Page<MediumRecord> load_media(Connection& connection, Range range) {
  const std::int64_t total = connection.number("SELECT count(*) FROM media WHERE removed_at IS NULL");
  Page<MediumRecord> page{.total = static_cast<std::uint32_t>(total), .entries = {}};
  Query q =
      connection.query("SELECT " MEDIUM_COLUMNS " FROM media WHERE removed_at IS NULL ORDER BY n LIMIT ? OFFSET ?");
  q.put(std::int64_t{range.count}).put(std::int64_t{range.offset});
  while (q.step()) page.entries.push_back(medium_of(q));
  return page;
}

std::optional<LicenceRow> load_licence(Connection& connection, const Id128& id) {
  Query q = connection.query("SELECT " LICENCE_COLUMNS " FROM licences WHERE licence = ?");
  if (!q.put(id).step()) return std::nullopt;
  return licence_of(q);
}

LicenceRow load_licence(Connection& connection, std::int64_t n) {
  Query q = connection.query("SELECT " LICENCE_COLUMNS " FROM licences WHERE n = ?");
  if (q.put(n).step()) return licence_of(q);
  connection.damaged("a licence that is missing");
  return {};
}

LicenceRow load_licence_briefly(Connection& connection, std::int64_t n) {
  Query q = connection.query("SELECT " LICENCE_COLUMNS_("''", "0") " FROM licences WHERE n = ?");
  if (q.put(n).step()) return licence_of(q);
  connection.damaged("a licence that is missing");
  return {};
}

// The licences that can open a play now. The index licences_with_plays has these rows in this order.
#define USABLE_FOR_PLAY                                                                   \
  " FROM licences WHERE pseudonym = ? AND medium = ? AND ends > ?3 AND not_before <= ?3 " \
  "AND revoked_at IS NULL AND coalesce(plays_left, 1) > 0 "

std::optional<LicenceRow> find_licence_for(Connection& connection, const Caller& caller, const Id128& medium,
                                           Time now) {
  Query q = connection.query("SELECT " LICENCE_COLUMNS_("''", "0") USABLE_FOR_PLAY
                             "AND (installation IS NULL OR installation = ?) ORDER BY ends, n LIMIT 1");
  if (!q.put(caller.pseudonym).put(medium).put(unix_seconds(now)).put(caller.installation).step()) return std::nullopt;
  return licence_of(q);
}

bool has_licence_elsewhere(Connection& connection, const Caller& caller, const Id128& medium, Time now) {
  Query q = connection.query("SELECT 1" USABLE_FOR_PLAY "LIMIT 1");
  return q.put(caller.pseudonym).put(medium).put(unix_seconds(now)).step();
}

std::optional<LicenceRow> load_last_licence_for(Connection& connection, const Hash256& pseudonym, const Id128& medium) {
  Query q = connection.query("SELECT " LICENCE_COLUMNS_(
      "''", "0") " FROM licences WHERE pseudonym = ? AND medium = ? "
                 "ORDER BY n DESC LIMIT 1");
  if (!q.put(pseudonym).put(medium).step()) return std::nullopt;
  return licence_of(q);
}

Page<Licence> load_licences(Connection& connection, const Hash256& pseudonym, Range range) {
  const std::int64_t total = connection.number("SELECT count(*) FROM licences WHERE pseudonym = ?", pseudonym);
  Query q =
      connection.query("SELECT " LICENCE_COLUMNS " FROM licences WHERE pseudonym = ? ORDER BY n LIMIT ? OFFSET ?");
  q.put(pseudonym).put(std::int64_t{range.count}).put(std::int64_t{range.offset});
  return page_of_licences(q, total);
}

Page<Licence> load_all_licences(Connection& connection, Range range) {
  const std::int64_t total = connection.number("SELECT count(*) FROM licences");
  Query q = connection.query("SELECT " LICENCE_COLUMNS " FROM licences ORDER BY n LIMIT ? OFFSET ?");
  q.put(std::int64_t{range.count}).put(std::int64_t{range.offset});
  return page_of_licences(q, total);
}

std::optional<PlayRow> load_play(Connection& connection, const Id128& id) {
  Query q = connection.query("SELECT " PLAY_COLUMNS " FROM plays WHERE play = ?");
  if (!q.put(id).step()) return std::nullopt;
  return play_of(q);
}

PlayRow load_play(Connection& connection, std::int64_t n) {
  Query q = connection.query("SELECT " PLAY_COLUMNS " FROM plays WHERE n = ?");
  if (q.put(n).step()) return play_of(q);
  connection.damaged("a play that is missing");
  return {};
}

std::uint32_t count_open_plays(Connection& connection, const Hash256& pseudonym, const Id128& medium) {
  return static_cast<std::uint32_t>(connection.number(
      "SELECT count(*) FROM plays WHERE pseudonym = ? AND medium = ? AND state < 2", pseudonym, medium));
}

std::vector<PlayRow> load_overdue(Connection& connection, const std::optional<Hash256>& pseudonym, Time now) {
  if (!pseudonym) {
    Query q = connection.query("SELECT " PLAY_COLUMNS " FROM plays WHERE state < 2 AND deadline <= ? LIMIT 256");
    return plays_of(q.put(now));
  }
  Query q = connection.query("SELECT " PLAY_COLUMNS
                             " FROM plays WHERE pseudonym = ? AND state < 2 AND deadline <= ? LIMIT 256");
  return plays_of(q.put(*pseudonym).put(now));
}

std::vector<PlayRow> load_open_plays(Connection& connection, const Hash256& pseudonym) {
  Query q = connection.query("SELECT " PLAY_COLUMNS
                             " FROM plays WHERE pseudonym = ? AND state < 2 ORDER BY n DESC LIMIT 256");
  return plays_of(q.put(pseudonym));
}

Result<std::optional<Done>> load_done(Connection& connection, const Hash256& pseudonym, const Operation& operation,
                                      Done::Kind kind) {
  Query q = connection.query(
      "SELECT content, kind, subject, epoch, plays_left, flag FROM operations "
      "WHERE pseudonym = ? AND operation = ?");
  if (!q.put(pseudonym).put(operation.id).step()) return std::nullopt;
  const bool same_question = q.array<32>(0) == operation.content && q.number(1) == static_cast<std::int64_t>(kind);
  if (!same_question) return fail(Fault::operation_conflict, "store");
  return Done{.kind = kind,
              .subject = q.number(2),
              .epoch = static_cast<std::uint64_t>(q.number(3)),
              .plays_left = number32_or_null(q, 4),
              .flag = q.number(5) != 0};
}

void save_done(Connection& connection, const Hash256& pseudonym, const Operation& operation, const Done& done,
               Time now) {
  connection.run(
      "INSERT INTO operations (pseudonym, operation, content, kind, subject, epoch, plays_left, flag, at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      pseudonym, operation.id, operation.content, static_cast<std::int64_t>(done.kind), done.subject,
      static_cast<std::int64_t>(done.epoch), done.plays_left, std::int64_t{done.flag ? 1 : 0}, now);
}

}  // namespace usher::store::sqlite
