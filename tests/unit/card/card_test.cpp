// Real cards: SoftHSM, alone and behind the shim, in the card agent.
#include "card/card.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "card/card_survey.h"
#include "shim/soft_card.h"

namespace usher::card {
namespace {

using test::CardHierarchy;
using test::SoftCards;
using namespace std::chrono_literals;

constexpr const char* kShim = USHER_PKCS11_SHIM;

CardOptions options_for(const std::string& module) {
  return {.modules = {module}, .profile = person::citizen_card_profile(), .deadline = 30s};
}

class CardTest : public testing::Test {
 protected:
  SoftCards cards;
  CardHierarchy hierarchy{SystemClock{}.now()};
};

Fault fault_of_opening(const CardOptions& options) {
  const auto card = Card::open(options);
  EXPECT_FALSE(card);
  return card ? Fault::local : card.error().fault;
}

void expect_signs(const CardOptions& options, crypto::SignatureScheme scheme) {
  auto card = test::must(Card::open(options));
  EXPECT_TRUE(card.needs_pin());
  EXPECT_EQ(card.pin_state(), PinState::ok);
  ASSERT_TRUE(card.login(SoftCards::pin()));
  EXPECT_EQ(card.scheme(), scheme);
  const auto signature = card.sign(view_of("what is signed"));
  ASSERT_TRUE(signature);
  EXPECT_TRUE(card.public_key().verify(scheme, view_of("what is signed"), *signature));
  EXPECT_FALSE(card.public_key().verify(scheme, view_of("something else"), *signature));
}

TEST_F(CardTest, AP256CardSigns) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  expect_signs(options_for(test::kSoftHsm), crypto::SignatureScheme::ecdsa_p256_sha256);
}

TEST_F(CardTest, AnRsaCardSigns) {
  cards.provision(hierarchy, "v1", crypto::NewKey::rsa2048);
  expect_signs(options_for(test::kSoftHsm), crypto::SignatureScheme::rsa_pkcs1_sha256);
}

TEST_F(CardTest, SignsInThisProcessToo) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  CardOptions options = options_for(test::kSoftHsm);
  options.in_process = true;
  expect_signs(options, crypto::SignatureScheme::ecdsa_p256_sha256);
}

TEST_F(CardTest, GivesItsCertificatesAndKeepsTheRootOutOfTheChain) {
  const pki::Chain issued = cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  const auto card = test::must(Card::open(options_for(test::kSoftHsm)));
  EXPECT_EQ(card.certificate(), issued[0]);
  EXPECT_EQ(card.chain(), (pki::Chain{issued[0], issued[1]}));
  EXPECT_EQ(card.root(), issued[2]);
  EXPECT_EQ(card.token().label, "v2");
  EXPECT_EQ(card.module(), test::kSoftHsm);
}

TEST_F(CardTest, TakesAMissingSubCaFromTheConfiguration) {
  const pki::Chain issued = cards.provision(hierarchy, "v2", crypto::NewKey::p256, false);
  CardOptions options = options_for(test::kSoftHsm);
  EXPECT_EQ(test::must(Card::open(options)).chain(), pki::Chain{issued[0]});
  options.intermediates = {hierarchy.root(), hierarchy.sub()};
  EXPECT_EQ(test::must(Card::open(options)).chain(), (pki::Chain{issued[0], issued[1]}));
}

TEST_F(CardTest, AProfileWithoutLabelsFindsTheOnlyPersonsCertificate) {
  const pki::Chain issued = cards.provision(hierarchy, "any", crypto::NewKey::p256);
  CardOptions options = options_for(test::kSoftHsm);
  options.profile = person::generic_profile();
  auto card = test::must(Card::open(options));
  EXPECT_EQ(card.chain(), (pki::Chain{issued[0], issued[1]}));
  ASSERT_TRUE(card.login(SoftCards::pin()));
  EXPECT_TRUE(card.sign(view_of("x")));
}

