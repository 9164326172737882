// Encoding of statements and requests, and the listener's side.
#include "person/statement.h"

#include "crypto/digest.h"
#include "person/statement_content.h"
#include "wire/codec.h"

namespace usher::person {
namespace {

constexpr std::int64_t kMaxUnixTime = 253'402'300'799;  // the last second of the year 9999

}  // namespace

Bytes signed_content(std::string_view context, std::initializer_list<View> parts) {
  Bytes out(64, 0x20);
  append(out, view_of(context));
  out.push_back(0);
  for (const View part : parts) append(out, part);
  return out;
}

Bytes Statement::encode() const {
  wire::Writer out;
  out.u16(kStatementVersion).raw(server_key).raw(installation).raw(card).vec16(ephemeral_key);
  out.u8(static_cast<std::uint8_t>(purpose));
  out.u64(static_cast<std::uint64_t>(not_before)).u64(static_cast<std::uint64_t>(not_after)).raw(nonce);
  return std::move(out).take();
}

Result<Statement> Statement::decode(View bytes) {
  if (bytes.size() > kMaxStatement) return fail(Fault::malformed, "statement: size");
  wire::Reader in(bytes, "statement");
  const std::uint16_t version = in.u16();
  if (in.ok() && version != kStatementVersion) return fail(Fault::unsupported, "statement: version");
  Statement out;
  out.server_key = in.array<32>();
  out.installation = in.array<32>();
  out.card = in.array<32>();
  out.ephemeral_key = to_bytes(in.vec16(1));
  const std::uint8_t purpose = in.u8();
  const std::uint64_t not_before = in.u64();
  const std::uint64_t not_after = in.u64();
  out.nonce = in.array<16>();
  if (not_before > kMaxUnixTime || not_after > kMaxUnixTime) in.refuse();
  USHER_CHECK(in.finish());
  if (purpose != static_cast<std::uint8_t>(Purpose::media)) return fail(Fault::unsupported, "statement: purpose");
  out.not_before = static_cast<std::int64_t>(not_before);
  out.not_after = static_cast<std::int64_t>(not_after);
  return out;
}

Bytes AuthRequest::encode() const {
  wire::Writer out;
  out.vec16(statement).u8(static_cast<std::uint8_t>(chain.size()));
  for (const Bytes& certificate : chain) out.vec16(certificate);
  out.u16(card_scheme).vec16(card_signature).vec16(holder_signature).vec16(binding_signature);
  return std::move(out).take();
}

Result<AuthRequest> AuthRequest::decode(View bytes) {
  wire::Reader in(bytes, "auth request");
  AuthRequest out;
  out.statement = to_bytes(in.vec16(1, kMaxStatement));
  const std::uint8_t count = in.u8();
  if (count < 1 || count > pki::kMaxChain) in.refuse();
  std::size_t left = pki::kMaxCertificate;
  for (int i = 0; i < count && in.ok(); ++i) {
    out.chain.push_back(to_bytes(in.vec16(1, left)));
    left -= out.chain.back().size();
  }
  out.card_scheme = in.u16();
  out.card_signature = to_bytes(in.vec16(1, kMaxCardSignature));
  out.holder_signature = to_bytes(in.vec16(1, kMaxEphemeralSignature));
  out.binding_signature = to_bytes(in.vec16(1, kMaxEphemeralSignature));
  USHER_CHECK(in.finish());
  return out;
}

Result<PersonSession> PersonSession::create(const crypto::Signer& card, const pki::Chain& chain,
                                            const LoginTerms& terms, Random& random) {
  if (chain.empty() || chain.size() > pki::kMaxChain || terms.life <= Seconds{0} || terms.life > kMaxStatementLife) {
    return fail(Fault::malformed, "login: terms");
  }
  if (chain.front().key_fingerprint() != card.public_key().fingerprint()) {
    return fail(Fault::card_unsuitable, "login: certificate", "its key and its certificate do not belong together");
  }
  USHER_TRY(crypto::PrivateKey ephemeral, crypto::PrivateKey::generate(crypto::NewKey::p256));
  const std::int64_t now = unix_seconds(terms.now);
  Statement statement{.server_key = terms.server_key,
                      .installation = terms.installation,
                      .card = chain.front().fingerprint(),
                      .ephemeral_key = ephemeral.public_key().spki(),
                      .purpose = Purpose::media,
                      .not_before = now,
                      .not_after = now + terms.life.count(),
                      .nonce = random.id()};

  AuthRequest request{.statement = statement.encode(), .card_scheme = static_cast<std::uint16_t>(card.scheme())};
  std::size_t size = 0;
  for (const pki::Certificate& certificate : chain) {
    size += certificate.der().size();
    request.chain.push_back(certificate.der());
  }
  if (size > pki::kMaxCertificate) return fail(Fault::malformed, "login: chain", "its chain is longer than 16 KiB");
  USHER_TRY(request.card_signature, card.sign(signed_content(kStatementContext, {request.statement})));
  USHER_TRY(request.holder_signature, ephemeral.sign(signed_content(kHolderContext, {request.statement})));
  PersonSession session(std::move(ephemeral), std::move(statement));
  session.unbound_ = std::move(request);
  return session;
}

Result<std::shared_ptr<const PersonLogin>> make_login(const crypto::Signer& card, const pki::Chain& chain,
                                                      const LoginTerms& terms, Random& random) {
  USHER_TRY(PersonSession session, PersonSession::create(card, chain, terms, random));
  return std::make_shared<const PersonSession>(std::move(session));
}

Result<AuthRequest> PersonSession::bind(View exporter) const {
  if (exporter.size() != kExporterSize) return fail(Fault::local, "login: exporter");
  AuthRequest request = unbound_;
  USHER_TRY(request.binding_signature,
            ephemeral_.sign(signed_content(kBindingContext, {exporter, crypto::sha256(request.statement)})));
  return request;
}

Result<> PersonLogin::usable(const Hash256& server_key, const Hash256& installation, Time now) const {
  const std::int64_t at = unix_seconds(now);
  if (statement_.server_key != server_key)
    return fail(Fault::bad_statement, "login: server", "it is for another server");
  if (statement_.installation != installation) {
    return fail(Fault::bad_statement, "login: installation", "it is for another installation");
  }
  if (at >= statement_.not_after) return fail(Fault::bad_statement, "login: expired", "it has expired");
  return {};
}

}  // namespace usher::person
