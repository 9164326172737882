#include "common/passphrase.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/os_error.h"

namespace usher::app {
namespace {

/// No echo and no signals from keys while it lives: Ctrl-C arrives as a byte, so that the terminal is always restored.
class QuietTerminal {
 public:
  explicit QuietTerminal(int terminal) : terminal_(terminal), ok_(::tcgetattr(terminal, &before_) == 0) {
    if (!ok_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG | ICANON);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    ok_ = ::tcsetattr(terminal_, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietTerminal() {
    if (ok_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  [[nodiscard]] bool ok() const noexcept { return ok_; }

 private:
  int terminal_;
  termios before_{};
  bool ok_;
};

/// 1: a byte; 0: the end; -1: errno.
ssize_t read_byte(int descriptor, std::uint8_t& byte) {
  ssize_t got = 0;
  do {
    got = ::read(descriptor, &byte, 1);
  } while (got < 0 && errno == EINTR);
  return got;
}

void say(int terminal, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(terminal, text.data(), text.size());
    if (wrote < 0 && errno != EINTR) return;
    if (wrote > 0) text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

Result<crypto::Secret> finished(crypto::Secret line, std::size_t size) {
  if (size == 0) return fail(Fault::bad_passphrase, "passphrase: empty", "an empty passphrase");
  line.truncate(size);
  return line;
}

Result<crypto::Secret> read_line(int descriptor) {
  crypto::Secret line(kMaxPassphrase);
  std::size_t size = 0;
  for (;;) {
    std::uint8_t byte = 0;
    const ssize_t got = read_byte(descriptor, byte);
    if (got < 0) return fail_errno("passphrase: read", "descriptor " + std::to_string(descriptor));
    if (got == 0 || byte == '\n') return finished(std::move(line), size);
    if (size == kMaxPassphrase) return fail(Fault::too_long, "passphrase");
    line.expose_for_writing()[size++] = byte;
  }
}

/// The size without the last character of UTF-8: its continuation bytes, and the byte before them.
std::size_t without_last_character(View text) {
  std::size_t size = text.size();
  while (size > 0 && (text[size - 1] & 0xc0) == 0x80) --size;
  return size > 0 ? size - 1 : 0;
}

/// One line from a terminal that neither echoes nor edits: backspace and Ctrl-U are done here.
Result<crypto::Secret> read_keys(int terminal) {
  constexpr std::uint8_t kCtrlC = 3;
  constexpr std::uint8_t kCtrlD = 4;
  constexpr std::uint8_t kCtrlH = 8;
  constexpr std::uint8_t kCtrlU = 21;
  constexpr std::uint8_t kDelete = 127;
  crypto::Secret line(kMaxPassphrase);
  std::size_t size = 0;
  for (;;) {
    std::uint8_t byte = 0;
    const ssize_t got = read_byte(terminal, byte);
    if (got < 0) return fail_errno("passphrase: terminal");
    if (got == 0 || byte == kCtrlC || byte == kCtrlD) return fail(Fault::cancelled, "passphrase: terminal");
    if (byte == '\n' || byte == '\r') return finished(std::move(line), size);
    if (byte == kCtrlU) {
      size = 0;
    } else if (byte == kDelete || byte == kCtrlH) {
      size = without_last_character(line.expose().first(size));
    } else {
      if (size == kMaxPassphrase) return fail(Fault::too_long, "passphrase");
      line.expose_for_writing()[size++] = byte;
    }
  }
}

}  // namespace

Result<crypto::Secret> passphrase_from_file(const std::filesystem::path& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return fail_errno("passphrase: file", file.string());
  crypto::Secret content(kMaxPassphrase + 2);
  std::size_t size = 0;
  for (;;) {
    const MutableView left = content.expose_for_writing().subspan(size);
    if (left.empty()) return fail(Fault::too_long, "passphrase: file", file.string());
    const ssize_t got = ::read(in.get(), left.data(), left.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("passphrase: file", file.string());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > 0 && content.expose()[size - 1] == '\n') --size;
  if (size > kMaxPassphrase) return fail(Fault::too_long, "passphrase: file", file.string());
  return finished(std::move(content), size);
}

Result<crypto::Secret> passphrase_from_descriptor(int descriptor) { return read_line(descriptor); }

Result<crypto::Secret> passphrase_from_terminal(std::string_view prompt) {
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (terminal.get() < 0) {
    return fail(Fault::bad_usage, "passphrase: no terminal",
                "there is no terminal to ask on, and neither a passphrase file nor a descriptor was given");
  }
  const QuietTerminal quiet(terminal.get());
  if (!quiet.ok()) return fail_errno("passphrase: terminal");
  say(terminal.get(), prompt);
  auto line = read_keys(terminal.get());
  say(terminal.get(), "\n");
  return line;
}

Result<crypto::Secret> read_passphrase(const PassphraseSource& source, std::string_view prompt, bool twice) {
  if (!source.file.empty() && source.descriptor >= 0) {
    return fail(Fault::bad_usage, "passphrase", "both a passphrase file and a descriptor");
  }
  if (!source.file.empty()) return passphrase_from_file(source.file);
  if (source.descriptor >= 0) return passphrase_from_descriptor(source.descriptor);
  USHER_TRY(crypto::Secret first, passphrase_from_terminal(prompt));
  if (twice) {
    USHER_TRY(const crypto::Secret again, passphrase_from_terminal("Once more: "));
    if (!crypto::equal_constant_time(first.expose(), again.expose())) {
      return fail(Fault::bad_passphrase, "passphrase: entries", "the two entries differ");
    }
  }
  return first;
}

}  // namespace usher::app