/// A card with two certificates under one label.
class TwoCertificates : public CardTest {
 protected:
  TwoCertificates() { options.now = now; }
  [[nodiscard]] pki::Certificate another(const std::string& name, pki::Validity validity) {
    pki::LeafRequest request = hierarchy.citizen();
    request.name.common_name = name;
    request.validity = validity;
    return hierarchy.certify(test::must(first.public_key()), request).front();
  }
  void expect_works(const pki::Certificate& certificate) const {
    auto card = test::must(Card::open(options));
    EXPECT_EQ(card.certificate(), certificate);
    ASSERT_TRUE(card.login(SoftCards::pin()));
    EXPECT_TRUE(card.sign(view_of("x")));
  }

  Time now = SystemClock{}.now();
  CardOptions options = options_for(test::kSoftHsm);
  pki::Certificate first = cards.provision(hierarchy, "v2", crypto::NewKey::p256).front();
};

TEST_F(TwoCertificates, AnExpiredOneIsPassedOver) {
  cards.add_certificate("v2", another("Old", {now - std::chrono::days(20), now - std::chrono::days(10)}));
  expect_works(first);
  const auto survey = test::must(survey_cards(options, now));
  EXPECT_TRUE(survey.usable);
  for (const SeenSlot& slot : survey.modules.front().slots) EXPECT_EQ(slot.taken, slot.token && slot.remarks.empty());
}

TEST_F(TwoCertificates, OneThatIsNotValidYetIsPassedOver) {
  cards.add_certificate("v2", another("New", {now + std::chrono::days(10), now + std::chrono::days(20)}));
  expect_works(first);
}

TEST_F(TwoCertificates, OneWithoutAKeyIsPassedOver) {
  const auto stranger = test::must(crypto::PrivateKey::generate(crypto::NewKey::p256));
  cards.add_certificate("v2", hierarchy.certify(stranger.public_key(), hierarchy.citizen()).front(), 0x46);
  expect_works(first);
}

TEST_F(TwoCertificates, OfTwoThatCanBeUsedThePersonChooses) {
  const pki::Certificate second = another("Second", hierarchy.validity());
  cards.add_certificate("v2", second);
  std::vector<CardChoice> offered;
  options.choose = [&](const std::vector<CardChoice>& choices) -> Result<std::size_t> {
    offered = choices;
    return choices[0].certificate == second ? 0 : 1;
  };
  expect_works(second);
  ASSERT_EQ(offered.size(), 2U);
  EXPECT_EQ(offered[0].token_label, "v2");
  options.choose = [](const auto&) -> Result<std::size_t> { return fail(Fault::cancelled, "test"); };
  EXPECT_EQ(fault_of_opening(options), Fault::cancelled);
}

TEST_F(TwoCertificates, WithoutAPersonBothAreNamedAndTheFingerprintChooses) {
  const pki::Certificate second = another("Second", hierarchy.validity());
  cards.add_certificate("v2", second);
  const auto unclear = Card::open(options);
  ASSERT_FALSE(unclear);
  EXPECT_EQ(unclear.error().fault, Fault::card_unsuitable);
  for (const pki::Certificate* one : std::vector<const pki::Certificate*>{&first, &second}) {
    const std::string name = to_hex(View(one->fingerprint()).first(8));
    EXPECT_NE(unclear.error().about.find(name), std::string::npos) << unclear.error().about;
    options.certificate = name;
    expect_works(*one);
  }
  EXPECT_NE(unclear.error().about.find("--card-certificate"), std::string::npos);
  options.certificate = "0123456789abcdef";
  EXPECT_EQ(fault_of_opening(options), Fault::card_unsuitable);
  options.certificate = "xyz";
  EXPECT_EQ(fault_of_opening(options), Fault::bad_config);
}

