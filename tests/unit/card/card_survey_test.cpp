// What `usher card` sees, on SoftHSM cards, alone and behind the shim.
#include "card/card_survey.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "card/card_wire.h"
#include "shim/soft_card.h"

namespace usher::card {
namespace {

using test::CardHierarchy;
using test::SoftCards;
using namespace std::chrono_literals;

constexpr const char* kShim = USHER_PKCS11_SHIM;

/// A token with a key and no certificate: the authority did not answer.
void make_unfinished(const std::string& label) {
  const NewCard card{.module = test::kSoftHsm, .token_label = label, .labels = person::citizen_card_profile().labels};
  const auto failing = [](const crypto::PublicKey&) -> Result<pki::Chain> {
    return fail(Fault::bad_passphrase, "test");
  };
  ASSERT_FALSE(provision_card(card, crypto::Secret::copy_of(view_of("87654321")), SoftCards::pin(), failing));
}

pki::Certificate p384_certificate(Time now) {
  const crypto::PKeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
  const crypto::Ossl<X509, X509_free> raw(X509_new());
  X509_set_version(raw.get(), X509_VERSION_3);
  X509_set_pubkey(raw.get(), key.get());
  ASN1_TIME_set(X509_getm_notBefore(raw.get()), unix_seconds(now) - 60);
  ASN1_TIME_set(X509_getm_notAfter(raw.get()), unix_seconds(now) + 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(raw.get()), "CN", MBSTRING_UTF8, view_of("Ana").data(), 3, -1, 0);
  X509_sign(raw.get(), key.get(), EVP_sha256());
  return test::must(pki::Certificate::from_x509(raw.get()));
}

/// Under the label of the person's certificate.
void write_as_own(const std::string& label, const pki::Certificate& certificate) {
  const auto module = test::must(p11::Module::load(test::kSoftHsm));
  const auto tokens = test::must(module.tokens());
  const auto token = std::ranges::find(tokens, label, &p11::TokenInfo::label);
  ASSERT_NE(token, tokens.end());
  auto session = test::must(module.open(token->slot, true));
  const auto pin = SoftCards::pin();
  ASSERT_TRUE(session.login(p11::User::user, &pin));
  ASSERT_TRUE(session.write_certificate(person::citizen_card_profile().labels.certificate, Bytes{0x45}, certificate));
}

class CardSurveyTest : public testing::Test {
 protected:
  [[nodiscard]] CardSurvey survey() const { return test::must(survey_cards(options, now)); }
  /// The slots with a card; SoftHSM always has one more, whose token is blank.
  static std::vector<SeenSlot> cards_of(const CardSurvey& survey) {
    std::vector<SeenSlot> out;
    for (const SeenModule& module : survey.modules) {
      std::ranges::copy_if(module.slots, std::back_inserter(out),
                           [](const SeenSlot& slot) { return slot.token && slot.token->initialised; });
    }
    return out;
  }
  static std::vector<std::string> codes(const std::vector<Remark>& remarks) {
    std::vector<std::string> out;
    for (const Remark& remark : remarks) out.emplace_back(code_of(remark.what));
    return out;
  }
  /// The remarks about the only card.
  [[nodiscard]] std::vector<std::string> remarks() const {
    const auto seen = cards_of(survey());
    EXPECT_EQ(seen.size(), 1U);
    return seen.empty() ? std::vector<std::string>{} : codes(seen.front().remarks);
  }
  [[nodiscard]] Fault fault() const {
    const auto usable = survey().usable;
    return usable ? Fault::local : usable.error().fault;
  }

  using Codes = std::vector<std::string>;
  SoftCards cards;
  Time now = SystemClock{}.now();
  CardHierarchy hierarchy{now};
  CardOptions options{.modules = {kShim}, .profile = person::citizen_card_profile(), .deadline = 30s};
};

TEST_F(CardSurveyTest, AGoodCardIsShownWithItsCertificatesAndTaken) {
  const pki::Chain issued = cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  const CardSurvey seen = survey();
  EXPECT_TRUE(seen.usable);
  const auto found = cards_of(seen);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].taken);
  EXPECT_EQ(found[0].token->label, "ana");
  EXPECT_EQ(found[0].token->pin, PinState::ok);
  EXPECT_EQ(codes(found[0].remarks), Codes{});
  ASSERT_EQ(found[0].certificates.size(), 3U);
  for (const SeenCertificate& certificate : found[0].certificates) {
    EXPECT_EQ(certificate.meant, certificate.certificate == issued[0]);
    EXPECT_TRUE(std::ranges::find(issued, *certificate.certificate) != issued.end());
  }
}

