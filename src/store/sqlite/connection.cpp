#include "store/sqlite/connection.h"

#include <sqlite3.h>

#include <limits>

#include <fmt/format.h>

namespace usher::store::sqlite {
namespace {

Fault fault_of(int code) noexcept {
  switch (code & 0xff) {  // without the bits of SQLite's extended codes
    case SQLITE_FULL:
      return Fault::disk_full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Fault::busy;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return Fault::not_permitted;
    case SQLITE_IOERR:
      return Fault::io;
    default:
      return Fault::store;
  }
}

void check(int code) {
  if (code != SQLITE_OK) throw Failure(code);  // house-rule(throw): the transaction returns it as an Error
}

}  // namespace

const char* Failure::what() const noexcept { return sqlite3_errstr(code_); }

Error error_of(const Failure& failure, std::string_view where) {
  return Error{.fault = fault_of(failure.code()), .where = where, .about = failure.what()};
}

Query::~Query() { sqlite3_reset(statement_); }

void Query::damaged(const char* what) const { connection_.damaged(what); }

Query& Query::put(std::int64_t value) {
  check(sqlite3_bind_int64(statement_, next_++, value));
  return *this;
}

Query& Query::put(std::string_view text) {
  const char* start = text.empty() ? "" : text.data();  // a null pointer would mean NULL, not an empty text
  check(sqlite3_bind_text64(statement_, next_++, start, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Query& Query::put(View blob) {
  static constexpr std::uint8_t kNothing = 0;  // a null pointer would mean NULL, not an empty blob
  const std::uint8_t* start = blob.empty() ? &kNothing : blob.data();
  check(sqlite3_bind_blob64(statement_, next_++, start, blob.size(), SQLITE_TRANSIENT));
  return *this;
}

Query& Query::put_null() {
  check(sqlite3_bind_null(statement_, next_++));
  return *this;
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) check(code);
  return code == SQLITE_ROW;
}

int Query::run() {
  check(step() ? SQLITE_MISUSE : SQLITE_OK);
  return sqlite3_changes(sqlite3_db_handle(statement_));
}

bool Query::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::int64_t Query::number(int column) const {
  if (is_null(column)) damaged("a number that is missing");
  return sqlite3_column_int64(statement_, column);
}

std::uint32_t Query::number32(int column) const {
  const std::int64_t value = number(column);
  if (value >= 0 && value <= std::numeric_limits<std::uint32_t>::max()) return static_cast<std::uint32_t>(value);
  damaged("a number out of range");
  return 0;
}

std::optional<std::int64_t> Query::number_or_null(int column) const {
  if (is_null(column)) return std::nullopt;
  return number(column);
}

std::string Query::text(int column) const {
  const Bytes bytes = blob(column);
  return {bytes.begin(), bytes.end()};
}

Bytes Query::blob(int column) const {
  const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return bytes == nullptr ? Bytes{} : Bytes(bytes, bytes + sqlite3_column_bytes(statement_, column));
}

namespace {

std::string name_of(const std::filesystem::path& file, bool immutable) {
  if (!immutable) return file.string();
  std::string uri = "file:";
  for (const char c : file.string()) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

void Connection::Close::operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
void Connection::Close::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Connection::Connection(const std::filesystem::path& file, const ConnectionOptions& options) {
  // NOMUTEX: the store gives a connection to one thread at a time.
  const int flags =
      SQLITE_OPEN_NOMUTEX | (options.immutable ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE);
  sqlite3* database = nullptr;
  const int opened = sqlite3_open_v2(name_of(file, options.immutable).c_str(), &database, flags, nullptr);
  database_.reset(database);  // after a failure too, SQLite may have allocated it
  check(opened);
  check(sqlite3_busy_timeout(database, static_cast<int>(options.busy_timeout.count())));
  execute("PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;");
  execute(options.durability == Durability::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  execute("PRAGMA secure_delete = FAST; PRAGMA wal_autocheckpoint = 4000;");
  if (options.max_pages != 0) execute("PRAGMA max_page_count = " + std::to_string(options.max_pages));
}

void Connection::execute(const std::string& sql) {
  check(sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

Query Connection::query(const char* sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    found = statements_.try_emplace(sql, statement).first;
  }
  return {*this, found->second.get()};
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  connection_.run(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    connection_.run("ROLLBACK");
  } catch (const Failure&) {  // NOLINT(bugprone-empty-catch): a full disk has rolled back already
  }
}

void Transaction::commit() {
  connection_.run("COMMIT");
  open_ = false;
}

}  // namespace usher::store::sqlite
