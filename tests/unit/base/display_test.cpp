#include <gtest/gtest.h>

#include "base/display.h"
#include "base/encoding.h"

namespace usher {
namespace {

const std::string kReplaced = "\xef\xbf\xbd";

TEST(Display, AWideCharacterTakesTwoColumnsAndAMarkNone) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("東京"), 4U);
  EXPECT_EQ(columns_of("e\xcc\x81"), 1U);  // e and U+0301
  EXPECT_EQ(columns_of("שלום"), 4U);
  EXPECT_EQ(columns_of("\xf0\x9f\x8e\xb5"), 2U);  // U+1F3B5
  EXPECT_EQ(columns_of("\xe2\x9d\xa4\xef\xb8\x8f"), 2U) << "with the emoji selector a terminal may take two";
  EXPECT_EQ(columns_of("\xff\xff"), 2U);
  EXPECT_EQ(columns_of(""), 0U);
}

TEST(Display, WhatThisUnicodeDoesNotKnowIsNotTakenForLessThanItMayBe) {
  EXPECT_EQ(columns_of("\xf0\x9f\xab\xbf"), 2U);  // U+1FAFF
}

TEST(Display, ATextThatFitsIsLeftAsItIs) {
  EXPECT_EQ(cut("Awakening", 9), "Awakening");
  EXPECT_EQ(cut("東京", 4), "東京");
  EXPECT_EQ(cut("", 0), "");
  EXPECT_EQ(cut(std::string(10'000, 'x'), kAnyWidth), std::string(10'000, 'x'));
}

TEST(Display, ATextThatDoesNotFitEndsInAnEllipsis) {
  EXPECT_EQ(cut("Awakening", 5), "Awak…");
  EXPECT_EQ(cut("A wakening", 3), "A…");
  EXPECT_EQ(cut("東京都", 4), "東…");  // the next one would need two
  EXPECT_EQ(cut("Awakening", 1), "…");
  EXPECT_EQ(cut("Awakening", 0), "");
}

TEST(Display, ALetterIsNotPartedFromItsMarks) {
  const std::string e = "e\xcc\x81\xcc\xa3";
  EXPECT_EQ(cut(e + e + e + e, 3), e + e + "…");
  const std::string coder = "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb";  // a woman, a joiner, a computer
  EXPECT_EQ(cut(coder + coder, 5), coder + "…");
}

TEST(Display, NoTextIsCutWiderThanWhatIsAllowed) {
  const std::vector<std::string> texts{"東京都の夜に聞こえる音", "e\u0301e\u0301e\u0301", "שלום עולם",
                                       "a\xf0\x9f\x8e\xb5 b\xf0\x9f\xab\xbf c", std::string(3, '\xff') + "abc"};
  for (const std::string& text : texts) {
    for (std::size_t columns = 0; columns < 30; ++columns) {
      EXPECT_LE(columns_of(cut(text, columns)), columns) << text;
      EXPECT_EQ(columns_of(cell(text, columns)), columns) << text;
    }
  }
}

TEST(Display, EveryLineOfAWrappedTextFits) {
  const std::string text =
      "    Licences: 3 plays left, until 2030-01-31 12:00 UTC 東京都の夜に聞こえる音 " + std::string(50, 'x');
  for (std::size_t columns = 2; columns < 60; ++columns) {
    const std::string lines = wrapped(text, columns, 6);
    for (std::string_view rest = lines; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      EXPECT_LE(columns_of(line), columns) << line;
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
  }
}

TEST(Display, AWrappedTextIsBrokenAtBlanksAndGoesOnIndented) {
  EXPECT_EQ(wrapped("  one two three", 9, 4), "  one two\n    three");
  EXPECT_EQ(wrapped("one", 9, 4), "one");
  EXPECT_EQ(wrapped("abcdefgh", 4), "abcd\nefgh");
  EXPECT_EQ(wrapped("one two", kAnyWidth), "one two");
}

TEST(Display, WhatTurnsTheWritingDirectionIsReplaced) {
  for (const char* control : {"\u061c", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066",
                              "\u2067", "\u2068", "\u2069"}) {
    EXPECT_EQ(printable(std::string("a") + control + "b"), "a" + kReplaced + "b");
  }
  for (const char* format : {"\u00ad", "\u200b", "\u2028", "\u2029", "\u2060", "\ufeff", "\ufff9", "\U000e0041"}) {
    EXPECT_EQ(printable(format), kReplaced);
  }
}

TEST(Display, WhatScriptsAndEmojiAreWrittenWithStays) {
  for (const char* text : {"می\u200cخواهم", "\U0001f469\u200d\U0001f4bb", "e\u0301", "שלום", "\u2764\ufe0f"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Display, ATitleOfWhichNothingIsSeenIsCalledUntitled) {
  for (const char* blank : {"", " ", "\u00a0\u3000", "\u200b", "\u202e\u202c", "\u3164", "\u2800", "\u200d", "\t"}) {
    EXPECT_EQ(titled(blank), "(untitled)") << blank;
  }
  EXPECT_EQ(titled("."), ".");
  EXPECT_EQ(titled("\u202eabc"), kReplaced + "abc");
  EXPECT_EQ(titled("\xff"), kReplaced);
}

}  // namespace
}  // namespace usher
