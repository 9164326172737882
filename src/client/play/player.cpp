#include "client/play/player.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/display.h"
#include "base/encoding.h"
#include "base/os_error.h"
#include "client/play/player_process.h"

namespace usher::client {
namespace {

constexpr std::size_t kMaxLine = 4'096;  // characters of one line of a player
constexpr std::size_t kMaxLines = 2;     // reported lines: the first and the last
constexpr std::size_t kMaxSaid = 240;    // columns of all reported lines together

/// "-": writes the bytes to the output, for a player at the other end of a pipe.
class OutputPlayer final : public Player {
 public:
  explicit OutputPlayer(int output) : output_(output) {}

  Result<> write(View bytes, const std::atomic<bool>& stop) override {
    auto wrote = write_pipe(output_, bytes, stop);
    if (!wrote) ended_ = true;
    return wrote;
  }
  void finish() override { ended_ = true; }
  bool poll(int milliseconds) override {
    if (ended_) return true;
    ::poll(nullptr, 0, milliseconds);
    return ended_;
  }
  [[nodiscard]] Result<> verdict() const override { return {}; }
  [[nodiscard]] std::optional<double> clock() const override { return std::nullopt; }
  bool pause(bool) override { return false; }
  void kill() override { ended_ = true; }

 private:
  int output_;
  std::atomic<bool> ended_{false};
};

/// Whether execvp would find the program.
bool can_be_started(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");  // house-rule(environment): where execvp looks
  std::string_view left = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  for (;;) {
    const std::size_t colon = left.find(':');
    const std::string folder(left.substr(0, colon));
    if (::access(((folder.empty() ? "." : folder) + "/" + program).c_str(), X_OK) == 0) return true;
    if (colon == std::string_view::npos) return false;
    left.remove_prefix(colon + 1);
  }
}

/// Removes the sequences that mpv prints to move the cursor back before it rewrites the status line: "\x1b[K\x1b[A".
std::string_view without_moves(std::string_view line) {
  while (line.size() >= 3 && line.starts_with("\x1b[")) line.remove_prefix(3);
  return line;
}

/// Whether the line is a status line; if so, reads the clock from it.
/// ffplay: "  12.34 M-A:  0.000 fd= …"; "nan" before the first sound. mpv: "usher 12.340000".
bool is_status(PlayerKind kind, std::string_view text, std::optional<double>& clock) {
  if (kind == PlayerKind::mpv) text = without_moves(text);
  const std::string line(text.substr(std::min(text.find_first_not_of(' '), text.size())));
  const char* number = line.c_str();
  if (kind == PlayerKind::ffplay) {
    if (line.find(" fd=") == std::string::npos || line.find(" aq=") == std::string::npos) return false;
  } else if (kind == PlayerKind::mpv) {
    if (line.empty()) return true;
    if (!line.starts_with("usher ")) return false;
    number += 6;
  } else {
    return false;
  }
  char* end = nullptr;
  const double seconds = std::strtod(number, &end);
  if (end != number && seconds > -10 && seconds < 1e9) clock = std::max(seconds, 0.0);  // the first may be -0.03
  return true;
}

/// Whether the line names a place in a library's source: "ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM
/// default".
bool is_trace(std::string_view line) {
  const std::size_t place = line.find(".c:");
  return place != std::string_view::npos && line.find(":(", place) != std::string_view::npos;
}

/// For comparing lines. A player reports each attempt, and these lines differ only in numbers: channels, rates,
/// addresses.
std::string without_digits(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

}  // namespace

PlayerKind PlayerSpec::kind() const {
  if (command == "-") return PlayerKind::standard_output;
  const std::string name = std::filesystem::path(command).filename().string();
  if (name == "ffplay") return PlayerKind::ffplay;
  if (name == "mpv") return PlayerKind::mpv;
  return PlayerKind::other;
}

std::vector<std::string> PlayerSpec::arguments() const {
  std::vector<std::string> all{command};
  const auto add = [&all](std::initializer_list<const char*> more) { all.insert(all.end(), more.begin(), more.end()); };
  switch (kind()) {
    case PlayerKind::standard_output:
      return {};
    case PlayerKind::other:
      break;
    // The content of the medium must not make the player open anything but its standard input.
    case PlayerKind::ffplay:
      if (!video) add({"-nodisp", "-vn"});
      add({"-autoexit", "-hide_banner", "-loglevel", "error", "-stats", "-sn", "-protocol_whitelist", "pipe", "-i",
           "pipe:0"});
      break;
    case PlayerKind::mpv:
      // By default, mpv 0.35 rejects a software renderer, and hangs with the output that it selects instead.
      if (video)
        add({"--gpu-sw"});
      else
        add({"--vo=null", "--vid=no"});
      add({"--no-config", "--sid=no", "--no-ytdl", "--load-scripts=no", "--access-references=no", "--no-input-terminal",
           "--input-default-bindings=no", "--really-quiet", "--msg-level=all=error,statusline=status",
           "--term-status-msg=usher ${=time-pos}\n", "-"});
      break;
  }
  return all;
}

Result<> check_screen(PlayerSpec& spec, media::MediaKind kind, bool screen) {
  const bool shows = spec.kind() == PlayerKind::ffplay || spec.kind() == PlayerKind::mpv;
  if (kind == media::MediaKind::video && shows && !screen) return fail(Fault::no_screen, "player: screen");
  spec.video = kind == media::MediaKind::video;
  return {};
}

Result<> check_player(const PlayerSpec& spec, int output) {
  if (spec.kind() != PlayerKind::standard_output) {
    if (spec.command.empty() || !can_be_started(spec.command)) {
      return fail(Fault::player_missing, "player: check", spec.command);
    }
    return {};
  }
  struct stat info{};
  if (::fstat(output, &info) != 0) return fail(Fault::unsafe_output, "player: output", "standard output is closed");
  if (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode)) return fail(Fault::unsafe_output, "player: output");
  if (::isatty(output) == 1) return fail(Fault::unsafe_output, "player: output", "standard output is a terminal");
  return {};
}

Result<std::unique_ptr<Player>> start_player(const PlayerSpec& spec, int output) {
  USHER_CHECK(check_player(spec, output));
  if (spec.kind() == PlayerKind::standard_output) return std::make_unique<OutputPlayer>(output);
  return start_process(spec);
}

void PlayerOutput::add(std::string_view text) {
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      line(partial_);
      partial_.clear();
    } else if (partial_.size() < kMaxLine) {
      partial_.push_back(c);
    }
  }
}

void PlayerOutput::line(std::string_view text) {
  if (text.find_first_not_of(" \t") == std::string_view::npos || is_status(kind_, text, clock_)) return;
  ++heard_;
  std::string shown = printable(text.substr(text.find_first_not_of(" \t")));
  const bool trace = is_trace(shown);
  // A library traces a failure in a dozen lines before the player's own line. Keep a trace only if there is no other.
  if (trace && !lines_.empty()) return;
  if (!trace && std::exchange(only_traces_, false)) lines_.clear();
  const auto same = [&](const std::string& other) { return without_digits(other) == without_digits(shown); };
  if (std::ranges::any_of(lines_, same)) return;
  if (lines_.size() == kMaxLines) lines_.pop_back();
  lines_.push_back(std::move(shown));
}

std::string PlayerOutput::said() const {
  std::string all;
  for (const std::string& text : lines_) {
    if (!all.empty()) all += "; ";
    all += cut(text, kMaxSaid / kMaxLines);
  }
  if (heard_ > lines_.size() && !lines_.empty()) {
    const std::size_t more = heard_ - lines_.size();
    all += " (and " + std::to_string(more) + (more == 1 ? " more line)" : " more lines)");
  }
  return all;
}

}  // namespace usher::client