TEST_F(TwoCertificates, WhereNoneCanBeUsedEachSaysWhy) {
  const pki::Certificate old = another("Old", {now - std::chrono::days(20), now - std::chrono::days(10)});
  cards.add_certificate("v2", old);
  options.now = now + std::chrono::days(1000);
  const auto none = Card::open(options);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().fault, Fault::card_unsuitable);
  EXPECT_NE(none.error().about.find("expired"), std::string::npos) << none.error().about;
  options.certificate = to_hex(View(old.fingerprint()).first(8));
  EXPECT_EQ(test::must(Card::open(options)).certificate(), old);
}

TEST_F(CardTest, SigningBeforeLoginIsRefused) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  const auto card = test::must(Card::open(options_for(test::kSoftHsm)));
  EXPECT_EQ(card.sign(view_of("x")).error().fault, Fault::not_authenticated);
}

TEST_F(CardTest, AMissingModuleIsNamed) {
  const auto card = Card::open(options_for("/nowhere/libnothing.so"));
  ASSERT_FALSE(card);
  EXPECT_EQ(card.error().fault, Fault::module_missing);
  EXPECT_NE(explain(card.error()).find("/nowhere/libnothing.so"), std::string::npos);
}

TEST_F(CardTest, ALibraryThatIsNoModuleIsMissing) {
  EXPECT_EQ(fault_of_opening(options_for("libz.so.1")), Fault::module_missing);
}

TEST_F(CardTest, TheNextModuleIsTriedWhenOneIsMissing) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  CardOptions options = options_for(test::kSoftHsm);
  options.modules.insert(options.modules.begin(), "/nowhere/libnothing.so");
  EXPECT_EQ(test::must(Card::open(options)).module(), test::kSoftHsm);
}

TEST_F(CardTest, NoCardIsTold) {
  EXPECT_EQ(fault_of_opening(options_for(test::kSoftHsm)), Fault::no_card);
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  cards.set_mode("removed");
  EXPECT_EQ(fault_of_opening(options_for(kShim)), Fault::no_card);
}

TEST_F(CardTest, ACardWithoutTheProfilesCertificateIsUnsuitable) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  CardOptions options = options_for(test::kSoftHsm);
  options.profile.labels.certificate = "ANOTHER CERTIFICATE";
  EXPECT_EQ(fault_of_opening(options), Fault::card_unsuitable);
}

TEST_F(CardTest, OfTwoCardsTheLabelChooses) {
  cards.provision(hierarchy, "first", crypto::NewKey::p256);
  const pki::Chain second = cards.provision(hierarchy, "second", crypto::NewKey::p256);
  CardOptions options = options_for(test::kSoftHsm);
  const auto unclear = Card::open(options);
  ASSERT_FALSE(unclear);
  EXPECT_EQ(unclear.error().fault, Fault::card_unsuitable);
  EXPECT_NE(unclear.error().about.find("\"second\""), std::string::npos);
  options.token_label = "second";
  EXPECT_EQ(test::must(Card::open(options)).certificate(), second[0]);
  options.token_label = "third";
  EXPECT_EQ(fault_of_opening(options), Fault::no_card);
}

TEST_F(CardTest, AWrongPinIsTold) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  auto card = test::must(Card::open(options_for(test::kSoftHsm)));
  EXPECT_EQ(card.login(SoftCards::wrong_pin()).error().fault, Fault::wrong_pin);
  EXPECT_TRUE(card.login(SoftCards::pin()));
}

TEST_F(CardTest, AnEmptyPinIsNotTried) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  auto card = test::must(Card::open(options_for(kShim)));
  EXPECT_EQ(card.login(crypto::Secret()).error().fault, Fault::pin_invalid);
  EXPECT_EQ(card.pin_state(), PinState::ok);
}

TEST_F(CardTest, APinOfALengthThatTheCardDoesNotTakeCostsNoTry) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  auto card = test::must(Card::open(options_for(kShim)));
  for (const std::string& pin : {std::string("12"), std::string(300, '1')}) {
    EXPECT_EQ(card.login(crypto::Secret::copy_of(view_of(pin))).error().fault, Fault::pin_invalid);
    EXPECT_EQ(card.pin_state(), PinState::ok);
  }
  EXPECT_TRUE(card.login(SoftCards::pin()));
}

