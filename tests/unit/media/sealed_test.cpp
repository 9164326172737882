#include "media/sealed.h"

#include <atomic>
#include <limits>
#include <thread>

#include <rapidcheck.h>

#include "fixtures.h"

namespace usher::media {
namespace {

using namespace test;

constexpr Id128 kObject{1, 2, 3};
constexpr std::size_t kKekRecipient = 5 + 48 + 48;  // bytes
constexpr std::size_t kHeader = 71 + kKekRecipient + 64;

Layout layout_of(std::uint64_t total, Suite suite = Suite::aes256_gcm) {
  return {.suite = suite, .chunk_size = kMinChunkSize, .total = total, .object = kObject};
}

Bytes seal(View plaintext, const Layout& layout, const Wrappers& wrappers) {
  crypto::SystemRandom random;
  MemorySink sink;
  auto writer = SealWriter::begin(layout, wrappers, sink, random);
  EXPECT_TRUE(writer) << explain(writer.error());
  EXPECT_TRUE(writer->write(plaintext));
  EXPECT_TRUE(writer->finish());
  EXPECT_EQ(sink.bytes.size(), writer->header_size() + layout.body_size());
  return sink.bytes;
}

const Kek& kek() {
  static const Kek key(vault_key());
  return key;
}

Bytes seal(View plaintext, Suite suite = Suite::aes256_gcm) {
  return seal(plaintext, layout_of(plaintext.size(), suite), {&kek()});
}

Result<SealedObject> open(Bytes bytes, const Unwrapper& key = kek(), const Id128& expected = kObject) {
  return SealedObject::open(memory_source(std::move(bytes)), expected, key);
}

Bytes read_all(const SealedObject& object) {
  Bytes out;
  for (std::uint64_t i = 0; i < object.layout().chunks(); ++i) {
    const auto chunk = object.read_chunk(i);
    EXPECT_TRUE(chunk) << explain(chunk.error());
    if (chunk) append(out, chunk->expose());
  }
  return out;
}

class Sealed : public testing::TestWithParam<Suite> {};
INSTANTIATE_TEST_SUITE_P(Suites, Sealed, testing::Values(Suite::aes256_gcm, Suite::aes256_ctr_hmac_sha256));

TEST_P(Sealed, EveryLengthAroundAChunkComesBack) {
  for (const std::size_t size : {0, 1, 15, 16, 17, 4095, 4096, 4097, 8191, 8192, 8193, 20000}) {
    const Bytes plaintext = noise(size);
    const auto object = open(seal(plaintext, GetParam()));
    ASSERT_TRUE(object) << size;
    EXPECT_EQ(object->layout().total, size);
    EXPECT_EQ(object->layout().chunks(), size == 0 ? 1 : (size + 4095) / 4096);
    EXPECT_EQ(read_all(*object), plaintext);
  }
}

TEST_P(Sealed, EveryFlippedByteOfTheBodyIsRefusedWithItsChunksNumber) {
  const Bytes plaintext = noise(3 * 4096 + 100);
  const Bytes sealed = seal(plaintext, GetParam());
  const std::size_t tag = GetParam() == Suite::aes256_gcm ? 16 : 32;
  for (std::size_t at = kHeader; at < sealed.size(); at += 97) {
    Bytes changed = sealed;
    changed[at] ^= 0x40;
    const auto object = open(changed);
    ASSERT_TRUE(object);
    const std::size_t bad = (at - kHeader) / (4096 + tag);
    for (std::size_t i = 0; i < 4; ++i) {
      if (i == bad) {
        expect_fault(object->read_chunk(i), Fault::chunk_damaged, "chunk " + std::to_string(i));
      } else {
        EXPECT_TRUE(object->read_chunk(i));
      }
    }
  }
}

TEST_P(Sealed, SwappedChunksAreRefused) {
  const std::size_t tag = GetParam() == Suite::aes256_gcm ? 16 : 32;
  Bytes sealed = seal(noise(3 * 4096), GetParam());
  const auto first = sealed.begin() + static_cast<std::ptrdiff_t>(kHeader);
  const auto step = static_cast<std::ptrdiff_t>(4096 + tag);
  std::swap_ranges(first, first + step, first + step);
  const auto object = open(sealed);
  ASSERT_TRUE(object);
  expect_fault(object->read_chunk(0), Fault::chunk_damaged, "chunk 0");
  expect_fault(object->read_chunk(1), Fault::chunk_damaged, "chunk 1");
  EXPECT_TRUE(object->read_chunk(2));
}

TEST_P(Sealed, ChunkOfAnotherObjectIsRefused) {
  const Bytes one = seal(noise(2 * 4096, 1), GetParam());
  Bytes other = seal(noise(2 * 4096, 1), GetParam());
  std::copy(one.begin() + static_cast<std::ptrdiff_t>(kHeader), one.end(),
            other.begin() + static_cast<std::ptrdiff_t>(kHeader));
  expect_fault(open(other)->read_chunk(0), Fault::chunk_damaged, "chunk 0");
}

TEST(Sealed, EveryFlippedBitOfTheHeaderIsRefused) {
  const Bytes sealed = seal(noise(5000));
  for (std::size_t at = 0; at < kHeader; ++at) {
    Bytes changed = sealed;
    changed[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
    EXPECT_FALSE(open(changed)) << "byte " << at;
  }
}

TEST(Sealed, HeadersOfDamageAreToldApart) {
  const Bytes sealed = seal(noise(5000));
  const auto with = [&](std::size_t at) {
    Bytes changed = sealed;
    changed[at] ^= 1;
    return open(changed);
  };
  expect_fault(with(0), Fault::malformed);                  // magic
  expect_fault(with(20), Fault::header_damaged);            // total length
  expect_fault(with(21), Fault::wrong_object);              // object id
  expect_fault(with(37), Fault::header_damaged);            // salt
  expect_fault(with(71), Fault::no_key_fits);               // the recipient's type
  expect_fault(with(71 + 3), Fault::no_key_fits);           // the recipient's key name
  expect_fault(with(71 + 100), Fault::header_damaged);      // the wrapped key
  expect_fault(with(kHeader - 64), Fault::header_damaged);  // commitment
  expect_fault(with(kHeader - 1), Fault::header_damaged);   // MAC
}

TEST(Sealed, AnotherObjectThanTheExpectedIsRefused) {
  expect_fault(open(seal(noise(10)), kek(), Id128{9}), Fault::wrong_object);
}

TEST(Sealed, AnotherKeyIsRefused) { expect_fault(open(seal(noise(10)), Kek(vault_key(8))), Fault::no_key_fits); }

TEST(Sealed, EveryTruncationIsRefusedByTheFirstChunkThatIsNotWhole) {
  const Bytes sealed = seal(noise(2 * 4096 + 10));
  for (std::size_t size = 0; size < kHeader; ++size) {
    expect_fault(open(Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size))), Fault::truncated);
  }
  for (std::size_t size = kHeader; size < sealed.size(); size += 131) {
    expect_fault(open(Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size))), Fault::truncated,
                 "chunk " + std::to_string((size - kHeader) / (4096 + 16)) + " is missing or cut");
  }
}

