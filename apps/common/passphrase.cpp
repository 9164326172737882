#include "common/passphrase.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/os_error.h"
#include "common/terminal_input.h"

namespace usher::app {
namespace {

std::atomic<int> g_signal = 0;          // the signal that arrived during a prompt; 0: none
std::atomic<bool> g_continued = false;  // the process was stopped during a prompt, and continues

extern "C" void note_signal(int number) {
  if (number == SIGCONT) {
    g_continued = true;
  } else {
    g_signal = number;
  }
}

void say(int terminal, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(terminal, text.data(), text.size());
    if (wrote < 0 && errno != EINTR) return;
    if (wrote > 0) text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

/// Shows a prompt, and turns off echo and signals from keys while it lives: Ctrl-C and Ctrl-Z arrive as bytes. A signal
/// from elsewhere is raised after the terminal is restored.
class QuietTerminal {
 public:
  QuietTerminal(int terminal, std::string prompt)
      : terminal_(terminal), prompt_(std::move(prompt)), known_(::tcgetattr(terminal, &before_) == 0) {
    if (!known_) return;
    g_signal = 0;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      struct sigaction noting{};
      noting.sa_handler = note_signal;
      // A call that this process stopped in goes on after `fg`: a prompt may begin in the background.
      noting.sa_flags = kSignals[i] == SIGCONT ? SA_RESTART : 0;
      ::sigaction(kSignals[i], nullptr, &actions_[i]);
      if (actions_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &noting, nullptr);
    }
    ok_ = begin();
  }
  ~QuietTerminal() {
    if (!known_) return;
    if (in_foreground(terminal_)) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &actions_[i], nullptr);
    if (const int number = g_signal.exchange(0); number != 0) std::raise(number);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  /// Begins anew if the process was stopped and continues in the foreground: true. A shell turns the echo on meanwhile.
  bool begin_again() {
    if (!g_continued || !in_foreground(terminal_)) return false;
    begin();
    return true;
  }
  /// Ctrl-Z: stops the processes of this job, as the shell's user expects.
  void suspend() {
    ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    say(terminal_, "\n");
    g_continued = true;  // also if the signal is ignored
    ::kill(0, SIGTSTP);
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] int descriptor() const noexcept { return terminal_; }

 private:
  bool begin() {
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG | ICANON);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    do {  // again if the process was stopped meanwhile: it must not show the prompt with echo, nor show it twice
      g_continued = false;
      if (::tcsetattr(terminal_, TCSAFLUSH, &quiet) != 0) return false;
    } while (g_continued);
    say(terminal_, prompt_);
    return true;
  }

