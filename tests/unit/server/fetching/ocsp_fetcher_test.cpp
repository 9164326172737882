// What is cached from responders, and for how long (identity.md §11.6). Fetching them over the web: tests/e2e.
#include "server/fetching/ocsp_fetcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "support/eventually.h"
#include "support/ocsp.h"
#include "unit/media/fixtures.h"

namespace usher::server::test {
namespace {

using namespace usher::test;
using pki::StatusAnswer;

class OcspFetcherTest : public ::testing::Test {
 protected:
  OcspFetcherTest() { start(); }
  ~OcspFetcherTest() override { fetcher->stop(); }

  /// Another process on the same directory, whose files are as old as the clock says.
  void start() {
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(directory.path / "revocation", error)) {
      std::filesystem::last_write_time(file, std::chrono::file_clock::from_sys(clock.now()));
    }
    fetcher = std::make_unique<OcspFetcher>(
        StatusOptions{.directory = directory.path / "revocation",
                      .fetch = [this](const std::string&, const FetchLimits&, const std::function<bool()>&,
                                      const FetchBody*) { return respond(); }},
        OcspFetcher::Parts{.clock = clock, .random = randomness(), .log = *log});
    fetcher->start([this] { ++changes; }, metrics);
  }
  [[nodiscard]] Result<Bytes> respond() {
    const std::scoped_lock lock(mutex);
    ++asked;

    if (!says) return fail(Fault::unreachable, "test");
    return ocsp_response(leaf.certificate, root.certificate, root.certificate, root.key, *says);
  }
  void say(std::optional<OcspSays> what) {
    const std::scoped_lock lock(mutex);
    says = what;
  }
  [[nodiscard]] static OcspSays word(int status, Milliseconds after, Milliseconds life = 7 * kDay) {
    return {.status = status, .this_update = kNow + after, .next_update = kNow + after + life};
  }
  [[nodiscard]] std::optional<StatusAnswer> answer() const {
    return fetcher->answer(leaf.certificate.fingerprint(), root.certificate.fingerprint());
  }
  [[nodiscard]] OcspFetcher::Wanted want() const { return fetcher->want({leaf.certificate, root.certificate}); }
  /// Looks the status up each minute until the responder was asked twice: answers from before that are processed then.
  void ask_again() {
    const int before = asked;
    ASSERT_TRUE(eventually([&] {
      clock.advance(std::chrono::minutes(1));
      static_cast<void>(want());
      return asked >=
             before + 2;  // between two looks the threads have their turn: the clock must not run away from them
    }));
  }

  media::test::Directory directory{16 << 20};
  ManualClock clock{kNow};
  std::unique_ptr<Log> log = make_log(Level::error, LogFormat::json);
  Metrics metrics;
  Authority root = Authority::root();
  Identity leaf = root.leaf({.role = pki::Role::client, .urls = {.responder = "http://a.example/"}});
  std::mutex mutex;
  std::optional<OcspSays> says = word(V_OCSP_CERTSTATUS_GOOD, {});
  std::atomic<int> asked = 0;

  std::atomic<int> changes = 0;
  std::unique_ptr<OcspFetcher> fetcher;
};

TEST_F(OcspFetcherTest, WhoeverHasNoResponderIsLackingAtOnce) {
  const Identity other = root.leaf(pki::Role::client);
  const auto wanted = fetcher->want({other.certificate, root.certificate});
  EXPECT_FALSE(wanted.coming);
  EXPECT_TRUE(wanted.lacking);
}

TEST_F(OcspFetcherTest, AnAnswerIsFetchedWhenItIsWantedAndNotBefore) {
  EXPECT_FALSE(answer());
  EXPECT_EQ(asked, 0);
  EXPECT_TRUE(want().coming);
  ASSERT_TRUE(eventually([&] { return answer().has_value(); }));
  EXPECT_FALSE(answer()->revoked);
  EXPECT_EQ(changes, 0);
}

TEST_F(OcspFetcherTest, AResponderThatFailsIsLacking) {
  say({});
  EXPECT_TRUE(want().coming);
  ASSERT_TRUE(eventually([&] { return want().lacking; }));
  EXPECT_FALSE(answer());
}

TEST_F(OcspFetcherTest, WhoeverIsLookedUpStaysAskedAbout) {
  EXPECT_TRUE(want().coming);
  ASSERT_TRUE(eventually([&] { return answer().has_value(); }));
  for (int i = 0; i < 10; ++i) {
    say(word(V_OCSP_CERTSTATUS_GOOD, clock.now() - kNow));
    ask_again();
    EXPECT_FALSE(want().lacking);
  }
  EXPECT_GT(clock.now(), kNow + std::chrono::hours(13));
  // For a day there is no lookup. After the next lookup the responder is asked again, though the answer has not ended.
  clock.advance(std::chrono::hours(25));
  say(word(V_OCSP_CERTSTATUS_REVOKED, clock.now() - kNow));
  ASSERT_TRUE(eventually([&] { return answer()->revoked; }));
  ASSERT_TRUE(eventually([&] { return changes == 1; }));
}

TEST_F(OcspFetcherTest, ARevocationIsKnownFromTheStartOnUntilALaterAnswerTakesItBack) {
  say(word(V_OCSP_CERTSTATUS_REVOKED, {}, std::chrono::hours(1)));
  EXPECT_TRUE(want().coming);
  ASSERT_TRUE(eventually([&] { return answer().has_value(); }));
  fetcher->stop();
  clock.advance(kDay);
  say({});
  start();
  ASSERT_TRUE(answer());
  EXPECT_TRUE(answer()->revoked);
  // An older good answer, and one of the same time, do not undo the revocation.
  for (const Milliseconds when : {Milliseconds(-1'000), Milliseconds(0)}) {
    say(word(V_OCSP_CERTSTATUS_GOOD, when));
    ask_again();
    EXPECT_TRUE(answer()->revoked);
  }
  say(word(V_OCSP_CERTSTATUS_GOOD, Milliseconds(1'000), 50 * kDay));
  ask_again();
  EXPECT_FALSE(answer()->revoked);
  fetcher->stop();
  say({});
  start();
  EXPECT_FALSE(answer());  // the status is unknown until it is requested
  EXPECT_TRUE(want().coming);
  ASSERT_TRUE(answer());  // then the stored answer is used
  EXPECT_FALSE(answer()->revoked);
}

TEST_F(OcspFetcherTest, ADamagedRevocationIsOneAllTheSame) {
  say(word(V_OCSP_CERTSTATUS_REVOKED, {}));
  EXPECT_TRUE(want().coming);
  ASSERT_TRUE(eventually([&] { return changes == 1; }));
  fetcher->stop();
  for (const auto& entry : std::filesystem::directory_iterator(directory.path / "revocation")) {
    std::ofstream(entry.path()) << "damaged";
  }
  start();
  ASSERT_TRUE(answer());
  EXPECT_TRUE(answer()->revoked);
}

TEST_F(OcspFetcherTest, WhatIsKeptAndHasEndedOrIsDamagedIsNoAnswer) {
  EXPECT_TRUE(want().coming);
  ASSERT_TRUE(eventually([&] { return answer().has_value(); }));
  fetcher->stop();
  clock.advance(8 * kDay);
  say({});
  start();
  EXPECT_TRUE(want().coming);
  EXPECT_FALSE(answer());
}

}  // namespace
}  // namespace usher::server::test
