// Statements, their encoding, and every reason for which a server refuses one.
#include "person/statement.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "person/statement_content.h"
#include "shim/soft_card.h"

namespace usher::person {
namespace {

using namespace std::chrono_literals;
using test::CardHierarchy;
using test::must;

constexpr Time kNow{std::chrono::seconds(1'900'000'000)};

Hash256 hash_of(std::uint8_t byte) {
  Hash256 out{};
  out.fill(byte);
  return out;
}

Statement some_statement() {
  return {.server_key = hash_of(1),
          .installation = hash_of(2),
          .card = hash_of(3),
          .ephemeral_key = Bytes(91, 4),
          .purpose = Purpose::media,
          .not_before = 5,
          .not_after = 6,
          .nonce = Id128{7}};
}

TEST(StatementBytes, AreAsTheSpecificationSays) {
  const Bytes bytes = some_statement().encode();
  ASSERT_EQ(bytes.size(), 2U + 3 * 32 + 2 + 91 + 1 + 8 + 8 + 16);
  EXPECT_EQ(bytes[0], 0);
  EXPECT_EQ(bytes[1], 1);
  EXPECT_EQ(bytes[2], 1);
  EXPECT_EQ(bytes[98], 0);
  EXPECT_EQ(bytes[99], 91);
  EXPECT_EQ(bytes[191], 1);
  EXPECT_EQ(bytes[199], 5);
  EXPECT_EQ(bytes[207], 6);
  EXPECT_EQ(bytes[208], 7);
  EXPECT_EQ(Statement::decode(bytes), some_statement());
}

TEST(StatementBytes, OfAnotherVersionOrPurposeAreUnsupported) {
  Bytes bytes = some_statement().encode();
  bytes[1] = 2;
  EXPECT_EQ(Statement::decode(bytes).error().fault, Fault::unsupported);
  bytes = some_statement().encode();
  bytes[191] = 2;
  EXPECT_EQ(Statement::decode(bytes).error().fault, Fault::unsupported);
}

TEST(StatementBytes, CutOrLongerOrFarInTheFutureAreMalformed) {
  const Bytes bytes = some_statement().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(Statement::decode(View(bytes).first(size)).error().fault, Fault::malformed) << size;
  }
  EXPECT_EQ(Statement::decode(concat({bytes, View(bytes).first(1)})).error().fault, Fault::malformed);
  Bytes late = bytes;
  late[192] = 0xff;
  EXPECT_EQ(Statement::decode(late).error().fault, Fault::malformed);
}

TEST(SignedContent, IsSpacesContextZeroAndParts) {
  std::string expected(64, ' ');
  expected += "usher/1 statement";
  expected.push_back('\0');
  expected += "abc";
  EXPECT_EQ(text_of(signed_content("usher/1 statement", {view_of("abc")})), expected);
}

AuthRequest some_request() {
  return {.statement = Bytes(200, 1),
          .chain = {Bytes(700, 2), Bytes(800, 3)},
          .card_scheme = 0x0403,
          .card_signature = Bytes(71, 4),
          .holder_signature = Bytes(70, 5),
          .binding_signature = Bytes(72, 6)};
}

TEST(AuthRequestBytes, AreReadAsTheyWereWritten) {
  EXPECT_EQ(AuthRequest::decode(some_request().encode()), some_request());
}

TEST(AuthRequestBytes, CutAnywhereAreMalformed) {
  const Bytes bytes = some_request().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(AuthRequest::decode(View(bytes).first(size)).error().fault, Fault::malformed) << size;
  }
}

TEST(AuthRequestBytes, WithNoOrFiveOrTooLongCertificatesAreMalformed) {
  AuthRequest request = some_request();
  request.chain.clear();
  EXPECT_EQ(AuthRequest::decode(request.encode()).error().fault, Fault::malformed);
  request.chain.assign(5, Bytes(10, 1));
  EXPECT_EQ(AuthRequest::decode(request.encode()).error().fault, Fault::malformed);
  request.chain.assign(2, Bytes(8193, 1));
  EXPECT_EQ(AuthRequest::decode(request.encode()).error().fault, Fault::malformed);
  request.chain.assign(2, Bytes(8192, 1));
  EXPECT_TRUE(AuthRequest::decode(request.encode()));
}

class AuthTest : public testing::Test {
 protected:
  AuthTest() { chain.pop_back(); }

