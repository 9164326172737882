#include "media/manifest.h"

#include <functional>

#include <rapidcheck.h>

#include "fixtures.h"

namespace usher::media {
namespace {

using namespace test;

Manifest good() { return manifest_of(*memory_source(noise(10000))); }

TEST(Manifest, ComesBackAsItWas) {
  const Manifest manifest = good();
  const auto again = Manifest::decode(manifest.encode());
  ASSERT_TRUE(again) << explain(again.error());
  EXPECT_EQ(*again, manifest);
}

TEST(Manifest, LongestOneFitsItsBound) {
  Manifest manifest = good();
  manifest.title = manifest.artist = manifest.album = manifest.distributor = std::string(kMaxName, 'x');
  manifest.description = std::string(kMaxDescription, 'x');
  manifest.media_type = "audio/" + std::string(kMaxMediaType - 6, 'x');
  manifest.size = 1 << 30;
  manifest.chunks = static_cast<std::uint32_t>(chunks_of(manifest.size, manifest.chunk_size));
  manifest.duration_ms = 4'000'000;
  manifest.seconds = wire::even_seconds(manifest.chunks, Milliseconds(manifest.duration_ms));
  for (std::uint32_t i = 0; i < wire::kMaxStructureRanges; ++i)
    manifest.structure.push_back({.first = 2 * i, .count = 1});
  manifest.seconds = wire::even_seconds(manifest.extent().media_chunks(), Milliseconds(manifest.duration_ms));
  for (std::uint64_t i = 1; i <= kMaxSeekPoints; ++i)
    manifest.seek.push_back({.time_ms = 2000 * i, .offset = 9000 * i});
  manifest.parts.assign(kMaxParts, {.kind = PartKind::cover, .size = kMaxCover});
  EXPECT_LE(manifest.encode().size(), kMaxManifest);
  const auto again = Manifest::decode(manifest.encode());
  ASSERT_TRUE(again) << explain(again.error());
  EXPECT_EQ(*again, manifest);
  SignedManifest signed_manifest = sign(manifest);
  signed_manifest.signature.resize(512);
  signed_manifest.chain.assign(kMaxCertificates, Bytes(kMaxChain / 4 - 2, 1));
  EXPECT_LE(signed_manifest.encode().size(), kMaxSignedManifest);
  EXPECT_TRUE(SignedManifest::decode(signed_manifest.encode()));
}

TEST(Manifest, FieldsOutOfBoundsAreRefusedByName) {
  const auto refused = [](auto change, std::string_view field) {
    Manifest manifest = good();
    change(manifest);
    expect_fault(manifest.valid(), Fault::malformed, field);
    EXPECT_FALSE(Manifest::decode(manifest.encode())) << field;
    EXPECT_FALSE(SignedManifest::sign(manifest, distributor_key(), {Bytes{1}})) << field;
  };
  refused([](Manifest& m) { m.title.clear(); }, "title");
  refused([](Manifest& m) { m.title = std::string(kMaxName + 1, 'x'); }, "title");
  refused([](Manifest& m) { m.title = "a\x1b[31mred"; }, "title");
  refused([](Manifest& m) { m.artist = "\xff"; }, "artist");
  refused([](Manifest& m) { m.album = "two\nlines"; }, "album");
  refused([](Manifest& m) { m.description = std::string(kMaxDescription + 1, 'x'); }, "description");
  refused([](Manifest& m) { m.media_type = "audio"; }, "media type");
  refused([](Manifest& m) { m.media_type = "audio/"; }, "media type");
  refused([](Manifest& m) { m.media_type = "audio/a/b"; }, "media type");
  refused([](Manifest& m) { m.media_type = "audio/ogg; codecs=x"; }, "media type");
  refused([](Manifest& m) { m.duration_ms = std::uint64_t{1} << 53; }, "duration");
  refused([](Manifest& m) { m.duration_ms = 0; }, "duration");
  refused([](Manifest& m) { m.kind = static_cast<MediaKind>(0); }, "kind");
  refused([](Manifest& m) { m.kind = static_cast<MediaKind>(3); }, "kind");
  refused([](Manifest& m) { m.size = 0; }, "size");
  refused([](Manifest& m) { m.chunk_size = 1000; }, "chunk size");
  refused([](Manifest& m) { ++m.chunks; }, "number of chunks");
  refused([](Manifest& m) { m.size = kMaxChunks * m.chunk_size + 1; }, "size");
  refused([](Manifest& m) { m.pressed_at = -1; }, "time");
  refused([](Manifest& m) { m.distributor.clear(); }, "distributor");
}

void expect_refused(const std::function<void(Manifest&)>& change, std::string_view field) {
  Manifest manifest = good();
  change(manifest);
  expect_fault(manifest.valid(), Fault::malformed, field);
  EXPECT_FALSE(Manifest::decode(manifest.encode())) << field;
}

TEST(Manifest, StructureOutOfBoundsIsRefused) {
  expect_refused([](Manifest& m) { m.structure = {{.first = 0, .count = 0}}; }, "structure");
  expect_refused([](Manifest& m) { m.structure = {{.first = 0, .count = m.chunks}}; }, "structure");
  expect_refused([](Manifest& m) { m.structure = {{.first = m.chunks, .count = 1}}; }, "structure");
  expect_refused([](Manifest& m) { m.structure = {{.first = 0, .count = 1}, {.first = 1, .count = 1}}; }, "structure");
  // The greater of 1 MiB and 2 %, here of 4 KiB chunks.
  const auto of_size = [](std::uint64_t size, std::uint32_t count) {
    return [size, count](Manifest& m) {
      m.size = size;
      m.chunks = static_cast<std::uint32_t>(chunks_of(size, m.chunk_size));
      m.structure = {{.first = 0, .count = count}};
      m.seconds = wire::even_seconds(m.extent().media_chunks(), Milliseconds(m.duration_ms));
    };
  };
  expect_refused(of_size(8 << 20, 257), "structure");
  expect_refused(of_size(200 << 20, 1025), "structure");
  for (const auto& change : {of_size(8 << 20, 256), of_size(200 << 20, 1024)}) {
    Manifest manifest = good();
    change(manifest);
    EXPECT_TRUE(manifest.valid());
  }
}

TEST(Manifest, TableThatFallsOrIsTooLongIsRefused) {
  expect_refused([](Manifest& m) { m.seconds[0] = 0; }, "table of seconds");
  expect_refused([](Manifest& m) { m.seconds[255] = m.chunks + 1; }, "table of seconds");
  expect_refused([](Manifest& m) { m.seconds[200] = m.chunks - 1; }, "table of seconds");  // after its end
}

TEST(Manifest, SeekIndexOutOfBoundsIsRefused) {
  const auto with = [](std::vector<SeekPoint> seek, std::uint32_t head = 0) {
    return [seek = std::move(seek), head](Manifest& m) {
      m.seek = seek;
      m.head = head;
    };
  };
  expect_refused(with({{.time_ms = 0, .offset = 10}}), "seek index");
  expect_refused(with({{.time_ms = 10, .offset = 0}}), "seek index");
  expect_refused(with({{.time_ms = 10, .offset = 10}, {.time_ms = 10, .offset = 20}}), "seek index");
  expect_refused(with({{.time_ms = 10, .offset = 10}, {.time_ms = 20, .offset = 10}}), "seek index");
  expect_refused(with({{.time_ms = 169'000, .offset = 10}}), "seek index");
  expect_refused(with({{.time_ms = 10, .offset = 10'000}}), "seek index");
  expect_refused(with({{.time_ms = 10, .offset = 99}}, 100), "seek index");
  expect_refused(with({}, 10'001), "seek index");
  Manifest manifest = good();
  with({{.time_ms = 10, .offset = 100}, {.time_ms = 168'999, .offset = 9'999}}, 100)(manifest);
  EXPECT_TRUE(manifest.valid());
}

TEST(Manifest, PartsOutOfBoundsAreRefused) {
  const auto with = [](Part part, std::size_t count = 1) { return [=](Manifest& m) { m.parts.assign(count, part); }; };
  expect_refused(with({.kind = static_cast<PartKind>(2), .size = 1}), "parts");
  expect_refused(with({.size = 0}), "parts");
  expect_refused(with({.size = kMaxCover + 1}), "parts");
  expect_refused(with({.size = 1}, kMaxParts + 1), "parts");
}

TEST(Manifest, EveryTruncationAndEveryAddedByteIsRefused) {
  Bytes bytes = good().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Manifest::decode(View(bytes).first(size))) << size;
  }
  bytes.push_back(0);
  expect_fault(Manifest::decode(bytes), Fault::malformed);
}

TEST(Manifest, AnotherVersionIsUnsupported) {
  Bytes bytes = good().encode();
  bytes[0] = 1;
  expect_fault(Manifest::decode(bytes), Fault::unsupported);
  bytes = sign(good()).encode();
  bytes[0] = 2;
  expect_fault(SignedManifest::decode(bytes), Fault::unsupported);
}

TEST(Manifest, WhatDecodesEncodesToTheSameBytes) {
  const Bytes bytes = good().encode();
  EXPECT_TRUE(rc::check("any changed byte", [&] {
    Bytes changed = bytes;
    const auto at = *rc::gen::inRange<std::size_t>(0, changed.size());
    changed[at] = *rc::gen::arbitrary<std::uint8_t>();
    if (const auto manifest = Manifest::decode(changed)) RC_ASSERT(manifest->encode() == changed);
  }));
}

TEST(SignedManifest, ComesBackAndVerifies) {
  for (const crypto::PrivateKey* key : {&p256_key(), &rsa_key()}) {
    const auto signed_manifest = SignedManifest::sign(good(), *key, {Bytes{1, 2}, Bytes{3}});
    ASSERT_TRUE(signed_manifest);
    const auto again = SignedManifest::decode(signed_manifest->encode());
    ASSERT_TRUE(again) << explain(again.error());
    EXPECT_TRUE(again->verify(key->public_key()));
    EXPECT_EQ(*again->contents(), good());
    EXPECT_EQ(again->chain, signed_manifest->chain);
    EXPECT_EQ(again->hash(), crypto::sha256(good().encode()));
  }
}

TEST(SignedManifest, SignatureCoversEveryByte) {
  SignedManifest signed_manifest = sign(good());
  for (std::uint8_t& byte : signed_manifest.manifest) {
    byte ^= 1;
    expect_fault(signed_manifest.verify(distributor_key().public_key()), Fault::bad_signature);
    byte ^= 1;
  }
  EXPECT_TRUE(signed_manifest.verify(distributor_key().public_key()));
  expect_fault(signed_manifest.verify(p256_key().public_key()), Fault::bad_signature);
  expect_fault(signed_manifest.verify(rsa_key().public_key()), Fault::bad_signature);
}

TEST(SignedManifest, SignatureOverTheBareBytesIsRefused) {
  SignedManifest signed_manifest = sign(good());
  signed_manifest.signature = *distributor_key().sign(signed_manifest.manifest);
  expect_fault(signed_manifest.verify(distributor_key().public_key()), Fault::bad_signature);
}

TEST(SignedManifest, SchemeOfCardsIsRefused) {
  SignedManifest signed_manifest = sign(good());
  signed_manifest.scheme = crypto::SignatureScheme::rsa_pkcs1_sha256;
  expect_fault(SignedManifest::decode(signed_manifest.encode()), Fault::unsupported);
}

TEST(SignedManifest, ChainsOutOfBoundsAreRefused) {
  const std::vector<std::vector<Bytes>> chains = {
      {}, {Bytes{}}, std::vector<Bytes>(kMaxCertificates + 1, Bytes{1}), {Bytes(kMaxChain - 1, 1)}};
  for (const auto& chain : chains) {
    expect_fault(SignedManifest::sign(good(), distributor_key(), chain), Fault::malformed);
    SignedManifest signed_manifest = sign(good());
    signed_manifest.chain = chain;
    EXPECT_FALSE(SignedManifest::decode(signed_manifest.encode()));
  }
}

TEST(SignedManifest, EveryTruncationIsRefused) {
  const Bytes bytes = sign(good()).encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(SignedManifest::decode(View(bytes).first(size))) << size;
  }
}

}  // namespace
}  // namespace usher::media
