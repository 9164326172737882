#include "media/file_object.h"

#include "base/encoding.h"
#include "crypto/kdf.h"
#include "crypto/mac.h"
#include "fixtures.h"

namespace usher::media {
namespace {

using namespace test;

constexpr std::size_t kChunk = kDefaultChunkSize;

/// As the server streams: piece by piece into a sink that only ever appends.
Bytes seal_file(View plaintext, Suite suite, const crypto::PrivateKey& recipient, std::size_t piece = 10'000) {
  crypto::SystemRandom random;
  MemorySink sink;
  const PublicKeyWrapper wrapper(recipient.public_key());
  auto writer =
      SealWriter::begin_file(file_layout(suite, plaintext.size()), crypto::sha256(plaintext), {&wrapper}, sink, random);
  EXPECT_TRUE(writer) << explain(writer.error());
  while (!plaintext.empty()) {
    const View now = plaintext.first(std::min(piece, plaintext.size()));
    EXPECT_TRUE(writer->write(now));
    plaintext = plaintext.subspan(now.size());
  }
  EXPECT_TRUE(writer->finish());
  return sink.bytes;
}

struct Outcome {
  Result<OpenedFile> result;
  Bytes plaintext;
};
Outcome open(Bytes sealed, const crypto::PrivateKey& key, const std::optional<Hash256>& expected = {},
             const Progress& progress = {}) {
  MemorySink sink;
  auto result = open_file_object(memory_source(std::move(sealed)), PrivateKeyUnwrapper(key), sink, expected, progress);
  return {std::move(result), std::move(sink.bytes)};
}

const crypto::PrivateKey& key_of(crypto::KeyKind kind) { return kind == crypto::KeyKind::rsa ? rsa_key() : p256_key(); }

class FileObject : public testing::TestWithParam<std::tuple<Suite, crypto::KeyKind>> {
 protected:
  [[nodiscard]] static Suite suite() { return std::get<0>(GetParam()); }
  [[nodiscard]] static const crypto::PrivateKey& key() { return key_of(std::get<1>(GetParam())); }
};
INSTANTIATE_TEST_SUITE_P(SuitesAndKeys, FileObject,
                         testing::Combine(testing::Values(Suite::aes256_gcm, Suite::aes256_ctr_hmac_sha256),
                                          testing::Values(crypto::KeyKind::rsa, crypto::KeyKind::p256)));

TEST_P(FileObject, EveryLengthAroundAChunkComesBackWithItsDigest) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk + 7}) {
    const Bytes plaintext = noise(size);
    const auto [opened, out] = open(seal_file(plaintext, suite(), key()), key());
    ASSERT_TRUE(opened) << size << ": " << explain(opened.error());
    EXPECT_EQ(out, plaintext);
    EXPECT_EQ(opened->bytes, size);
    EXPECT_EQ(opened->suite, suite());
    EXPECT_EQ(opened->digest, crypto::sha256(plaintext));
  }
}

TEST_P(FileObject, FlippedByteIsRefusedByItsChunk) {
  const Bytes sealed = seal_file(noise(3 * kChunk + 7), suite(), key());
  const std::size_t tag = suite() == Suite::aes256_gcm ? 16 : 32;
  const std::size_t body = sealed.size() - (3 * kChunk + 7 + 4 * tag);
  for (std::size_t chunk = 0; chunk < 4; ++chunk) {
    Bytes changed = sealed;
    changed[body + chunk * (kChunk + tag) + 5] ^= 1;
    expect_fault(open(changed, key()).result, Fault::chunk_damaged, "chunk " + std::to_string(chunk));
  }
}

TEST_P(FileObject, AnotherKeyDoesNotFit) {
  const auto other = *crypto::PrivateKey::generate(
      std::get<1>(GetParam()) == crypto::KeyKind::rsa ? crypto::NewKey::rsa2048 : crypto::NewKey::p256);
  expect_fault(open(seal_file(noise(100), suite(), key()), other).result, Fault::no_key_fits);
}

TEST_P(FileObject, CutFileIsRefused) {
  Bytes sealed = seal_file(noise(2 * kChunk), suite(), key());
  sealed.pop_back();
  expect_fault(open(sealed, key()).result, Fault::truncated, "chunk 1");
}

TEST(FileObjectId, FollowsFromKeySaltAndDigestAsTheSpecSays) {
  crypto::SystemRandom random;
  const Bytes sealed = seal_file(view_of("abc"), Suite::aes256_gcm, p256_key());
  const Header header = *Header::read(*memory_source(sealed));
  const WrapContext context{.suite = header.layout.suite, .object = header.layout.object};
  const auto object_key = PrivateKeyUnwrapper(p256_key()).unwrap(header.recipients.at(0), context);
  ASSERT_TRUE(object_key);
  const crypto::Secret prk = crypto::hkdf_extract(crypto::Digest::sha256, header.salt, object_key->expose());
  const crypto::Secret id_key = crypto::hkdf_expand(crypto::Digest::sha256, prk, {view_of("usher/1 file id")}, 32);
  const Hash256 digest = crypto::sha256(view_of("abc"));
  const Bytes mac = crypto::hmac(crypto::Digest::sha256, id_key.expose(), {digest});
  EXPECT_EQ(to_hex(header.layout.object), to_hex(mac).substr(0, 32));
}

TEST(FileObjectId, DoesNotTellThatTwoObjectsHoldTheSameFile) {
  const Bytes one = seal_file(view_of("abc"), Suite::aes256_gcm, p256_key());
  const Bytes other = seal_file(view_of("abc"), Suite::aes256_gcm, p256_key());
  EXPECT_NE(Header::read(*memory_source(one))->layout.object, Header::read(*memory_source(other))->layout.object);
}

TEST(FileObjectId, OfOtherBytesIsRefusedThoughEveryChunkHolds) {
  // A server that seals something else than the file whose digest it looked up.
  crypto::SystemRandom random;
  MemorySink sink;
  const PublicKeyWrapper wrapper(p256_key().public_key());
  auto writer = SealWriter::begin_file(file_layout(Suite::aes256_gcm, 100), crypto::sha256(noise(100, 2)), {&wrapper},
                                       sink, random);
  ASSERT_TRUE(writer && writer->write(noise(100)) && writer->finish());
  expect_fault(open(sink.bytes, p256_key()).result, Fault::digest_mismatch, "the opened bytes");
}

TEST(FileObjectId, IsComparedWithAnExpectedDigestBeforeAnythingIsOpened) {
  const Bytes plaintext = noise(100);
  const Bytes sealed = seal_file(plaintext, Suite::aes256_gcm, p256_key());
  EXPECT_TRUE(open(sealed, p256_key(), crypto::sha256(plaintext)).result);
  const auto refused = open(sealed, p256_key(), crypto::sha256(noise(100, 2)));
  expect_fault(refused.result, Fault::digest_mismatch, "it was sealed from other bytes");
  EXPECT_TRUE(refused.plaintext.empty());
}

TEST(FileObjectProgress, CanCancel) {
  const auto stop = [](std::uint64_t done, std::uint64_t total) { return done == total; };
  const Bytes sealed = seal_file(noise(2 * kChunk), Suite::aes256_gcm, p256_key());
  expect_fault(open(sealed, p256_key(), {}, stop).result, Fault::cancelled);
}

TEST(FileObjectForm, WhatIsNotASealedObjectIsRefused) {
  expect_fault(open(noise(5000), p256_key()).result, Fault::malformed);
  expect_fault(open({}, p256_key()).result, Fault::truncated);
}

}  // namespace
}  // namespace usher::media
