// usher/console: what the terminal shows and takes while something plays.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/listener.h"
#include "session.h"

namespace usher::listening {

/// One line to stderr, safe to print.
void tell(std::string_view sentence);
/// A line on stderr, a terminal, that the next one or a sentence takes the place of. Cut to the terminal's width.
void show_status(std::string_view line);
/// Columns that such a line may have at the moment.
[[nodiscard]] std::size_t status_columns();
void clear_status();
/// Whether there is a terminal to ask on, and somebody reads what is told.
[[nodiscard]] bool has_terminal();
/// One line of the terminal, without its end; empty where there is none.
[[nodiscard]] std::string ask_terminal(std::string_view question);
/// Asks on the terminal; false where there is none.
[[nodiscard]] bool confirm(std::string_view question);
/// Whether a PIN's last try may be spent: asks who types the PIN. `of`: card, token. False where it is not typed.
[[nodiscard]] bool confirm_last_try(const app::PassphraseSource& source, std::string_view of);

/// While it lives, Ctrl-C and the like end the play properly. The first makes `interrupted()` true; once the play
/// is closed, a signal that was not Ctrl-C is raised again.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  [[nodiscard]] static const std::atomic<bool>& interrupted() noexcept;
  /// As an interrupt, and for good: nothing begins any more. From any thread.
  static void stop(const Error& why);
  /// Whether a signal came that ends the program when this object goes, so that nothing can be said after it.
  [[nodiscard]] static bool ends_the_program() noexcept;
  /// Why, if it was stopped.
  [[nodiscard]] static std::optional<Error> stopped();
};

/// Keys from standard input, where it is a terminal; the progress line on stderr, where that is one or --progress asks
/// for lines.
class ConsoleView final : public client::PlayView {
 public:
  explicit ConsoleView(const Options& options);
  ~ConsoleView() override;
  void opened(const client::Medium& medium, std::uint32_t plays_left, bool resumed,
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

}  // namespace usher::listening
