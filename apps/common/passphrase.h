// apps/common/passphrase: reads a passphrase or a PIN. Never from argv or the environment, which other processes can
// read.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "crypto/secret.h"

namespace usher::app {

inline constexpr std::size_t kMaxPassphrase = 1024;  // bytes

/// The source: `--passphrase-file`, `--passphrase-fd`, or a prompt where neither was given.
struct PassphraseSource {
  std::filesystem::path file{};
  int descriptor = -1;
};

/// A prompt asks once, or twice for a new passphrase. 1..kMaxPassphrase bytes.
/// Errors: as the functions below; bad_usage, both a file and a descriptor; unusable_passphrase, the two entries are
/// different.
[[nodiscard]] Result<crypto::Secret> read_passphrase(const PassphraseSource& source, std::string_view prompt,
                                                     bool twice = false);

/// The same for the PIN of a card or a token. Cards and tokens count wrong PINs, so text that cannot be a PIN is
/// refused before the card receives it. 1..kMaxPassphrase bytes without a blank at the beginning or the end.
/// Errors: as read_passphrase; unusable_passphrase, a blank.
[[nodiscard]] Result<crypto::Secret> read_pin(const PassphraseSource& source, std::string_view prompt,
                                              bool twice = false);

/// The authentication PIN of a citizen card: 4 to 8 digits. Errors: pin_invalid.
[[nodiscard]] Result<> check_citizen_pin(const crypto::Secret& pin);

/// A new passphrase for keys has at least 8 characters: an attacker can copy the key file and then try passphrases
/// without limit.
/// Errors: unusable_passphrase.
inline constexpr std::size_t kMinNewPassphrase = 8;
[[nodiscard]] Result<crypto::Secret> read_new_passphrase(const PassphraseSource& source, std::string_view prompt);

/// Whether the user may type a refused passphrase or PIN again: it was typed, not read from a file or a descriptor, and
/// the error is about what was typed. If so, shows the error on the terminal.
[[nodiscard]] bool may_type_again(const PassphraseSource& source, const Error& error);

/// `attempt` reads a passphrase or PIN and uses it. It runs once, and up to twice more if the typed one was wrong.
template <class Attempt>
auto until_right(const PassphraseSource& source, const Attempt& attempt) -> decltype(attempt()) {
  constexpr int kMore = 2;
  auto done = attempt();
  for (int left = kMore; !done && left > 0 && may_type_again(source, done.error()); --left) done = attempt();
  return done;
}

/// The file's content without one final line end, LF or CR LF. Errors: not_found, not_permitted, io;
/// unusable_passphrase, the content is empty or has a byte order mark, a control character or a second line; too_long.
[[nodiscard]] Result<crypto::Secret> passphrase_from_file(const std::filesystem::path& file);

/// One line, or the rest up to the end of the input. Reads no byte beyond it, so that a second passphrase can follow.
/// Errors: io; unusable_passphrase, as above; too_long.
[[nodiscard]] Result<crypto::Secret> passphrase_from_descriptor(int descriptor);

/// Prompts on the controlling terminal, without echo. The terminal's state is restored, after Ctrl-C too. Ctrl-Z stops
/// the job; when it continues, the prompt begins anew.
/// Errors: bad_usage, there is no terminal; cancelled, Ctrl-C, Ctrl-D, Ctrl-\ or a signal; unusable_passphrase, as
/// above; too_long.
[[nodiscard]] Result<crypto::Secret> passphrase_from_terminal(std::string_view prompt);

}  // namespace usher::app