TEST_F(CardTest, ThreeWrongPinsLockTheCardAndEachSaysHowItStands) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  auto card = test::must(Card::open(options_for(kShim)));

  const auto first = card.login(SoftCards::wrong_pin());
  EXPECT_EQ(first.error().fault, Fault::wrong_pin);
  EXPECT_NE(explain(first.error()).find("few tries are left"), std::string::npos);
  EXPECT_EQ(card.pin_state(), PinState::low);

  const auto second = card.login(SoftCards::wrong_pin());
  EXPECT_EQ(second.error().fault, Fault::wrong_pin);
  EXPECT_NE(explain(second.error()).find("one try is left"), std::string::npos);
  EXPECT_EQ(card.pin_state(), PinState::last_try);

  // The last try is spent only if the caller knows that it is the last one.
  EXPECT_EQ(card.login(SoftCards::wrong_pin()).error().fault, Fault::pin_last_try);
  EXPECT_EQ(card.pin_state(), PinState::last_try);

  EXPECT_EQ(card.login(SoftCards::wrong_pin(), LastTry::accept).error().fault, Fault::pin_locked);
  EXPECT_EQ(card.pin_state(), PinState::locked);
  EXPECT_EQ(card.login(SoftCards::pin(), LastTry::accept).error().fault, Fault::pin_locked);
}

TEST_F(CardTest, TheRightPinOnTheLastTryClearsTheWarning) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  auto card = test::must(Card::open(options_for(kShim)));
  EXPECT_FALSE(card.login(SoftCards::wrong_pin()));
  EXPECT_FALSE(card.login(SoftCards::wrong_pin()));
  EXPECT_TRUE(card.login(SoftCards::pin(), LastTry::accept));
  EXPECT_EQ(card.pin_state(), PinState::ok);
}

TEST_F(CardTest, EveryPinStateButOkHasWords) {
  EXPECT_EQ(p11::words(PinState::ok), "");
  for (const auto state : {PinState::low, PinState::last_try, PinState::locked, PinState::not_set}) {
    EXPECT_FALSE(p11::words(state).empty());
  }
}

TEST_F(CardTest, AReaderWithItsOwnKeysNeedsNoPinFromUs) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  cards.set_mode("protected");
  cards.type_at_reader("1234");
  auto card = test::must(Card::open(options_for(kShim)));
  EXPECT_FALSE(card.needs_pin());
  ASSERT_TRUE(card.login());
  EXPECT_TRUE(card.sign(view_of("x")));
}

TEST_F(CardTest, AKeyForEachSignatureIsGivenTheTypedPinOnceAndNoMore) {
  for (const auto kind : {crypto::NewKey::p256, crypto::NewKey::rsa2048}) {
    const std::string label = kind == crypto::NewKey::p256 ? "v2" : "v1";
    cards.provision(hierarchy, label, kind, true, p11::KeyUse::each_signature);
    CardOptions options = options_for(kShim);
    options.token_label = label;
    auto card = test::must(Card::open(options));
    ASSERT_TRUE(card.login(SoftCards::pin()));
    EXPECT_TRUE(card.asks_each_time());
    EXPECT_TRUE(card.sign(view_of("x")));
    EXPECT_EQ(card.sign(view_of("y")).error().fault, Fault::not_authenticated);
    ASSERT_TRUE(card.login(SoftCards::pin()));
    EXPECT_TRUE(card.sign(view_of("y")));
  }
}

TEST_F(CardTest, AKeyForEachSignatureSignsNothingAfterTheLoginAlone) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256, true, p11::KeyUse::each_signature);
  const auto module = test::must(p11::Module::load(test::kSoftHsm));
  auto session = test::must(module.open(test::must(module.tokens()).front().slot));
  const auto pin = SoftCards::pin();
  ASSERT_TRUE(session.login(p11::User::user, &pin));
  const auto keys = test::must(session.find({p11::ObjectClass::private_key, {}, {}}));
  ASSERT_EQ(keys.size(), 1U);
  const auto sign = [&](p11::KeyUse use) {
    return session.sign(keys[0].handle, crypto::SignatureScheme::ecdsa_p256_sha256, view_of("x"), use, &pin);
  };
  EXPECT_EQ(sign(p11::KeyUse::after_login).error().fault, Fault::not_authenticated);
  EXPECT_TRUE(sign(p11::KeyUse::each_signature));
}

