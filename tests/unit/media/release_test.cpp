#include "media/release.h"

#include "fixtures.h"
#include "wire/codec.h"

namespace usher::media {
namespace {

using namespace test;

constexpr std::size_t kSize = 5 * 4096 + 77;

Result<Release> open(Bytes bytes, const crypto::PrivateKey& key = p256_key()) {
  return Release::open(memory_source(std::move(bytes)), PrivateKeyUnwrapper(key));
}

std::size_t media_offset(const Bytes& release) {
  return static_cast<std::size_t>(ReleaseOutline::read(memory_source(release))->media_offset);
}

TEST(Release, RecipientReadsManifestAndMedia) {
  const Bytes plaintext = noise(kSize);
  const SourcePtr media = memory_source(plaintext);
  const Manifest manifest = manifest_of(*media);
  for (const crypto::PrivateKey* key : {&p256_key(), &rsa_key()}) {
    const auto release = open(release_of(*media, manifest, key->public_key()), *key);
    ASSERT_TRUE(release) << explain(release.error());
    EXPECT_EQ(release->manifest(), manifest);
    EXPECT_TRUE(release->signed_manifest().verify(distributor_key().public_key()));
    EXPECT_TRUE(release->verify_media());
    Bytes all;
    for (std::uint64_t i = 0; i < manifest.chunks; ++i) append(all, release->media().read_chunk(i)->expose());
    EXPECT_EQ(all, plaintext);
  }
}

TEST(Release, ShowsNeitherTitleNorArtistNorMedia) {
  const Bytes plaintext = noise(kSize);
  const Bytes release = release_of(*memory_source(plaintext));
  const auto holds = [&](View needle) { return !std::ranges::search(release, needle).empty(); };
  EXPECT_FALSE(holds(view_of("Awakening")));
  EXPECT_FALSE(holds(view_of("McLaughlin")));
  EXPECT_FALSE(holds(view_of("Test Records")));
  EXPECT_FALSE(holds(View(plaintext).first(16)));
}

TEST(Release, OutlineNeedsNoKey) {
  const SourcePtr media = memory_source(noise(kSize));
  const auto outline = ReleaseOutline::read(memory_source(release_of(*media)));
  ASSERT_TRUE(outline);
  EXPECT_EQ(outline->medium, manifest_of(*media).medium);
  EXPECT_EQ(outline->media.layout.total, kSize);
  EXPECT_EQ(outline->media.recipients.size(), 1U);
}

TEST(Release, AnotherRecipientsKeyIsRefused) {
  expect_fault(open(release_of(*memory_source(noise(kSize))), distributor_key()), Fault::no_key_fits);
}

TEST(Release, EveryFlippedByteIsRefused) {
  const Bytes good = release_of(*memory_source(noise(kSize)));
  const std::size_t media = media_offset(good);
  for (std::size_t at = 0; at < good.size(); at += at < media + 350 ? 1 : 97) {
    Bytes bad = good;
    bad[at] ^= 0x10;
    const auto release = open(bad);
    if (release) {
      expect_fault(release->verify_media(), Fault::chunk_damaged);
    }
  }
}

TEST(Release, EveryTruncationIsRefused) {
  const Bytes good = release_of(*memory_source(noise(kSize)));
  for (std::size_t size = 0; size < good.size(); size += 13) {
    expect_fault(open(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))), Fault::truncated);
  }
}

TEST(Release, AddedByteIsRefused) {
  Bytes release = release_of(*memory_source(noise(kSize)));
  release.push_back(0);
  expect_fault(open(release), Fault::malformed);
}

TEST(Release, MediaOfAnotherReleaseIsRefused) {
  const SourcePtr media = memory_source(noise(kSize));
  Bytes one = release_of(*media, manifest_of(*media, kMinChunkSize, 1));
  const Bytes two = release_of(*media, manifest_of(*media, kMinChunkSize, 2));
  one.resize(media_offset(one));
  append(one, View(two).subspan(media_offset(two)));
  expect_fault(open(one), Fault::wrong_object);
}

