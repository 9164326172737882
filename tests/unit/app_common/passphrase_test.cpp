// What a file, a descriptor or a person gives as passphrase or PIN: no try is spent on what cannot be one.
#include "common/passphrase.h"

#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

namespace usher::app {
namespace {

using namespace std::string_literals;

class Passphrase : public ::testing::Test {
 protected:
  Passphrase() {
    std::string name = (std::filesystem::temp_directory_path() / "usher-pass-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~Passphrase() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] PassphraseSource source(const std::string& content) const {
    EXPECT_TRUE(replace_file(directory_ / "pass", content));
    return {.file = directory_ / "pass"};
  }
  /// The text that is taken, or the fault's code.
  static std::string outcome(const Result<crypto::Secret>& read) {
    return read ? std::string(text_of(read->expose())) : "[" + std::string(code_of(read.error().fault)) + "]";
  }
  [[nodiscard]] std::string passphrase(const std::string& content) const {
    return outcome(read_passphrase(source(content), ""));
  }
  [[nodiscard]] std::string pin(const std::string& content) const { return outcome(read_pin(source(content), "")); }
  static std::string from_descriptor(const std::string& content) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::write(ends[1], content.data(), content.size()), static_cast<ssize_t>(content.size()));
    ::close(ends[1]);
    auto read = outcome(passphrase_from_descriptor(ends[0]));
    ::close(ends[0]);
    return read;
  }

  std::filesystem::path directory_;
};

TEST_F(Passphrase, OneLineEndIsTakenOff) {
  for (const char* end : {"", "\n", "\r\n"}) {
    EXPECT_EQ(passphrase("correct horse"s + end), "correct horse");
    EXPECT_EQ(pin("1234"s + end), "1234");
    EXPECT_EQ(from_descriptor("1234"s + end), "1234");
  }
}

TEST_F(Passphrase, WhatAnEditorAddsUnseenIsNamedAndNotTried) {
  for (const std::string& text : {"\xef\xbb\xbf"s
                                  "1234\n",
                                  "1234\n\n"s, "1234\r\r\n"s, "12\t34"s, "12\0 34"s, "1234\x7f"s, "\x1b[200~1234"s,
                                  "\xff\xfe"
                                  "1\0"
                                  "2\0"s,
                                  "1234\n5678\n"s}) {
    EXPECT_EQ(passphrase(text), "[unusable-passphrase]") << text;
    EXPECT_EQ(pin(text), "[unusable-passphrase]") << text;
  }
  EXPECT_EQ(from_descriptor("\xef\xbb\xbf"
                            "1234\n"),
            "[unusable-passphrase]");
  EXPECT_EQ(from_descriptor("12\t34\n"), "[unusable-passphrase]");
}

TEST_F(Passphrase, ABlankAtAnEndIsPartOfAPassphraseAndOfNoPin) {
  for (const char* text : {"1234 \n", " 1234"}) EXPECT_EQ(pin(text), "[unusable-passphrase]") << text;
  EXPECT_EQ(passphrase("correct horse \n"), "correct horse ");
  EXPECT_EQ(pin("12 34"), "12 34");
}

TEST_F(Passphrase, WhatIsEmptyOrTooLongIsRefused) {
  for (const char* text : {"", "\n", "\r\n"}) EXPECT_EQ(passphrase(text), "[unusable-passphrase]");
  EXPECT_EQ(passphrase(std::string(kMaxPassphrase, 'x') + "\r\n").size(), kMaxPassphrase);
  EXPECT_EQ(passphrase(std::string(kMaxPassphrase + 1, 'x')), "[too-long]");
  EXPECT_EQ(passphrase(std::string(kMaxPassphrase + 1, 'x') + "\n"), "[too-long]");
  EXPECT_EQ(passphrase(std::string(9000, 'x')), "[too-long]");
}

TEST_F(Passphrase, ANewOneHasEightCharactersAtLeast) {
  EXPECT_EQ(outcome(read_new_passphrase(source("a\n"), "")), "[unusable-passphrase]");
  EXPECT_EQ(outcome(read_new_passphrase(source("1234567\n"), "")), "[unusable-passphrase]");
  EXPECT_EQ(outcome(read_new_passphrase(source("12345678\n"), "")), "12345678");
}

TEST_F(Passphrase, ACitizenCardsPinIsFourToEightDigits) {
  for (const char* good : {"1234", "12345678"}) EXPECT_TRUE(check_citizen_pin(*read_pin(source(good), ""))) << good;
  for (const char* bad : {"12", "123", "123456789", "abcd", "12a4", "12 34"}) {
    const auto checked = check_citizen_pin(*read_pin(source(bad), ""));
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().fault, Fault::pin_invalid);
  }
}

}  // namespace
}  // namespace usher::app
