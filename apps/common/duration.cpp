#include "common/duration.h"

#include <charconv>

#include "base/encoding.h"

namespace usher::app {

Result<Seconds> duration_from_text(std::string_view text, Seconds most) {
  std::int64_t count = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const std::int64_t seconds = unit == "s"   ? 1
                               : unit == "m" ? 60
                               : unit == "h" ? 3600
                               : unit == "d" ? 86'400
                               : unit == "w" ? 604'800
                                             : 0;
  if (wrong != std::errc{} || seconds == 0 || count <= 0 || count > most.count() / seconds) {
    return fail(Fault::bad_usage, "time", "a time is given as 90s, 30m, 12h, 7d or 2w, not as " + printable(text));
  }
  return Seconds(count * seconds);
}

}  // namespace usher::app