  PersonSession login() {
    return must(PersonSession::create(card, chain, {hash_of(1), hash_of(2), kNow, kMaxStatementLife}, random));
  }
  AuthContext context() const { return {hash_of(1), hash_of(2), exporter, kNow + 1s}; }
  Fault fault(const AuthRequest& request, const AuthContext& at) {
    const auto person = verify_auth(request, at, *trust, profile);
    EXPECT_FALSE(person);
    if (person) return Fault::local;
    about = person.error().about;
    return person.error().fault;
  }
  /// A request whose statement was changed before everything was signed.
  AuthRequest request_of(const Statement& statement) {
    AuthRequest request{.statement = statement.encode(), .card_scheme = 0x0403};
    for (const pki::Certificate& certificate : chain) request.chain.push_back(certificate.der());
    request.card_signature = must(card.sign(signed_content(kStatementContext, {request.statement})));
    request.holder_signature = must(holder.sign(signed_content(kHolderContext, {request.statement})));
    request.binding_signature =
        must(holder.sign(signed_content(kBindingContext, {exporter, crypto::sha256(request.statement)})));
    return request;
  }
  Statement good_statement() const {
    return {.server_key = hash_of(1),
            .installation = hash_of(2),
            .card = chain.front().fingerprint(),
            .ephemeral_key = holder.public_key().spki(),
            .purpose = Purpose::media,
            .not_before = unix_seconds(kNow),
            .not_after = unix_seconds(kNow) + 3600,
            .nonce = Id128{1}};
  }

