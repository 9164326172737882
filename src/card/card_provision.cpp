#include "card/card_provision.h"

#include <algorithm>

#include <fmt/format.h>

#include "card/pkcs11.h"

namespace usher::card {
namespace {

using p11::Module;
using p11::TokenInfo;
using p11::TokenSession;

/// Whether an earlier attempt ended before the certificate was written.
Result<bool> is_unfinished(const Module& module, p11::SlotId slot) {
  USHER_TRY(const TokenSession session, module.open(slot));
  USHER_TRY(const auto certificates, session.find({p11::ObjectClass::certificate, {}, {}}));
  return certificates.empty();
}

/// Errors: already_exists, no_card.
Result<p11::SlotId> free_slot(const Module& module, const std::string& label) {
  USHER_TRY(const auto tokens, module.tokens());
  const auto same_label = std::ranges::find(tokens, label, &TokenInfo::label);
  if (same_label != tokens.end()) {
    USHER_TRY(const bool unfinished, is_unfinished(module, same_label->slot));
    if (unfinished) return same_label->slot;
    return fail(Fault::already_exists, "new card: label", fmt::format("a token labelled \"{}\"", label),
                "Give another --label; a card is never overwritten.");
  }
  const auto slot = std::ranges::find(tokens, false, &TokenInfo::initialised);
  if (slot == tokens.end())
    return fail(Fault::no_card, "new card: slot", "no token is free",
                "Put in a card that is not initialised, or add a slot to the module.");
  return slot->slot;
}

/// A module may move the token to another slot after the initialisation. SoftHSM does so when it is loaded again.
Result<> initialise(const NewCard& card, const crypto::Secret& so_pin) {
  USHER_TRY(const Module module, Module::load(card.module));
  USHER_TRY(const p11::SlotId slot, free_slot(module, card.token_label));
  return module.init_token(slot, so_pin, card.token_label);
}

Result<> set_pin(const Module& module, p11::SlotId slot, const crypto::Secret& so_pin, const crypto::Secret& pin) {
  USHER_TRY(TokenSession session, module.open(slot, true));
  USHER_CHECK(session.login(p11::User::security_officer, &so_pin));
  return session.set_user_pin(pin);
}

Result<> write(const TokenSession& session, const NewCard& card, View id, const pki::Chain& chain) {
  USHER_CHECK(session.write_certificate(card.labels.certificate, id, chain.front()));
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const bool root = chain[i].is_self_issued();
    const std::string& label = root ? card.labels.root : card.labels.sub_ca;
    if (label.empty() || (!root && !card.with_sub_ca)) continue;
    USHER_CHECK(session.write_certificate(label, View(chain[i].key_fingerprint()).first(20), chain[i]));
  }
  return {};
}

}  // namespace

Result<pki::Chain> provision_card(const NewCard& card, const crypto::Secret& so_pin, const crypto::Secret& pin,
                                  const CardIssuer& issuer) {
  if (card.labels.certificate.empty() || card.labels.key.empty()) return fail(Fault::bad_usage, "new card: labels");
  USHER_CHECK(initialise(card, so_pin));
  USHER_TRY(const Module module, Module::load(card.module));
  USHER_TRY(const auto tokens, module.tokens());
  const auto token = std::ranges::find(tokens, card.token_label, &TokenInfo::label);
  if (token == tokens.end()) return fail(Fault::module_failed, "new card: token", "the new token has gone");
  USHER_CHECK(set_pin(module, token->slot, so_pin, pin));

  USHER_TRY(TokenSession session, module.open(token->slot, true));
  USHER_CHECK(session.login(p11::User::user, &pin));
  constexpr std::uint8_t kId[] = {0x45};  // as the authentication key has on the citizen card
  USHER_TRY(const p11::NewKeyPair pair, session.generate(card.kind, card.labels.key, kId, card.key_use));
  USHER_TRY(pki::Chain chain, issuer(pair.public_key));
  if (chain.empty() || chain.front().key_fingerprint() != pair.public_key.fingerprint()) {
    return fail(Fault::local, "new card: certificate");
  }
  USHER_CHECK(write(session, card, kId, chain));
  return chain;
}

}  // namespace usher::card