TEST_F(CardTest, AKeyForEachSignatureIsNotTakenForALoginThatWasNot) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256, true, p11::KeyUse::each_signature);
  auto card = test::must(Card::open(options_for(kShim)));
  ASSERT_TRUE(card.login(SoftCards::pin()));
  // Though the token is logged in already.
  EXPECT_EQ(card.login(SoftCards::wrong_pin()).error().fault, Fault::wrong_pin);
  EXPECT_EQ(card.sign(view_of("x")).error().fault, Fault::not_authenticated);
  ASSERT_TRUE(card.login(SoftCards::pin()));
  EXPECT_TRUE(card.sign(view_of("x")));
}

TEST_F(CardTest, AReaderWithItsOwnKeysAsksForEachSignature) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256, true, p11::KeyUse::each_signature);
  cards.set_mode("protected");
  cards.type_at_reader("1234");
  auto card = test::must(Card::open(options_for(kShim)));
  ASSERT_TRUE(card.login());
  EXPECT_TRUE(card.asks_each_time());
  EXPECT_TRUE(card.sign(view_of("x")));
  EXPECT_TRUE(card.sign(view_of("y")));
  cards.type_at_reader("9999");
  const auto wrong = card.sign(view_of("z"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().fault, Fault::wrong_pin);
  EXPECT_NE(wrong.error().about.find("few tries are left"), std::string::npos);
  cards.type_at_reader("1234");
  ASSERT_TRUE(card.login());
  EXPECT_TRUE(card.sign(view_of("z")));
}

TEST_F(CardTest, AnRsaCardSignsWithWhatItHas) {
  using enum crypto::SignatureScheme;
  cards.provision(hierarchy, "v1", crypto::NewKey::rsa2048);
  for (const auto& [mechanisms, scheme] : std::vector<std::pair<std::string, crypto::SignatureScheme>>{
           {"CKM_RSA_PKCS", rsa_pkcs1_sha256},
           {"CKM_SHA1_RSA_PKCS CKM_SHA256_RSA_PKCS", rsa_pkcs1_sha256},
           {"CKM_RSA_PKCS_PSS", rsa_pss_sha256},
           {"CKM_SHA1_RSA_PKCS_PSS CKM_SHA256_RSA_PKCS_PSS", rsa_pss_sha256},
           {"CKM_RSA_PKCS_PSS CKM_RSA_PKCS", rsa_pkcs1_sha256}}) {
    cards.set_mode("mechanisms " + mechanisms);
    SCOPED_TRACE(mechanisms);
    expect_signs(options_for(kShim), scheme);
  }
}

TEST_F(CardTest, NothingIsSignedWithSha1) {
  cards.provision(hierarchy, "v1", crypto::NewKey::rsa2048);
  cards.set_mode("mechanisms CKM_SHA1_RSA_PKCS CKM_SHA1_RSA_PKCS_PSS");
  const auto card = Card::open(options_for(kShim));
  ASSERT_FALSE(card);
  EXPECT_EQ(card.error().fault, Fault::card_unsuitable);
  EXPECT_NE(card.error().about.find("SHA-256"), std::string::npos);
}

TEST_F(CardTest, AP256CardThatHashesWithSha1OnlyIsUnsuitable) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  cards.set_mode("mechanisms CKM_ECDSA_SHA1 CKM_RSA_PKCS");
  EXPECT_EQ(fault_of_opening(options_for(kShim)), Fault::card_unsuitable);
}

