// card/card_provision: makes a card, for usher-ca and for tests.  Spec: identity.md §9.8.
#pragma once

#include <functional>
#include <string>

#include "card/pkcs11.h"
#include "crypto/key.h"
#include "crypto/secret.h"
#include "person/profile.h"
#include "pki/certificate.h"

namespace usher::card {

struct NewCard {
  std::string module{};       // a path, or a name for the loader to find
  std::string token_label{};  // 1..32 bytes; no other token of the module may have it
  crypto::NewKey kind = crypto::NewKey::p256;
  person::CardLabels labels{};  // an object with an empty label is left out; certificate and key need a label
  bool with_sub_ca = true;      // false: as the citizen card v2, which does not hold it
  p11::KeyUse key_use = p11::KeyUse::after_login;
};

/// Certifies the public key that the card generated. Returns leaf, authorities upwards, root.
using CardIssuer = std::function<Result<pki::Chain>(const crypto::PublicKey&)>;

/// Initialises the module's first free token, sets the PINs, generates the key pair on the token (the private key never
/// leaves it), calls `issuer` for the chain, and writes the certificates. If it fails after the token was initialised
/// and before the first certificate is written, another attempt with the same label and SO-PIN starts anew on this
/// token.
/// Errors: already_exists (the label), no_card (no free token), pin_invalid, bad_usage, module_missing, module_failed,
/// card_unsuitable (it cannot generate such keys); those of `issuer`.
[[nodiscard]] Result<pki::Chain> provision_card(const NewCard& card, const crypto::Secret& so_pin,
                                                const crypto::Secret& pin, const CardIssuer& issuer);

}  // namespace usher::card