TEST(Release, ManifestOfAnotherMediumIsRefused) {
  const SourcePtr media = memory_source(noise(kSize));
  Bytes release = release_of(*media);
  release[8] ^= 1;  // the medium's id, in the clear
  expect_fault(open(release), Fault::wrong_object);
}

TEST(Release, ManifestThatSpeaksOfAnotherSizeIsRefused) {
  // A distributor's own mistake or malice: media and manifest are each authentic, and do not fit.
  const SourcePtr media = memory_source(noise(kSize));
  Manifest manifest = manifest_of(*media);
  Layout layout{.chunk_size = manifest.chunk_size, .total = manifest.size, .object = manifest.object};
  EXPECT_TRUE(check_belongs(manifest, manifest.medium, layout));
  const auto differs = [&](Layout other, Id128 medium) {
    expect_fault(check_belongs(manifest, medium, other), Fault::release_mismatch);
  };
  differs(layout, Id128{});
  Layout other = layout;
  other.total = kSize - 1;
  differs(other, manifest.medium);
  other = layout;
  other.chunk_size = 8192;
  differs(other, manifest.medium);
  other = layout;
  other.object = Id128{};
  differs(other, manifest.medium);
}

TEST(Release, FileThatChangedSinceTheManifestWasMadeIsRefused) {
  crypto::SystemRandom random;
  MemorySink sink;
  const PublicKeyWrapper recipient(p256_key().public_key());
  const Manifest manifest = manifest_of(*memory_source(noise(kSize, 1)));
  expect_fault(write_release(sign(manifest), *memory_source(noise(kSize, 2)), recipient, sink, random),
               Fault::release_mismatch);
  expect_fault(write_release(sign(manifest), *memory_source(noise(kSize - 1, 1)), recipient, sink, random),
               Fault::release_mismatch);
}

TEST(Release, RootThatIsNotTheMediasIsFoundByReadingIt) {
  // write_release() refuses to make one: here by hand.
  crypto::SystemRandom random;
  const Bytes plaintext = noise(100);
  Manifest manifest = manifest_of(*memory_source(plaintext));
  manifest.root[0] ^= 1;
  MemorySink sink;
  const PublicKeyWrapper recipient(p256_key().public_key());
  expect_fault(write_release(sign(manifest), *memory_source(plaintext), recipient, sink, random),
               Fault::release_mismatch);
  const auto release = open(sink.bytes);
  ASSERT_TRUE(release);
  expect_fault(release->verify_media(), Fault::release_mismatch);
}

/// A medium with a cover of `size` bytes.
struct Covered {
  explicit Covered(std::size_t size = 70'000)
      : cover(noise(size, 9)), manifest(with_cover(manifest_of(*media), cover)) {}
  [[nodiscard]] Bytes release() const { return release_of(*media, manifest, p256_key().public_key(), {cover}); }
  SourcePtr media = memory_source(noise(kSize));
  Bytes cover;
  Manifest manifest;
};

TEST(Release, PartsAreReadByTheRecipient) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{70'000}, kMaxCover}) {
    const Covered covered(size);
    const auto release = open(covered.release());
    ASSERT_TRUE(release) << explain(release.error());
    EXPECT_EQ(release->manifest(), covered.manifest);
    const auto part = release->parts().read(0);
    ASSERT_TRUE(part);
    EXPECT_TRUE(same(part->expose(), covered.cover));
    EXPECT_TRUE(release->verify_media());
    expect_fault(release->parts().read(1), Fault::not_found);
  }
}

TEST(Release, PartsLieSealedBetweenManifestAndMedia) {
  const Covered covered;
  const Bytes bytes = covered.release();
  EXPECT_TRUE(std::ranges::search(bytes, View(covered.cover).first(16)).empty());
  const auto outline = ReleaseOutline::read(memory_source(bytes));
  ASSERT_TRUE(outline);
  EXPECT_GT(outline->media_offset - outline->parts_offset, covered.cover.size());
  const auto bare = ReleaseOutline::read(memory_source(release_of(*covered.media)));
  EXPECT_EQ(bare->media_offset, bare->parts_offset);
}