TEST_F(CardSurveyTest, NeitherModuleNorReaderNorCardAreTheSame) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  cards.set_mode("removed");
  CardSurvey seen = survey();
  EXPECT_EQ(codes(seen.modules[0].slots[0].remarks), Codes{"no-card"});
  EXPECT_EQ(seen.usable.error().fault, Fault::no_card);

  cards.set_mode("unplugged");
  seen = survey();
  EXPECT_EQ(codes(seen.modules[0].remarks), Codes{"no-reader"});
  EXPECT_NE(explain(seen.usable.error()).find("no reader"), std::string::npos);

  options.modules = {"/nowhere/libnothing.so", "libz.so.1"};
  seen = survey();
  EXPECT_EQ(codes(seen.modules[1].remarks), Codes{"module-missing"});
  EXPECT_EQ(seen.usable.error().fault, Fault::module_missing);
  EXPECT_NE(seen.usable.error().about.find("libz.so.1"), std::string::npos);
}

TEST_F(CardSurveyTest, ABlankTokenIsNoCardYet) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  cards.set_mode("blank");
  const CardSurvey seen = survey();
  EXPECT_EQ(codes(seen.modules[0].slots[0].remarks), Codes{"not-initialised"});
  EXPECT_EQ(seen.usable.error().fault, Fault::no_card);
  EXPECT_NE(seen.usable.error().about.find("not been initialised"), std::string::npos);
}

TEST_F(CardSurveyTest, ThePinsStateIsToldWithoutThePin) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  auto card = test::must(Card::open(options));
  EXPECT_FALSE(card.login(SoftCards::wrong_pin()));
  EXPECT_EQ(remarks(), Codes{"pin-low"});
  EXPECT_TRUE(survey().usable);
  EXPECT_FALSE(card.login(SoftCards::wrong_pin()));
  EXPECT_EQ(remarks(), Codes{"pin-last-try"});
  EXPECT_TRUE(survey().usable);
  EXPECT_FALSE(card.login(SoftCards::wrong_pin(), LastTry::accept));
  EXPECT_EQ(remarks(), Codes{"pin-locked"});
  EXPECT_EQ(fault(), Fault::pin_locked);
}

TEST_F(CardSurveyTest, APinThatWasNeverSetIsTold) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  cards.set_mode("unset");
  EXPECT_EQ(remarks(), Codes{"pin-not-set"});
  EXPECT_EQ(fault(), Fault::card_unsuitable);
}

TEST_F(CardSurveyTest, ACardOfAnotherProfileIsTold) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  options.profile.labels.certificate = "ANOTHER CERTIFICATE";
  EXPECT_EQ(remarks(), Codes{"no-certificate"});
  EXPECT_EQ(fault(), Fault::card_unsuitable);
}

TEST_F(CardSurveyTest, ACertificateOutsideItsTimeIsTold) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  now += std::chrono::days(60);
  EXPECT_EQ(remarks(), Codes{"certificate-expired"});
  EXPECT_EQ(fault(), Fault::certificate_expired);
  now -= std::chrono::days(120);
  EXPECT_EQ(remarks(), Codes{"certificate-not-yet-valid"});
  EXPECT_EQ(fault(), Fault::certificate_not_yet_valid);
}

TEST_F(CardSurveyTest, AKeyWithoutCertificateIsTold) {
  make_unfinished("ana");
  EXPECT_EQ(remarks(), Codes{"key-without-certificate"});
  EXPECT_EQ(fault(), Fault::card_unsuitable);
}

TEST_F(CardSurveyTest, AMissingSubCaIsToldUnlessItIsConfigured) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256, false);
  EXPECT_EQ(remarks(), Codes{"sub-ca-missing"});
  EXPECT_TRUE(survey().usable);  // the server may have it
  options.intermediates = {hierarchy.sub()};
  EXPECT_EQ(remarks(), Codes{});
}

TEST_F(CardSurveyTest, AnUnsupportedKeyIsTold) {
  make_unfinished("ana");
  write_as_own("ana", p384_certificate(now));
  EXPECT_EQ(remarks(), (Codes{"key-unsupported", "sub-ca-missing"}));
  EXPECT_EQ(fault(), Fault::card_unsuitable);
}

TEST_F(CardSurveyTest, TwoCertificatesThatCouldBeMeantAreTold) {
  const pki::Certificate own = cards.provision(hierarchy, "ana", crypto::NewKey::p256).front();
  write_as_own("ana", hierarchy.certify(test::must(own.public_key()), hierarchy.citizen()).front());
  EXPECT_EQ(remarks(), Codes{"many-certificates"});
  EXPECT_EQ(fault(), Fault::card_unsuitable);
}

