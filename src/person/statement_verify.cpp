// The server's side (identity.md §6.4, §7.3).
#include <algorithm>

#include "crypto/digest.h"
#include "person/statement.h"
#include "person/statement_content.h"
#include "pki/trust_store.h"

namespace usher::person {
namespace {

std::unexpected<Error> refuse(std::string_view where, std::string about) {
  return fail(Fault::bad_statement, where, std::move(about));
}

Result<> check_addressee(const Statement& statement, const AuthContext& context, const pki::Certificate& card) {
  if (statement.server_key != context.server_key) return refuse("statement: server", "it is for another server");
  if (statement.installation != context.installation) {
    return refuse("statement: installation", "it is for another installation");
  }
  if (statement.card != card.fingerprint()) return refuse("statement: card", "it is for another card");
  return {};
}

Result<> check_times(const Statement& statement, Time now) {
  const std::int64_t at = unix_seconds(now);
  if (statement.not_after <= statement.not_before ||
      statement.not_after - statement.not_before > kMaxStatementLife.count()) {
    return refuse("statement: life", "it is valid for longer than 12 hours, or never");
  }
  if (statement.not_before > at + kStatementSkew.count()) return refuse("statement: early", "it is not valid yet");
  if (statement.not_after <= at) return refuse("statement: expired", "it has expired");
  return {};
}

Result<crypto::PublicKey> ephemeral_of(const Statement& statement) {
  auto key = crypto::PublicKey::from_spki(statement.ephemeral_key);
  // A key must have exactly one encoding, so that the signature is about the key and not about one of its encodings.
  if (!key || key->kind() != crypto::KeyKind::p256 || key->spki() != statement.ephemeral_key) {
    return refuse("statement: ephemeral key", "its key is not P-256");
  }
  return key;
}

Result<> check_signature(const crypto::PublicKey& key, crypto::SignatureScheme scheme, Bytes content, View signature,
                         const char* whose) {
  if (key.verify(scheme, content, signature)) return {};
  return fail(Fault::bad_signature, "statement: signature", whose);
}

}  // namespace

class AuthVerifier {
 public:
  static Result<VerifiedPerson> verify(const AuthRequest& request, const AuthContext& context,
                                       const pki::TrustStore& persons, const Profile& profile) {
    if (context.exporter.size() != kExporterSize) return fail(Fault::local, "statement: exporter");
    USHER_TRY(const Statement statement, Statement::decode(request.statement));
    const std::vector<View> ders(request.chain.begin(), request.chain.end());
    USHER_TRY(const pki::Chain chain, pki::chain_from_der(ders));
    USHER_CHECK(check_addressee(statement, context, chain.front()));
    USHER_CHECK(check_times(statement, context.now));
    USHER_TRY(crypto::PublicKey ephemeral, ephemeral_of(statement));

    USHER_TRY(pki::VerifiedPeer peer, persons.verify(chain, context.now));
    USHER_TRY(PersonId id, profile.identify(peer));
    USHER_CHECK(check_signatures(request, context, peer.public_key(), ephemeral));

    const Time end = std::min(from_unix_seconds(statement.not_after), peer.valid_until());
    return VerifiedPerson(std::make_shared<const pki::VerifiedPeer>(std::move(peer)), std::move(id), profile.name, end,
                          std::move(ephemeral));
  }

 private:
  static Result<> check_signatures(const AuthRequest& request, const AuthContext& context,
                                   const crypto::PublicKey& card, const crypto::PublicKey& ephemeral) {
    const auto scheme = crypto::scheme_of(request.card_scheme);
    if (!scheme || !card.fits(*scheme)) return fail(Fault::bad_signature, "statement: scheme", "the card's");
    const Bytes& statement = request.statement;
    USHER_CHECK(check_signature(card, *scheme, signed_content(kStatementContext, {statement}), request.card_signature,
                                "the card's"));
    constexpr auto kEcdsa = crypto::SignatureScheme::ecdsa_p256_sha256;
    USHER_CHECK(check_signature(ephemeral, kEcdsa, signed_content(kHolderContext, {statement}),
                                request.holder_signature, "the holder's"));
    return check_signature(ephemeral, kEcdsa,
                           signed_content(kBindingContext, {context.exporter, crypto::sha256(statement)}),
                           request.binding_signature, "the channel binding's");
  }
};

VerifiedPerson::VerifiedPerson(std::shared_ptr<const pki::VerifiedPeer> peer, PersonId id, std::string profile,
                               Time not_after, crypto::PublicKey ephemeral)
    : peer_(std::move(peer)),
      id_(std::move(id)),
      profile_(std::move(profile)),
      not_after_(not_after),
      ephemeral_(std::move(ephemeral)) {}

const Hash256& VerifiedPerson::anchor_key() const noexcept { return peer_->anchor().key_fingerprint(); }
const Hash256& VerifiedPerson::card() const noexcept { return peer_->certificate().fingerprint(); }

Result<VerifiedPerson> verify_auth(const AuthRequest& request, const AuthContext& context,
                                   const pki::TrustStore& persons, const Profile& profile) {
  return AuthVerifier::verify(request, context, persons, profile);
}

}  // namespace usher::person
