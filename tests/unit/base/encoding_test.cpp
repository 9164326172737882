#include "base/encoding.h"

#include <rapidcheck/gtest.h>

namespace usher {
namespace {

TEST(LowerAscii, ChangesOnlyTheLettersOfAscii) { EXPECT_EQ(lower_ascii("AZaz09[`@\xc3\x84"), "azaz09[`@\xc3\x84"); }

TEST(Hex, IsLowerCaseAndTwoCharactersAByte) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0x0f, 0xa5, 0xff}), "000fa5ff");
  EXPECT_EQ(to_hex({}), "");
}

TEST(Hex, UpperCaseIsTaken) { EXPECT_EQ(from_hex("A5fF").value(), (Bytes{0xa5, 0xff})); }

TEST(Hex, OddLengthIsRefused) { EXPECT_EQ(from_hex("abc").error().fault, Fault::malformed); }

TEST(Hex, AnyOtherCharacterIsRefused) {
  for (const char* text : {"0g", "g0", " 0", "0x", "-1", "\xff\xff", "00\n0"}) {
    const auto decoded = from_hex(text);
    ASSERT_FALSE(decoded.has_value()) << text;
    EXPECT_EQ(decoded.error().fault, Fault::malformed);
  }
}

RC_GTEST_PROP(Hex, DecodesWhatItEncoded, (const Bytes& bytes)) { RC_ASSERT(from_hex(to_hex(bytes)).value() == bytes); }

TEST(Base64Url, IsThatOfRfc4648WithoutPadding) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(to_base64url(view_of(plain)), encoded);
    EXPECT_EQ(text_of(from_base64url(encoded).value()), plain);
  }
  EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
}

TEST(Base64Url, PaddingIsRefused) {
  EXPECT_EQ(from_base64url("Zg==").error().fault, Fault::malformed);
  EXPECT_EQ(from_base64url("Zm8=").error().fault, Fault::malformed);
}

TEST(Base64Url, TheOtherAlphabetIsRefused) {
  EXPECT_FALSE(from_base64url("+/8A").has_value());
  EXPECT_FALSE(from_base64url("Zm9 v").has_value());
  EXPECT_FALSE(from_base64url("Zm9v\n").has_value());
}

TEST(Base64Url, ALengthOfOneMoreThanAMultipleOfFourIsRefused) {
  EXPECT_FALSE(from_base64url("Z").has_value());
  EXPECT_FALSE(from_base64url("Zm9vY").has_value());
}

TEST(Base64Url, UnusedBitsThatAreNotZeroAreRefused) {
  EXPECT_EQ(from_base64url("Zh").error().where, "base64url: unused bits");
  EXPECT_EQ(from_base64url("Zm9").error().where, "base64url: unused bits");
}

RC_GTEST_PROP(Base64Url, DecodesWhatItEncoded, (const Bytes& bytes)) {
  RC_ASSERT(from_base64url(to_base64url(bytes)).value() == bytes);
}

RC_GTEST_PROP(Base64Url, ThereIsOneTextForOneValue, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::element('A', 'Z', 'a', 'g', 'w', '9', '-', '_'));
  if (const auto decoded = from_base64url(text)) RC_ASSERT(to_base64url(*decoded) == text);
}

TEST(CleanUtf8, TextOfAnyLanguageIsClean) {
  for (const char* text : {"", "Fado", "Canção do Mar", "Кино", "音楽", "\xf0\x9f\x8e\xb5", "\xc2\xa0"}) {
    EXPECT_TRUE(is_clean_utf8(text)) << text;
    EXPECT_EQ(printable(text), text);
  }
}

TEST(CleanUtf8, ControlCharactersAreNot) {
  for (const std::string_view text : {"a\nb", "\x1b[2J", "\x7f", "\xc2\x80", "\xc2\x9b", "\t"}) {
    EXPECT_FALSE(is_clean_utf8(text));
  }
  EXPECT_FALSE(is_clean_utf8(std::string_view("a\0b", 3)));
}

TEST(CleanUtf8, WhatIsNotUtf8IsNot) {
  const std::pair<std::string_view, const char*> cases[] = {{"\x80", "a continuation alone"},
                                                            {"\xc3", "cut short"},
                                                            {"\xc0\xaf", "an overlong slash"},
                                                            {"\xe0\x80\xaf", "an overlong slash of three"},
                                                            {"\xf0\x80\x80\xaf", "one of four"},
                                                            {"\xed\xa0\x80", "a surrogate"},
                                                            {"\xf4\x90\x80\x80", "above U+10FFFF"},
                                                            {"\xf8\x88\x80\x80\x80", "five bytes"},
                                                            {"\xff", "no lead byte"},
                                                            {"\xe2\x82", "cut short"}};
  for (const auto& [text, what] : cases) EXPECT_FALSE(is_clean_utf8(text)) << what;
}

TEST(Printable, WhatATerminalMustNotSeeIsReplaced) {
  EXPECT_EQ(printable("\x1b[31mred"), "\xef\xbf\xbd[31mred");
  EXPECT_EQ(printable("a\xc3"), "a\xef\xbf\xbd");
}

RC_GTEST_PROP(Printable, WhatItGivesIsClean, (const std::string& text)) { RC_ASSERT(is_clean_utf8(printable(text))); }

}  // namespace
}  // namespace usher
