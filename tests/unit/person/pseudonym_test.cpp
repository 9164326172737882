#include "person/pseudonym.h"

#include <gtest/gtest.h>

#include "crypto/mac.h"

namespace usher::person {
namespace {

PseudonymKey key_of(std::uint8_t byte) { return PseudonymKey(crypto::Secret::copy_of(Bytes(32, byte))); }

TEST(Pseudonym, IsTheMacThatTheSpecificationSays) {
  Hash256 anchor{};
  anchor.fill(7);
  Bytes input = to_bytes(view_of("generic"));
  input.push_back(0);
  append(input, anchor);
  append(input, Bytes{0, 3});
  append(input, view_of("ana"));
  const Bytes expected = crypto::hmac(crypto::Digest::sha256, Bytes(32, 1), {input});
  EXPECT_TRUE(same(key_of(1).of("generic", anchor, "ana"), expected));
}

TEST(Pseudonym, DiffersByKeyProfileAnchorAndSubject) {
  const Hash256 anchor{};
  Hash256 other{};
  other[31] = 1;
  const Hash256 one = key_of(1).of("generic", anchor, "ana");
  EXPECT_NE(one, key_of(2).of("generic", anchor, "ana"));
  EXPECT_NE(one, key_of(1).of("cartao-de-cidadao", anchor, "ana"));
  EXPECT_NE(one, key_of(1).of("generic", other, "ana"));
  EXPECT_NE(one, key_of(1).of("generic", anchor, "ana "));
  EXPECT_EQ(one, key_of(1).of("generic", anchor, "ana"));
}

}  // namespace
}  // namespace usher::person
