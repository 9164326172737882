// The two machines with each other.  Spec: channel.md §1, §4, §5.
#include <gtest/gtest.h>

#include "unit/channel/world.h"
#include "wire/handshake.h"

namespace usher::channel::test {
namespace {

class EverySuite : public testing::TestWithParam<const Suite*> {};

INSTANTIATE_TEST_SUITE_P(Suites, EverySuite, testing::ValuesIn(default_suites()),
                         [](const auto& each) { return std::string(each.param->name); });

TEST_P(EverySuite, IsAgreedOnAndBothSidesKnowEachOther) {
  const World world = World::with(*GetParam());
  const Sessions open = connect(world);
  EXPECT_EQ(open.client->suite().number, GetParam()->number);
  EXPECT_EQ(open.server->suite().number, GetParam()->number);
  EXPECT_EQ(open.client->id(), open.server->id());
  EXPECT_EQ(open.client->peer().certificate(), world.server.chain.front());
  EXPECT_EQ(open.server->peer().certificate(), world.client.chain.front());
}

TEST_P(EverySuite, GivesBothSidesTheSameExportedValues) {
  const Sessions open = connect(World::with(*GetParam()));
  EXPECT_EQ(must(open.client->exporter("person")), must(open.server->exporter("person")));
  EXPECT_NE(must(open.client->exporter("person")), must(open.client->exporter("other")));
}

TEST_P(EverySuite, CarriesARequestAndItsResponse) {
  const Sessions open = connect(World::with(*GetParam()));
  const Bytes body(1000, 0x5a);
  const Bytes operation(16, 0x07);
  const auto sealed = must(open.client->seal_request("api/license", {{"operation", operation}}, body));
  const auto incoming = must(open.server->open_request(sealed.record));
  EXPECT_EQ(incoming.sequence, sealed.sequence);
  ASSERT_TRUE(incoming.request.has_value());
  EXPECT_EQ(incoming.request->path, "api/license");
  EXPECT_EQ(incoming.request->body, body);
  ASSERT_NE(incoming.request->parameter("operation"), nullptr);
  EXPECT_EQ(*incoming.request->parameter("operation"), operation);
  EXPECT_FALSE(incoming.chunk.has_value());

  Bytes answer;
  must(open.server->seal_response(answer, incoming.sequence, wire::Status::ok, body));
  const Response response = must(open.client->open_response(answer));
  EXPECT_TRUE(response.ok());
  EXPECT_EQ(response.request(), sealed.sequence);
  EXPECT_EQ(response.type(), wire::ResponseType::structure);
  EXPECT_EQ(to_bytes(response.body()), body);
}

TEST_P(EverySuite, CarriesAChunkUnderAKeyOfItsOwn) {
  const Sessions open = connect(World::with(*GetParam()));
  const wire::Chunk wanted{.play = {1}, .medium = {2}, .epoch = 3, .chunk = 4};
  const auto sealed = must(open.client->seal_request(wire::kPathDownload, {}, wanted.encode()));
  const auto incoming = must(open.server->open_request(sealed.record));
  ASSERT_TRUE(incoming.chunk.has_value());
  EXPECT_EQ(*incoming.chunk, (ChunkIds{{1}, {2}, 4}));

  const Bytes chunk(65'000, 0xc4);
  const std::vector<Hash256> proof(3, Hash256{0x11});
  Bytes answer;
  must(open.server->seal_chunk(answer, incoming.sequence, *incoming.chunk, 65'536, proof, chunk));
  const Response response = must(open.client->open_response(answer));
  EXPECT_EQ(response.type(), wire::ResponseType::chunk);
  const auto body = must(wire::ChunkBody::decode(response.body()));
  EXPECT_EQ(body.chunk, chunk);
  EXPECT_EQ(body.proof, proof);
}

TEST_P(EverySuite, MakesARefusedChunkAsLargeAsAGrantedOne) {
  const Sessions open = connect(World::with(*GetParam()));
  const Bytes body = wire::Chunk{.play = {1}, .medium = {2}, .epoch = 3, .chunk = 4}.encode();
  const auto first =
      must(open.server->open_request(must(open.client->seal_request(wire::kPathDownload, {}, body)).record));
  const auto second =
      must(open.server->open_request(must(open.client->seal_request(wire::kPathDownload, {}, body)).record));
  Bytes granted;
  Bytes refused;
  must(open.server->seal_chunk(granted, first.sequence, *first.chunk, 65'536, {}, Bytes(17)));
  must(open.server->seal_chunk_refusal(refused, second.sequence, *second.chunk, 65'536, wire::Status::budget_spent));
  EXPECT_EQ(granted.size(), refused.size());
  EXPECT_EQ(must(open.client->open_response(refused)).status(), wire::Status::budget_spent);
}

class EveryGroup : public testing::TestWithParam<crypto::Group> {};

INSTANTIATE_TEST_SUITE_P(Groups, EveryGroup, testing::ValuesIn(default_groups()),
                         [](const auto& each) { return std::string(crypto::name_of(each.param)); });

TEST_P(EveryGroup, IsAgreedOn) {
  World world = World::copy();
  world.client_settings->groups = {GetParam()};
  const Sessions open = connect(world);
  EXPECT_TRUE(fits(open.client->suite(), GetParam()));
  EXPECT_EQ(must(open.client->exporter("person")), must(open.server->exporter("person")));
}

TEST(Handshake, WorksWithRsaKeysOnBothSides) {
  World world = World::copy();
  const Party server = party(world.authority, pki::Role::server, crypto::NewKey::rsa2048);
  const Party client = party(world.authority, pki::Role::client, crypto::NewKey::rsa2048);
  world.set_server(server);
  world.set_client(client);
  const Sessions open = connect(world);
  EXPECT_EQ(open.server->peer().certificate(), client.chain.front());
}

TEST(Handshake, TakesTheServersFirstSuiteThatTheClientOffers) {
  World world = World::copy();
  world.server_settings->suites = {suite_of(0x0007), suite_of(0x0102), suite_of(0x0101)};
  world.client_settings->suites = {suite_of(0x0101), suite_of(0x0102)};
  EXPECT_EQ(connect(world).client->suite().number, 0x0102);
}

TEST(Handshake, WithoutACommonSuiteIsRefused) {
  World world = World::copy();
  world.server_settings->suites = {suite_of(0x0007)};
  world.client_settings->suites = {suite_of(0x0101)};
  Handshake both(world);
  EXPECT_EQ(fault_of(both.server.on_messages(both.hello(), kNow)), Fault::no_common_suite);
  EXPECT_TRUE(both.server.closed());
}

TEST(Handshake, WithoutACommonGroupIsRefused) {
  World world = World::copy();
  world.server_settings->groups = {crypto::Group::ffdhe2048};
  world.client_settings->groups = {crypto::Group::ffdhe3072, crypto::Group::x25519};
  Handshake both(world);
  EXPECT_EQ(fault_of(both.server.on_messages(both.hello(), kNow)), Fault::no_common_group);
}

TEST(Handshake, UnknownSuitesAndGroupsAndExtensionsOfTheClientAreIgnored) {
  const World world = World::copy();
  ServerHandshake server(world.server_settings, usher::test::randomness());
  const wire::ClientHello hello{.client_random = {},
                                .suites = {0x7777, 0x0102},
                                .groups = {0x0017, 0x001d},
                                .extensions = {{1, {}}, {0x4242, {1, 2, 3}}}};
  must(server.on_messages(hello.encode(), kNow));
  EXPECT_EQ(server.suite()->number, 0x0102);
}

TEST(Handshake, GoesOnWithTheSecondHelloAfterARetry) {
  Handshake all(World::copy());
  const Bytes first = all.hello();
  all.client_hello = must(all.client.on_messages(wire::Retry{.cookie = {1, 2, 3}}.encode(), kNow));
  EXPECT_TRUE(all.client.awaits_hello());
  View before(first);
  View after(all.client_hello);
  auto expected = must(wire::ClientHello::decode(must(wire::take_message(before)).body));
  expected.extensions = {{.type = wire::kExtensionCookie, .data = {1, 2, 3}}};
  EXPECT_EQ(must(wire::ClientHello::decode(must(wire::take_message(after)).body)), expected);
  const Bytes answer = must(all.server.on_messages(all.client_hello, kNow));
  const Bytes accepted = must(all.server.on_messages(must(all.client.on_messages(answer, kNow)), kNow));
  EXPECT_FALSE(all.client.awaits_hello());
  const FinishStep last = must(all.server.on_record(must(all.client.on_messages(accepted, kNow)), kNow));
  ASSERT_TRUE(last.session);
  EXPECT_TRUE(all.client.on_record(last.answer, kNow));
}

TEST(Handshake, ASecondRetryIsRefused) {
  Handshake all(World::copy());
  static_cast<void>(all.hello());
  static_cast<void>(must(all.client.on_messages(wire::Retry{.cookie = {1}}.encode(), kNow)));
  const auto second = all.client.on_messages(wire::Retry{.cookie = {2}}.encode(), kNow);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().fault, Fault::server_busy);
  EXPECT_TRUE(all.client.closed());
}

TEST(Handshake, EndsTenSecondsAfterClientHello) {
  const World world = World::copy();
  Handshake late(world);
  const Bytes keys = late.keys();
  EXPECT_EQ(late.server.deadline(), kNow + Seconds{10});
  EXPECT_EQ(fault_of(late.server.on_messages(keys, kNow + Seconds{10})), Fault::unknown_session);
  EXPECT_TRUE(late.server.closed());

  Handshake later(world);
  const Bytes finished = later.finished();
  EXPECT_EQ(fault_of(later.server.on_record(finished, kNow + Seconds{10})), Fault::unknown_session);
  EXPECT_TRUE(later.server.closed());
}

TEST(Handshake, SessionNumbersAndRandomsAreFresh) {
  const World world = World::copy();
  const Sessions one = connect(world);
  const Sessions two = connect(world);
  EXPECT_NE(one.client->id(), two.client->id());
  EXPECT_NE(must(one.client->exporter("person")), must(two.client->exporter("person")));
}

TEST(Handshake, ClientIsServedOverAnEmptyBody) {
  const Sessions open = connect(World::copy());
  const auto incoming = must(open.server->open_request(must(open.client->seal_request("api/plays", {}, {})).record));
  Bytes answer;
  must(open.server->seal_response(answer, incoming.sequence, wire::Status::not_authenticated));
  const Response response = must(open.client->open_response(answer));
  EXPECT_EQ(response.status(), wire::Status::not_authenticated);
  EXPECT_TRUE(response.body().empty());
}

}  // namespace
}  // namespace usher::channel::test
