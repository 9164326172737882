#include "wire/codec.h"

#include <rapidcheck/gtest.h>

namespace usher::wire {
namespace {

TEST(Writer, IntegersAreBigEndian) {
  Writer out;
  out.u8(0x01).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f);
  EXPECT_EQ(out.bytes(), (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}));
}

TEST(Writer, AVectorIsItsLengthAndItsBytes) {
  Writer out;
  out.vec8(view_of("a")).vec16(view_of("b")).vec24(view_of("c")).vec32(view_of("d"));
  EXPECT_EQ(out.bytes(), (Bytes{1, 'a', 0, 1, 'b', 0, 0, 1, 'c', 0, 0, 0, 1, 'd'}));
}

TEST(Writer, RawHasNoLength) { EXPECT_EQ(Writer().raw(view_of("ab")).bytes(), (Bytes{'a', 'b'})); }

TEST(Writer, EndsTheProcessBeforeItWritesAWrongLength) {
  EXPECT_DEATH(Writer().vec8(Bytes(256)), "");
  EXPECT_DEATH(Writer().vec16(Bytes(65'536)), "");
}

TEST(Reader, EmptyInputIsWhole) { EXPECT_TRUE(Reader({}, "test").finish().has_value()); }

TEST(Reader, BytesThatAreLeftOverAreRefused) {
  const Bytes input{1, 2};
  Reader in(input, "test");
  EXPECT_EQ(in.u8(), 1);
  const auto finished = in.finish();
  ASSERT_FALSE(finished.has_value());
  EXPECT_EQ(finished.error().fault, Fault::malformed);
  EXPECT_EQ(finished.error().where, "test");
}

TEST(Reader, AnIntegerThatIsCutShortIsRefused) {
  const Bytes input{1, 2, 3};
  Reader in(input, "test");
  EXPECT_EQ(in.u32(), 0U);
  EXPECT_FALSE(in.ok());
}

TEST(Reader, TheFirstFailureSticks) {
  const Bytes input{1, 2, 3, 4, 5};
  Reader in(input, "test");
  (void)in.raw(6);
  EXPECT_EQ(in.u8(), 0);  // although there was a byte
  EXPECT_TRUE(in.vec8().empty());
  EXPECT_TRUE(in.rest().empty());
  EXPECT_TRUE(in.empty());
  EXPECT_FALSE(in.finish().has_value());
}

TEST(Reader, ARuleOfTheCallerRefusesToo) {
  const Bytes input{1};
  Reader in(input, "test");
  (void)in.u8();
  in.refuse();
  EXPECT_FALSE(in.finish().has_value());
}

TEST(Reader, AVectorLongerThanTheInputIsRefused) {
  const Bytes input{3, 'a', 'b'};
  Reader in(input, "test");
  EXPECT_TRUE(in.vec8().empty());
  EXPECT_FALSE(in.ok());
}

TEST(Reader, AVectorAboveItsLimitIsRefusedThoughItIsThere) {
  const Bytes input{3, 'a', 'b', 'c'};
  EXPECT_FALSE([&] {
    Reader in(input, "test");
    (void)in.vec8(0, 2);
    return in.ok();
  }());
  EXPECT_TRUE([&] {
    Reader in(input, "test");
    (void)in.vec8(0, 3);
    return in.ok();
  }());
}

TEST(Reader, AVectorBelowItsLimitIsRefused) {
  const Bytes input{1, 'a'};
  EXPECT_FALSE([&] {
    Reader in(input, "test");
    (void)in.vec8(2, 9);
    return in.ok();
  }());
  EXPECT_TRUE([&] {
    Reader in(input, "test");
    (void)in.vec8(1, 9);
    return in.ok();
  }());
}

TEST(Reader, AHugeLengthAllocatesNothingAndIsRefused) {
  const Bytes input{0xff, 0xff, 0xff, 0xff, 'a'};
  Reader in(input, "test");
  EXPECT_TRUE(in.vec32(0, 0xffffffff).empty());
  EXPECT_FALSE(in.ok());
}

TEST(Reader, AFlagIsZeroOrOne) {
  const Bytes input{0, 1, 2};
  Reader in(input, "test");
  EXPECT_FALSE(in.flag());
  EXPECT_TRUE(in.flag());
  EXPECT_TRUE(in.ok());
  EXPECT_FALSE(in.flag());
  EXPECT_FALSE(in.ok());
}

TEST(Reader, TextIsCleanUtf8) {
  const Bytes clean = std::move(Writer().text8("Canção")).take();
  Reader in(clean, "test");
  EXPECT_EQ(in.text8(), "Canção");
  EXPECT_TRUE(in.finish().has_value());
  for (const std::string_view bad : {"\x1b[2J", "\xff", "a\nb"}) {
    const Bytes input = std::move(Writer().text16(bad)).take();
    Reader refused(input, "test");
    EXPECT_EQ(refused.text16(), "");
    EXPECT_FALSE(refused.ok());
  }
}

TEST(Reader, AnArrayThatIsCutShortIsZeros) {
  const Bytes input{1, 2, 3};
  Reader in(input, "test");
  EXPECT_EQ(in.array<4>(), (std::array<std::uint8_t, 4>{}));
  EXPECT_FALSE(in.ok());
}

RC_GTEST_PROP(Codec, ReadsWhatWasWritten,
              (std::uint8_t a, std::uint16_t b, std::uint32_t c, std::uint64_t d, const Bytes& tail)) {
  const auto vector = *rc::gen::resize(200, rc::gen::arbitrary<Bytes>());
  Writer out;
  out.u8(a).u16(b).u32(c).u64(d).vec8(vector).vec16(vector).vec24(vector).vec32(vector).raw(tail);
  Reader in(out.bytes(), "test");
  RC_ASSERT(in.u8() == a);
  RC_ASSERT(in.u16() == b);
  RC_ASSERT(in.u32() == c);
  RC_ASSERT(in.u64() == d);
  RC_ASSERT(to_bytes(in.vec8()) == vector);
  RC_ASSERT(to_bytes(in.vec16()) == vector);
  RC_ASSERT(to_bytes(in.vec24()) == vector);
  RC_ASSERT(to_bytes(in.vec32(0, 1000)) == vector);
  RC_ASSERT(to_bytes(in.rest()) == tail);
  RC_ASSERT(in.finish().has_value());
}

RC_GTEST_PROP(Codec, WhatIsCutShortIsRefused, (std::uint32_t number)) {
  const auto vector = *rc::gen::resize(60, rc::gen::arbitrary<Bytes>());
  Writer out;
  out.vec8(vector).u32(number).vec16(vector);
  const auto size = *rc::gen::inRange<std::size_t>(0, out.bytes().size());
  Reader in(View{out.bytes()}.first(size), "test");
  (void)in.vec8();
  (void)in.u32();
  (void)in.vec16();
  RC_ASSERT_FALSE(in.finish().has_value());
}

RC_GTEST_PROP(Codec, AnyInputIsReadWithinItsBounds, (const Bytes& input)) {
  Reader in(input, "test");
  std::size_t got = 0;
  while (in.ok() && !in.empty()) got += in.vec8().size() + 1;
  RC_ASSERT(got <= input.size() + 1);
}

}  // namespace
}  // namespace usher::wire
