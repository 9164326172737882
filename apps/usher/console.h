// usher/console: terminal output, prompts, keys and signals during a play.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/listener.h"
#include "session.h"

namespace usher::cli {

/// Prints one line to stderr; control characters are made safe.
void tell(std::string_view sentence);
/// Shows a status line on stderr, which must be a terminal. The next status line or sentence overwrites it. Cut to the
/// terminal's width.
void show_status(std::string_view line);
/// The current maximum width of such a line, in columns.
[[nodiscard]] std::size_t status_columns();
void clear_status();
/// Whether there is a terminal for questions, and stderr is a terminal too.
[[nodiscard]] bool has_terminal();
/// Asks a question; returns one line from the terminal without its line end. Empty if there is no terminal.
[[nodiscard]] std::string ask_terminal(std::string_view question);
/// Asks on the terminal; true only for "yes". False if there is no terminal.
[[nodiscard]] bool confirm(std::string_view question);
/// Whether a PIN's last try may be used: asks the person who types the PIN. `of`: card, token. False if the PIN is not
/// typed.
[[nodiscard]] bool confirm_last_try(const app::PassphraseSource& source, std::string_view of);

/// While an object lives, Ctrl-C and similar signals end the play in an orderly way. The first signal makes
/// `interrupted()` true. After the play is closed, a signal other than Ctrl-C is raised again.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  [[nodiscard]] static const std::atomic<bool>& interrupted() noexcept;
  /// Like an interrupt, but permanent: nothing starts any more. From any thread.
  static void stop(const Error& why);
  /// Whether a signal arrived that ends the program when this object is destroyed: print all messages before that.
  [[nodiscard]] static bool ends_the_program() noexcept;
  /// The reason, if stop() was called.
  [[nodiscard]] static std::optional<Error> stopped();
};

/// Reads keys from standard input if that is a terminal. Shows the progress line on stderr if that is a terminal;
/// otherwise prints progress lines with --progress.
class ConsoleView final : public client::PlayView {
 public:
  explicit ConsoleView(const Options& options);
  ~ConsoleView() override;
  void opened(const client::VerifiedMedium& medium, std::uint32_t plays_left, bool resumed,
              const client::CountsFrom& counts) override;
  void position(const client::PlayPosition& now) override;
  [[nodiscard]] std::vector<client::Key> keys() override;
  void note(std::string_view sentence) override;
  void ended() override;

 private:
  const Options& options_;
  Interrupts interrupts_;
  std::unique_ptr<client::RawTerminal> terminal_;
  bool on_terminal_;
  std::uint32_t plays_left_ = 0;
  std::uint64_t last_second_ = ~std::uint64_t{0};
};

}  // namespace usher::cli
