// How many sessions there are, and when they end: channel.md §4.3, §6.2, §6.3, with a clock that the test moves.
#include <gtest/gtest.h>

#include "unit/net/service_world.h"

namespace usher::net::test {
namespace {

Bytes hello() {
  channel::ClientHandshake machine(channel_world().client_settings, randomness());
  return must(machine.start());
}
HttpResponse say_hello(World& world) { return send(world, post("/api/protocols", kTypeHandshake, hello())); }

TEST(HalfOpenSessions, AreLimitedInNumber) {
  World world({.half_open = 2});
  EXPECT_EQ(say_hello(world).status, 200U);
  EXPECT_EQ(say_hello(world).status, 200U);
  const HttpResponse refused = say_hello(world);
  EXPECT_EQ(refused.status, 503U);
  EXPECT_EQ(text_of(refused.body), "server-busy");
  EXPECT_GT(refused.retry_after, 0U);
}

TEST(HalfOpenSessions, EndByTime) {
  World world({.half_open = 1});
  EXPECT_EQ(say_hello(world).status, 200U);
  world.clock.advance(Milliseconds(10'000));
  EXPECT_EQ(say_hello(world).status, 200U);
  world.clock.advance(Milliseconds(10'000));
  world.sessions.sweep(world.clock.now());
  EXPECT_EQ(world.sessions.half_open(), 0U);
}

TEST(HalfOpenSessions, ARefusedHelloTakesNoPlace) {
  World world({.half_open = 1});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(send(world, post("/api/protocols", kTypeHandshake, Bytes{1, 0, 0, 0})).status, 400U);
  }
  EXPECT_EQ(world.sessions.half_open(), 0U);
  EXPECT_EQ(say_hello(world).status, 200U);
}

TEST(HalfOpenSessions, KeysThatAreRefusedEndThem) {
  World world;
  channel::ClientHandshake machine(channel_world().client_settings, randomness());
  const Bytes answer = exchanged(world, "/api/protocols", kTypeHandshake, must(machine.start()));
  Bytes keys = must(machine.on_messages(answer, kNow));
  const Bytes good = keys;
  keys.back() ^= 1;
  EXPECT_EQ(send(world, post("/api/keys", kTypeHandshake, keys)).status, 400U);
  const HttpResponse again = send(world, post("/api/keys", kTypeHandshake, good));
  EXPECT_EQ(again.status, 404U);
  EXPECT_EQ(text_of(again.body), "unknown-session");
}

TEST(HalfOpenSessions, AnExpiredClientIsRefusedWithOneCodeForAllChains) {
  World world;
  auto settings = std::make_shared<channel::ClientSettings>(*channel_world().client_settings);
  auto old =
      channel_world().authority.leaf({.role = identity::Role::client, .validity = usher::test::around(kNow, 10, -1)});
  settings->chain = {old.certificate, channel_world().authority.certificate};
  settings->signer = std::make_shared<const crypto::PrivateKey>(std::move(old.key));
  channel::ClientHandshake machine(settings, randomness());
  const Bytes answer = exchanged(world, "/api/protocols", kTypeHandshake, must(machine.start()));
  const HttpResponse refused = send(world, post("/api/keys", kTypeHandshake, must(machine.on_messages(answer, kNow))));
  EXPECT_EQ(refused.status, 400U);
  EXPECT_EQ(text_of(refused.body), "bad-certificate");
}

TEST(OpenSessions, AreLimitedInNumber) {
  World world({.open = 1});
  const Listener listener(world);
  EXPECT_EQ(say_hello(world).status, 503U);
}

TEST(OpenSessions, OneTooManyOfAnInstallationEndsItsOldest) {
  World world({.open_per_installation = 2});
  Listener first(world);
  world.clock.advance(Milliseconds(1));
  Listener second(world);
  world.clock.advance(Milliseconds(1));
  Listener third(world);
  EXPECT_EQ(world.ended, std::vector<std::string>{"displaced"});
  auto sealed = must(first.session->seal_request("api/exit", {}, {}));
  EXPECT_EQ(send(world, post("/", kTypeRecord, std::move(sealed.record))).status, 404U);
  EXPECT_EQ(second.status("api/exit"), wire::Status::ok);
  EXPECT_EQ(third.status("api/exit"), wire::Status::ok);
}

TEST(OpenSessions, EndAfterTheirLife) {
  World world;
  Listener listener(world);
  world.clock.advance(Milliseconds(12 * 3'600'000 - 1));
  EXPECT_EQ(listener.status("api/none"), wire::Status::unknown_path);
  world.clock.advance(Milliseconds(1));
  auto sealed = must(listener.session->seal_request("api/none", {}, {}));
  EXPECT_EQ(send(world, post("/", kTypeRecord, std::move(sealed.record))).status, 404U);
  EXPECT_EQ(world.ended, std::vector<std::string>{"expired"});
}

TEST(OpenSessions, EndWithThePersonsStatement) {
  World world({.life = Seconds(48 * 3600)});
  Listener listener(world);
  world.clock.advance(std::chrono::hours(1));
  ASSERT_EQ(listener.log_in(), wire::Status::ok);
  EXPECT_EQ(listener.me.session_end, static_cast<std::uint64_t>(unix_seconds(world.clock.now())) + 12 * 3600);
  world.clock.advance(std::chrono::hours(12));
  world.sessions.sweep(world.clock.now());
  EXPECT_EQ(world.sessions.open_sessions(), 0U);
}

TEST(OpenSessions, EndAfterSoManyRecords) {
  World world({.records = 3});
  Listener listener(world);
  EXPECT_EQ(listener.status("api/none"), wire::Status::unknown_path);
  EXPECT_EQ(listener.status("api/none"), wire::Status::unknown_path);
  auto sealed = must(listener.session->seal_request("api/none", {}, {}));
  EXPECT_EQ(send(world, post("/", kTypeRecord, std::move(sealed.record))).status, 404U);
  EXPECT_EQ(world.ended, std::vector<std::string>{"records"});
}

TEST(OpenSessions, NobodyWithoutTheKeysCanEndOne) {
  World world;
  Listener listener(world);
  EXPECT_EQ(listener.status("api/none"), wire::Status::unknown_path);
  const Bytes sent = listener.last_record;
  Bytes changed = sent;
  changed.back() ^= 1;
  const HttpResponse replayed = send(world, post("/", kTypeRecord, sent));
  const HttpResponse forged = send(world, post("/", kTypeRecord, changed));
  EXPECT_EQ(replayed.status, 400U);
  EXPECT_EQ(text_of(replayed.body), "record-refused");
  EXPECT_EQ(forged.status, replayed.status);
  EXPECT_EQ(forged.body, replayed.body);
  EXPECT_EQ(listener.status("api/none"), wire::Status::unknown_path);
}

// That a reload ends those that are no longer trusted: server_test.cpp.
TEST(OpenSessions, AreEndedWhereTheCallerSaysSoAndNowhereElse) {
  World world;
  Listener first(world);
  Listener second(world);
  const Id128 wanted = first.session->id();
  world.sessions.end_where([&](const LiveSession& session) { return session.channel().id() == wanted; }, "revoked");
  EXPECT_EQ(world.ended, std::vector<std::string>{"revoked"});
  auto sealed = must(first.session->seal_request("api/none", {}, {}));
  EXPECT_EQ(send(world, post("/", kTypeRecord, std::move(sealed.record))).status, 404U);
  EXPECT_EQ(second.status("api/none"), wire::Status::unknown_path);
}

}  // namespace
}  // namespace usher::net::test
