// What the log and the metrics keep of requests (docs/reference/log-and-metrics.md, "Log").
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "unit/server/service_world.h"

namespace usher::server::test {
namespace {

using wire::Status;

class Noted : public ::testing::Test {
 protected:
  World world;
};

TEST_F(Noted, ARepeatedOperationIsLoggedAndCountedOnce) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const auto five_times = [&](std::string_view path, const Bytes& body) {
    const Id128 operation = randomness().id();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(must(listener.ask_once(path, body, operation)).status(), Status::ok);
  };
  five_times("api/license", wire::Acquire{kMedium, 1, 5}.encode());
  five_times("api/play/open", wire::Open{.medium = kMedium, .licence = {}}.encode());
  const auto plays = must(wire::Plays::decode(must(listener.ask("api/plays")).body()));
  ASSERT_EQ(plays.entries.size(), 1U);
  five_times("api/play/resume", wire::Resume{plays.entries[0].play}.encode());
  five_times("api/play/close", wire::Close{plays.entries[0].play, 2}.encode());
  for (const char* event : {"licence issued", "play opened", "play resumed", "play closed"}) {
    EXPECT_EQ(world.log.count(event), 1) << event;
  }
  const std::string metrics = world.metrics.text();
  EXPECT_NE(metrics.find("usher_licences_issued_total{by=\"listener\"} 1\n"), std::string::npos) << metrics;
  for (const char* event : {"opened", "resumed", "refunded"}) {
    EXPECT_NE(metrics.find("usher_plays_total{event=\"" + std::string(event) + "\"} 1\n"), std::string::npos) << event;
  }
}

TEST_F(Noted, TheLogNamesTheLicenceAndNeitherPersonNorInstallation) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const auto entry = listener.acquire(kMedium);
  const auto listed = must(world.store->list_all_licences({}));
  ASSERT_EQ(listed.entries.size(), 1U);
  const std::string log = world.log.text();
  EXPECT_NE(log.find(to_hex(listed.entries[0].terms.id)), std::string::npos) << log;
  for (const std::string& name : {channel_world().client_settings->chain.front().common_name(), listener.me.name}) {
    ASSERT_FALSE(name.empty());
    EXPECT_EQ(log.find(name), std::string::npos) << log;
  }
}

}  // namespace
}  // namespace usher::server::test
