// Lies and changes in the handshake.  Spec: channel.md §3.2, §4.
#include <gtest/gtest.h>

#include "attacks/channel/judged.h"
#include "base/encoding.h"

namespace usher::channel::test {
namespace {

using crypto::Group;

TEST(Puppets, ThatBehaveAreAccepted) {
  const World world = World::copy();
  PuppetServer server(world);
  EXPECT_TRUE(judged_by_client(world, server).has_value());
  PuppetClient client(world);
  EXPECT_TRUE(judged_by_server(world, client).has_value());
}

// --- an attacker in the middle changes the offer or the choice

using EditOffer = void (*)(wire::ClientHello&);
class ChangedOffer : public testing::TestWithParam<EditOffer> {};
INSTANTIATE_TEST_SUITE_P(Edits, ChangedOffer,
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
        // A choice within the offer: the signature is wrong. A choice outside the offer: refused before.
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
    return {{"zero", Bytes(32, 0)},
            {"one",
             [] {
               Bytes one(32);
               one[0] = 1;
               return one;
             }()},
            {"order 8", order8},
            {"short", Bytes(31, 9)},
            {"long", Bytes(33, 9)},
            {"empty", {}}};
  }
  const Bytes p = crypto::parameters_of(group).p;
  const auto plus = [&](int change) {
    Bytes value = p;
    value.back() = static_cast<std::uint8_t>(value.back() + change);
    return value;
  };
  Bytes one(p.size());
  one.back() = 1;
  return {{"0", Bytes(p.size())},
          {"1", one},
          {"p-1", plus(-1)},
          {"p", p},
          {"all ones", Bytes(p.size(), 0xff)},
          {"short", Bytes(p.size() - 1, 9)},
          {"long", Bytes(p.size() + 1, 0)},
          {"empty", {}}};
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

}  // namespace
}  // namespace usher::channel::test
