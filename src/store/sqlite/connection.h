// store/sqlite/connection: one connection to the file; its statements, transactions and errors.
#pragma once

#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace usher::store::sqlite {

/// An error of SQLite: its result code. what(): SQLite's text for the code, never a value of a row.
class Failure : public std::exception {
 public:
  explicit Failure(int code) noexcept : code_(code) {}
  [[nodiscard]] int code() const noexcept { return code_; }
  [[nodiscard]] const char* what() const noexcept override;

 private:
  int code_;
};

/// Converts an SQLite error to usher's.
[[nodiscard]] Error error_of(const Failure& failure, std::string_view where);

class Connection;

/// A statement in use: parameters are bound from left to right, then it is stepped. The destructor always resets it.
/// Functions that are not const throw Failure. A column that usher cannot have written reads as zeros and marks the
/// connection: its transaction fails (transact).
class Query {
 public:
  Query(Connection& connection, sqlite3_stmt* statement) noexcept : connection_(connection), statement_(statement) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  Query& put(std::int64_t value);
  Query& put(std::string_view text);
  Query& put(View blob);
  Query& put(Time time) { return put(time.time_since_epoch().count()); }
  Query& put_null();
  template <class T>
  Query& put(const std::optional<T>& value) {
    return value ? put(*value) : put_null();
  }
  template <std::size_t N>
  Query& put(const std::array<std::uint8_t, N>& blob) {
    return put(View{blob});
  }

  /// The next row, if there is one.
  bool step();
  /// For statements without result rows. Returns how many rows were changed.
  int run();

  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::uint32_t number32(int column) const;
  [[nodiscard]] std::optional<std::int64_t> number_or_null(int column) const;
  [[nodiscard]] Time time(int column) const { return Time{Milliseconds{number(column)}}; }
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] Bytes blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  /// Marks the connection. `what`: a literal.
  void damaged(const char* what) const;
  template <std::size_t N>
  [[nodiscard]] std::array<std::uint8_t, N> array(int column) const {
    const Bytes bytes = blob(column);
    if (bytes.size() == N) return array_of<N>(bytes);
    damaged("a column's size");
    return {};
  }

 private:
  Connection& connection_;
  sqlite3_stmt* statement_;
  int next_ = 1;  // SQLite's number of the next parameter
};

/// When a commit reaches the disk. full: at once. normal: with the next commit that is full; until then it survives the
/// death of the process only, not a power failure.
enum class Durability : std::uint8_t { full, normal };

struct ConnectionOptions {
  Durability durability = Durability::full;
  Milliseconds busy_timeout{0};
  std::uint32_t max_pages = 0;
  bool immutable = false;  // read only, without SQLite's additional files; no other process may have the store open
};

/// Not thread-safe. Functions throw Failure.
class Connection {
 public:
  Connection(const std::filesystem::path& file, const ConnectionOptions& options);

  /// Prepares each statement once. `sql` must be a literal. A statement can be used only once at a time.
  [[nodiscard]] Query query(const char* sql);
  /// Runs any number of statements that have no parameters and no result.
  void execute(const std::string& sql);
  /// Runs an UPDATE, INSERT or DELETE. Returns how many rows were changed.
  template <class... Values>
  int run(const char* sql, const Values&... values) {
    Query q = query(sql);
    (q.put(values), ...);
    return q.run();
  }
  /// The first column of the first row.
  template <class... Values>
  std::int64_t number(const char* sql, const Values&... values) {
    Query q = query(sql);
    (q.put(values), ...);
    if (q.step()) return q.number(0);
    damaged("no row");
    return 0;
  }
  /// Records that the store has data that usher cannot have written. `what`: a literal.
  void damaged(const char* what) noexcept { damage_ = what; }
  /// Returns and clears the damage that was recorded since the last call; null: nothing.
  [[nodiscard]] const char* take_damage() noexcept { return std::exchange(damage_, nullptr); }

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  const char* damage_ = nullptr;
  std::unique_ptr<sqlite3, Close> database_;
  std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Close>> statements_;
};

/// The destructor rolls back unless commit() succeeded.
class Transaction {
 public:
  enum class Kind : std::uint8_t { read, write };  // write: takes the lock at once
  Transaction(Connection& connection, Kind kind);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

/// Runs `body(connection)` as a transaction. Commits if the body returns a value, and rolls back if it fails.
/// Errors: the body's, SQLite's; store, if the body found damage.
template <class Body>
auto transact(Connection& connection, Transaction::Kind kind, std::string_view where, Body&& body)
    -> decltype(body(connection)) {
  // Clear damage that an earlier body recorded before it threw.
  static_cast<void>(connection.take_damage());
  try {
    Transaction transaction(connection, kind);
    auto result = body(connection);
    if (const char* damage = connection.take_damage()) return fail(Fault::store, where, damage);
    if (result) transaction.commit();
    return result;
  } catch (const Failure& failure) {
    return std::unexpected(error_of(failure, where));
  }
}
template <class Body>
auto write(Connection& connection, std::string_view where, Body&& body) {
  return transact(connection, Transaction::Kind::write, where, std::forward<Body>(body));
}
/// The whole body reads one consistent state of the store.
template <class Body>
auto read(Connection& connection, std::string_view where, Body&& body) {
  return transact(connection, Transaction::Kind::read, where, std::forward<Body>(body));
}

}  // namespace usher::store::sqlite
