#include "store/sqlite/schema.h"

#include <array>

namespace usher::store::sqlite {
namespace {

// Times of events: Unix milliseconds. Times of the licence document: Unix seconds, as it writes them.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE media (
  n           INTEGER PRIMARY KEY,
  medium      BLOB    NOT NULL UNIQUE CHECK (length(medium) = 16),
  manifest    BLOB    NOT NULL CHECK (length(manifest) = 32),
  object      BLOB    NOT NULL CHECK (length(object) = 16),
  chunk_size  INTEGER NOT NULL CHECK (chunk_size > 0),
  chunk_count INTEGER NOT NULL CHECK (chunk_count > 0),
  duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
  size        INTEGER NOT NULL CHECK (size >= 0),
  added_at    INTEGER NOT NULL,
  removed_at  INTEGER
) STRICT;

CREATE TABLE licences (
  n            INTEGER PRIMARY KEY,
  licence      BLOB    NOT NULL UNIQUE CHECK (length(licence) = 16),
  server       TEXT    NOT NULL,
  pseudonym    BLOB    NOT NULL CHECK (length(pseudonym) = 32),
  installation BLOB    CHECK (length(installation) = 32),
  manifest     BLOB    NOT NULL CHECK (length(manifest) = 32),
  medium       BLOB    NOT NULL REFERENCES media (medium),
  plays        INTEGER CHECK (plays > 0),
  not_before   INTEGER NOT NULL,
  expires      INTEGER,
  window       INTEGER,
  issued_at    INTEGER NOT NULL,
  document     TEXT    NOT NULL,
  plays_left   INTEGER CHECK (plays_left BETWEEN 0 AND plays),
  first_play   INTEGER,
  revoked_at   INTEGER,
  heard        INTEGER NOT NULL DEFAULT 0 CHECK (heard >= 0),
  CHECK ((plays IS NULL) = (plays_left IS NULL))
) STRICT;
CREATE INDEX licences_of_person ON licences (pseudonym, medium);

CREATE TABLE plays (
  n            INTEGER PRIMARY KEY,
  play         BLOB    NOT NULL UNIQUE CHECK (length(play) = 16),
  licence      INTEGER NOT NULL REFERENCES licences (n),
  pseudonym    BLOB    NOT NULL CHECK (length(pseudonym) = 32),
  installation BLOB    NOT NULL CHECK (length(installation) = 32),
  medium       BLOB    NOT NULL REFERENCES media (medium),
  state        INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
  epoch        INTEGER NOT NULL CHECK (epoch > 0),
  deadline     INTEGER NOT NULL,
  granted      INTEGER NOT NULL CHECK (granted >= 0),
  opened_at    INTEGER NOT NULL,
  over_at      INTEGER,
  CHECK ((state >= 2) = (over_at IS NOT NULL))
) STRICT;
CREATE INDEX plays_of_licence ON plays (licence, state);
CREATE INDEX open_plays_of_person ON plays (pseudonym) WHERE state < 2;
CREATE INDEX open_plays_by_deadline ON plays (deadline) WHERE state < 2;

CREATE TABLE grants (
  play  INTEGER NOT NULL REFERENCES plays (n),
  block INTEGER NOT NULL CHECK (block >= 0),
  times BLOB    NOT NULL CHECK (length(times) = 64),
  PRIMARY KEY (play, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE heard (
  licence INTEGER NOT NULL REFERENCES licences (n),
  block   INTEGER NOT NULL CHECK (block >= 0),
  bits    INTEGER NOT NULL,
  PRIMARY KEY (licence, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE people (
  pseudonym  BLOB    NOT NULL PRIMARY KEY CHECK (length(pseudonym) = 32),
  first_seen INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL
) STRICT;

CREATE TABLE installations (
  pseudonym    BLOB    NOT NULL REFERENCES people (pseudonym),
  installation BLOB    NOT NULL CHECK (length(installation) = 32),
  first_seen   INTEGER NOT NULL,
  last_seen    INTEGER NOT NULL,
  PRIMARY KEY (pseudonym, installation)
) STRICT, WITHOUT ROWID;

CREATE TABLE operations (
  pseudonym   BLOB    NOT NULL CHECK (length(pseudonym) = 32),
  operation   BLOB    NOT NULL CHECK (length(operation) = 16),
  content     BLOB    NOT NULL CHECK (length(content) = 32),
  kind        INTEGER NOT NULL,
  subject     INTEGER NOT NULL,
  epoch       INTEGER NOT NULL,
  plays_left  INTEGER,
  budget_left INTEGER NOT NULL,
  flag        INTEGER NOT NULL CHECK (flag IN (0, 1)),
  at          INTEGER NOT NULL,
  PRIMARY KEY (pseudonym, operation)
) STRICT, WITHOUT ROWID;
CREATE INDEX operations_by_age ON operations (at);

CREATE TABLE revocation_floors (
  issuer      BLOB    NOT NULL PRIMARY KEY CHECK (length(issuer) = 32),
  number      BLOB    NOT NULL CHECK (length(number) = 20),
  this_update INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array kMigrations{kVersion1};  // [n] makes version n + 1 of version n; rows are added, never changed
static_assert(kMigrations.size() == kSchemaVersion);

Result<> migrate_inside(Connection& connection) {
  SQLite::Database& database = connection.database();
  const std::int64_t application = database.execAndGet("PRAGMA application_id").getInt64();
  const std::int64_t version = database.execAndGet("PRAGMA user_version").getInt64();
  const bool empty = database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt64() == 0;
  const bool ours = application == kApplicationId || (application == 0 && version == 0 && empty);
  if (!ours) return fail(Fault::store, "sqlite: open", "the file belongs to another application");
  if (version < 0 || version > kSchemaVersion) {
    return fail(Fault::unsupported, "sqlite: open", "the store was made by a newer usher");
  }
  for (auto at = static_cast<std::size_t>(version); at < kMigrations.size(); ++at) database.exec(kMigrations[at]);
  database.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
  database.exec("PRAGMA user_version = " + std::to_string(kSchemaVersion));
  return {};
}

struct Figure {
  const char* what;
  const char* sql;  // counts what is wrong
};
constexpr std::array kFigures{
    Figure{"plays of a licence",
           "SELECT count(*) FROM licences WHERE plays IS NOT NULL AND plays - plays_left <> "
           "(SELECT count(*) FROM plays WHERE plays.licence = licences.n AND state <> 2)"},
    Figure{"first play of a licence",
           "SELECT count(*) FROM licences WHERE (first_play IS NULL) <> "
           "NOT EXISTS (SELECT 1 FROM plays WHERE plays.licence = licences.n AND state IN (1, 3))"},
    Figure{"grants of a play that is over",
           "SELECT count(*) FROM grants JOIN plays ON plays.n = grants.play WHERE state >= 2"},
    Figure{"a play's person",
           "SELECT count(*) FROM plays JOIN licences ON licences.n = plays.licence "
           "WHERE plays.pseudonym <> licences.pseudonym OR plays.medium <> licences.medium"},
};

int bits_of(std::int64_t bits) noexcept { return __builtin_popcountll(static_cast<std::uint64_t>(bits)); }

/// Whether a table's rows, added up by `amount`, are the figure that `sql`'s first column claims for each group.
template <class Amount>
bool adds_up(Connection& connection, const char* sql, Amount amount) {
  std::optional<std::int64_t> group;
  std::int64_t left = 0;
  Query q = connection.query(sql);  // group, claimed, row's content or NULL
  while (q.step()) {
    if (group != q.number(0)) {
      if (left != 0) return false;
      group = q.number(0);
      left = q.number(1);
    }
    if (!q.is_null(2)) left -= amount(q);
  }
  return left == 0;
}

}  // namespace

Result<> migrate(Connection& connection) { return write(connection, "sqlite: migrate", migrate_inside); }

Result<> check_file(Connection& connection, bool quick) {
  return read(connection, "sqlite: check", [quick](Connection& c) -> Result<> {
    Query integrity = c.query(quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)");
    if (!integrity.step() || integrity.text(0) != "ok")
      return fail(Fault::store, "sqlite: integrity", "the file is damaged");
    Query references = c.query("PRAGMA foreign_key_check");
    if (references.step()) return fail(Fault::store, "sqlite: references", "a row refers to one that is not there");
    return {};
  });
}

Result<> check_figures(Connection& connection) {
  return read(connection, "sqlite: figures", [](Connection& c) -> Result<> {
    for (const Figure& figure : kFigures) {
      if (c.number(figure.sql) != 0) return fail(Fault::store, "sqlite: figures", figure.what);
    }
    const auto popcount = [](const Query& q) -> std::int64_t { return bits_of(q.number(2)); };
    if (!adds_up(c,
                 "SELECT licences.n, licences.heard, bits FROM licences LEFT JOIN heard ON heard.licence = licences.n "
                 "ORDER BY licences.n",
                 popcount)) {
      return fail(Fault::store, "sqlite: figures", "heard chunks of a licence");
    }
    const auto sum = [](const Query& q) {
      std::int64_t times = 0;
      for (const std::uint8_t count : q.blob(2)) times += count;
      return times;
    };
    if (!adds_up(c,
                 "SELECT plays.n, granted, times FROM plays LEFT JOIN grants ON grants.play = plays.n WHERE state < 2 "
                 "ORDER BY plays.n",
                 sum)) {
      return fail(Fault::store, "sqlite: figures", "granted chunks of a play");
    }
    return {};
  });
}

}  // namespace usher::store::sqlite
