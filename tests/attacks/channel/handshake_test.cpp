// Lies and changes in the handshake.  Spec: channel.md §3.2, §4.
#include <gtest/gtest.h>

#include "attacks/channel/puppet.h"
#include "base/encoding.h"

namespace usher::channel::test {
namespace {

using crypto::Group;

/// Runs the puppet server against a real client up to the client's judgement of ServerHello.
Result<Bytes> judged_by_client(const World& world, PuppetServer& server) {
  ClientHandshake client(world.client_settings, usher::test::randomness());
  const Bytes answer = server.answer(must(client.start()));
  auto result = client.on_messages(answer, kNow);
  EXPECT_EQ(result.has_value(), !client.closed());
  return result;
}

/// Runs the puppet client against a real server up to the server's judgement of ClientKeys.
Result<Bytes> judged_by_server(const World& world, PuppetClient& client) {
  ServerHandshake server(world.server_settings, usher::test::randomness());
  const Bytes keys = client.keys(must(server.on_messages(client.start(), kNow)));
  auto result = server.on_messages(keys, kNow);
  EXPECT_EQ(result.has_value(), !server.closed());
  return result;
}

TEST(Puppets, ThatBehaveAreAccepted) {
  const World world = World::copy();
  PuppetServer server(world);
  EXPECT_TRUE(judged_by_client(world, server).has_value());
  PuppetClient client(world);
  EXPECT_TRUE(judged_by_server(world, client).has_value());
}

// --- somebody in the middle changes the offer or the choice

using EditOffer = void (*)(wire::ClientHello&);
class ChangedOffer : public testing::TestWithParam<EditOffer> {};
INSTANTIATE_TEST_SUITE_P(
    Edits, ChangedOffer,
    testing::Values([](wire::ClientHello& hello) { hello.suites = {0x0007}; },
                    [](wire::ClientHello& hello) { hello.suites.pop_back(); },
                    [](wire::ClientHello& hello) { hello.suites.push_back(0x7777); },
                    [](wire::ClientHello& hello) { std::swap(hello.suites[0], hello.suites[1]); },
                    [](wire::ClientHello& hello) { hello.groups.erase(hello.groups.begin() + 1); },
                    [](wire::ClientHello& hello) { hello.client_random[0] ^= 1; },
                    [](wire::ClientHello& hello) { hello.extensions = {{1, {7}}}; }));

TEST_P(ChangedOffer, IsFoundByTheClientThroughTheServersSignature) {
  const World world = World::copy();
  Handshake all(world);
  const Bytes sent = all.hello();
  View in = sent;
  auto hello = must(wire::ClientHello::decode(must(wire::take_message(in)).body));
  GetParam()(hello);
  const Bytes answer = must(all.server.on_messages(hello.encode(), kNow));
  EXPECT_EQ(fault_of(all.client.on_messages(answer, kNow)), Fault::bad_signature);
  EXPECT_TRUE(all.client.closed());
}

using EditChoice = void (*)(wire::ServerHello&);
struct ChoiceCase {
  EditChoice edit;
  Fault fault;
};
class ChangedChoice : public testing::TestWithParam<ChoiceCase> {};
INSTANTIATE_TEST_SUITE_P(
    Edits, ChangedChoice,
    testing::Values(
        // Within what was offered: the signature tells. Outside of it: refused before.
        ChoiceCase{[](wire::ServerHello& hello) { hello.suite = 0x0102; }, Fault::bad_signature},
        ChoiceCase{[](wire::ServerHello& hello) { hello.session[0] ^= 1; }, Fault::bad_signature},
        ChoiceCase{[](wire::ServerHello& hello) { hello.server_random[27] ^= 1; }, Fault::bad_signature},
        ChoiceCase{[](wire::ServerHello& hello) { hello.share[0] ^= 1; }, Fault::bad_signature},
        ChoiceCase{[](wire::ServerHello& hello) { hello.certificates.pop_back(); }, Fault::bad_signature},
        ChoiceCase{[](wire::ServerHello& hello) { hello.suite = 0x0007; }, Fault::bad_group},
        ChoiceCase{[](wire::ServerHello& hello) { hello.suite = 0x7777; }, Fault::no_common_suite},
        ChoiceCase{[](wire::ServerHello& hello) { hello.group = 0x0100; }, Fault::bad_group},
        ChoiceCase{[](wire::ServerHello& hello) { hello.group = 0x0017; }, Fault::bad_group},
        ChoiceCase{[](wire::ServerHello& hello) { hello.p = {1}; }, Fault::bad_group},
        ChoiceCase{[](wire::ServerHello& hello) { hello.g = {2}; }, Fault::bad_group},
        ChoiceCase{[](wire::ServerHello& hello) { hello.extensions = {{2, {}}}; }, Fault::unsupported},
        ChoiceCase{[](wire::ServerHello& hello) { hello.certificates = {{0x30, 0x00}}; }, Fault::bad_certificate}));

TEST_P(ChangedChoice, IsRefusedByTheClient) {
  Handshake all(World::copy());
  View in = all.server_hello();
  const Bytes whole = all.server_answer;
  in = whole;
  auto hello = must(wire::ServerHello::decode(must(wire::take_message(in)).body));
  GetParam().edit(hello);
  EXPECT_EQ(fault_of(all.client.on_messages(concat({hello.encode(), in}), kNow)), GetParam().fault);
  EXPECT_TRUE(all.client.closed());
}

TEST(Downgrade, ToASuiteOrGroupThatTheClientDidNotOfferIsRefusedThoughItIsSigned) {
  World world = World::copy();
  world.client_settings->suites = {suite_of(0x0101), suite_of(0x0001)};
  world.client_settings->groups = {Group::x25519, Group::ffdhe3072};
  PuppetServer weaker(world);
  weaker.suite = 0x0102;
  EXPECT_EQ(fault_of(judged_by_client(world, weaker)), Fault::no_common_suite);
  PuppetServer smaller(world);
  smaller.suite = 0x0001;
  smaller.group = 0x0100;
  EXPECT_EQ(fault_of(judged_by_client(world, smaller)), Fault::bad_group);
  PuppetServer unfitting(world);
  unfitting.suite = 0x0001;
  EXPECT_EQ(fault_of(judged_by_client(world, unfitting)), Fault::bad_group);
}

TEST(Downgrade, OfTheVersionIsRefused) {
  Handshake all(World::copy());
  Bytes hello = all.hello();
  hello[5] = 0;
  EXPECT_EQ(fault_of(all.server.on_messages(hello, kNow)), Fault::unsupported);
  Handshake other(World::copy());
  Bytes answer = other.server_hello();
  answer[5] = 0;
  EXPECT_EQ(fault_of(other.client.on_messages(answer, kNow)), Fault::unsupported);
}

TEST(Downgrade, ByAnyChangedBitOfPOrGIsRefused) {
  const World world = World::with(*suite_of(0x0001));
  for (std::size_t bit = 0; bit < 2048 + 8; bit += bit < 2040 ? 61 : 1) {
    PuppetServer server(world);
    server.suite = 0x0001;
    server.group = 0x0100;
    server.edit = [bit](wire::ServerHello& hello) {
      Bytes& changed = bit < 2048 ? hello.p : hello.g;
      changed[(bit % 2048) / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    };
    EXPECT_EQ(fault_of(judged_by_client(world, server)), Fault::bad_group) << bit;
  }
}

TEST(ServerAnswer, WithAnyByteChangedIsRefused) {
  const World world = World::copy();
  Handshake whole(world);
  const std::size_t size = whole.server_hello().size();
  for (std::size_t at = 0; at < size; at += 3) {
    Handshake all(world);
    Bytes answer = all.server_hello();
    if (at >= answer.size()) continue;  // an ECDSA signature may be a byte or two shorter
    answer[at] ^= 0x04;
    EXPECT_FALSE(all.client.on_messages(answer, kNow).has_value()) << at;
    EXPECT_TRUE(all.client.closed());
  }
}

TEST(ClientKeysBody, WithAnyByteChangedIsRefused) {
  const World world = World::copy();
  Handshake whole(world);
  const std::size_t size = whole.keys().size();
  for (std::size_t at = 0; at < size; at += 5) {
    Handshake all(world);
    Bytes keys = all.keys();
    keys[at % keys.size()] ^= 0x04;
    EXPECT_FALSE(all.server.on_messages(keys, kNow).has_value()) << at;
    EXPECT_TRUE(all.server.closed());
  }
}

TEST(KeysAccepted, WithABodyOrMoreBehindItIsMalformed) {
  for (const Bytes& body : {Bytes{7, 0, 0, 1, 0}, Bytes{7, 0, 0, 0, 7, 0, 0, 0}}) {
    Handshake all(World::copy());
    (void)all.accepted();
    EXPECT_EQ(fault_of(all.client.on_messages(body, kNow)), Fault::malformed);
  }
}

TEST(Bodies, AboveTheirLimitsAreTooLong) {
  Handshake all(World::copy());
  EXPECT_EQ(fault_of(all.server.on_messages(wire::message_of(wire::MessageType::client_hello, Bytes(4'100)), kNow)),
            Fault::too_long);
  Handshake keys(World::copy());
  (void)keys.keys();
  EXPECT_EQ(fault_of(keys.server.on_messages(concat({keys.client_keys, Bytes(24'576)}), kNow)), Fault::too_long);
  Handshake hello(World::copy());
  (void)hello.server_hello();
  EXPECT_EQ(fault_of(hello.client.on_messages(Bytes(24'577, 2), kNow)), Fault::too_long);
}

// --- key shares

struct Share {
  std::string name;
  Bytes value;
};

std::vector<Share> bad_shares(Group group) {
  if (group == Group::x25519) {
    Bytes order8 = must(from_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"));
    return {{"zero", Bytes(32, 0)}, {"one", [] { Bytes one(32); one[0] = 1; return one; }()}, {"order 8", order8},
            {"short", Bytes(31, 9)}, {"long", Bytes(33, 9)}, {"empty", {}}};
  }
  const Bytes p = crypto::parameters_of(group).p;
  const auto plus = [&](int change) {
    Bytes value = p;
    value.back() = static_cast<std::uint8_t>(value.back() + change);
    return value;
  };
  Bytes one(p.size());
  one.back() = 1;
  return {{"0", Bytes(p.size())}, {"1", one}, {"p-1", plus(-1)}, {"p", p}, {"all ones", Bytes(p.size(), 0xff)},
          {"short", Bytes(p.size() - 1, 9)}, {"long", Bytes(p.size() + 1, 0)}, {"empty", {}}};
}

TEST(KeyShares, OfTheServerThatAreOutOfRangeAreRefused) {
  for (const auto& [number, group] : {std::pair{0x0101, Group::x25519}, std::pair{0x0001, Group::ffdhe2048}}) {
    World world = World::with(*suite_of(static_cast<std::uint16_t>(number)));
    world.client_settings->groups = {group};
    for (const Share& share : bad_shares(group)) {
      PuppetServer server(world);
      server.suite = static_cast<std::uint16_t>(number);
      server.group = static_cast<std::uint16_t>(group);
      server.edit = [&](wire::ServerHello& hello) { hello.share = share.value; };
      EXPECT_EQ(fault_of(judged_by_client(world, server)), Fault::bad_key_share) << share.name;
    }
  }
}

TEST(KeyShares, OfTheClientThatAreOutOfRangeAreRefused) {
  for (const auto& [number, group] : {std::pair{0x0101, Group::x25519}, std::pair{0x0001, Group::ffdhe2048}}) {
    World world = World::with(*suite_of(static_cast<std::uint16_t>(number)));
    world.client_settings->groups = {group};
    for (const Share& share : bad_shares(group)) {
      PuppetClient client(world);
      client.share = share.value;
      EXPECT_EQ(fault_of(judged_by_server(world, client)), Fault::bad_key_share) << share.name;
    }
  }
}

// --- who somebody is

TEST(ServerIdentity, OfAnotherServerOfTheSameRootIsRefused) {
  World world = World::copy();
  world.set_server(party(world.authority, identity::Role::server, crypto::NewKey::p256, "other.test"));
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::wrong_name);
}

TEST(ServerIdentity, PinnedKeyTakesThePlaceOfTheName) {
  World world = World::copy();
  world.set_server(party(world.authority, identity::Role::server, crypto::NewKey::p256, "other.test"));
  world.client_settings->name = identity::ServerName::pinned(world.server_settings->chain.front().key_fingerprint());
  EXPECT_TRUE(connect(world).client != nullptr);
  world.client_settings->name = identity::ServerName::pinned(world.server.chain.front().key_fingerprint());
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::wrong_name);
}

TEST(ServerIdentity, CertificateWithoutItsKeyIsRefused) {
  const World world = World::copy();
  PuppetServer server(world);
  server.signer = party(world.authority, identity::Role::server).key;
  EXPECT_EQ(fault_of(judged_by_client(world, server)), Fault::bad_signature);
}

TEST(ServerIdentity, ClientsCertificateIsRefused) {
  World world = World::copy();
  world.set_server(world.client);
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::wrong_role);
}

TEST(ServerIdentity, OfAnotherRootIsRefused) {
  World world = World::copy();
  world.set_server(party(Authority::root("elsewhere"), identity::Role::server));
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::untrusted);
}

TEST(ServerIdentity, ThatWasRevokedIsRefused) {
  World world = World::copy();
  world.client_settings->servers = usher::test::trust(identity::Role::server, world.authority,
                                                      {world.authority.crl(2, {world.server.chain.front()})});
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::revoked);
}

TEST(ServerIdentity, TrustStoreOfAnotherRoleNeverMakesAProof) {
  World world = World::copy();
  world.client_settings->servers = world.trust(identity::Role::client);
  world.set_server(world.client);
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::wrong_role);
}

TEST(ClientIdentity, ServersCertificateIsRefused) {
  World world = World::copy();
  world.set_client(world.server);
  Handshake all(world);
  EXPECT_EQ(fault_of(all.server.on_messages(all.keys(), kNow)), Fault::wrong_role);
}

TEST(ClientIdentity, OfAnotherRootIsRefused) {
  World world = World::copy();
  world.set_client(party(Authority::root("elsewhere"), identity::Role::client));
  Handshake all(world);
  EXPECT_EQ(fault_of(all.server.on_messages(all.keys(), kNow)), Fault::untrusted);
}

TEST(ClientIdentity, ThatHasExpiredIsRefused) {
  Handshake all(World::copy());
  const Bytes hello = all.hello();
  const Time later = kNow + 9 * usher::test::kDay;
  const Bytes answer = must(all.server.on_messages(hello, later));
  const Bytes keys = must(all.client.on_messages(answer, kNow));
  EXPECT_TRUE(all.server.on_messages(keys, later).has_value());

  World world = World::copy();
  auto expired = world.authority.leaf({.role = identity::Role::client,
                                       .validity = {kNow - 9 * usher::test::kDay, kNow - usher::test::kDay}});
  world.set_client({std::make_shared<const crypto::PrivateKey>(std::move(expired.key)), {expired.certificate}});
  Handshake late(world);
  EXPECT_EQ(fault_of(late.server.on_messages(late.keys(), kNow)), Fault::certificate_expired);
}

TEST(ClientIdentity, CertificateWithoutItsKeyIsRefused) {
  const World world = World::copy();
  PuppetClient client(world);
  client.signer = party(world.authority, identity::Role::client).key;
  EXPECT_EQ(fault_of(judged_by_server(world, client)), Fault::bad_signature);
}

TEST(ClientIdentity, SomebodyElsesCertificateIsRefused) {
  const World world = World::copy();
  PuppetClient client(world);
  client.certificates = der_of(party(world.authority, identity::Role::client).chain);
  EXPECT_EQ(fault_of(judged_by_server(world, client)), Fault::bad_signature);
}

TEST(ClientIdentity, ThatIsNoCertificateIsRefused) {
  const World world = World::copy();
  PuppetClient client(world);
  client.certificates = {{0x30, 0x03, 0x02, 0x01, 0x01}};
  EXPECT_EQ(fault_of(judged_by_server(world, client)), Fault::bad_certificate);
}

TEST(Signatures, WithTheOtherSidesContextAreRefused) {
  const World world = World::copy();
  PuppetServer server(world);
  server.context = Side::client;
  EXPECT_EQ(fault_of(judged_by_client(world, server)), Fault::bad_signature);
  PuppetClient client(world);
  client.context = Side::server;
  EXPECT_EQ(fault_of(judged_by_server(world, client)), Fault::bad_signature);
}

TEST(Signatures, OfAnotherSchemeAreRefused) {
  for (const std::uint16_t scheme : {std::uint16_t{0x0804}, std::uint16_t{0x0401}, std::uint16_t{0}, std::uint16_t{0x0503}}) {
    const World world = World::copy();
    PuppetServer server(world);
    server.scheme = scheme;
    EXPECT_EQ(fault_of(judged_by_client(world, server)), Fault::bad_signature) << scheme;
    PuppetClient client(world);
    client.scheme = scheme;
    EXPECT_EQ(fault_of(judged_by_server(world, client)), Fault::bad_signature) << scheme;
  }
}

TEST(Signatures, OfRsaClaimingAnotherSchemeAreRefused) {
  World world = World::copy();
  const Party rsa = party(world.authority, identity::Role::client, crypto::NewKey::rsa2048);
  for (const std::uint16_t scheme : {std::uint16_t{0x0403}, std::uint16_t{0x0401}}) {
    PuppetClient client(world);
    client.certificates = der_of(rsa.chain);
    client.signer = rsa.key;
    client.scheme = scheme;
    EXPECT_EQ(fault_of(judged_by_server(world, client)), Fault::bad_signature);
  }
  PuppetClient right(world);
  right.certificates = der_of(rsa.chain);
  right.signer = rsa.key;
  EXPECT_TRUE(judged_by_server(world, right).has_value());
}

TEST(ClientKeysBody, OfAnotherSessionIsUnknown) {
  const World world = World::copy();
  Handshake one(world);
  Handshake two(world);
  const Bytes keys = one.keys();
  (void)two.keys();
  EXPECT_EQ(fault_of(two.server.on_messages(keys, kNow)), Fault::unknown_session);
}

TEST(ClientKeysBody, ASecondOneChangesNothing) {
  Handshake all(World::copy());
  const Bytes finished = all.finished();
  EXPECT_EQ(fault_of(all.server.on_messages(all.client_keys, kNow)), Fault::unexpected_message);
  EXPECT_TRUE(must(all.server.on_record(finished, kNow)).session != nullptr);
}

TEST(ClientKeysBody, ThatWasRefusedLeavesNoSecondChance) {
  Handshake all(World::copy());
  const Bytes keys = all.keys();
  Bytes changed = keys;
  changed.back() ^= 1;
  EXPECT_EQ(fault_of(all.server.on_messages(changed, kNow)), Fault::record_refused);
  EXPECT_EQ(fault_of(all.server.on_messages(keys, kNow)), Fault::unexpected_message);
}

// --- Finished

TEST(ClientFinished, ThatDoesNotHoldEndsTheSession) {
  for (const int change : {0, 1, 2, 3}) {
    const World world = World::copy();
    ServerHandshake server(world.server_settings, usher::test::randomness());
    PuppetClient client(world);
    client.accept(must(server.on_messages(client.keys(must(server.on_messages(client.start(), kNow))), kNow)));
    Bytes finished = client.finished();
    auto expected = wire::Status::malformed;
    std::vector<wire::Parameter> parameters;
    if (change == 0) { finished.back() ^= 1; expected = wire::Status::bad_finished; }
    if (change == 1) finished.push_back(0);
    if (change == 2) { finished.pop_back(); finished[3] = static_cast<std::uint8_t>(finished[3] - 1); }
    if (change == 3) parameters = {{"operation", Bytes(16)}};
    const auto step = must(server.on_record(client.request(wire::kPathFinished, finished, parameters), kNow));
    EXPECT_TRUE(step.session == nullptr);
    EXPECT_TRUE(server.closed());
    EXPECT_EQ(client.status_of(step.answer), expected) << change;
  }
}

TEST(ServerFinished, ThatDoesNotHoldGivesNoSession) {
  for (const int change : {0, 1, 2, 3, 4}) {
    const World world = World::copy();
    ClientHandshake client(world.client_settings, usher::test::randomness());
    PuppetServer server(world);
    const Bytes keys = must(client.on_messages(server.answer(must(client.start())), kNow));
    Bytes finished = server.finished(must(client.on_messages(server.accept(keys), kNow)));
    auto expected = Fault::malformed;
    auto status = wire::Status::ok;
    if (change == 0) { finished.back() ^= 1; expected = Fault::bad_finished; }
    if (change == 1) finished.push_back(0);
    if (change == 2) finished.clear();
    if (change == 3) { finished.clear(); status = wire::Status::bad_finished; expected = Fault::bad_finished; }
    if (change == 4) {  // our own Finished, back at us
      finished = wire::Finished{server.raw.finished("client finished", server.t6, server.transcript)}.encode(
          wire::MessageType::server_finished);
      expected = Fault::bad_finished;
    }
    EXPECT_EQ(fault_of(client.on_record(server.response(finished, status), kNow)), expected) << change;
    EXPECT_TRUE(client.closed());
  }
}

TEST(ServerFinished, InAResponseToAnotherRequestIsRefused) {
  const World world = World::copy();
  ClientHandshake client(world.client_settings, usher::test::randomness());
  PuppetServer server(world);
  const Bytes keys = must(client.on_messages(server.answer(must(client.start())), kNow));
  const Bytes finished = server.finished(must(client.on_messages(server.accept(keys), kNow)));
  EXPECT_EQ(fault_of(client.on_record(server.response(finished, wire::Status::ok, 1), kNow)), Fault::record_refused);
  EXPECT_FALSE(client.closed());
  EXPECT_TRUE(client.on_record(server.response(finished), kNow).has_value());
}

}  // namespace
}  // namespace usher::channel::test