  static constexpr std::array kSignals{SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGCONT};
  int terminal_;
  std::string prompt_;
  termios before_{};
  std::array<struct sigaction, kSignals.size()> actions_{};
  bool known_;
  bool ok_ = false;
};

/// 1: a byte was read; 0: end of input; -1: error, see errno.
ssize_t read_byte(int descriptor, std::uint8_t& byte) {
  ssize_t got = 0;
  do {
    got = ::read(descriptor, &byte, 1);
  } while (got < 0 && errno == EINTR);
  return got;
}

/// As read_byte. A signal ends it with EINTR, even if it arrives just before the wait begins. `again`: set if the
/// prompt was shown anew, so that earlier keys do not count.
ssize_t read_key(QuietTerminal& terminal, std::uint8_t& byte, bool& again) {
  const auto stopped = [&] {
    if (g_signal != 0) return true;
    again = terminal.begin_again() || again;
    return false;
  };
  if (!wait_for_input(terminal.descriptor(), stopped)) {
    errno = EINTR;
    return -1;
  }
  return read_byte(terminal.descriptor(), byte);
}

constexpr std::string_view kTooLong = "Give one line with the passphrase or PIN, of 1,024 bytes at most.";

std::unexpected<Error> refused(const std::string& source, std::string_view why) {
  return fail(Fault::unusable_passphrase, "passphrase", source + " " + std::string(why));
}

/// Refuses invisible characters that an editor or a shell adds. They are not part of a passphrase, so the error names
/// them and the passphrase is not tried.
Result<> check_text(View text, const std::string& source) {
  constexpr std::array<std::uint8_t, 3> kUtf8Mark{0xef, 0xbb, 0xbf};
  constexpr std::uint8_t kDelete = 127;
  const auto begins_with = [&](View mark) { return text.size() >= mark.size() && same(text.first(mark.size()), mark); };
  if (begins_with(kUtf8Mark) || begins_with(std::array<std::uint8_t, 2>{0xff, 0xfe}) ||
      begins_with(std::array<std::uint8_t, 2>{0xfe, 0xff})) {
    return refused(source, "begins with a byte order mark");
  }
  if (std::ranges::find(text, '\n') != text.end()) return refused(source, "has more than one line");
  if (std::ranges::any_of(text, [](std::uint8_t byte) { return byte < ' ' || byte == kDelete; })) {
    return refused(source, "has a control character");
  }
  return {};
}

/// `source`: where the passphrase comes from; it begins the error's sentence.
Result<crypto::Secret> finished(crypto::Secret line, std::size_t size, const std::string& source) {
  if (size > 0 && line.expose()[size - 1] == '\r') --size;
  if (size == 0) return refused(source, "is empty");
  USHER_CHECK(check_text(line.expose().first(size), source));
  line.truncate(size);
  return line;
}

Result<crypto::Secret> read_line(int descriptor) {
  const std::string source = "descriptor " + std::to_string(descriptor);
  crypto::Secret line(kMaxPassphrase);
  std::size_t size = 0;
  for (;;) {
    std::uint8_t byte = 0;
    const ssize_t got = read_byte(descriptor, byte);
    if (got < 0) return fail_errno("passphrase: read", source);
    if (got == 0 || byte == '\n') return finished(std::move(line), size, source);
    if (size == kMaxPassphrase) return fail(Fault::too_long, "passphrase", source, std::string(kTooLong));
    line.expose_for_writing()[size++] = byte;
  }
}

/// The size without the last UTF-8 character: without its continuation bytes and the byte before them.
std::size_t without_last_character(View text) {
  std::size_t size = text.size();
  while (size > 0 && (text[size - 1] & 0xc0) == 0x80) --size;
  return size > 0 ? size - 1 : 0;
}

/// One line from a terminal that neither echoes nor edits. Handles backspace and Ctrl-U itself.
Result<crypto::Secret> read_keys(QuietTerminal& terminal) {
  constexpr std::uint8_t kCtrlBackslash = 28;
  constexpr std::uint8_t kCtrlC = 3;
  constexpr std::uint8_t kCtrlD = 4;
  constexpr std::uint8_t kCtrlH = 8;
  constexpr std::uint8_t kCtrlU = 21;
  constexpr std::uint8_t kCtrlZ = 26;
  constexpr std::uint8_t kDelete = 127;
  crypto::Secret line(kMaxPassphrase);
  std::size_t size = 0;
  for (;;) {
    std::uint8_t byte = 0;
    bool again = false;
    const ssize_t got = read_key(terminal, byte, again);
    if (again) size = 0;
    if (got < 0 && errno == EINTR) return fail(Fault::cancelled, "passphrase: terminal");
    if (got < 0) return fail_errno("passphrase: terminal");
    if (got == 0 || byte == kCtrlC || byte == kCtrlD || byte == kCtrlBackslash) {
      return fail(Fault::cancelled, "passphrase: terminal");
    }
    if (byte == '\n' || byte == '\r') return finished(std::move(line), size, "what was typed");
    if (byte == kCtrlU) {
      size = 0;
    } else if (byte == kCtrlZ) {
      terminal.suspend();
    } else if (byte == kDelete || byte == kCtrlH) {
      size = without_last_character(line.expose().first(size));
    } else {
      if (size == kMaxPassphrase) return fail(Fault::too_long, "passphrase", "what was typed", std::string(kTooLong));
      line.expose_for_writing()[size++] = byte;
    }
  }
}

}  // namespace