TEST_F(CardTest, AWrongSignatureOfTheCardIsSeenHere) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  cards.set_mode("forge");
  auto card = test::must(Card::open(options_for(kShim)));
  ASSERT_TRUE(card.login(SoftCards::pin()));
  const auto forged = card.sign(view_of("x"));
  ASSERT_FALSE(forged);
  EXPECT_EQ(forged.error().fault, Fault::module_failed);
  EXPECT_NE(forged.error().about.find("does not fit"), std::string::npos);
}

TEST_F(CardTest, ACardTakenOutIsToldAtEveryStep) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  auto card = test::must(Card::open(options_for(kShim)));
  cards.set_mode("removed");
  EXPECT_EQ(card.pin_state().error().fault, Fault::card_removed);
  EXPECT_EQ(card.login(SoftCards::pin()).error().fault, Fault::card_removed);
  cards.set_mode("");
  ASSERT_TRUE(card.login(SoftCards::pin()));
  cards.set_mode("removed");
  EXPECT_EQ(card.sign(view_of("x")).error().fault, Fault::card_removed);
}

TEST_F(CardTest, AHangingModuleHitsTheDeadlineAndTheCardCanBeOpenedAgain) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  CardOptions options = options_for(kShim);
  auto card = test::must(Card::open(options));
  ASSERT_TRUE(card.login(SoftCards::pin()));

  options.deadline = 300ms;
  cards.set_mode("hang C_GetSlotList");
  const auto hung = Card::open(options);
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().fault, Fault::module_failed);
  EXPECT_NE(explain(hung.error()).find("no answer within 0.3 s"), std::string::npos);
  // The other child, which is not in that call, continues to work.
  EXPECT_TRUE(card.sign(view_of("x")));
}

TEST_F(CardTest, ACrashingModuleIsSurvived) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  auto card = test::must(Card::open(options_for(kShim)));
  ASSERT_TRUE(card.login(SoftCards::pin()));
  cards.set_mode("crash C_Sign");
  const auto crashed = card.sign(view_of("x"));
  ASSERT_FALSE(crashed);
  EXPECT_EQ(crashed.error().fault, Fault::module_failed);
  EXPECT_NE(explain(crashed.error()).find("crashed"), std::string::npos);
  EXPECT_EQ(card.sign(view_of("x")).error().fault, Fault::module_failed);

  cards.set_mode("");
  card = test::must(Card::open(options_for(kShim)));
  ASSERT_TRUE(card.login(SoftCards::pin()));
  EXPECT_TRUE(card.sign(view_of("x")));
}

TEST_F(CardTest, AnAgentThatCannotBeStartedIsAFault) {
  CardOptions options = options_for(test::kSoftHsm);
  options.agent = cards.folder() / "no such program";
  EXPECT_EQ(fault_of_opening(options), Fault::module_failed);
}

TEST_F(CardTest, AnAttemptThatFailedIsTakenUpAgain) {
  const auto so_pin = crypto::Secret::copy_of(view_of("87654321"));
  const NewCard card{.module = test::kSoftHsm, .token_label = "v2", .labels = person::citizen_card_profile().labels};
  const auto failing = [](const crypto::PublicKey&) -> Result<pki::Chain> {
    return fail(Fault::bad_passphrase, "test");
  };
  const auto failed = provision_card(card, so_pin, SoftCards::pin(), failing);
  EXPECT_EQ(failed.error().fault, Fault::bad_passphrase);
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  EXPECT_TRUE(test::must(Card::open(options_for(test::kSoftHsm))).login(SoftCards::pin()));
}

TEST_F(CardTest, ATokensLabelIsGivenOnce) {
  cards.provision(hierarchy, "v2", crypto::NewKey::p256);
  const NewCard again{.module = test::kSoftHsm, .token_label = "v2", .labels = person::citizen_card_profile().labels};
  const auto made = provision_card(again, SoftCards::pin(), SoftCards::pin(),
                                   [](const crypto::PublicKey&) -> Result<pki::Chain> { return pki::Chain{}; });
  EXPECT_EQ(made.error().fault, Fault::already_exists);
}

}  // namespace
}  // namespace usher::card
