// Records, the window, sequence numbers, suites and keys.  Spec: channel.md §3, §5, §6, §7.
#include "channel/record.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/fixed_random.h"
#include "unit/channel/world.h"

namespace usher::channel::test {
namespace {

using wire::Direction;
using wire::Padding;

const Id128 kSession{1, 2, 3};

DirectionKeys keys_of(const Suite& suite, std::uint8_t fill = 0x42) {
  DirectionKeys keys;
  keys.key = crypto::Secret::take(Bytes(suite.key_size(), fill));
  if (!suite.aead()) keys.mac_key = crypto::Secret::take(Bytes(suite.digest_size(), fill));
  if (suite.counts_nonces()) keys.iv = crypto::Secret::take(Bytes(12, fill));
  return keys;
}

/// A sealer and an opener of one direction that share their keys.
struct Line {
  explicit Line(const Suite& of, Direction direction = Direction::to_server, std::uint64_t first = 0)
      : sealer(of, kSession, direction, keys_of(of), random, first), opener(of, kSession, direction, keys_of(of)) {}
  Bytes seal(std::size_t content = 20) {
    Bytes record;
    must(sealer.seal(record, {Bytes(content, 0x33)}, wire::padded_request(content)));
    return record;
  }
  Result<Bytes> open(Bytes record) {
    USHER_TRY(const OpenedRecord opened, opener.open(record, Padding::request));
    USHER_TRY(const View content, opened.content);
    return to_bytes(content);
  }
  usher::test::CountingRandom random;
  Sealer sealer;
  Opener opener;
};

class EveryRecord : public testing::TestWithParam<const Suite*> {};

INSTANTIATE_TEST_SUITE_P(Suites, EveryRecord, testing::ValuesIn(default_suites()),
                         [](const auto& each) { return std::string(each.param->name); });

TEST_P(EveryRecord, IsOpenedOnce) {
  Line line(*GetParam());
  const Bytes record = line.seal();
  EXPECT_EQ(must(line.open(record)), Bytes(20, 0x33));
  EXPECT_EQ(fault_of(line.open(record)), Fault::record_refused);
  EXPECT_EQ(line.opener.count(), 1U);
}

TEST_P(EveryRecord, OfEverySizeComesBack) {
  Line line(*GetParam());
  for (const std::size_t size : {0U, 1U, 15U, 16U, 251U, 252U, 253U, 4096U, 65'000U}) {
    EXPECT_EQ(must(line.open(line.seal(size))), Bytes(size, 0x33)) << size;
  }
}

TEST_P(EveryRecord, WithAnyBitOfItsHeaderFlippedIsRefusedAndNothingChanges) {
  Line line(*GetParam());
  const Bytes record = line.seal();
  for (std::size_t bit = 0; bit < wire::kHeaderSize * 8; ++bit) {
    Bytes changed = record;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto fault = fault_of(line.open(changed));
    ASSERT_TRUE(fault.has_value()) << bit;
    if (bit / 8 >= 1 && bit / 8 < 19) {
      EXPECT_EQ(fault, Fault::record_refused) << bit;
    }
  }
  EXPECT_EQ(line.opener.count(), 0U);
  EXPECT_TRUE(line.open(record).has_value());
}

TEST_P(EveryRecord, WithABitOfCiphertextOrMacFlippedIsRefusedAndNothingChanges) {
  Line line(*GetParam());
  const Bytes record = line.seal();
  for (std::size_t at = wire::kHeaderSize; at < record.size(); ++at) {
    Bytes changed = record;
    changed[at] ^= 0x01;
    EXPECT_EQ(fault_of(line.open(changed)), Fault::record_refused) << at;
  }
  EXPECT_TRUE(line.open(record).has_value());
}

TEST_P(EveryRecord, WithATruncatedOrLongerMacIsMalformed) {
  Line line(*GetParam());
  const Bytes record = line.seal();
  for (std::size_t less = 1; less <= GetParam()->tag_size(); ++less) {
    EXPECT_EQ(fault_of(line.open({record.begin(), record.end() - static_cast<std::ptrdiff_t>(less)})),
              Fault::malformed);
  }
  Bytes longer = record;
  longer.push_back(0);
  EXPECT_EQ(fault_of(line.open(longer)), Fault::malformed);
  EXPECT_TRUE(line.open(record).has_value());
}

TEST_P(EveryRecord, OfTheOtherDirectionIsRefused) {
  Line to_server(*GetParam());
  Line to_client(*GetParam(), Direction::to_client);
  EXPECT_EQ(fault_of(to_client.open(to_server.seal())), Fault::record_refused);
  EXPECT_EQ(fault_of(to_server.open(to_client.seal())), Fault::record_refused);
}

TEST_P(EveryRecord, OfOtherKeysIsRefused) {
  Line line(*GetParam());
  usher::test::CountingRandom random;
  Sealer other(*GetParam(), kSession, Direction::to_server, keys_of(*GetParam(), 0x43), random);
  Bytes record;
  must(other.seal(record, {Bytes(20)}, 256));
  EXPECT_EQ(fault_of(line.open(record)), Fault::record_refused);
}

TEST_P(EveryRecord, OfAnotherSessionIsRefused) {
  Line line(*GetParam());
  usher::test::CountingRandom random;
  Sealer other(*GetParam(), Id128{9}, Direction::to_server, keys_of(*GetParam()), random);
  Bytes record;
  must(other.seal(record, {Bytes(20)}, 256));
  EXPECT_EQ(fault_of(line.open(record)), Fault::record_refused);
}

TEST_P(EveryRecord, ChunkIsOpenedOnlyWithTheIdsAndTheNumberItWasSealedFor) {
  const Suite& suite = *GetParam();
  const ChunkKeys chunk_keys(suite, crypto::Secret::take(Bytes(suite.digest_size(), 9)));
  Line line(suite, Direction::to_client);
  const ChunkUse use{chunk_keys, {{1}, {2}, 3}};
  Bytes record;
  must(line.sealer.seal(record, {Bytes(100, 7)}, 1024, 5, &use));
  // The MAC of a suite with HMAC does not depend on the cipher's key: there it is the content that is wrong.
  for (const ChunkIds& ids : {ChunkIds{{9}, {2}, 3}, ChunkIds{{1}, {9}, 3}, ChunkIds{{1}, {2}, 9}, ChunkIds{}}) {
    Line other(suite, Direction::to_client);
    const ChunkUse wrong{chunk_keys, ids};
    Bytes copy = record;
    const auto opened = other.opener.open(copy, Padding::chunk, &wrong);
    EXPECT_TRUE(!opened || !opened->content);
  }
  Bytes plain = record;
  Line other(suite, Direction::to_client);
  const auto with_write_key = other.opener.open(plain, Padding::chunk);
  EXPECT_TRUE(!with_write_key || !with_write_key->content);
  const auto opened = line.opener.open(record, Padding::chunk, &use);
  ASSERT_TRUE(opened.has_value() && opened->content.has_value());
  EXPECT_EQ(to_bytes(*opened->content), Bytes(100, 7));
  EXPECT_NE(to_bytes(chunk_keys.key({{1}, {2}, 3}, 0).expose()), to_bytes(chunk_keys.key({{1}, {2}, 3}, 1).expose()));
}

TEST_P(EveryRecord, BadPaddingIsToldAfterTheMacHasHeldAndTheNumberIsSpent) {
  Line line(*GetParam());
  Bytes record;
  must(line.sealer.seal(record, {Bytes(20)}, 512));  // 256 is what the rule asks for
  Bytes copy = record;
  const auto opened = line.opener.open(copy, Padding::request);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(fault_of(opened->content), Fault::malformed);
  EXPECT_EQ(fault_of(line.open(record)), Fault::record_refused);
}

TEST_P(EveryRecord, IntoABufferThatIsUsedAgainIsTheSame) {
  Line line(*GetParam());
  Line same(*GetParam());
  Bytes buffer(100'000, 0xee);
  must(line.sealer.seal(buffer, {Bytes(20, 0x33)}, 256));
  EXPECT_EQ(buffer, same.seal());
}

TEST(Record, AnIvThatMustBeZerosAndIsNotIsMalformed) {
  Line line(*suite_of(0x0101));
  Bytes record = line.seal();
  record[40] = 1;
  EXPECT_EQ(fault_of(line.open(record)), Fault::malformed);
}

TEST(Record, ARequestThatNamesAnotherRequestIsMalformed) {
  Line line(*suite_of(0x0101));
  Bytes record = line.seal();
  record[35] ^= 1;
  EXPECT_EQ(fault_of(line.open(record)), Fault::malformed);
}

TEST(Record, CbcAndCfbHaveAFreshIvEach) {
  for (const std::string_view name : {"DHE_AES256_CBC_SHA384", "DHE_AES128_CFB_SHA256"}) {
    Line line(*suite_of_name(name));
    const auto iv = [](const Bytes& record) { return must(wire::RecordHeader::decode(record)).iv; };
    EXPECT_NE(iv(line.seal()), iv(line.seal()));
  }
}

TEST(Record, APlaintextAboveTheLimitIsTooLong) {
  Line line(*suite_of(0x0101));
  Bytes out{1};
  EXPECT_EQ(fault_of(line.sealer.seal(out, {Bytes(65'600)}, wire::padded_request(65'600))), Fault::too_long);
  EXPECT_EQ(fault_of(line.sealer.seal(out, {Bytes(300)}, 256)), Fault::too_long);
  EXPECT_EQ(out, Bytes{1});
  EXPECT_EQ(line.sealer.count(), 0U);
}

TEST(SequenceNumbers, EndAfterTwoToTheTwentyFourRecords) {
  Line line(*suite_of(0x0101), Direction::to_server, kMaxRecords - 1);
  EXPECT_TRUE(line.open(line.seal()).has_value());
  Bytes out;
  EXPECT_EQ(fault_of(line.sealer.seal(out, {Bytes(1)}, 256)), Fault::session_over);
  EXPECT_EQ(fault_of(line.sealer.seal(out, {Bytes(1)}, 256)), Fault::session_over);
}

TEST(SequenceNumbers, AreNeverGivenTwiceToManyThreads) {
  Line line(*suite_of(0x0102));
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 200;
  std::vector<std::vector<std::uint64_t>> given(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Bytes out;
      for (std::size_t n = 0; n < kEach; ++n) given[i].push_back(*line.sealer.seal(out, {Bytes(1)}, 256));
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<bool> seen(kThreads * kEach);
  for (const auto& list : given) {
    for (const std::uint64_t number : list) {
      ASSERT_LT(number, seen.size());
      EXPECT_FALSE(seen[number]);
      seen[number] = true;
    }
  }
}

TEST(ReplayWindow, SecondCopyOfARecordIsRefused) {
  ReplayWindow window;
  EXPECT_TRUE(window.mark(0));
  EXPECT_FALSE(window.mark(0));
  EXPECT_TRUE(window.used(0));
  EXPECT_FALSE(window.used(1));
}

TEST(ReplayWindow, AnyOrderInsideIsAcceptedOnce) {
  ReplayWindow window;
  std::vector<std::uint64_t> order;
  for (std::uint64_t i = 0; i < ReplayWindow::kSize; ++i) order.push_back((i * 781) % ReplayWindow::kSize);
  for (const std::uint64_t number : order) EXPECT_TRUE(window.mark(number)) << number;
  for (const std::uint64_t number : order) EXPECT_FALSE(window.mark(number)) << number;
}

TEST(ReplayWindow, WhatHasLeftItIsRefusedThoughItWasNeverSeen) {
  ReplayWindow window;
  EXPECT_TRUE(window.mark(ReplayWindow::kSize));
  EXPECT_FALSE(window.mark(0));
  EXPECT_TRUE(window.mark(1));
  EXPECT_GE(ReplayWindow::kSize, 1024U);
}

TEST(ReplayWindow, AgreesWithASetOverManyRandomNumbers) {
  crypto::SystemRandom random;
  ReplayWindow window;
  std::vector<bool> seen(1 << 17);
  std::uint64_t highest = 0;
  bool any = false;
  for (int i = 0; i < 50'000; ++i) {
    const auto draw = random.array<4>();
    const std::uint64_t jump = draw[3] < 3 ? 3000 : 3;  // a jump across the whole window now and then
    const std::uint64_t back = (draw[0] | (draw[1] << 8U)) % 2500;
    const std::uint64_t number =
        std::min<std::uint64_t>(draw[2] < 128 ? highest + jump : highest - std::min(back, highest), seen.size() - 1);
    const bool left = any && number + ReplayWindow::kSize <= highest;
    EXPECT_EQ(window.mark(number), !left && !seen[number]);
    seen[number] = seen[number] || !left;
    highest = std::max(highest, number);
    any = true;
  }
}

TEST(ReplayWindow, OneOfManyThreadsMarksANumber) {
  ReplayWindow window;
  std::atomic<int> wins = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t number = 0; number < 1000; ++number) wins += window.mark(number) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wins, 1000);
}

TEST(Suites, AreFoundByNumberAndByWholeName) {
  EXPECT_EQ(suites().size(), 10U);
  for (const Suite& suite : suites()) {
    EXPECT_EQ(suite_of(suite.number), &suite);
    EXPECT_EQ(suite_of_name(suite.name), &suite);
  }
  EXPECT_EQ(suite_of(0x0008), nullptr);
  EXPECT_EQ(suite_of_name("DHE_ChaCha20"), nullptr);
  EXPECT_EQ(suite_of_name("DHE_ChaCha20_SHA256 "), nullptr);
  EXPECT_EQ(suite_of_name("dhe_chacha20_sha256"), nullptr);
}

TEST(Suites, AConfiguredOrderIsReadOrRefused) {
  const std::vector<std::string> good{"DHE_ChaCha20_SHA256", "ECDHE_AES128_GCM_SHA256"};
  EXPECT_EQ(must(suite_order(good)), (SuiteOrder{suite_of(7), suite_of(0x0102)}));
  const std::vector<std::string> unknown{"TLS_AES_128_GCM_SHA256"};
  const std::vector<std::string> twice{"DHE_ChaCha20_SHA256", "DHE_ChaCha20_SHA256"};
  EXPECT_EQ(fault_of(suite_order(unknown)), Fault::bad_config);
  EXPECT_EQ(fault_of(suite_order(twice)), Fault::bad_config);
  EXPECT_EQ(fault_of(suite_order({})), Fault::bad_config);
  const std::vector<std::string> groups{"ffdhe3072", "x25519"};
  EXPECT_EQ(must(group_order(groups)), (GroupOrder{crypto::Group::ffdhe3072, crypto::Group::x25519}));
  const std::vector<std::string> p256{"P-256"};
  EXPECT_EQ(fault_of(group_order(p256)), Fault::bad_config);
}

TEST(KeyShare, OutOfRangeOrOfAnotherSizeIsRefused) {
  const crypto::Group group = crypto::Group::ffdhe2048;
  const Bytes p = crypto::parameters_of(group).p;
  Bytes value(256, 0);
  EXPECT_EQ(fault_of(check_share(group, value)), Fault::bad_key_share);
  value.back() = 1;
  EXPECT_EQ(fault_of(check_share(group, value)), Fault::bad_key_share);
  value.back() = 2;
  EXPECT_TRUE(check_share(group, value).has_value());
  EXPECT_EQ(fault_of(check_share(group, p)), Fault::bad_key_share);
  value = p;
  value.back() -= 1;  // p-1
  EXPECT_EQ(fault_of(check_share(group, value)), Fault::bad_key_share);
  value.back() -= 1;  // p-2
  EXPECT_TRUE(check_share(group, value).has_value());
  EXPECT_EQ(fault_of(check_share(group, Bytes(255, 9))), Fault::bad_key_share);
  EXPECT_EQ(fault_of(check_share(group, Bytes(257, 9))), Fault::bad_key_share);
  EXPECT_EQ(fault_of(check_share(crypto::Group::x25519, Bytes(31, 9))), Fault::bad_key_share);
}

}  // namespace
}  // namespace usher::channel::test