TEST(Sealed, BytesAfterTheLastChunkAreRefused) {
  Bytes sealed = seal(noise(100));
  sealed.push_back(0);
  expect_fault(open(sealed), Fault::malformed, "1 bytes follow the last chunk");
}

TEST(Sealed, LastChunkIsNotTakenForAnInnerOne) {
  // Two objects of one key would be needed; the nonce's last byte is what makes them differ. Here: a shorter total in
  // the header, which the commitment refuses.
  Bytes sealed = seal(noise(2 * 4096));
  sealed[19] = 0x10;  // total 8192 -> 4096
  sealed.resize(sealed.size() - 4096 - 16);
  expect_fault(open(sealed), Fault::header_damaged);
}

TEST(Sealed, FileCutAfterOpeningIsToldByChunk) {
  const Directory directory;
  const auto path = directory.path / "object";
  write_file(path, seal(noise(3 * 4096)));
  const auto object = SealedObject::open(*open_file(path), kObject, kek());
  ASSERT_TRUE(object);
  std::filesystem::resize_file(path, kHeader + 4096 + 16 + 5);
  EXPECT_TRUE(object->read_chunk(0));
  expect_fault(object->read_chunk(1), Fault::truncated, "chunk 1");
  expect_fault(object->read_chunk(3), Fault::unknown_chunk, "chunk 3");
}

