// SoftHSM tokens with keys that OpenSC's pkcs11-tool made: nothing of ours has touched them.
#include "identity/token_key.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/group.h"
#include "shim/soft_card.h"

namespace usher::identity {
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

  static TokenKeyRequest request(const std::string& uri, const std::string& pin = "1234") {
    return {.uri = uri, .module = kSoftHsm, .pin = [pin](const std::string& /*token*/) -> Result<crypto::Secret> {
              return crypto::Secret::copy_of(view_of(pin));
            }};
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

TEST_F(TokenKey, MissingModuleIsRefused) {
  TokenKeyRequest wish = request("pkcs11:token=studio;object=ec");
  wish.module = "/nowhere/module.so";
  refused(Fault::module_missing, wish);
}

}  // namespace
}  // namespace usher::identity
