// Lies about a peer's identity, in signatures and in Finished.  Spec: channel.md §4.2, §4.3, §5.
#include <gtest/gtest.h>

#include "attacks/channel/judged.h"

namespace usher::channel::test {
namespace {

// --- a peer's identity

TEST(ServerIdentity, OfAnotherServerOfTheSameRootIsRefused) {
  World world = World::copy();
  world.set_server(party(world.authority, pki::Role::server, crypto::NewKey::p256, "other.test"));
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::wrong_name);
}

TEST(ServerIdentity, PinnedKeyTakesThePlaceOfTheName) {
  World world = World::copy();
  world.set_server(party(world.authority, pki::Role::server, crypto::NewKey::p256, "other.test"));
  world.client_settings->name = pki::ServerName::pinned(world.server_settings->chain.front().key_fingerprint());
  EXPECT_TRUE(connect(world).client != nullptr);
  world.client_settings->name = pki::ServerName::pinned(world.server.chain.front().key_fingerprint());
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::wrong_name);
}

TEST(ServerIdentity, CertificateWithoutItsKeyIsRefused) {
  const World world = World::copy();
  PuppetServer server(world);
  server.signer = party(world.authority, pki::Role::server).key;
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
  world.set_server(party(Authority::root("elsewhere"), pki::Role::server));
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::untrusted);
}

TEST(ServerIdentity, ThatWasRevokedIsRefused) {
  World world = World::copy();
  world.client_settings->servers =
      usher::test::trust(pki::Role::server, world.authority, {world.authority.crl(2, {world.server.chain.front()})});
  Handshake all(world);
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_hello(), kNow)), Fault::revoked);
}

TEST(ServerIdentity, TrustStoreOfAnotherRoleNeverMakesAProof) {
  World world = World::copy();
  world.client_settings->servers = world.trust(pki::Role::client);
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
  world.set_client(party(Authority::root("elsewhere"), pki::Role::client));
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
  auto expired = world.authority.leaf(
      {.role = pki::Role::client, .validity = {kNow - 9 * usher::test::kDay, kNow - usher::test::kDay}});
  world.set_client({std::make_shared<const crypto::PrivateKey>(std::move(expired.key)), {expired.certificate}});
  Handshake late(world);
  EXPECT_EQ(fault_of(late.server.on_messages(late.keys(), kNow)), Fault::certificate_expired);
}

TEST(ClientIdentity, CertificateWithoutItsKeyIsRefused) {
  const World world = World::copy();
  PuppetClient client(world);
  client.signer = party(world.authority, pki::Role::client).key;
  EXPECT_EQ(fault_of(judged_by_server(world, client)), Fault::bad_signature);
}

TEST(ClientIdentity, SomebodyElsesCertificateIsRefused) {
  const World world = World::copy();
  PuppetClient client(world);
  client.certificates = der_of(party(world.authority, pki::Role::client).chain);
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
  for (const std::uint16_t scheme :
       {std::uint16_t{0x0804}, std::uint16_t{0x0401}, std::uint16_t{0}, std::uint16_t{0x0503}}) {
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
  const Party rsa = party(world.authority, pki::Role::client, crypto::NewKey::rsa2048);
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
    if (change == 0) {
      finished.back() ^= 1;
      expected = wire::Status::bad_finished;
    }
    if (change == 1) finished.push_back(0);
    if (change == 2) {
      finished.pop_back();
      finished[3] = static_cast<std::uint8_t>(finished[3] - 1);
    }
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
    if (change == 0) {
      finished.back() ^= 1;
      expected = Fault::bad_finished;
    }
    if (change == 1) finished.push_back(0);
    if (change == 2) finished.clear();
    if (change == 3) {
      finished.clear();
      status = wire::Status::bad_finished;
      expected = Fault::bad_finished;
    }
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