TEST(Release, FlippedByteOfAPartIsRefusedWhenItIsOpened) {
  const Covered covered(300);
  const Bytes good = covered.release();
  const auto outline = ReleaseOutline::read(memory_source(good));
  for (std::uint64_t at = outline->parts_offset; at < outline->media_offset; ++at) {
    Bytes bad = good;
    bad[static_cast<std::size_t>(at)] ^= 1;
    EXPECT_FALSE(open(bad)) << at;
  }
}

TEST(Release, PartThatWasNotSignedIsRefused) {
  crypto::SystemRandom random;
  const PublicKeyWrapper recipient(p256_key().public_key());
  const Covered covered(300);
  const std::vector<Part>& parts = covered.manifest.parts;
  // Sealed for the same id, and another picture, or one of another size.
  for (const Bytes& other : {noise(300, 8), noise(299, 9)}) {
    const auto sealed = seal_small(other, parts[0].object, recipient, random);
    wire::Writer area;
    area.u32(static_cast<std::uint32_t>(sealed->size())).raw(*sealed);
    expect_fault(SealedParts::open(memory_source(area.bytes()), parts, PrivateKeyUnwrapper(p256_key())),
                 Fault::release_mismatch, "part 0");
    expect_fault(seal_parts(parts, {other}, recipient, random), Fault::release_mismatch);
  }
  expect_fault(seal_parts(parts, {}, recipient, random), Fault::release_mismatch);
  const auto sealed = seal_small(covered.cover, Id128{}, recipient, random);
  wire::Writer area;
  area.u32(static_cast<std::uint32_t>(sealed->size())).raw(*sealed);
  expect_fault(SealedParts::open(memory_source(area.bytes()), parts, PrivateKeyUnwrapper(p256_key())),
               Fault::wrong_object);
}

TEST(Release, PartsThatAreMissingCutOrFollowedBySomethingAreRefused) {
  crypto::SystemRandom random;
  const PublicKeyWrapper recipient(p256_key().public_key());
  const Covered covered(300);
  const std::vector<Part>& parts = covered.manifest.parts;
  Bytes area = *seal_parts(parts, {covered.cover}, recipient, random);
  const PrivateKeyUnwrapper key(p256_key());
  EXPECT_TRUE(SealedParts::open(memory_source(area), parts, key));
  for (std::size_t size = 0; size < area.size(); ++size) {
    expect_fault(SealedParts::open(memory_source(to_bytes(View(area).first(size))), parts, key), Fault::truncated);
  }
  area.push_back(0);
  expect_fault(SealedParts::open(memory_source(area), parts, key), Fault::malformed);
  expect_fault(SealedParts::open(memory_source(area), {}, key), Fault::malformed);
}

TEST(Release, FirstVersionIsRefused) {
  Bytes release = release_of(*memory_source(noise(kSize)));
  release[7] = '1';
  expect_fault(open(release), Fault::malformed);
}

TEST(Release, EmptyMediaHaveNoRoot) {
  expect_fault(root_of(*memory_source({}), kMinChunkSize), Fault::malformed);
  expect_fault(root_of(*memory_source(noise(10)), 1000), Fault::malformed);
}

TEST(Release, ProgressReachesTheEndAndCanCancel) {
  const SourcePtr media = memory_source(noise(kSize));
  std::uint64_t last = 0;
  EXPECT_TRUE(root_of(*media, kMinChunkSize, [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(total, kSize);
    EXPECT_GT(done, last);
    last = done;
    return true;
  }));
  EXPECT_EQ(last, kSize);
  expect_fault(root_of(*media, kMinChunkSize, [](std::uint64_t, std::uint64_t) { return false; }), Fault::cancelled);
}

}  // namespace
}  // namespace usher::media
