// store/sqlite/schema: the tables, and migrations from older versions.  Spec: licence.md §8.
#pragma once

#include "store/sqlite/connection.h"

namespace usher::store::sqlite {

inline constexpr std::int64_t kApplicationId = 0x75736872;  // "ushr"
inline constexpr std::uint32_t kSchemaVersion = 3;
inline constexpr std::uint32_t kBlock = 64;  // chunks of one row of `heard` and `grants`

/// Whether the file is usher's and up to date, so that migrate() has nothing to do. Throws Failure.
[[nodiscard]] bool is_current(Connection& connection);

/// Creates the schema or brings it up to date, in one transaction. Errors: store (another application's file);
/// unsupported (newer, or too old).
[[nodiscard]] Result<> migrate(Connection& connection);

/// Runs SQLite's own checks, and checks the references between rows. `quick`: a faster check. Errors: store.
[[nodiscard]] Result<> check_file(Connection& connection, bool quick);

/// Checks the figures that must agree with each other (licence.md §7.6). Errors: store.
[[nodiscard]] Result<> check_figures(Connection& connection);

}  // namespace usher::store::sqlite