Result<crypto::Secret> passphrase_from_file(const std::filesystem::path& file) {
  crypto::Secret content(kMaxPassphrase + 2);
  USHER_TRY(std::size_t size, read_file_into(file, content.expose_for_writing()));
  if (size > 0 && content.expose()[size - 1] == '\n') --size;
  auto line = finished(std::move(content), size, file.string());
  if (line && line->size() > kMaxPassphrase)
    return fail(Fault::too_long, "passphrase: file", file.string(), std::string(kTooLong));
  return line;
}

Result<crypto::Secret> passphrase_from_descriptor(int descriptor) { return read_line(descriptor); }

Result<crypto::Secret> passphrase_from_terminal(std::string_view prompt) {
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (terminal.get() < 0) {
    return fail(Fault::bad_usage, "passphrase: no terminal",
                "there is no terminal to ask on, and neither a passphrase file nor a descriptor was given",
                "Give the passphrase or PIN with an option; --help names it.");
  }
  QuietTerminal quiet(terminal.get(), printable(prompt));  // the prompt may name a card or a token
  if (!quiet.ok()) return fail_errno("passphrase: terminal");
  auto line = read_keys(quiet);
  say(terminal.get(), "\n");
  return line;
}

Result<crypto::Secret> read_passphrase(const PassphraseSource& source, std::string_view prompt, bool twice) {
  if (!source.file.empty() && source.descriptor >= 0) {
    return fail(Fault::bad_usage, "passphrase", "both a passphrase file and a descriptor", "Give one of them.");
  }
  if (!source.file.empty()) return passphrase_from_file(source.file);
  if (source.descriptor >= 0) return passphrase_from_descriptor(source.descriptor);
  USHER_TRY(crypto::Secret first, passphrase_from_terminal(prompt));
  if (twice) {
    USHER_TRY(const crypto::Secret again, passphrase_from_terminal("Once more: "));
    if (!crypto::equal_constant_time(first.expose(), again.expose())) {
      return fail(Fault::unusable_passphrase, "passphrase: entries", "the two entries differ",
                  "Try again, and type the same twice.");
    }
  }
  return first;
}

Result<crypto::Secret> read_pin(const PassphraseSource& source, std::string_view prompt, bool twice) {
  USHER_TRY(crypto::Secret pin, read_passphrase(source, prompt, twice));
  if (pin.expose().front() == ' ' || pin.expose().back() == ' ') {
    return refused("the PIN", "has a blank at its beginning or its end");
  }
  return pin;
}

Result<> check_citizen_pin(const crypto::Secret& pin) {
  const bool digits = std::ranges::all_of(pin.expose(), [](std::uint8_t byte) { return byte >= '0' && byte <= '9'; });
  if (digits && pin.size() >= 4 && pin.size() <= 8) return {};
  return fail(Fault::pin_invalid, "PIN", "a citizen card's PIN has 4 to 8 digits; the PIN was not tried");
}

Result<crypto::Secret> read_new_passphrase(const PassphraseSource& source, std::string_view prompt) {
  return until_right(source, [&]() -> Result<crypto::Secret> {
    USHER_TRY(crypto::Secret passphrase, read_passphrase(source, prompt, true));
    const auto begins = [](std::uint8_t byte) { return (byte & 0xc0U) != 0x80U; };  // starts a UTF-8 character
    if (static_cast<std::size_t>(std::ranges::count_if(passphrase.expose(), begins)) < kMinNewPassphrase) {
      return refused("the new passphrase", "is shorter than " + std::to_string(kMinNewPassphrase) + " characters");
    }
    return passphrase;
  });
}

bool may_type_again(const PassphraseSource& source, const Error& error) {
  constexpr std::array kWrong{Fault::bad_passphrase, Fault::unusable_passphrase, Fault::wrong_pin, Fault::pin_invalid};
  if (!source.file.empty() || source.descriptor >= 0 || std::ranges::find(kWrong, error.fault) == kWrong.end()) {
    return false;
  }
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.is_open()) return false;
  say(terminal.get(), printable(sentence_of(error)) + "\n");
  return true;
}

}  // namespace usher::app
