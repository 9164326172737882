#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "common/json.h"
#include "common/report.h"
#include "licence/terms.h"

namespace usher::app {
namespace {

namespace json = boost::json;

TEST(Json, TimesAreIso8601InUtc) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(iso_time(1'769'860'800), "2026-01-31T12:00:00Z");
  EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(iso_time(std::numeric_limits<std::int64_t>::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(iso_time(std::numeric_limits<std::int64_t>::min()), "0001-01-01T00:00:00Z");
  EXPECT_EQ(iso_time_or_null(std::nullopt), nullptr);
}

TEST(Json, AnErrorHasCodeSentenceAdviceAndExitStatus) {
  const json::value said = json::parse(error_json({.fault = Fault::not_found, .where = "test", .about = "a\u202eb"}));
  EXPECT_EQ(said, (json::value{{"error",
                                {{"code", "not-found"},
                                 {"message", "A file or directory is not there: a\ufffdb."},
                                 {"advice", "Check the path."},
                                 {"exit", 9}}}}));
}

TEST(Json, AProgramThatEndsOtherwiseSaysSo) {
  const json::value said = json::parse(error_json({.fault = Fault::not_found, .where = "test"}, 2));
  EXPECT_EQ(said.at("error").at("exit"), 2);
}

TEST(Json, OfALicenceForATimeWhatIsNotLimitedIsNull) {
  licence::LicenceTerms terms;
  terms.expires = 1'769'860'800;
  const json::object licence =
      json_of(terms, {.licence = {}, .plays_left = wire::kNoLimit, .usable_until = 1'769'860'800});
  EXPECT_TRUE(licence.at("plays").is_null());
  EXPECT_TRUE(licence.at("plays_left").is_null());
  EXPECT_TRUE(licence.at("first_play").is_null());
  EXPECT_TRUE(licence.at("installation").is_null());
  EXPECT_EQ(licence.at("expires"), "2026-01-31T12:00:00Z");
  EXPECT_EQ(licence.at("usable_until"), "2026-01-31T12:00:00Z");
}

}  // namespace
}  // namespace usher::app