TEST_F(CardSurveyTest, ASecondCertificateThatCannotBeUsedIsPassedOver) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  write_as_own("ana", p384_certificate(now));
  EXPECT_EQ(remarks(), Codes{});
  EXPECT_TRUE(survey().usable);
}

TEST_F(CardSurveyTest, ACertificateThatCannotBeReadIsTold) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  cards.set_mode("garble");
  EXPECT_EQ(remarks(), Codes{"certificate-unreadable"});
  EXPECT_EQ(fault(), Fault::card_unsuitable);
}

TEST_F(CardSurveyTest, ACardThatSignsWithSha1OnlyIsTold) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  cards.set_mode("mechanisms CKM_ECDSA_SHA1 CKM_RSA_PKCS");
  EXPECT_EQ(remarks(), Codes{"no-signatures"});
  EXPECT_EQ(fault(), Fault::card_unsuitable);
}

TEST_F(CardSurveyTest, OfTwoCardsNoneIsTakenUntilOneIsChosen) {
  cards.provision(hierarchy, "first", crypto::NewKey::p256);
  cards.provision(hierarchy, "second", crypto::NewKey::p256);
  CardSurvey seen = survey();
  EXPECT_EQ(seen.usable.error().fault, Fault::card_unsuitable);
  EXPECT_NE(explain(seen.usable.error()).find("--slot"), std::string::npos);
  auto found = cards_of(seen);
  ASSERT_EQ(found.size(), 2U);
  for (const SeenSlot& slot : found) EXPECT_EQ(codes(slot.remarks), Codes{"ambiguous"});

  options.slot = found[1].slot.slot;
  seen = survey();
  EXPECT_TRUE(seen.usable);
  found = cards_of(seen);
  EXPECT_FALSE(found[0].taken);
  EXPECT_EQ(codes(found[0].remarks), Codes{"not-asked-for"});
  EXPECT_TRUE(found[1].taken);
  EXPECT_EQ(codes(found[1].remarks), Codes{});

  options.slot.reset();
  options.token_label = "third";
  EXPECT_EQ(fault(), Fault::no_card);
}

TEST_F(CardSurveyTest, AModuleThatCrashesIsToldAndTheNextOneIsTaken) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  cards.set_mode("crash C_GetSlotList");
  options.modules = {kShim, test::kSoftHsm};
  const CardSurvey seen = survey();
  EXPECT_EQ(codes(seen.modules[0].remarks), Codes{"module-failed"});
  EXPECT_TRUE(seen.usable);
  EXPECT_TRUE(std::ranges::any_of(seen.modules[1].slots, &SeenSlot::taken));
  EXPECT_EQ(test::must(Card::open(options)).module(), test::kSoftHsm);
}

TEST_F(CardSurveyTest, AModuleThatHangsIsTold) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  cards.set_mode("hang C_GetTokenInfo");
  options.deadline = 300ms;
  const CardSurvey seen = survey();
  EXPECT_EQ(codes(seen.modules[0].remarks), Codes{"module-failed"});
  EXPECT_EQ(seen.usable.error().fault, Fault::module_failed);
}

TEST_F(CardSurveyTest, ACardThatCannotBeReadIsTold) {
  cards.provision(hierarchy, "ana", crypto::NewKey::p256);
  cards.set_mode("vanish C_OpenSession");
  EXPECT_EQ(remarks(), Codes{"card-failed"});
  EXPECT_EQ(fault(), Fault::card_removed);
}

TEST_F(CardSurveyTest, ItsMessageIsReadAsItWasWrittenAndCutOnesAreMalformed) {
  const pki::Chain chain = hierarchy.certify(hierarchy.sub_key().public_key(), hierarchy.citizen());
  const SeenModule seen{
      .path = "m",
      .description = "d",
      .slots = {{.slot = {.slot = 7, .description = "r", .token_present = true},
                 .token = p11::TokenInfo{.slot = 7, .label = "l", .pin = PinState::low},
                 .certificates = {{.label = "c", .id = Bytes(1, 0x45), .certificate = chain[0]}, {.label = "bad"}},
                 .schemes = {crypto::SignatureScheme::rsa_pss_sha256},
                 .bare_key = true,
                 .trouble = Error{Fault::card_removed, "x", "about"}}}};
  const Bytes bytes = card_wire::encode(seen);
  const SeenModule read = test::must(card_wire::decode_seen(bytes));
  EXPECT_EQ(card_wire::encode(read), bytes);
  EXPECT_EQ(read.slots.at(0).certificates.at(0).certificate, chain[0]);
  EXPECT_EQ(read.slots.at(0).trouble->fault, Fault::card_removed);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(card_wire::decode_seen(View(bytes).first(size))) << size;
  }
}

}  // namespace
}  // namespace usher::card
