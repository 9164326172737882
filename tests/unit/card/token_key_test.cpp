// SoftHSM tokens with keys that OpenSC's pkcs11-tool made: nothing of ours has touched them.
#include "card/token_key.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/encoding.h"
#include "crypto/group.h"
#include "shim/soft_card.h"
#include "support/eventually.h"

namespace usher::card {
namespace {

using test::kSoftHsm;
using test::SoftCards;

int run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }

std::string tool(const std::string& arguments) {
  return "pkcs11-tool --module " + std::string(kSoftHsm) + " " + arguments;
}

class TokenKey : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (run("command -v pkcs11-tool") != 0) return;
    cards_ = new SoftCards;
    for (const std::string token : {"studio", "other"}) {
      ASSERT_EQ(run("softhsm2-util --init-token --free --label " + token + " --so-pin 87654321 --pin 1234"), 0);
    }
    const std::string login = "--token-label studio --login --pin 1234 --keypairgen ";
    ASSERT_EQ(run(tool(login + "--key-type rsa:2048 --label rsa --id 01 --usage-sign --usage-decrypt")), 0);
    ASSERT_EQ(run(tool(login + "--key-type EC:prime256v1 --label ec --id 02 --usage-sign --usage-derive")), 0);
  }
  static void TearDownTestSuite() {
    delete cards_;
    cards_ = nullptr;
  }
  void SetUp() override {
    if (cards_ == nullptr) GTEST_SKIP() << "needs pkcs11-tool";
  }

  static std::shared_ptr<TokenPins> pins(const std::string& pin, int* asked = nullptr) {
    return std::make_shared<TokenPins>([pin, asked](const std::string& /*token*/) -> Result<crypto::Secret> {
      if (asked != nullptr) ++*asked;
      return crypto::Secret::copy_of(view_of(pin));
    });
  }
  static TokenKeyRequest request(const std::string& uri, const std::string& pin = "1234") {
    return {.uri = uri, .module = kSoftHsm, .pins = pins(pin)};
  }
  static void refused(Fault fault, const TokenKeyRequest& wish) {
    const auto key = open_token_key(wish);
    ASSERT_FALSE(key) << wish.uri;
    EXPECT_EQ(code_of(key.error().fault), code_of(fault)) << explain(key.error());
  }

  inline static SoftCards* cards_ = nullptr;
};

TEST_F(TokenKey, SignsWithRsaPssAndWithEcdsa) {
  for (const std::string label : {"rsa", "ec"}) {
    const auto key = open_token_key(request("pkcs11:token=studio;object=" + label));
    ASSERT_TRUE(key) << explain(key.error());
    const auto signature = key->sign(view_of("message"));
    ASSERT_TRUE(signature) << label << ": " << explain(signature.error());
    EXPECT_TRUE(key->public_key().verify(key->scheme(), view_of("message"), *signature)) << label;
  }
}

TEST_F(TokenKey, SignsForTls12WithPkcs1Padding) {
  const auto key = open_token_key(request("pkcs11:token=studio;object=rsa"));
  ASSERT_TRUE(key) << explain(key.error());
  const crypto::MdCtxPtr context(EVP_MD_CTX_new());
  Bytes signature(256);
  std::size_t size = signature.size();
  const View message = view_of("message");
  // OpenSSL's default padding, as TLS 1.2 asks for with older clients.
  ASSERT_EQ(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key->ossl(), nullptr), 1);
  ASSERT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()), 1);
  EXPECT_TRUE(key->public_key().verify(crypto::SignatureScheme::rsa_pkcs1_sha256, message, signature));
}

TEST_F(TokenKey, DecryptsOaep) {
  const auto key = open_token_key(request("pkcs11:token=studio;object=rsa;type=private"));
  ASSERT_TRUE(key) << explain(key.error());
  const auto wrapped = crypto::oaep_encrypt(key->public_key(), view_of("label"), crypto::Secret(32));
  ASSERT_TRUE(wrapped);
  const auto opened = key->oaep_decrypt(view_of("label"), *wrapped);
  ASSERT_TRUE(opened) << explain(opened.error());
  EXPECT_TRUE(same(opened->expose(), Bytes(32)));
  EXPECT_FALSE(key->oaep_decrypt(view_of("another"), *wrapped));
}

