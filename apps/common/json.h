// apps/common/json: what the programs print with --json has the same names and the same times.  docs/json.md.
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

/// "2026-01-31T12:00:00Z". `seconds`: since 1970. A time outside the years 1970 to 9999 becomes the nearest one inside.
[[nodiscard]] std::string iso_time(std::int64_t seconds);
[[nodiscard]] std::string iso_time(Time time);
/// The same, or null.
[[nodiscard]] boost::json::value iso_time_or_null(const std::optional<std::int64_t>& seconds);

/// {"code":…,"message":…,"advice":…,"exit":…}; `status` in place of the fault's own, where the program ends otherwise.
[[nodiscard]] boost::json::object json_of(const Error& error, std::optional<int> status = {});

/// A licence, as every program shows it: its terms, and how it stands.
[[nodiscard]] boost::json::object json_of(const licence::LicenceTerms& terms, const wire::LicenceEntry& entry);

/// One object or array to standard output, on a line of its own, at once.
void print_json(const boost::json::value& value);

}  // namespace usher::app
