// Times on the command line.
#include <charconv>
#include <optional>

#include "usherd/verbs/chain_check.h"

namespace usher::usherd {
namespace {

constexpr std::int64_t kFirst = -2'208'988'800;  // 1900-01-01
constexpr std::int64_t kLast = 253'402'300'799;  // 9999-12-31T23:59:59Z

/// Removes exactly `digits` digits from the front and returns their value.
std::optional<int> number(std::string_view& text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits) return std::nullopt;
  const std::string_view front = text.substr(0, digits);
  const auto [end, bad] = std::from_chars(front.begin(), front.end(), value);
  if (bad != std::errc{} || end != front.end() || value < 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool skip(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Seconds> hours_and_minutes(std::string_view& text, bool with_colon) {
  const auto hours = number(text, 2);
  if (!hours || (with_colon && !skip(text, ':'))) return std::nullopt;
  const auto minutes = number(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
}

/// "Z", "+01:00", "-0130"; empty: UTC.
std::optional<Seconds> zone(std::string_view& text) {
  if (text.empty() || skip(text, 'Z')) return Seconds(0);
  const bool west = text.starts_with('-');
  if (!skip(text, west ? '-' : '+')) return std::nullopt;
  const auto offset = hours_and_minutes(text, text.size() == 5);
  return offset ? std::optional(west ? -*offset : *offset) : std::nullopt;
}

std::optional<Seconds> time_of_day(std::string_view& text) {
  const auto start = hours_and_minutes(text, true);
  if (!start) return std::nullopt;
  Seconds seconds{0};
  if (skip(text, ':')) {
    const auto parsed = number(text, 2);
    if (!parsed || *parsed > 59) return std::nullopt;
    seconds = Seconds(*parsed);
    if (skip(text, '.')) text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  }
  const auto offset = zone(text);
  return offset ? std::optional(*start + seconds - *offset) : std::nullopt;
}

std::optional<Seconds> iso_8601(std::string_view text) {
  const auto year = number(text, 4);
  if (!year || !skip(text, '-')) return std::nullopt;
  const auto month = number(text, 2);
  if (!month || !skip(text, '-')) return std::nullopt;
  const auto day = number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  Seconds seconds = std::chrono::sys_days(date).time_since_epoch();
  if (text.empty()) return seconds;
  if (!skip(text, 'T') && !skip(text, ' ')) return std::nullopt;
  const auto of_day = time_of_day(text);
  if (!of_day || !text.empty()) return std::nullopt;
  return seconds + *of_day;
}

}  // namespace

Result<Time> time_of_argument(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (bad != std::errc{} || end != text.data() + text.size()) {
    const auto parsed = iso_8601(text);
    if (!parsed) return fail(Fault::bad_usage, "--at", "a time is Unix seconds or 2026-01-31T12:00:00Z");
    seconds = parsed->count();
  }
  if (seconds < kFirst || seconds > kLast) return fail(Fault::bad_usage, "--at", "a time from 1900 to 9999 is meant");
  return from_unix_seconds(seconds);
}

}  // namespace usher::usherd
