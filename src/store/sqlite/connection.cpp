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

}  // namespace

Error error_of(const SQLite::Exception& exception, std::string_view where) {
  // getErrorStr(), not what(): only fixed texts, never a value of a row.
  return Error{.fault = fault_of(exception.getErrorCode()), .where = where, .about = exception.getErrorStr()};
}

void Query::damaged(const char* what) const { connection_.damaged(what); }

Query& Query::put(std::int64_t value) {
  statement_.bind(next_++, value);
  return *this;
}

Query& Query::put(std::string_view text) {
  statement_.bind(next_++, std::string{text});
  return *this;
}

Query& Query::put(View blob) {
  static constexpr std::uint8_t kNothing = 0;  // a null pointer would mean NULL, not an empty blob
  statement_.bind(next_++, blob.empty() ? &kNothing : blob.data(), static_cast<int>(blob.size()));
  return *this;
}

Query& Query::put_null() {
  statement_.bind(next_++);
  return *this;
}

int Query::run() { return statement_.exec(); }

std::int64_t Query::number(int column) const {
  if (is_null(column)) damaged("a number that is missing");
  return statement_.getColumn(column).getInt64();
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

std::string Query::text(int column) const { return statement_.getColumn(column).getString(); }

Bytes Query::blob(int column) const {
  const SQLite::Column value = statement_.getColumn(column);
  const auto* bytes = static_cast<const std::uint8_t*>(value.getBlob());
  return bytes == nullptr ? Bytes{} : Bytes(bytes, bytes + value.getBytes());
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

int flags_of(bool immutable) {
  // FULLMUTEX is not needed: the store gives a connection to one thread at a time.
  return SQLite::OPEN_NOMUTEX | (immutable ? SQLite::OPEN_READONLY | SQLite::OPEN_URI : SQLite::OPEN_READWRITE);
}

}  // namespace

Connection::Connection(const std::filesystem::path& file, const ConnectionOptions& options)
    : database_(name_of(file, options.immutable), flags_of(options.immutable),
                static_cast<int>(options.busy_timeout.count())) {
  database_.exec("PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;");
  database_.exec(options.durability == Durability::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  database_.exec("PRAGMA secure_delete = FAST; PRAGMA wal_autocheckpoint = 4000;");
  if (options.max_pages != 0) database_.exec("PRAGMA max_page_count = " + std::to_string(options.max_pages));
}

Query Connection::query(const char* sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) found = statements_.try_emplace(sql, database_, sql).first;
  return Query(*this, found->second);
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  connection_.run(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    connection_.run("ROLLBACK");
  } catch (const SQLite::Exception&) {  // NOLINT(bugprone-empty-catch): a full disk has rolled back already
  }
}

void Transaction::commit() {
  connection_.run("COMMIT");
  open_ = false;
}

}  // namespace usher::store::sqlite
