// Wycheproof: signatures and key agreement through usher's wrappers.
//
// usher signs only with SHA-256, and RSA-PSS only with a salt of 32 bytes. It accepts only RSA of 2048 to 4096 bits and
// P-256. Files with other parameters are run as well: nothing in them may be accepted.
#include "crypto/group.h"
#include "crypto/key.h"
#include "support/fixed_random.h"
#include "wycheproof.h"

namespace usher::crypto {
namespace {

using test::Case;
using test::each_case;

struct SignatureFile {
  std::string file;
  SignatureScheme scheme;
  bool ours;         // whether its parameters are those that usher takes
  bool raw = false;  // r ‖ s
};

bool taken(const SignatureFile& what, const Case& now) {
  const auto key = PublicKey::from_spki(now.group_hex("publicKeyDer"));
  if (!key) return false;
  Bytes signature = now.hex("sig");
  if (what.raw) {
    auto der = ecdsa_der_from_raw(signature);
    if (!der) return false;
    signature = *std::move(der);
  }
  return key->verify(what.scheme, now.hex("msg"), signature).has_value();
}

/// Whether the case is invalid in its file only because it was made with the parameters that usher uses.
bool is_ours_by_mistake(const Case& now) {
  return !now.valid() && (now.name().ends_with("The message is hashed with SHA-256 instead of SHA-384.") ||
                          now.name().ends_with("The message is hashed with SHA-256 instead of SHA-512.") ||
                          (now.name().ends_with(": s_len changed to 32") && now.group_text("sha") == "SHA-256"));
}

std::string name_of(const testing::TestParamInfo<SignatureFile>& info) {
  return info.param.file.substr(0, info.param.file.find("_test.json"));
}

class Signatures : public testing::TestWithParam<SignatureFile> {};

TEST_P(Signatures, AreJudgedAsWycheproofDoes) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  each_case(GetParam().file, 30, [](const Case& now) {
    const bool result = taken(GetParam(), now);
    if (!GetParam().ours) {
      EXPECT_EQ(result, is_ours_by_mistake(now)) << now.name();
    } else if (!now.may_be_taken()) {
      EXPECT_FALSE(result) << now.name();
    } else if (now.valid()) {
      EXPECT_TRUE(result) << now.name();
    }
    return true;
  });
}

constexpr auto kPss = SignatureScheme::rsa_pss_sha256;
constexpr auto kPkcs1 = SignatureScheme::rsa_pkcs1_sha256;
constexpr auto kEcdsa = SignatureScheme::ecdsa_p256_sha256;
INSTANTIATE_TEST_SUITE_P(Wycheproof, Signatures,
                         testing::Values(SignatureFile{"rsa_pss_2048_sha256_mgf1_32_test.json", kPss, true},
                                         SignatureFile{"rsa_pss_3072_sha256_mgf1_32_test.json", kPss, true},
                                         SignatureFile{"rsa_pss_4096_sha256_mgf1_32_test.json", kPss, true},
                                         SignatureFile{"rsa_pss_2048_sha256_mgf1_0_test.json", kPss, false},
                                         SignatureFile{"rsa_pss_2048_sha384_mgf1_48_test.json", kPss, false},
                                         SignatureFile{"rsa_pss_4096_sha384_mgf1_48_test.json", kPss, false},
                                         SignatureFile{"rsa_pss_4096_sha512_mgf1_64_test.json", kPss, false},
                                         SignatureFile{"rsa_signature_2048_sha256_test.json", kPkcs1, true},
                                         SignatureFile{"rsa_signature_3072_sha256_test.json", kPkcs1, true},
                                         SignatureFile{"rsa_signature_4096_sha256_test.json", kPkcs1, true},
                                         SignatureFile{"rsa_signature_2048_sha384_test.json", kPkcs1, false},
                                         SignatureFile{"rsa_signature_2048_sha512_test.json", kPkcs1, false},
                                         SignatureFile{"rsa_signature_3072_sha384_test.json", kPkcs1, false},
                                         SignatureFile{"rsa_signature_3072_sha512_test.json", kPkcs1, false},
                                         SignatureFile{"rsa_signature_4096_sha384_test.json", kPkcs1, false},
                                         SignatureFile{"rsa_signature_4096_sha512_test.json", kPkcs1, false},
                                         SignatureFile{"ecdsa_secp256r1_sha256_test.json", kEcdsa, true},
                                         SignatureFile{"ecdsa_secp256r1_sha256_p1363_test.json", kEcdsa, true, true},
                                         SignatureFile{"ecdsa_secp256r1_sha512_test.json", kEcdsa, false},
                                         SignatureFile{"ecdsa_secp384r1_sha384_test.json", kEcdsa, false},
                                         SignatureFile{"ecdsa_secp384r1_sha384_p1363_test.json", kEcdsa, false, true}),
                         name_of);

/// One file with many parameters: each group names its own.
TEST(Wycheproof, RsaPssMisc) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  each_case("rsa_pss_misc_test.json", 60, [](const Case& now) {
    const bool ours = now.group_text("sha") == "SHA-256" && now.group_text("mgfSha") == "SHA-256" &&
                      now.group_number("sLen") == 32 && now.group_number("keySize") >= 2048;
    const bool result = taken({"", kPss, ours}, now);
    if (!ours || !now.may_be_taken()) {
      EXPECT_FALSE(result) << now.name();
    } else if (now.valid()) {
      EXPECT_TRUE(result) << now.name();
    }
    return true;
  });
}

