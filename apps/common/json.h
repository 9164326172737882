// apps/common/json: names and times in the --json output, the same for all programs.  docs/reference/json.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "wire/api.h"

namespace usher::licence {
struct LicenceTerms;
}

namespace usher::app {

/// "2026-01-31T12:00:00Z". `seconds`: since 1970. A time outside the years 1 to 9999 becomes the nearest one inside.
[[nodiscard]] std::string iso_time(std::int64_t seconds);
[[nodiscard]] std::string iso_time(Time time);
/// The same, or null.
[[nodiscard]] boost::json::value iso_time_or_null(const std::optional<std::int64_t>& seconds);

/// {"code":…,"message":…,"advice":…,"exit":…}. `status`: replaces the fault's own exit status where the program ends
/// with another.
[[nodiscard]] boost::json::object json_of(const Error& error, std::optional<int> status = {});

/// A licence as every program shows it: its terms and its state.
[[nodiscard]] boost::json::object json_of(const licence::LicenceTerms& terms, const wire::LicenceEntry& entry);

/// Prints one object or array on a line of its own to standard output, and flushes.
void print_json(const boost::json::value& value);

}  // namespace usher::app
