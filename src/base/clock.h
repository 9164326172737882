// base/clock: time types, and the clock as an interface, so that only main() knows the wall clock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace usher {

using Seconds = std::chrono::seconds;
using Milliseconds = std::chrono::milliseconds;

/// UTC, in milliseconds since 1970-01-01 (leap seconds not counted).
using Time = std::chrono::sys_time<Milliseconds>;

/// Whole seconds since 1970-01-01, as the wire and the store write times.
[[nodiscard]] inline std::int64_t unix_seconds(Time time) noexcept {
  return std::chrono::floor<Seconds>(time).time_since_epoch().count();
}
[[nodiscard]] inline Time from_unix_seconds(std::int64_t seconds) noexcept { return Time{Seconds{seconds}}; }

/// The source of the current time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()); }
};

/// For tests: changes only when a test calls advance() or set().
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_(start) {}
  [[nodiscard]] Time now() const override { return now_; }
  void advance(Milliseconds by) { now_ = now_.load() + by; }  // by one thread at a time
  void set(Time to) { now_ = to; }

 private:
  std::atomic<Time> now_;
};

}  // namespace usher