/// Wycheproof writes numbers with a sign bit or without leading zeros; a private key of ours has 32 bytes.
Bytes of_32_bytes(Bytes number) {
  while (number.size() > 32 && number.front() == 0) number.erase(number.begin());
  number.insert(number.begin(), 32 - std::min<std::size_t>(number.size(), 32), 0);
  return number;
}

TEST(Wycheproof, EcdhP256) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  each_case("ecdh_secp256r1_test.json", 300, [](const Case& now) {
    const auto peer = PublicKey::from_spki(now.hex("public"));
    const auto point = peer ? point_of(*peer) : Result<Bytes>(fail(Fault::bad_key, "test"));
    if (!point) {
      // usher wants the curve named and the point uncompressed, though others may take more.
      EXPECT_FALSE(now.valid() && now.hex("public").size() == 91) << now.name();
      return true;
    }
    test::FixedRandom random(of_32_bytes(now.hex("private")));
    auto own = EphemeralKey::generate(Group::p256, random);
    if (!own) return false;
    const auto shared = std::move(*own).agree(*point);
    const bool right = shared && same(shared->expose(), now.hex("shared"));
    if (now.valid()) {
      EXPECT_TRUE(right) << now.name();
    }
    if (!now.may_be_taken()) {
      EXPECT_FALSE(shared.has_value()) << now.name();
    }
    return true;
  });
}

TEST(Wycheproof, X25519) {
  USHER_NEEDS_CONFORMANCE("wycheproof");
  each_case("x25519_test.json", 290, [](const Case& now) {
    test::FixedRandom random(now.hex("private"));
    auto own = EphemeralKey::generate(Group::x25519, random);
    EXPECT_TRUE(own.has_value()) << now.name();
    const Bytes wanted = now.hex("shared");
    const auto shared = std::move(*own).agree(now.hex("public"));
    if (wanted == Bytes(32)) {
      EXPECT_FALSE(shared.has_value()) << now.name();  // all zero: refused, whatever the file leaves open
    } else if (now.valid()) {
      EXPECT_TRUE(shared && same(shared->expose(), wanted)) << now.name();
    } else if (shared) {
      EXPECT_TRUE(same(shared->expose(), wanted)) << now.name();
    }
    return true;
  });
}

}  // namespace
}  // namespace usher::crypto