  crypto::SystemRandom random;
  CardHierarchy hierarchy{kNow};
  Profile profile = citizen_card_profile();
  crypto::PrivateKey card = must(crypto::PrivateKey::generate(crypto::NewKey::p256));
  crypto::PrivateKey holder = must(crypto::PrivateKey::generate(crypto::NewKey::p256));
  pki::Chain chain = hierarchy.certify(card.public_key(), hierarchy.citizen());
  std::shared_ptr<const pki::TrustStore> trust = hierarchy.trust(profile);
  Bytes exporter = Bytes(32, 9);
  std::string about;
};

TEST_F(AuthTest, AGoodRequestNamesThePerson) {
  const PersonSession session = login();
  const AuthRequest sent = must(AuthRequest::decode(must(session.bind(exporter)).encode()));
  const auto person = verify_auth(sent, context(), *trust, profile);
  ASSERT_TRUE(person) << explain(person.error());
  EXPECT_EQ(person->subject_id(), "123456789");
  EXPECT_EQ(person->display_name(), "Ana Maria Silva");
  EXPECT_EQ(person->profile(), "cartao-de-cidadao");
  EXPECT_EQ(person->anchor_key(), hierarchy.root().key_fingerprint());
  EXPECT_EQ(person->card(), chain.front().fingerprint());
  EXPECT_EQ(person->not_after(), kNow + kMaxStatementLife);
  EXPECT_EQ(person->ephemeral_key().spki(), session.ephemeral_key().public_key().spki());
}

TEST_F(AuthTest, AStatementMadeByHandIsGoodToo) {
  EXPECT_TRUE(verify_auth(request_of(good_statement()), context(), *trust, profile));
}

TEST_F(AuthTest, ThePersonsTimeEndsWithTheCardsCertificate) {
  pki::LeafRequest request = hierarchy.citizen();
  request.validity.not_after = kNow + 1h;
  chain = hierarchy.certify(card.public_key(), request);
  const auto person = verify_auth(must(login().bind(exporter)), context(), *trust, profile);
  ASSERT_TRUE(person);
  EXPECT_EQ(person->not_after(), kNow + 1h);
}

TEST_F(AuthTest, OneLoginBindsManyChannelsAndEachOnlyItself) {
  const PersonSession session = login();
  const Bytes other(32, 10);
  const AuthRequest first = must(session.bind(exporter));
  const AuthRequest second = must(session.bind(other));
  EXPECT_EQ(first.card_signature, second.card_signature);
  AuthContext at_other = context();
  at_other.exporter = other;
  EXPECT_TRUE(verify_auth(first, context(), *trust, profile));
  EXPECT_TRUE(verify_auth(second, at_other, *trust, profile));
  EXPECT_EQ(fault(first, at_other), Fault::bad_signature);
  EXPECT_EQ(about, "the channel binding's");
}

TEST_F(AuthTest, AStatementForAnotherServerIsRefused) {
  AuthContext at = context();
  at.server_key = hash_of(8);
  EXPECT_EQ(fault(must(login().bind(exporter)), at), Fault::bad_statement);
  EXPECT_EQ(about, "it is for another server");
}

TEST_F(AuthTest, AStatementForAnotherInstallationIsRefused) {
  AuthContext at = context();
  at.installation = hash_of(8);
  EXPECT_EQ(fault(must(login().bind(exporter)), at), Fault::bad_statement);
  EXPECT_EQ(about, "it is for another installation");
}

TEST_F(AuthTest, AStatementWithAnotherCardsCertificateIsRefused) {
  AuthRequest request = must(login().bind(exporter));
  request.chain.front() = hierarchy.certify(card.public_key(), hierarchy.citizen()).front().der();
  EXPECT_EQ(fault(request, context()), Fault::bad_statement);
  EXPECT_EQ(about, "it is for another card");
}

TEST_F(AuthTest, AnExpiredStatementIsRefused) {
  AuthContext at = context();
  at.now = kNow + kMaxStatementLife - 1s;
  EXPECT_TRUE(verify_auth(must(login().bind(exporter)), at, *trust, profile));
  at.now = kNow + kMaxStatementLife;
  EXPECT_EQ(fault(must(login().bind(exporter)), at), Fault::bad_statement);
  EXPECT_EQ(about, "it has expired");
}

TEST_F(AuthTest, AStatementFromAClockThatIsFiveMinutesAheadIsTakenAndNoMore) {
  AuthContext at = context();
  at.now = kNow - kStatementSkew;
  EXPECT_TRUE(verify_auth(must(login().bind(exporter)), at, *trust, profile));
  at.now -= 1s;
  EXPECT_EQ(fault(must(login().bind(exporter)), at), Fault::bad_statement);
  EXPECT_EQ(about, "it is not valid yet");
}

TEST_F(AuthTest, AStatementForMoreThanTwelveHoursIsRefused) {
  Statement statement = good_statement();
  statement.not_after = statement.not_before + 12 * 3600;
  EXPECT_TRUE(verify_auth(request_of(statement), context(), *trust, profile));
  ++statement.not_after;
  EXPECT_EQ(fault(request_of(statement), context()), Fault::bad_statement);
  EXPECT_EQ(about, "it is valid for longer than 12 hours, or never");
  statement.not_after = statement.not_before;
  EXPECT_EQ(fault(request_of(statement), context()), Fault::bad_statement);
}

TEST_F(AuthTest, AnEphemeralKeyThatIsNotP256IsRefused) {
  Statement statement = good_statement();
  statement.ephemeral_key = must(crypto::PrivateKey::generate(crypto::NewKey::rsa2048)).public_key().spki();
  EXPECT_EQ(fault(request_of(statement), context()), Fault::bad_statement);
  statement.ephemeral_key = Bytes(91, 1);
  EXPECT_EQ(fault(request_of(statement), context()), Fault::bad_statement);
  EXPECT_EQ(about, "its key is not P-256");
}

TEST_F(AuthTest, EachOfTheThreeSignaturesIsChecked) {
  const AuthRequest good = must(login().bind(exporter));
  AuthRequest request = good;
  request.card_signature = good.holder_signature;
  EXPECT_EQ(fault(request, context()), Fault::bad_signature);
  EXPECT_EQ(about, "the card's");
  request = good;
  request.holder_signature = good.card_signature;
  EXPECT_EQ(fault(request, context()), Fault::bad_signature);
  EXPECT_EQ(about, "the holder's");
  request = good;
  request.binding_signature = good.holder_signature;
  EXPECT_EQ(fault(request, context()), Fault::bad_signature);
  EXPECT_EQ(about, "the channel binding's");
}

TEST_F(AuthTest, AStolenStatementIsWorthNothingWithoutItsKey) {
  AuthRequest request = must(login().bind(exporter));
  request.binding_signature =
      must(holder.sign(signed_content(kBindingContext, {exporter, crypto::sha256(request.statement)})));
  EXPECT_EQ(fault(request, context()), Fault::bad_signature);
  EXPECT_EQ(about, "the channel binding's");
}

TEST_F(AuthTest, ASchemeThatIsUnknownOrDoesNotFitTheCardIsRefused) {
  AuthRequest request = must(login().bind(exporter));
  constexpr std::array<std::uint16_t, 6> kSchemes{0x0201, 0x0203, 0x0401, 0x0804, 0x0503, 0};  // 0x02..: SHA-1
  for (const std::uint16_t scheme : kSchemes) {
    request.card_scheme = scheme;
    EXPECT_EQ(fault(request, context()), Fault::bad_signature) << scheme;
  }
}

TEST_F(AuthTest, AnRsaCardsStatementIsTaken) {
  const auto rsa = must(crypto::PrivateKey::generate(crypto::NewKey::rsa2048));
  chain = hierarchy.certify(rsa.public_key(), hierarchy.citizen());
  const auto session =
      must(PersonSession::create(rsa, chain, {hash_of(1), hash_of(2), kNow, kMaxStatementLife}, random));
  EXPECT_TRUE(verify_auth(must(session.bind(exporter)), context(), *trust, profile));
}

TEST_F(AuthTest, ACardOfAnotherHierarchyIsRefused) {
  const CardHierarchy other(kNow);
  trust = other.trust(profile);
  EXPECT_EQ(fault(must(login().bind(exporter)), context()), Fault::untrusted);
}

TEST_F(AuthTest, ARootThatThePeerSentIsNotTrusted) {
  CardHierarchy forged(kNow);
  chain = forged.certify(card.public_key(), forged.citizen());
  EXPECT_EQ(fault(must(login().bind(exporter)), context()), Fault::untrusted);
}

TEST_F(AuthTest, AnExpiredCardIsRefused) {
  pki::LeafRequest request = hierarchy.citizen();
  request.validity.not_after = kNow - 1h;
  chain = hierarchy.certify(card.public_key(), request);
  EXPECT_EQ(fault(must(login().bind(exporter)), context()), Fault::certificate_expired);
}

TEST_F(AuthTest, ARevokedCardIsRefused) {
  const auto list_of = [&](const pki::Issuer& issuer, std::vector<pki::RevokedEntry> revoked) {
    return must(pki::issue_crl(issuer, {.number = 1,
                                        .base_number = {},
                                        .this_update = kNow - 1h,
                                        .next_update = kNow + 24h,
                                        .revoked = std::move(revoked),
                                        .freshest_crl = {}}));
  };
  const pki::Issuer root{hierarchy.root(), hierarchy.root_key()};
  const pki::Issuer sub{hierarchy.sub(), hierarchy.sub_key()};
  const auto trust_with = [&](std::vector<pki::RevokedEntry> revoked) {
    return must(pki::TrustStore::make({.role = pki::Role::person,
                                       .anchors = {hierarchy.root()},
                                       .crls = {list_of(root, {}), list_of(sub, std::move(revoked))},
                                       .mapping = profile.mapping}));
  };
  trust = trust_with({});
  EXPECT_TRUE(verify_auth(must(login().bind(exporter)), context(), *trust, profile));
  trust = trust_with({{.serial_hex = chain.front().serial_hex(), .when = kNow - 2h}});
  EXPECT_EQ(fault(must(login().bind(exporter)), context()), Fault::revoked);
}

TEST_F(AuthTest, AClientsCertificateIsNoPersons) {
  pki::LeafRequest request = hierarchy.citizen();
  request.role = pki::Role::client;
  request.more_eku.clear();
  chain = hierarchy.certify(card.public_key(), request);
  EXPECT_EQ(fault(must(login().bind(exporter)), context()), Fault::wrong_role);
}

TEST_F(AuthTest, ALoginForLongerThanTwelveHoursIsNotMade) {
  EXPECT_FALSE(PersonSession::create(card, chain, {hash_of(1), hash_of(2), kNow, kMaxStatementLife + 1s}, random));
}

TEST_F(AuthTest, ACardWhoseKeyIsNotTheCertificatesIsUnsuitable) {
  const auto session = PersonSession::create(holder, chain, {hash_of(1), hash_of(2), kNow, kMaxStatementLife}, random);
  EXPECT_EQ(session.error().fault, Fault::card_unsuitable);
}

TEST_F(AuthTest, TheListenerKnowsWhenAStatementCanBeUsed) {
  const PersonSession session = login();
  EXPECT_TRUE(session.usable(hash_of(1), hash_of(2), kNow));
  EXPECT_EQ(session.usable(hash_of(3), hash_of(2), kNow).error().fault, Fault::bad_statement);
  EXPECT_EQ(session.usable(hash_of(1), hash_of(3), kNow).error().fault, Fault::bad_statement);
  EXPECT_EQ(session.usable(hash_of(1), hash_of(2), kNow + kMaxStatementLife).error().fault, Fault::bad_statement);
}

/// From the card to the server, on SoftHSM.
void expect_login(crypto::NewKey kind, std::uint16_t scheme, const std::string& mode = {}) {
  const test::SoftCards cards;
  cards.set_mode(mode);
  const Time now = SystemClock{}.now();
  CardHierarchy hierarchy(now);
  cards.provision(hierarchy, "card", kind);
  const Profile profile = citizen_card_profile();
  auto card = must(card::Card::open({.modules = {USHER_PKCS11_SHIM}, .profile = profile}));
  ASSERT_TRUE(card.login(test::SoftCards::pin()));
  crypto::SystemRandom random;
  const auto session = must(PersonSession::create(card, card.chain(), {hash_of(1), hash_of(2), now, 1h}, random));
  const Bytes exporter(32, 9);
  const AuthRequest request = must(session.bind(exporter));
  EXPECT_EQ(request.card_scheme, scheme);
  const auto person = verify_auth(request, {hash_of(1), hash_of(2), exporter, now}, *hierarchy.trust(profile), profile);
  ASSERT_TRUE(person) << explain(person.error());
  EXPECT_EQ(person->subject_id(), "123456789");
}

TEST(CardLogin, OfAV1CardWithRsaIsTaken) { expect_login(crypto::NewKey::rsa2048, 0x0401); }
TEST(CardLogin, OfARsaCardThatHasOnlyPssIsTaken) {
  expect_login(crypto::NewKey::rsa2048, 0x0804, "mechanisms CKM_RSA_PKCS_PSS");
}
TEST(CardLogin, OfAV2CardWithP256IsTaken) { expect_login(crypto::NewKey::p256, 0x0403); }

}  // namespace
}  // namespace usher::person
