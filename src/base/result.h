// base/result: faults, errors and the Result type.
//
// Result is for what a peer, an input or the environment can cause; an assertion is for our own bug. Each fault
// has a stable code, a sentence, advice and an exit status: one row of faults.def.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace usher {

enum class Fault : std::uint8_t {
#define FAULT(name, code, exit_class, sentence, advice) name,
#include "base/faults.def"
#undef FAULT
};

/// Exit status of the programs by kind of fault (docs/reference/errors.md).
enum class ExitClass : std::uint8_t {
  internal = 1,
  usage = 2,
  network = 3,
  peer = 4,
  identity = 5,
  card = 6,
  refused = 7,
  data = 8,
  local = 9,
  player = 10,
  output = 11,
  cancelled = 130,
};

/// `where`: a literal that names the step, for logs. `about`: the object concerned, in words that this side chose
/// (a file's name, a chunk's number); shown to the operator or listener, never sent to a peer, never a secret.
/// `advice`: what to do next, in whole sentences. It replaces the advice of the fault's row, for code that knows more.
struct Error {
  Fault fault;
  std::string_view where;
  std::string about{};
  std::string advice{};
};

template <class T = void>
using Result = std::expected<T, Error>;

/// `return fail(Fault::malformed, "server hello");`
[[nodiscard]] inline std::unexpected<Error> fail(Fault fault, std::string_view where, std::string about = {},
                                                 std::string advice = {}) {
  return std::unexpected(Error{fault, where, std::move(about), std::move(advice)});
}

/// Returns `result`; an error without advice gets this advice. For a caller that knows what the data are.
template <class T>
[[nodiscard]] Result<T> advised(Result<T> result, std::string_view advice) {
  if (!result && result.error().advice.empty()) result.error().advice = advice;
  return result;
}

/// For example "bad-signature". Stable, for programs.
[[nodiscard]] std::string_view code_of(Fault fault) noexcept;
[[nodiscard]] ExitClass exit_class_of(Fault fault) noexcept;
/// What happened, to which object, and what to do next: whole sentences for the person at this side.
[[nodiscard]] std::string explain(const Error& error);
/// The two halves of explain(). The advice may be empty.
[[nodiscard]] std::string sentence_of(const Error& error);
[[nodiscard]] std::string_view advice_of(const Error& error) noexcept;
/// The fault that has this code; Fault::local if the code is unknown.
[[nodiscard]] Fault fault_of_code(std::string_view code) noexcept;

}  // namespace usher

// USHER_TRY(auto value, expression): defines the value, or returns the error to the caller. USHER_CHECK: for Result<>.
#define USHER_CONCAT_(a, b) a##b
#define USHER_CONCAT(a, b) USHER_CONCAT_(a, b)
#define USHER_TRY_(result, declaration, ...)           \
  auto result = (__VA_ARGS__);                         \
  if (!result) [[unlikely]]                            \
    return std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)
#define USHER_TRY(declaration, ...) USHER_TRY_(USHER_CONCAT(try_, __COUNTER__), declaration, __VA_ARGS__)
#define USHER_CHECK(...)                                     \
  do {                                                       \
    if (auto checked = (__VA_ARGS__); !checked) [[unlikely]] \
      return std::unexpected(std::move(checked).error());    \
  } while (false)