TEST_F(TokenKey, AgreesOnASecretByEcdh) {
  const auto key = open_token_key(request("pkcs11:token=studio;id=%02"));
  ASSERT_TRUE(key) << explain(key.error());
  crypto::SystemRandom random;
  auto other = crypto::EphemeralKey::generate(crypto::Group::p256, random);
  ASSERT_TRUE(other);
  const Bytes point = other->public_value();
  const auto here = key->agree(point);
  ASSERT_TRUE(here) << explain(here.error());
  const auto there = std::move(*other).agree(*crypto::point_of(key->public_key()));
  ASSERT_TRUE(there);
  EXPECT_TRUE(same(here->expose(), there->expose()));
}

TEST_F(TokenKey, ModuleCanBeInTheUri) {
  TokenKeyRequest wish = request("pkcs11:token=studio;object=ec?module-path=" + std::string(kSoftHsm));
  wish.module.clear();
  EXPECT_TRUE(open_token_key(wish));
}

TEST_F(TokenKey, WrongPinIsRefused) {
  // A login holds for the whole process: this token has had none.
  refused(Fault::wrong_pin, request("pkcs11:token=other;object=ec", "9999"));
}

TEST_F(TokenKey, TokenOrKeyThatIsNotThereIsRefused) {
  refused(Fault::no_card, request("pkcs11:token=elsewhere;object=ec"));
  refused(Fault::card_unsuitable, request("pkcs11:token=studio;object=nothing"));
}

TEST_F(TokenKey, UriThatFitsMoreThanOneIsRefused) {
  refused(Fault::bad_config, request("pkcs11:manufacturer=SoftHSM%20project"));
  refused(Fault::bad_config, request("pkcs11:token=studio"));
}

TEST_F(TokenKey, PinInTheUriIsRefused) {
  refused(Fault::bad_config, request("pkcs11:token=studio;object=ec?pin-value=1234"));
}

TEST_F(TokenKey, UriThatIsNoneIsRefused) {
  refused(Fault::bad_config, request("pkcs11:token"));
  refused(Fault::bad_config, request("pkcs11:colour=blue"));
  TokenKeyRequest without_module = request("pkcs11:token=studio;object=ec");
  without_module.module.clear();
  refused(Fault::bad_config, without_module);
}

TEST_F(TokenKey, ManyThreadsSignAtOnce) {
  for (const std::string label : {"rsa", "ec"}) {
    const auto key = open_token_key(request("pkcs11:token=studio;object=" + label));
    ASSERT_TRUE(key) << explain(key.error());
    std::atomic<int> good = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 24; ++i) {
        threads.emplace_back([&, i] {
          for (int n = 0; n < 10; ++n) {
            const std::string message = std::to_string(i) + " " + std::to_string(n);
            const auto signature = key->sign(view_of(message));
            if (signature && key->public_key().verify(key->scheme(), view_of(message), *signature)) ++good;
          }
        });
      }
    }
    EXPECT_EQ(good, 240) << label;
  }
}

/// Through the shim, whose token can be pulled out.
class PulledToken : public TokenKey {
 protected:
  void SetUp() override {
    TokenKey::SetUp();
    if (IsSkipped()) return;
    cards_->set_mode("");
  }
  void TearDown() override {
    if (cards_ != nullptr) cards_->set_mode("");
  }
  static TokenKeyRequest shim_request(const std::string& uri, int* asked = nullptr) {
    return {.uri = uri, .module = USHER_PKCS11_SHIM, .pins = pins("1234", asked)};
  }
  /// Retries until it holds: a lost token is searched for once a second at most.
  template <class Check>
  static bool becomes(const Check& check) {
    return test::eventually(check);
  }
};

