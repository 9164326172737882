#include "common/json.h"

#include <algorithm>
#include <cstdio>

#include <fmt/chrono.h>
#include <boost/json/serialize.hpp>

#include "base/encoding.h"
#include "licence/terms.h"

namespace usher::app {
namespace {

template <class T>
boost::json::value or_null(const std::optional<T>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

/// A time as messages carry it, in Unix seconds; 0 means no time.
boost::json::value wire_time(std::uint64_t seconds) {
  return seconds == 0 ? boost::json::value(nullptr) : boost::json::value(iso_time(static_cast<std::int64_t>(seconds)));
}

}  // namespace

std::string iso_time(std::int64_t seconds) {
  constexpr std::int64_t kLast = 253'402'300'799;   // 9999-12-31T23:59:59Z
  constexpr std::int64_t kFirst = -62'135'596'800;  // 0001-01-01
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(static_cast<std::time_t>(std::clamp(seconds, kFirst, kLast))));
}

std::string iso_time(Time time) { return iso_time(unix_seconds(time)); }

boost::json::value iso_time_or_null(const std::optional<std::int64_t>& seconds) {
  return seconds ? boost::json::value(iso_time(*seconds)) : boost::json::value(nullptr);
}

boost::json::object json_of(const Error& error, std::optional<int> status) {
  return {{"code", code_of(error.fault)},
          {"message", printable(sentence_of(error))},
          {"advice", printable(advice_of(error))},
          {"exit", status.value_or(static_cast<int>(exit_class_of(error.fault)))}};
}

boost::json::object json_of(const licence::LicenceTerms& terms, const wire::LicenceEntry& entry) {
  const bool counted = entry.plays_left != wire::kNoLimit;
  return {{"licence", to_hex(terms.id)},
          {"medium", to_hex(terms.medium)},
          {"pseudonym", to_hex(terms.pseudonym)},
          {"installation", terms.installation ? boost::json::value(to_hex(*terms.installation)) : nullptr},
          {"plays", or_null(terms.plays)},
          {"plays_left", counted ? boost::json::value(entry.plays_left) : nullptr},
          {"open_plays", entry.open_plays},
          {"state", name_of(entry.state)},
          {"issued_at", iso_time(terms.issued_at)},
          {"not_before", iso_time(terms.not_before)},
          {"expires", iso_time_or_null(terms.expires)},
          {"window_after_first_play", or_null(terms.window_after_first_play)},
          {"first_play", wire_time(entry.first_play)},
          {"usable_until", wire_time(entry.usable_until)}};
}

void print_json(const boost::json::value& value) {
  const std::string line = boost::json::serialize(value) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

}  // namespace usher::app
