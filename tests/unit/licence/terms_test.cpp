// Which listeners may use a licence, and when.  licence.md §4.
#include <gtest/gtest.h>

#include "licence/terms.h"

namespace usher::licence {
namespace {

LicenceTerms terms_for_a_time() {
  LicenceTerms terms;
  terms.server = "s";
  terms.not_before = 1'000;
  terms.expires = 2'000;
  return terms;
}
Fault fault(const Result<>& result) { return result ? Fault::local : result.error().fault; }
Time at(std::int64_t seconds, int milliseconds = 0) { return from_unix_seconds(seconds) + Milliseconds{milliseconds}; }

TEST(LicenceTime, BeginsWithItsFirstSecondAndEndsBeforeItsLast) {
  const LicenceTerms terms = terms_for_a_time();
  EXPECT_EQ(fault(check_usable(terms, {}, at(999, 999))), Fault::licence_not_yet_valid);
  EXPECT_TRUE(check_usable(terms, {}, at(1'000)));
  EXPECT_TRUE(check_usable(terms, {}, at(1'999, 999)));
  EXPECT_EQ(fault(check_usable(terms, {}, at(2'000))), Fault::licence_expired);
}

TEST(LicenceTime, WindowRunsFromTheFirstPlay) {
  LicenceTerms terms = terms_for_a_time();
  terms.window_after_first_play = 100;
  EXPECT_TRUE(check_usable(terms, {}, at(1'900)));
  const Standing played{.plays_left = {}, .first_play = 1'500, .revoked_at = {}};
  EXPECT_TRUE(check_usable(terms, played, at(1'599, 999)));
  EXPECT_EQ(fault(check_usable(terms, played, at(1'600))), Fault::licence_expired);
  EXPECT_EQ(usable_until(terms, played), 1'600);
  EXPECT_EQ(usable_until(terms, {}), 2'000);
}

TEST(LicenceTime, WindowNeverOutlastsTheExpiry) {
  LicenceTerms terms = terms_for_a_time();
  terms.window_after_first_play = 100;
  EXPECT_EQ(usable_until(terms, {.plays_left = {}, .first_play = 1'950, .revoked_at = {}}), 2'000);
}

TEST(LicenceTime, RevokedIsSaidFirst) {
  EXPECT_EQ(fault(check_usable(terms_for_a_time(), {.plays_left = {}, .first_play = {}, .revoked_at = 5}, at(5'000))),
            Fault::licence_revoked);
}

TEST(LicenceHolder, AnotherPersonDoesNotLearnThatItExists) {
  LicenceTerms terms;
  terms.pseudonym.fill(1);
  Hash256 other{};
  EXPECT_EQ(fault(check_holder(terms, other, {})), Fault::unknown_licence);
  EXPECT_TRUE(check_holder(terms, terms.pseudonym, {}));
}

TEST(LicenceHolder, AnotherInstallationIsRefusedUnlessThePersonAloneIsBound) {
  LicenceTerms terms;
  terms.installation.emplace().fill(7);
  Hash256 other{};
  EXPECT_EQ(fault(check_holder(terms, {}, other)), Fault::wrong_installation);
  EXPECT_TRUE(check_holder(terms, {}, *terms.installation));
  terms.installation.reset();
  EXPECT_TRUE(check_holder(terms, {}, other));
}

TEST(ServerId, IsPrintableAsciiThatNeedsNoEscapes) {
  EXPECT_TRUE(is_server_id("music.example:8080"));
  EXPECT_TRUE(is_server_id(std::string(kMaxServerId, 'a')));
  for (const std::string& bad : {std::string{}, std::string(kMaxServerId + 1, 'a'), std::string{"a b"},
                                 std::string{"a\"b"}, std::string{"a\\b"}, std::string{"é"}, std::string{"a\x7f"}}) {
    EXPECT_FALSE(is_server_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace usher::licence
