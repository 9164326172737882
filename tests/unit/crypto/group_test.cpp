#include "crypto/group.h"

#include "crypto/random.h"
#include "support/fixed_random.h"

namespace usher::crypto {
namespace {

constexpr Group kGroups[] = {Group::p256, Group::x25519, Group::ffdhe2048, Group::ffdhe3072, Group::ffdhe4096};
constexpr Group kFiniteFields[] = {Group::ffdhe2048, Group::ffdhe3072, Group::ffdhe4096};

EphemeralKey make(Group group) {
  SystemRandom random;
  return EphemeralKey::generate(group, random).value();
}

bool refused(Group group, View peer) {
  const auto secret = make(group).agree(peer);
  return !secret && secret.error().fault == Fault::bad_key_share;
}

class EveryGroup : public testing::TestWithParam<Group> {};
INSTANTIATE_TEST_SUITE_P(All, EveryGroup, testing::ValuesIn(kGroups));

TEST_P(EveryGroup, BothSidesAgree) {
  EphemeralKey a = make(GetParam());
  EphemeralKey b = make(GetParam());
  const Bytes public_a = a.public_value();
  const Bytes public_b = b.public_value();
  EXPECT_EQ(public_a.size(), public_size(GetParam()));
  EXPECT_NE(public_a, public_b);
  const auto secret_a = std::move(a).agree(public_b);
  const auto secret_b = std::move(b).agree(public_a);
  ASSERT_TRUE(secret_a.has_value());
  ASSERT_TRUE(secret_b.has_value());
  EXPECT_TRUE(equal_constant_time(secret_a->expose(), secret_b->expose()));
  const std::size_t wanted = GetParam() == Group::p256 || GetParam() == Group::x25519 ? 32 : public_size(GetParam());
  EXPECT_EQ(secret_a->size(), wanted);
}

TEST_P(EveryGroup, AKeyServesOneAgreement) {
  EphemeralKey key = make(GetParam());
  const EphemeralKey peer = make(GetParam());
  ASSERT_TRUE(std::move(key).agree(peer.public_value()).has_value());
  const auto again = std::move(key).agree(peer.public_value());  // NOLINT(bugprone-use-after-move): the claim
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().fault, Fault::local);
}

TEST_P(EveryGroup, AValueOfAnotherSizeIsRefused) {
  Bytes value = make(GetParam()).public_value();
  EXPECT_TRUE(refused(GetParam(), {}));
  EXPECT_TRUE(refused(GetParam(), View{value}.first(value.size() - 1)));
  value.push_back(0);
  EXPECT_TRUE(refused(GetParam(), value));
  value.insert(value.begin(), 0);
  EXPECT_TRUE(refused(GetParam(), View{value}.first(value.size() - 1)));
}

TEST_P(EveryGroup, TheSameRandomBytesGiveTheSameKey) {
  test::CountingRandom first;
  test::CountingRandom second;
  EXPECT_EQ(EphemeralKey::generate(GetParam(), first)->public_value(),
            EphemeralKey::generate(GetParam(), second)->public_value());
}

TEST_P(EveryGroup, ItsNumberLeadsBackToIt) {
  EXPECT_EQ(group_of(static_cast<std::uint16_t>(GetParam())), GetParam());
  EXPECT_FALSE(name_of(GetParam()).empty());
}

TEST(Groups, AnUnknownNumberIsNone) {
  for (const int number : {0x0000, 0x0018, 0x001e, 0x0103, 0x0104, 0xffff}) {
    EXPECT_FALSE(group_of(static_cast<std::uint16_t>(number))) << number;
  }
}

class FiniteField : public testing::TestWithParam<Group> {
 protected:
  /// p - 1 + `more`, as long as p.
  [[nodiscard]] static Bytes around_p(int more) {
    Bytes value = parameters_of(GetParam()).p;
    value.back() = static_cast<std::uint8_t>(value.back() - 1 + more);  // p ends in ff
    return value;
  }
};
INSTANTIATE_TEST_SUITE_P(All, FiniteField, testing::ValuesIn(kFiniteFields));

TEST_P(FiniteField, ZeroOneAndTheirLikesAtTheUpperEndAreRefused) {
  Bytes value(public_size(GetParam()));
  EXPECT_TRUE(refused(GetParam(), value)) << "0";
  value.back() = 1;
  EXPECT_TRUE(refused(GetParam(), value)) << "1";
  EXPECT_TRUE(refused(GetParam(), around_p(0))) << "p-1";
  EXPECT_TRUE(refused(GetParam(), around_p(1))) << "p";
  EXPECT_TRUE(refused(GetParam(), Bytes(value.size(), 0xff))) << "the largest of its length";
}

TEST_P(FiniteField, TwoIsAMember) {
  Bytes value(public_size(GetParam()));
  value.back() = 2;
  EXPECT_TRUE(make(GetParam()).agree(value).has_value());
}

TEST_P(FiniteField, PIsASafePrimesLengthAndGIsTwo) {
  const GroupParameters& parameters = parameters_of(GetParam());
  EXPECT_EQ(parameters.p.size(), public_size(GetParam()));
  EXPECT_EQ(parameters.g, Bytes{2});
  // RFC 7919 appendix A: all of them begin and end with 64 ones around the digits of e.
  EXPECT_TRUE(same(View{parameters.p}.first(8), Bytes(8, 0xff)));
  EXPECT_TRUE(same(View{parameters.p}.last(8), Bytes(8, 0xff)));
  EXPECT_TRUE(same(View{parameters.p}.subspan(8, 8), Bytes{0xad, 0xf8, 0x54, 0x58, 0xa2, 0xbb, 0x4a, 0x9a}));
}

TEST(Curves, HaveNoFiniteFieldParameters) {
  EXPECT_TRUE(parameters_of(Group::x25519).p.empty());
  EXPECT_TRUE(parameters_of(Group::p256).g.empty());
}

TEST(X25519, PointsOfSmallOrderAreRefused) {
  Bytes value(32);
  EXPECT_TRUE(refused(Group::x25519, value)) << "0";
  value[0] = 1;
  EXPECT_TRUE(refused(Group::x25519, value)) << "1";
  Bytes p(32, 0xff);  // 2^255 - 19, little endian; 0 once more
  p[0] = 0xed;
  p[31] = 0x7f;
  EXPECT_TRUE(refused(Group::x25519, p));
}

TEST(P256, APointThatIsNotOnTheCurveIsRefused) {
  Bytes point = make(Group::p256).public_value();
  point.back() ^= 1;
  EXPECT_TRUE(refused(Group::p256, point));
  Bytes zero(65);
  zero[0] = 4;
  EXPECT_TRUE(refused(Group::p256, zero));
}

TEST(P256, OtherEncodingsOfAPointAreRefused) {
  Bytes point = make(Group::p256).public_value();
  for (const int form : {0x00, 0x02, 0x03, 0x05, 0x06, 0x07}) {
    point[0] = static_cast<std::uint8_t>(form);
    EXPECT_TRUE(refused(Group::p256, point)) << form;
  }
  EXPECT_TRUE(refused(Group::p256, Bytes{0x00})) << "infinity";
}

TEST(P256, ANumberThatIsNotBelowTheOrderIsDrawnAgain) {
  const Bytes good(32, 0x11);
  test::FixedRandom random(concat({Bytes(32, 0xff), Bytes(32), good}));
  const auto key = EphemeralKey::generate(Group::p256, random);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(random.left(), 0U);
  test::FixedRandom only(good);
  EXPECT_EQ(EphemeralKey::generate(Group::p256, only)->public_value(), key->public_value());
}

}  // namespace
}  // namespace usher::crypto
