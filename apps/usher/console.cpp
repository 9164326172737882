#include "console.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "base/display.h"
#include "base/encoding.h"
#include "client/text.h"
#include "common/output.h"
#include "common/terminal_input.h"

namespace usher::cli {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

std::atomic<bool> g_interrupted{false};
std::atomic<int> g_signal{0};
std::atomic<bool> g_line_shown{false};  // a status line is shown, and the cursor is at its end
std::array<struct sigaction, kSignals.size()> g_before{};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

/// The reason why nothing starts any more.
struct Stop {
  std::mutex lock;
  std::optional<Error> why;
  std::atomic<bool> now{false};
};
Stop& stop_of_all() {
  static Stop stop;
  return stop;
}

/// This order does not lose a stop() that is called in between.
void begin_afresh() {
  g_interrupted = false;
  if (stop_of_all().now) g_interrupted = true;
}

extern "C" void on_signal(int number) {
  g_interrupted = true;
  g_signal = number;
}

void write_error(const std::string& text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

void tell(std::string_view sentence) {
  write_error((g_line_shown.exchange(false) ? "\r\x1b[K" : "") + printable(sentence) + "\n");
}

std::size_t status_columns() {
  const std::size_t columns = app::terminal_columns(STDERR_FILENO);
  // The last column stays free: some terminals wrap the line as soon as that column is written.
  return columns == kAnyWidth ? 79 : std::max<std::size_t>(columns, 2) - 1;
}

void show_status(std::string_view line) {
  static std::string last;  // only one thread shows the line
  static std::size_t last_columns = 0;
  const std::size_t columns = status_columns();
  std::string fitted = cut(line, columns);
  if (g_line_shown.exchange(true) && fitted == last && columns == last_columns) return;
  // Turns wrapping off while it writes, in case the terminal has become narrower in between.
  write_error("\r\x1b[K\x1b[?7l" + fitted + "\x1b[?7h");
  last = std::move(fitted);
  last_columns = columns;
}

void clear_status() {
  if (g_line_shown.exchange(false)) write_error("\r\x1b[K");
}

bool has_terminal() {
  const int terminal = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal >= 0) ::close(terminal);
  return terminal >= 0 && ::isatty(STDERR_FILENO) == 1;
}

std::string ask_terminal(std::string_view question) {
  return app::ask_terminal(question, [] { return g_interrupted.load(); }).value_or(std::string());
}

bool confirm(std::string_view question) { return ask_terminal(question) == "yes"; }

bool confirm_last_try(const app::PassphraseSource& source, std::string_view of) {
  return source.file.empty() && source.descriptor < 0 &&
         confirm("One try is left before the " + std::string(of) + " locks its PIN. Use it? (yes/no) ");
}

Interrupts::Interrupts() {
  begin_afresh();
  g_signal = 0;
  struct sigaction action{};
  action.sa_handler = &on_signal;
  ::sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &g_before[i]);
    // An ignored signal stays ignored: nohup, or a shell that runs this in the background.
    if (g_before[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

Interrupts::~Interrupts() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &g_before[i], nullptr);
  begin_afresh();
  if (const int number = g_signal; number != 0 && number != SIGINT) ::raise(number);
}

const std::atomic<bool>& Interrupts::interrupted() noexcept { return g_interrupted; }

bool Interrupts::ends_the_program() noexcept { return g_signal != 0 && g_signal != SIGINT; }

void Interrupts::stop(const Error& why) {
  Stop& stop = stop_of_all();
  {
    const std::scoped_lock guard(stop.lock);
    stop.why = why;
  }
  stop.now = true;
  g_interrupted = true;
}

std::optional<Error> Interrupts::stopped() {
  Stop& stop = stop_of_all();
  const std::scoped_lock guard(stop.lock);
  return stop.why;
}

ConsoleView::ConsoleView(const Options& options)
    : options_(options),
      terminal_(client::RawTerminal::open(STDIN_FILENO)),
      on_terminal_(::isatty(STDERR_FILENO) == 1) {}

ConsoleView::~ConsoleView() { clear_status(); }

void ConsoleView::opened(const client::VerifiedMedium& medium, std::uint32_t plays_left, bool resumed,
                         const client::CountsFrom& counts) {
  plays_left_ = plays_left;
  if (options_.quiet) return;
  const media::Manifest& manifest = medium.manifest();
  const bool color = on_terminal_ && !options_.no_color;
  const std::string title = titled(manifest.title);
  const std::string line = cut(title + (manifest.artist.empty() ? "" : ", by " + printable(manifest.artist)),
                               app::terminal_columns(STDERR_FILENO));
  const std::size_t bold = line.starts_with(title) ? title.size() : line.size();
  write_error((color ? "\x1b[1m" : "") + line.substr(0, bold) + (color ? "\x1b[0m" : "") + line.substr(bold) + "\n");
  if (resumed) tell("It goes on where it was interrupted, without charge.");
  if (const std::string text = client::counts_text(counts); !text.empty()) tell("This play " + text + ".");
  if (terminal_) tell("Space: pause. Left, right: back, forward. 1:23 Enter: go there. q: quit.");
}

void ConsoleView::position(const client::PlayPosition& now) {
  if (options_.quiet || (!on_terminal_ && !options_.progress)) return;
  const std::string line = client::line_text(now, plays_left_, on_terminal_ ? status_columns() : kAnyWidth);
  if (on_terminal_) {
    show_status(line);
  } else if (now.elapsed_ms / 1000 != std::exchange(last_second_, now.elapsed_ms / 1000)) {
    write_error(line + "\n");
  }
}

std::vector<client::Key> ConsoleView::keys() { return terminal_ ? terminal_->keys() : std::vector<client::Key>{}; }

void ConsoleView::ended() { clear_status(); }

void ConsoleView::note(std::string_view sentence) {
  if (!options_.quiet) tell(sentence);
}

}  // namespace usher::cli
