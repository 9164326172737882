#include "media/wrap.h"

#include "fixtures.h"
#include "media/sealed.h"

namespace usher::media {
namespace {

using namespace test;

constexpr WrapContext kContext{Suite::aes256_gcm, Id128{5}};

crypto::Secret object_key() { return crypto::Secret::copy_of(Bytes(kObjectKeySize, 0x42)); }

struct Pair {
  std::shared_ptr<const Wrapper> wrapper;
  std::shared_ptr<const Unwrapper> unwrapper;
};

Pair pair_of(WrapType type) {
  switch (type) {
    case WrapType::passphrase:
      return {std::make_shared<PassphraseWrapper>(secret("correct horse"), kCheap),
              std::make_shared<PassphraseUnwrapper>(secret("correct horse"))};
    case WrapType::rsa_oaep:
      return {std::make_shared<PublicKeyWrapper>(rsa_key().public_key()),
              std::make_shared<PrivateKeyUnwrapper>(rsa_key())};
    case WrapType::ecdh_p256:
      return {std::make_shared<PublicKeyWrapper>(p256_key().public_key()),
              std::make_shared<PrivateKeyUnwrapper>(p256_key())};
    default: {
      auto kek = std::make_shared<Kek>(vault_key());
      return {kek, kek};
    }
  }
}

class Wrap : public testing::TestWithParam<WrapType> {
 protected:
  Recipient wrapped() {
    auto recipient = pair.wrapper->wrap(object_key(), kContext, random);
    EXPECT_TRUE(recipient) << explain(recipient.error());
    EXPECT_EQ(recipient->type, static_cast<std::uint8_t>(GetParam()));
    return *recipient;
  }
  Pair pair = pair_of(GetParam());
  crypto::SystemRandom random;
};
INSTANTIATE_TEST_SUITE_P(Types, Wrap,
                         testing::Values(WrapType::passphrase, WrapType::rsa_oaep, WrapType::ecdh_p256, WrapType::kek));

TEST_P(Wrap, KeyComesBack) {
  const auto key = pair.unwrapper->unwrap(wrapped(), kContext);
  ASSERT_TRUE(key) << explain(key.error());
  EXPECT_TRUE(same(key->expose(), object_key().expose()));
}

TEST_P(Wrap, BoundToTheObject) { EXPECT_FALSE(pair.unwrapper->unwrap(wrapped(), {Suite::aes256_gcm, Id128{6}})); }

TEST_P(Wrap, BoundToTheSuite) {
  EXPECT_FALSE(pair.unwrapper->unwrap(wrapped(), {Suite::aes256_ctr_hmac_sha256, Id128{5}}));
}

TEST_P(Wrap, EveryFlippedByteIsRefused) {
  const Recipient good = wrapped();
  for (std::size_t i = 0; i < good.wrapped.size(); i += 5) {
    Recipient bad = good;
    bad.wrapped[i] ^= 1;
    EXPECT_FALSE(pair.unwrapper->unwrap(bad, kContext)) << "wrapped byte " << i;
  }
  for (std::size_t i = 0; i < good.params.size(); i += 3) {
    Recipient bad = good;
    bad.params[i] ^= 1;
    EXPECT_FALSE(pair.unwrapper->unwrap(bad, kContext)) << "parameter byte " << i;
  }
}

TEST_P(Wrap, EveryTruncationIsRefused) {
  const Recipient good = wrapped();
  Recipient bad = good;
  bad.params.pop_back();
  EXPECT_FALSE(pair.unwrapper->unwrap(bad, kContext));
  bad = good;
  bad.wrapped.pop_back();
  EXPECT_FALSE(pair.unwrapper->unwrap(bad, kContext));
  bad.wrapped.clear();
  EXPECT_FALSE(pair.unwrapper->unwrap(bad, kContext));
}

TEST_P(Wrap, RecipientOfAnotherTypeIsNotMine) {
  for (const WrapType type :
       {WrapType::passphrase, WrapType::rsa_oaep, WrapType::ecdh_p256, WrapType::kek, WrapType{5}}) {
    if (type == GetParam()) continue;
    Recipient other = wrapped();
    other.type = static_cast<std::uint8_t>(type);
    expect_fault(pair.unwrapper->unwrap(other, kContext), Fault::no_key_fits);
  }
}

TEST_P(Wrap, TwoWrapsOfOneKeyDiffer) { EXPECT_NE(wrapped().wrapped, wrapped().wrapped); }

TEST(WrapPassphrase, WrongOneIsSaidToBeWrong) {
  crypto::SystemRandom random;
  const auto recipient = PassphraseWrapper(secret("right"), kCheap).wrap(object_key(), kContext, random);
  expect_fault(PassphraseUnwrapper(secret("wrong")).unwrap(*recipient, kContext), Fault::bad_passphrase);
}

TEST(WrapPassphrase, CostAboveTheCapIsRefusedBeforeTheWork) {
  crypto::SystemRandom random;
  auto recipient = *PassphraseWrapper(secret("right"), kCheap).wrap(object_key(), kContext, random);
  recipient.params[32] = 30;  // N = 2^30
  expect_fault(PassphraseUnwrapper(secret("right")).unwrap(recipient, kContext), Fault::unsupported);
  expect_fault(PassphraseWrapper(secret("right"), {.log2_n = 30}).wrap(object_key(), kContext, random),
               Fault::unsupported);
}

TEST(WrapPassphrase, StandsAlone) {
  crypto::SystemRandom random;
  MemorySink sink;
  const PassphraseWrapper passphrase(secret("right"), kCheap);
  const Kek kek(vault_key());
  expect_fault(SealWriter::begin({.total = 1}, {&passphrase, &kek}, sink, random), Fault::unsupported);
  expect_fault(SealWriter::begin({.total = 1}, {}, sink, random), Fault::too_long);
}

TEST(WrapRecipients, EachOfSeveralOpens) {
  crypto::SystemRandom random;
  MemorySink sink;
  const Kek kek(vault_key());
  const PublicKeyWrapper rsa(rsa_key().public_key());
  const PublicKeyWrapper p256(p256_key().public_key());
  auto writer = SealWriter::begin({.total = 3, .object = Id128{4}}, {&kek, &rsa, &p256}, sink, random);
  ASSERT_TRUE(writer->write(Bytes{1, 2, 3}));
  ASSERT_TRUE(writer->finish());
  const SourcePtr source = memory_source(sink.bytes);
  EXPECT_TRUE(SealedObject::open(source, Id128{4}, kek));
  EXPECT_TRUE(SealedObject::open(source, Id128{4}, PrivateKeyUnwrapper(rsa_key())));
  EXPECT_TRUE(SealedObject::open(source, Id128{4}, PrivateKeyUnwrapper(p256_key())));
  expect_fault(SealedObject::open(source, Id128{4}, PrivateKeyUnwrapper(distributor_key())), Fault::no_key_fits);
}

TEST(WrapRecipients, TypeOfALaterVersionIsPassedOver) {
  class Later final : public Wrapper {
   public:
    Result<Recipient> wrap(const crypto::Secret&, const WrapContext&, Random&) const override {
      return Recipient{77, {1}, {2}};
    }
  };
  crypto::SystemRandom random;
  MemorySink sink;
  const Later later;
  const Kek kek(vault_key());
  auto writer = SealWriter::begin({.total = 0}, {&later, &kek}, sink, random);
  ASSERT_TRUE(writer->finish());
  EXPECT_TRUE(SealedObject::open(memory_source(sink.bytes), Id128{}, kek));
}

}  // namespace
}  // namespace usher::media
