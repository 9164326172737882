// usher-press/keys: certificates and private keys named on the command line.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "common/command_line.h"
#include "common/passphrase.h"
#include "media/wrap.h"
#include "pki/trust_store.h"

namespace usher::press {

/// `--trust`, `--crl`, `--no-revocation`, `--accept-eku`, `--accept-without-eku`.
struct TrustOptions {
  std::filesystem::path anchors;  // empty: chains are not verified up to a root
  std::vector<std::filesystem::path> crls;
  bool no_revocation = false;
  pki::RoleMapping mapping;
};

/// Errors: those of reading; malformed, too_long.
[[nodiscard]] Result<pki::Chain> load_chain(const std::filesystem::path& file);

/// `--key`, `--module`, and the passphrase or the token's PIN that opens the key.
struct KeyOptions {
  std::string name;  // a file, or the URI of a key on a token (pkcs11:…)
  std::string module;
  app::PassphraseSource passphrase;
};
/// Adds the options. `about`: whose key it is, for the help.
app::Option add_key_options(const app::Command& verb, KeyOptions& options, const std::string& about);

/// Errors: those of reading and of the passphrase; bad_passphrase, unencrypted_key, malformed, bad_key; those of
/// card::open_token_key.
[[nodiscard]] Result<crypto::PrivateKey> load_key(const KeyOptions& options);

/// Checks that the leaf may act as `role`: its key usages in every case; the path to a configured root if there is one.
/// `signing_time` null: at `now`. Errors: wrong_role, certificate_expired, …, as pki::TrustStore.
[[nodiscard]] Result<> check_chain(const pki::Chain& chain, pki::Role role, const TrustOptions& options, Time now,
                                   const Time* signing_time = nullptr);

}  // namespace usher::press
