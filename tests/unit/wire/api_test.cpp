// The bodies of channel.md §9: one encoding for each value, and every broken rule is refused.
#include "wire/api.h"

namespace usher::wire {
namespace {

Id128 id(std::uint8_t fill) {
  Id128 out{};
  out.fill(fill);
  return out;
}

/// Decodes what was encoded, encodes it again, and refuses every shorter and every longer form.
template <class T>
T round_trip(const T& value) {
  const Bytes encoded = value.encode();
  const auto decoded = T::decode(encoded);
  EXPECT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->encode(), encoded);
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    const auto shorter = T::decode(View{encoded}.first(size));
    EXPECT_FALSE(shorter.has_value()) << size << " of " << encoded.size() << " bytes";
    if (!shorter) {
      EXPECT_EQ(shorter.error().fault, Fault::malformed);
    }
  }
  Bytes longer = encoded;
  longer.push_back(0);
  EXPECT_FALSE(T::decode(longer).has_value());
  return *decoded;
}

LicenceEntry entry() {
  return {.licence = "a.b.c",
          .plays_left = 5,
          .state = LicenceState::usable,
          .first_play = 7,
          .usable_until = 9,
          .open_plays = 1};
}

TEST(Api, EveryBodySurvivesItsRoundTripAndNoOtherLengthIsTaken) {
  round_trip(Page{.offset = 3, .count = 20});
  round_trip(Authenticated{
      .pseudonym = {}, .name = "Zé", .session_end = 9, .server_id = "label", .licence_keys = {{1}, {2, 3}}});
  round_trip(Catalogue{.total = 2, .entries = {{id(1), {1, 2}}, {id(2), {3}}}});
  round_trip(entry());
  round_trip(Licences{.total = 1, .entries = {entry(), entry()}});
  round_trip(Acquire{.medium = id(1), .kind = 9, .amount = 1});
  round_trip(Open{.medium = id(1), .licence = id(2)});
  round_trip(Open{.medium = id(1), .licence = std::nullopt});
  round_trip(Opened{.play = id(1),
                    .epoch = 2,
                    .licence = id(3),
                    .medium = id(4),
                    .plays_left = 1,
                    .deadline = 5,
                    .committed = false,
                    .commit_after = 30,
                    .free_left = 6,
                    .repeats_left = 176,
                    .heard = {{.first = 0, .count = 3}, {.first = 7, .count = 1}},
                    .signed_manifest = {1}});
  round_trip(Opened{.play = id(1), .committed = true, .commit_after = 30, .heard = {}, .signed_manifest = {1}});
  round_trip(Plays{.entries = {{id(1), id(2), id(3), 4, true}}});
  round_trip(Resume{.play = id(1)});
  round_trip(Close{.play = id(1), .epoch = 2});
  round_trip(Closed{.refunded = true, .plays_left = 3});
  round_trip(Chunk{.play = id(1), .medium = id(2), .epoch = 3, .chunk = 4});
}

TEST(Api, ChunkBodyHasOneSizeWhateverTheProof) {
  const Bytes chunk(100, 0x5a);
  const ChunkBody none{.proof = {}, .chunk = chunk};
  const ChunkBody full{.proof = std::vector<Hash256>(kProofDepth), .chunk = chunk};
  EXPECT_EQ(none.encode().size(), 1 + kProofDepth * 32 + 4 + chunk.size());
  EXPECT_EQ(none.encode().size(), full.encode().size());
  EXPECT_EQ(ChunkBody::decode(none.encode())->chunk, chunk);
}

TEST(Api, ChunkBodyWithBytesBehindItsProofIsRefused) {
  Bytes encoded = ChunkBody{.proof = {}, .chunk = {1}}.encode();
  encoded[1] = 1;  // belongs to a hash that proof_length does not count
  EXPECT_FALSE(ChunkBody::decode(encoded).has_value());
  encoded[1] = 0;
  encoded[0] = kProofDepth + 1;
  EXPECT_FALSE(ChunkBody::decode(encoded).has_value());
}

TEST(Api, HeardRangesThatTouchOrRunBackwardsAreRefused) {
  const auto opened = [](ChunkRanges heard) {
    return Opened{.heard = std::move(heard), .signed_manifest = {1}}.encode();
  };
  EXPECT_TRUE(Opened::decode(opened({{.first = 0, .count = 1}, {.first = 2, .count = 1}})).has_value());
  EXPECT_FALSE(Opened::decode(opened({{.first = 0, .count = 1}, {.first = 1, .count = 1}})).has_value());
  EXPECT_FALSE(Opened::decode(opened({{.first = 5, .count = 1}, {.first = 2, .count = 1}})).has_value());
  EXPECT_FALSE(Opened::decode(opened({{.first = 5, .count = 0}})).has_value());
}

TEST(Api, PagesOfNothingAndOfTooMuchAreRefused) {
  EXPECT_FALSE(Page::decode(Page{.offset = 0, .count = 0}.encode()).has_value());
  EXPECT_FALSE(Page::decode(Page{.offset = 0, .count = 257}.encode()).has_value());
}

TEST(Api, ALicenceThatWasNotChosenMustBeZeros) {
  Bytes encoded = Open{.medium = id(1), .licence = id(2)}.encode();
  encoded[16] = 0;
  EXPECT_FALSE(Open::decode(encoded).has_value());
}

TEST(Api, ACountThatTheBodyCannotHoldIsRefusedBeforeAnythingIsAllocated) {
  EXPECT_FALSE(Catalogue::decode(Bytes{0, 0, 0, 1, 0xff, 0xff}).has_value());
}

TEST(Api, EveryStatusNamesOneFaultAndBack) {
  for (std::uint16_t number = 1; number <= 34; ++number) {
    const auto status = static_cast<Status>(number);
    EXPECT_EQ(status_of(fault_of(status)), status) << number;
  }
}

TEST(Api, WhatAPeerNeedNotKnowIsInternal) {
  EXPECT_EQ(status_of(Fault::disk_full), Status::server_full);
  EXPECT_EQ(status_of(Fault::io), Status::internal);
  EXPECT_EQ(status_of(Fault::bad_passphrase), Status::internal);
  EXPECT_EQ(status_of(Fault::untrusted), Status::bad_certificate);
  EXPECT_EQ(fault_of(static_cast<Status>(999)), Fault::local);
}

}  // namespace
}  // namespace usher::wire