TEST(Sealed, KeysAreFreshForEachSealing) {
  const Bytes plaintext = noise(4096);
  const Bytes a = seal(plaintext);
  const Bytes b = seal(plaintext);
  EXPECT_FALSE(same(View(a).subspan(kHeader), View(b).subspan(kHeader)));
  EXPECT_FALSE(same(View(a).subspan(37, 32), View(b).subspan(37, 32)));
}

TEST(Sealed, RewrappingKeepsTheBodyAndChangesWhoOpens) {
  crypto::SystemRandom random;
  const Bytes plaintext = noise(10000);
  const PublicKeyWrapper recipient(p256_key().public_key());
  const Bytes sealed = seal(plaintext, layout_of(plaintext.size()), {&recipient});
  const auto object = open(sealed, PrivateKeyUnwrapper(p256_key()));
  ASSERT_TRUE(object);
  const auto header = object->rewrap({&kek()}, random);
  ASSERT_TRUE(header);
  Bytes copy = *header;
  for (std::uint64_t i = 0; i < object->layout().chunks(); ++i) {
    Bytes raw;
    ASSERT_TRUE(object->read_chunk(i, raw));
    append(copy, raw);
  }
  expect_fault(open(copy, PrivateKeyUnwrapper(p256_key())), Fault::no_key_fits);
  const auto again = open(copy);
  ASSERT_TRUE(again);
  EXPECT_EQ(read_all(*again), plaintext);
}

TEST(Sealed, WriterTakesAnyPiecesAndExactlyTheTotal) {
  EXPECT_TRUE(rc::check("any pieces", [] {
    crypto::SystemRandom random;
    const auto plaintext = noise(*rc::gen::inRange<std::size_t>(0, 20000));
    MemorySink sink;
    auto writer = SealWriter::begin(layout_of(plaintext.size()), {&kek()}, sink, random);
    RC_ASSERT(writer.has_value());
    View left = plaintext;
    while (!left.empty()) {
      const auto piece = std::min(left.size(), *rc::gen::inRange<std::size_t>(1, 6000));
      RC_ASSERT(writer->write(left.first(piece)).has_value());
      left = left.subspan(piece);
    }
    RC_ASSERT(writer->finish().has_value());
    RC_ASSERT(!writer->write(Bytes{1}).has_value());
    RC_ASSERT(read_all(*open(sink.bytes)) == plaintext);
  }));
}

TEST(Sealed, FewerBytesThanPromisedAreRefused) {
  crypto::SystemRandom random;
  MemorySink sink;
  auto writer = SealWriter::begin(layout_of(100), {&kek()}, sink, random);
  ASSERT_TRUE(writer->write(Bytes(99)));
  expect_fault(writer->finish(), Fault::truncated);
}

TEST(Sealed, LayoutsOutOfBoundsAreRefused) {
  crypto::SystemRandom random;
  MemorySink sink;
  const auto begin = [&](Layout layout) { return SealWriter::begin(layout, {&kek()}, sink, random); };
  Layout layout = layout_of(10);
  for (const std::uint32_t size : {0U, 1U, 4095U, 4097U, (1U << 20) + 4096U}) {
    layout.chunk_size = size;
    expect_fault(begin(layout), Fault::malformed);
  }
  layout = layout_of(kMaxChunks * kMinChunkSize + 1);
  expect_fault(begin(layout), Fault::too_long);
  layout.total = std::numeric_limits<std::uint64_t>::max();
  expect_fault(begin(layout), Fault::too_long);
  layout = layout_of(10, static_cast<Suite>(3));
  expect_fault(begin(layout), Fault::unsupported);
  EXPECT_TRUE(sink.bytes.empty());
}

TEST(Sealed, UnknownSuiteIsRefused) {
  Bytes sealed = seal(noise(10));
  sealed[8] = 9;
  expect_fault(open(sealed), Fault::unsupported);
}

TEST(Sealed, ReaderOfManyThreadsSeesTheSame) {
  const Bytes plaintext = noise(64 * 4096);
  const auto object = open(seal(plaintext));
  ASSERT_TRUE(object);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t n = 0; n < 64; ++n) {
        const std::uint64_t i = (n * 7 + t * 13) % 64;
        const auto chunk = object->read_chunk(i);
        if (!chunk || !same(chunk->expose(), View(plaintext).subspan(i * 4096, 4096))) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace usher::media