TEST_F(PulledToken, UseFailsWithTheReasonAndRecoversWhenTheTokenIsBack) {
  int asked = 0;
  std::vector<std::string> told;
  TokenKeyRequest wish = shim_request("pkcs11:token=studio;object=ec", &asked);
  wish.changed = [&](const Error* why) { told.emplace_back(why != nullptr ? code_of(why->fault) : "usable"); };
  const auto opened = open_token(wish);
  ASSERT_TRUE(opened) << explain(opened.error());
  ASSERT_TRUE(opened->key.sign(view_of("message")));
  EXPECT_TRUE(opened->state->check());
  cards_->set_mode("pulled");
  for (int n = 0; n < 3; ++n) {
    const auto refused = opened->key.sign(view_of("message"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(code_of(refused.error().fault), "no-card") << explain(refused.error());
  }
  EXPECT_FALSE(opened->state->check());
  EXPECT_EQ(told, std::vector<std::string>{"no-card"});  // once, not at each use
  cards_->set_mode("");
  EXPECT_TRUE(becomes([&] { return opened->key.sign(view_of("message")).has_value(); }));
  EXPECT_TRUE(opened->state->check());
  EXPECT_EQ(told, (std::vector<std::string>{"no-card", "usable"}));
  EXPECT_EQ(asked, 1);  // the PIN was kept
}

TEST_F(PulledToken, LossUnderManyThreadsHangsNobody) {
  const auto key = open_token_key(shim_request("pkcs11:token=studio;object=ec"));
  ASSERT_TRUE(key) << explain(key.error());
  std::atomic<bool> stop = false;
  std::atomic<int> failed = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      while (!stop) failed += key->sign(view_of("message")) ? 0 : 1;
    });
  }
  cards_->set_mode("pulled");
  EXPECT_TRUE(becomes([&] { return failed > 16; }));
  cards_->set_mode("");
  stop = true;
  threads.clear();
  EXPECT_TRUE(becomes([&] { return key->sign(view_of("message")).has_value(); }));
}

TEST_F(PulledToken, LoginThatEndedIsMadeAgain) {
  const auto key = open_token_key(shim_request("pkcs11:token=studio;object=rsa"));
  ASSERT_TRUE(key) << explain(key.error());
  cards_->set_mode("pulled");
  EXPECT_FALSE(key->sign(view_of("message")));
  cards_->set_mode("");
  EXPECT_TRUE(becomes([&] {
    const auto wrapped = crypto::oaep_encrypt(key->public_key(), view_of("label"), crypto::Secret(32));
    return key->oaep_decrypt(view_of("label"), *wrapped).has_value();
  }));
}

TEST_F(PulledToken, DecryptionTellsThatTheTokenIsGone) {
  const auto key = open_token_key(shim_request("pkcs11:token=studio;object=rsa"));
  ASSERT_TRUE(key) << explain(key.error());
  const auto wrapped = crypto::oaep_encrypt(key->public_key(), view_of("label"), crypto::Secret(32));
  cards_->set_mode("pulled");
  const auto opened = key->oaep_decrypt(view_of("label"), *wrapped);
  ASSERT_FALSE(opened);
  EXPECT_EQ(code_of(opened.error().fault), "no-card");
}

TEST(TokenPins, RefusedPinIsNotTriedAgainByItself) {
  int asked = 0;
  int tried = 0;
  TokenPins pins([&](const std::string& /*token*/) -> Result<crypto::Secret> {
    ++asked;
    return crypto::Secret::copy_of(view_of("9999"));
  });
  const auto attempt = [&](const crypto::Secret& /*pin*/) -> Result<> {
    ++tried;
    return fail(Fault::wrong_pin, "test");
  };
  for (int n = 0; n < 3; ++n) {
    const auto refused = pins.log_in("studio", attempt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(code_of(refused.error().fault), "wrong-pin");
  }
  EXPECT_EQ(tried, 1);
  pins.forget_refused();
  EXPECT_FALSE(pins.log_in("studio", attempt));
  EXPECT_EQ(tried, 2);
  EXPECT_EQ(asked, 2);
}

TEST_F(TokenKey, MissingModuleIsRefused) {
  TokenKeyRequest wish = request("pkcs11:token=studio;object=ec");
  wish.module = "/nowhere/module.so";
  refused(Fault::module_missing, wish);
}

}  // namespace
}  // namespace usher::card
