// How many sessions there are, and when they end: channel.md §4.3, §6.2, §6.3, with a clock that the test moves.
#include <gtest/gtest.h>

#include "unit/server/service_world.h"
#include "wire/handshake.h"

namespace usher::server::test {
namespace {

Bytes hello() {
  channel::ClientHandshake machine(channel_world().client_settings, randomness());
  return must(machine.start());
}
HttpResponse say_hello(World& world) { return send(world, post("/api/protocols", kTypeHandshake, hello())); }

wire::MessageType type_of(const HttpResponse& response) {
  View body(response.body);
  return must(wire::take_message(body)).type;
}
HttpResponse say(World& world, const Bytes& hello, const std::string& network) {
  HttpRequest request = post("/api/protocols", kTypeHandshake, hello);
  request.network = network;
  return send(world, std::move(request));
}
/// A client that retries if the server requires it: returns the answer to its last ClientHello.
HttpResponse say_hello_from(World& world, const std::string& network) {
  channel::ClientHandshake machine(channel_world().client_settings, randomness());
  const HttpResponse first = say(world, must(machine.start()), network);
  if (first.status != 200 || type_of(first) != wire::MessageType::retry) return first;
  return say(world, must(machine.on_messages(first.body, world.clock.now())), network);
}

TEST(HalfOpenSessions, AreLimitedInNumber) {
  World world({.half_open = 2});
  EXPECT_EQ(say_hello_from(world, "a").status, 200U);
  EXPECT_EQ(say_hello_from(world, "b").status, 200U);
  const HttpResponse refused = say_hello_from(world, "c");
  EXPECT_EQ(refused.status, 503U);
  EXPECT_EQ(text_of(refused.body), "server-busy");
  EXPECT_GT(refused.retry_after, 0U);
}

TEST(Retry, IsAskedOfANetworkThatHasItsShareAndTakesNoPlace) {
  World world({.half_open = 8});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(type_of(say(world, hello(), "a")), wire::MessageType::server_hello);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(type_of(say(world, hello(), "a")), wire::MessageType::retry);
  EXPECT_EQ(world.sessions.half_open(), 2U);
  EXPECT_EQ(type_of(say(world, hello(), "b")), wire::MessageType::server_hello) << "another network has its own share";
}

TEST(Retry, CookieGivesAPlaceAsLongAsThereIsRoom) {
  World world({.half_open = 8});
  for (int i = 0; i < 8; ++i) {
    const HttpResponse answer = say_hello_from(world, "a");
    ASSERT_EQ(answer.status, 200U);
    EXPECT_EQ(type_of(answer), wire::MessageType::server_hello);
  }
  EXPECT_EQ(say_hello_from(world, "a").status, 503U) << "there is no place, and no other network has more of them";
}

TEST(Retry, CookieHoldsForTheSameHelloFromTheSameNetworkForTenSecondsAtLeast) {
  World world({.half_open = 8});
  for (int i = 0; i < 2; ++i) static_cast<void>(say(world, hello(), "a"));
  for (int i = 0; i < 2; ++i) static_cast<void>(say(world, hello(), "b"));
  channel::ClientHandshake machine(channel_world().client_settings, randomness());
  const HttpResponse retry = say(world, must(machine.start()), "a");
  const Bytes second = must(machine.on_messages(retry.body, kNow));
  EXPECT_EQ(type_of(say(world, second, "b")), wire::MessageType::retry) << "from elsewhere";

  View body(second);
  auto other = must(wire::ClientHello::decode(must(wire::take_message(body)).body));
  other.client_random[0] ^= 1;
  EXPECT_EQ(type_of(say(world, other.encode(), "a")), wire::MessageType::retry) << "another hello";
  other.client_random[0] ^= 1;
  other.extensions.push_back({.type = 9, .data = {}});
  EXPECT_EQ(type_of(say(world, other.encode(), "a")), wire::MessageType::retry) << "with something added";
  other.extensions.pop_back();
  other.extensions[0].data[0] ^= 1;
  EXPECT_EQ(type_of(say(world, other.encode(), "a")), wire::MessageType::retry) << "another cookie";
  other.extensions[0].data = {1};
  EXPECT_EQ(type_of(say(world, other.encode(), "a")), wire::MessageType::retry) << "a short one";

  world.clock.advance(Milliseconds(9'999));  // half-open sessions are still there
  EXPECT_EQ(type_of(say(world, second, "a")), wire::MessageType::server_hello);
}

TEST(Retry, CookieIsTooOldAfterTwentySeconds) {
  World world({.half_open = 4});
  static_cast<void>(say(world, hello(), "a"));
  channel::ClientHandshake machine(channel_world().client_settings, randomness());
  const HttpResponse retry = say(world, must(machine.start()), "a");
  const Bytes second = must(machine.on_messages(retry.body, kNow));
  world.clock.advance(Milliseconds(20'000));
  world.sessions.sweep(world.clock.now());
  static_cast<void>(say(world, hello(), "a"));
  EXPECT_EQ(type_of(say(world, second, "a")), wire::MessageType::retry);
}

TEST(HalfOpenSessions, OneNetworkThatTakesAllPlacesLosesThemToOthers) {
  World world({.half_open = 8});
  for (int i = 0; i < 8; ++i) EXPECT_EQ(say_hello_from(world, "greedy").status, 200U);
  for (const char* const network : {"b", "c", "b", "d"}) {
    EXPECT_EQ(type_of(say_hello_from(world, network)), wire::MessageType::server_hello) << network;
  }
  EXPECT_EQ(world.sessions.half_open(), 8U);
  EXPECT_EQ(say_hello_from(world, "greedy").status, 503U) << "it still has most";
}

TEST(HalfOpenSessions, FortyListenersOfOneNetworkBeginAtOnceAndAllGetTheirSessions) {
  World world({.half_open = 64});
  struct Reviewer {
    channel::ClientHandshake machine{channel_world().client_settings, randomness()};
    HttpResponse answer;
  };
  std::vector<Reviewer> reviewers(40);
  for (Reviewer& one : reviewers) one.answer = say(world, must(one.machine.start()), "office");
  for (Reviewer& one : reviewers) {
    if (type_of(one.answer) != wire::MessageType::retry) continue;
    one.answer = say(world, must(one.machine.on_messages(one.answer.body, kNow)), "office");
  }
  for (Reviewer& one : reviewers) {
    const Bytes accepted =
        exchanged(world, "/api/keys", kTypeHandshake, must(one.machine.on_messages(one.answer.body, kNow)));
    const Bytes last = exchanged(world, "/", kTypeRecord, must(one.machine.on_messages(accepted, kNow)));
    EXPECT_TRUE(one.machine.on_record(last, kNow));
  }
  EXPECT_EQ(world.sessions.open_sessions(), 40U);
  EXPECT_EQ(world.sessions.half_open(), 0U);
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
  auto old = channel_world().authority.leaf({.role = pki::Role::client, .validity = usher::test::around(kNow, 10, -1)});
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
}  // namespace usher::server::test
