// usher/verbs: the actions of the program, after the command line was parsed.
#pragma once

#include "session.h"

namespace usher::cli {

struct Context {
  Options options{};
  const Clock& clock;
  Random& random;
  char** environment = nullptr;
  std::optional<int> status{};  // the exit status, if another process did the work and reported it
};

struct BuyWish {
  std::string medium;  // number or id
  std::uint64_t plays = 0;
  std::string time{};  // "7d"; give either `plays` or `time`
};
struct PlayWish {
  std::string medium;     // number or id
  std::string licence{};  // id; empty: the server chooses
  std::string from{};     // "1:23"; empty: the beginning, or where the play stopped before
  bool counts = false;    // begin there even if that makes the play count
  bool resume = false;
  bool fresh = false;
};

[[nodiscard]] Result<> do_menu(Context& context);
[[nodiscard]] Result<> do_list(Context& context);
[[nodiscard]] Result<> do_licences(Context& context);
[[nodiscard]] Result<> do_buy(Context& context, const BuyWish& wish);
/// Prints the failure as a sentence, or as JSON with --json. Returns its exit status.
int tell_failure(const Options& options, const Error& error);
[[nodiscard]] Result<> do_play(Context& context, const PlayWish& wish);
[[nodiscard]] Result<> do_config_show(Context& context);
[[nodiscard]] Result<> do_config_keys(const Context& context);

}  // namespace usher::cli
