// usher-ca/options: option values that several verbs share.
#pragma once

#include <filesystem>
#include <string>

#include "common/passphrase.h"
#include "crypto/key.h"

namespace usher::ca {

/// "p256", "rsa2048", "rsa3072". Errors: bad_usage.
[[nodiscard]] Result<crypto::NewKey> new_key_of(std::string_view name);

/// A PEM file with a public key, or with a certificate that contains it. Errors: malformed, bad_key, those of
/// read_file.
[[nodiscard]] Result<crypto::PublicKey> read_public_key(const std::filesystem::path& file);

}  // namespace usher::ca
