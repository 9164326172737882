#include "store/sqlite/schema.h"

#include <algorithm>
#include <array>

namespace usher::store::sqlite {
namespace {

// Times of events: Unix milliseconds. Times of the licence document: Unix seconds, as in the document.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE media (
  n           INTEGER PRIMARY KEY,
  medium      BLOB    NOT NULL UNIQUE CHECK (length(medium) = 16),
  manifest    BLOB    NOT NULL CHECK (length(manifest) = 32),
  object      BLOB    NOT NULL CHECK (length(object) = 16),
  chunk_size  INTEGER NOT NULL CHECK (chunk_size > 0),
  chunk_count INTEGER NOT NULL CHECK (chunk_count > 0),
  duration_ms INTEGER NOT NULL CHECK (duration_ms > 0),
  structure   BLOB    NOT NULL,
  head_chunks INTEGER NOT NULL CHECK (head_chunks >= 0),
  seconds     BLOB    NOT NULL CHECK (length(seconds) = 512),
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
  acquired     INTEGER NOT NULL CHECK (acquired IN (0, 1)),
  plays_left   INTEGER CHECK (plays_left BETWEEN 0 AND plays),
  first_play   INTEGER,
  revoked_at   INTEGER,
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
  repeats      INTEGER NOT NULL CHECK (repeats >= 0),
  moves        INTEGER NOT NULL CHECK (moves >= 0),
  opened_at    INTEGER NOT NULL,
  over_at      INTEGER,
  CHECK ((state >= 2) = (over_at IS NOT NULL))
) STRICT;
CREATE INDEX plays_of_licence ON plays (licence, state);
CREATE INDEX open_plays_of_person ON plays (pseudonym, medium) WHERE state < 2;
CREATE INDEX open_plays_by_deadline ON plays (deadline) WHERE state < 2;

-- The grants of a play that is not over, 64 chunks per row: bit i of each number is chunk 64 * block + i.
CREATE TABLE grants (
  play     INTEGER NOT NULL REFERENCES plays (n),
  block    INTEGER NOT NULL CHECK (block >= 0),
  granted  INTEGER NOT NULL,
  pending  INTEGER NOT NULL DEFAULT 0,
  forgiven INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (play, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE header_grants (
  play  INTEGER NOT NULL REFERENCES plays (n),
  chunk INTEGER NOT NULL CHECK (chunk >= 0),
  times INTEGER NOT NULL CHECK (times > 0),
  PRIMARY KEY (play, chunk)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  play  INTEGER PRIMARY KEY REFERENCES plays (n),
  first INTEGER NOT NULL CHECK (first >= 0),
  last  INTEGER NOT NULL CHECK (last BETWEEN first AND first + 30),
  node  BLOB    NOT NULL CHECK (length(node) = 16)
) STRICT;

CREATE TABLE heard (
  pseudonym BLOB    NOT NULL CHECK (length(pseudonym) = 32),
  medium    BLOB    NOT NULL REFERENCES media (medium),
  block     INTEGER NOT NULL CHECK (block >= 0),
  bits      INTEGER NOT NULL CHECK (bits <> 0),
  PRIMARY KEY (pseudonym, medium, block)
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

constexpr const char* kVersion3 = R"sql(
-- The time that licence::usable_until() returns; the largest number means "never".
ALTER TABLE licences ADD COLUMN ends INTEGER NOT NULL GENERATED ALWAYS AS
  (min(coalesce(expires, 9223372036854775807), coalesce(first_play + window, 9223372036854775807)));
-- The licences with which a play may be opened; the licence that ends first is first.
CREATE INDEX licences_with_plays ON licences (pseudonym, medium, ends)
  WHERE revoked_at IS NULL AND coalesce(plays_left, 1) > 0;
)sql";

// Entry [n] migrates from the version before to version n + kOldest; entry [0] starts from an empty file. Entries are
// only added, never changed.
constexpr std::array kMigrations{kVersion2, kVersion3};
constexpr std::int64_t kOldest = 2;  // version 1 was never released; its media lack the data that version 2 counts by
static_assert(kMigrations.size() + kOldest == kSchemaVersion + 1);

Result<> migrate_inside(Connection& connection) {
  const std::int64_t application = connection.number("PRAGMA application_id");
  const std::int64_t version = connection.number("PRAGMA user_version");
  const bool empty = connection.number("SELECT count(*) FROM sqlite_schema") == 0;
  const bool ours = application == kApplicationId || (application == 0 && version == 0 && empty);
  if (!ours)
    return fail(Fault::store, "sqlite: open", "the file belongs to another application",
                "Name the directory of this server's data, or restore a backup.");
  if (version < 0 || version > kSchemaVersion) {
    return fail(Fault::unsupported, "sqlite: open", "the store was made by a newer usher",
                "Use that release, or restore the backup that was made before it was installed.");
  }
  if (version != 0 && version < kOldest) {
    return fail(Fault::unsupported, "sqlite: open",
                "the store was made by an older usher, whose media must be pressed again",
                "Make a new home with `usherd init --home`, or continue to use that release.");
  }
  for (std::int64_t next = std::max(version + 1, kOldest); next <= kSchemaVersion; ++next) {
    connection.execute(kMigrations.at(static_cast<std::size_t>(next - kOldest)));
  }
  connection.execute("PRAGMA application_id = " + std::to_string(kApplicationId));
  connection.execute("PRAGMA user_version = " + std::to_string(kSchemaVersion));
  return {};
}

struct Figure {
  const char* what;
  const char* sql;  // counts the rows that are wrong
};
constexpr std::array kFigures{
    Figure{"plays of a licence",
           "SELECT count(*) FROM licences WHERE plays IS NOT NULL AND plays - plays_left <> "
           "(SELECT count(*) FROM plays WHERE plays.licence = licences.n AND state <> 2)"},
    Figure{"first play of a licence",
           "SELECT count(*) FROM licences WHERE (first_play IS NULL) <> "
           "NOT EXISTS (SELECT 1 FROM plays WHERE plays.licence = licences.n AND state IN (1, 3))"},
    Figure{"grants of a play that is over",
           "SELECT count(*) FROM plays WHERE state >= 2 AND (n IN (SELECT play FROM grants) OR "
           "n IN (SELECT play FROM header_grants) OR n IN (SELECT play FROM leases))"},
    Figure{"a lease of a play that does not count",
           "SELECT count(*) FROM leases JOIN plays ON plays.n = leases.play WHERE state <> 1"},
    Figure{"chunks forgiven that were not granted",
           "SELECT count(*) FROM grants WHERE (pending | forgiven) & ~granted <> 0 OR pending & forgiven <> 0"},
    Figure{"heard chunks of a person",
           "SELECT count(*) FROM plays JOIN grants ON grants.play = plays.n LEFT JOIN heard ON "
           "heard.pseudonym = plays.pseudonym AND heard.medium = plays.medium AND heard.block = grants.block "
           "WHERE state = 0 AND granted & ~coalesce(bits, 0) <> 0"},
    Figure{"a play's person",
           "SELECT count(*) FROM plays JOIN licences ON licences.n = plays.licence "
           "WHERE plays.pseudonym <> licences.pseudonym OR plays.medium <> licences.medium"},
};

}  // namespace

bool is_current(Connection& connection) {
  return connection.number("PRAGMA application_id") == kApplicationId &&
         connection.number("PRAGMA user_version") == kSchemaVersion;
}

Result<> migrate(Connection& connection) {
  // Write nothing if nothing has to be done, so that a store on a full disk can still be read.
  if (is_current(connection)) return {};
  return write(connection, "sqlite: migrate", migrate_inside);
}

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
    return {};
  });
}

}  // namespace usher::store::sqlite
