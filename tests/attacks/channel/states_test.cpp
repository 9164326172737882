// Every handshake message in every state of both machines.  Spec: channel.md §1, §4.3, §6.3.
#include <gtest/gtest.h>

#include "attacks/channel/puppet.h"

namespace usher::channel::test {
namespace {

constexpr std::array kTypes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

/// One of each type, from a handshake that is going well: a replay in the wrong place is the best forgery there is.
Bytes body_of(int type, const Handshake& all) {
  View answer = all.server_answer;
  switch (type) {
    case 1:
      return all.client_hello;
    case 2:
      return all.server_answer;  // ServerHello ‖ ServerProof
    case 3: {
      if (!answer.empty()) (void)must(wire::take_message(answer));
      return answer.empty() ? wire::Proof{0x0403, {1}}.encode(wire::MessageType::server_proof) : to_bytes(answer);
    }
    case 4:
      return all.client_keys;
    case 5:
      return wire::ClientCertificate{{{0x30}}}.encode();
    case 6:
      return wire::Proof{0x0403, {1}}.encode(wire::MessageType::client_proof);
    case 7:
      return wire::encode_keys_accepted();
    case 8:
      return wire::Finished{Bytes(48)}.encode(wire::MessageType::client_finished);
    case 9:
      return wire::Finished{Bytes(48)}.encode(wire::MessageType::server_finished);
    default:
      return wire::message_of(wire::MessageType::retry, Bytes{0, 1, 7});
  }
}

/// Of a handshake that ran to its end with the same parties.
const Handshake& finished_one() {
  static const auto kDone = [] {
    auto done = std::make_unique<Handshake>(World::copy());
    (void)done->sessions();
    return done;
  }();
  return *kDone;
}

class MessageInServer : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Types, MessageInServer, testing::ValuesIn(kTypes));

TEST_P(MessageInServer, BeforeClientHelloIsUnexpectedUnlessItIsOne) {
  Handshake all(World::copy());
  const auto answer = all.server.on_messages(body_of(GetParam(), finished_one()), kNow);
  if (GetParam() == 1) {
    EXPECT_TRUE(answer.has_value());
    return;
  }
  EXPECT_EQ(fault_of(answer), Fault::unexpected_message);
  EXPECT_TRUE(all.server.closed());
}

TEST_P(MessageInServer, BeforeClientKeysIsUnexpectedUnlessItIsThem) {
  Handshake all(World::copy());
  (void)all.keys();
  const auto answer = all.server.on_messages(body_of(GetParam(), all), kNow);
  if (GetParam() == 4) {
    EXPECT_TRUE(answer.has_value());
    return;
  }
  EXPECT_EQ(fault_of(answer), Fault::unexpected_message);
  EXPECT_TRUE(all.server.closed());
  EXPECT_EQ(fault_of(all.server.on_messages(all.client_keys, kNow)), Fault::unexpected_message);
}

TEST_P(MessageInServer, AfterClientKeysIsUnexpectedAndTheClientCanStillFinish) {
  Handshake all(World::copy());
  const Bytes finished = all.finished();
  EXPECT_EQ(fault_of(all.server.on_messages(body_of(GetParam(), all), kNow)), Fault::unexpected_message);
  EXPECT_FALSE(all.server.closed());
  const auto step = must(all.server.on_record(finished, kNow));
  EXPECT_TRUE(step.session != nullptr);
}

TEST_P(MessageInServer, AfterTheEndIsUnexpected) {
  Handshake all(World::copy());
  (void)all.sessions();
  EXPECT_TRUE(all.server.closed());
  EXPECT_EQ(fault_of(all.server.on_messages(body_of(GetParam(), all), kNow)), Fault::unexpected_message);
}

/// The message takes ClientFinished's place inside `api/finished`.
TEST_P(MessageInServer, InPlaceOfClientFinishedIsUnexpectedAndEndsTheSession) {
  const World world = World::copy();
  ServerHandshake server(world.server_settings, usher::test::randomness());
  PuppetClient client(world);
  client.accept(must(server.on_messages(client.keys(must(server.on_messages(client.start(), kNow))), kNow)));
  const Bytes body = GetParam() == 8 ? client.finished() : body_of(GetParam(), finished_one());
  const auto step = must(server.on_record(client.request(wire::kPathFinished, body), kNow));
  EXPECT_TRUE(server.closed());
  if (GetParam() == 8) {
    EXPECT_TRUE(step.session != nullptr);
    EXPECT_EQ(client.status_of(step.answer), wire::Status::ok);
    return;
  }
  EXPECT_TRUE(step.session == nullptr);
  EXPECT_EQ(client.status_of(step.answer), wire::Status::unexpected_message);
  EXPECT_EQ(step.refused->fault, Fault::unexpected_message);
}

/// The message takes the place of ClientCertificate or ClientProof inside the record of step 2.
TEST_P(MessageInServer, InPlaceOfTheClientsIdentityIsUnexpected) {
  for (const bool second : {false, true}) {
    if (GetParam() == (second ? 6 : 5)) continue;
    const World world = World::copy();
    ServerHandshake server(world.server_settings, usher::test::randomness());
    PuppetClient client(world);
    client.content = body_of(GetParam(), finished_one());
    if (GetParam() == 2 || GetParam() == 4) client.content = wire::message_of(wire::MessageType{4}, Bytes(18));
    if (second) client.content = concat({wire::ClientCertificate{client.certificates}.encode(), *client.content});
    const Bytes keys = client.keys(must(server.on_messages(client.start(), kNow)));
    EXPECT_EQ(fault_of(server.on_messages(keys, kNow)), Fault::unexpected_message);
    EXPECT_TRUE(server.closed());
  }
}

TEST(RecordInServer, BeforeClientKeysIsUnexpectedAndChangesNothing) {
  Handshake all(World::copy());
  EXPECT_EQ(fault_of(all.server.on_record(finished_one().client_finished, kNow)), Fault::unexpected_message);
  const Bytes keys = all.keys();
  EXPECT_EQ(fault_of(all.server.on_record(finished_one().client_finished, kNow)), Fault::unexpected_message);
  EXPECT_TRUE(all.server.on_messages(keys, kNow).has_value());
}

TEST(RecordInServer, ThatDoesNotVerifyIsRefusedAndTheClientCanStillFinish) {
  Handshake all(World::copy());
  const Bytes finished = all.finished();
  for (std::size_t at = 0; at < finished.size(); at += 7) {
    Bytes changed = finished;
    changed[at] ^= 0x80;
    EXPECT_FALSE(all.server.on_record(changed, kNow).has_value()) << at;
  }
  EXPECT_EQ(fault_of(all.server.on_record(finished_one().client_finished, kNow)), Fault::record_refused);
  EXPECT_TRUE(must(all.server.on_record(finished, kNow)).session != nullptr);
  EXPECT_EQ(fault_of(all.server.on_record(finished, kNow)), Fault::unexpected_message);
}

class RequestBeforeFinished : public testing::TestWithParam<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(Paths, RequestBeforeFinished,
                         testing::Values(wire::kPathAuth, wire::kPathList, wire::kPathLicense, wire::kPathDownload,
                                         wire::kPathOpen, wire::kPathExit, "api/other"));

TEST_P(RequestBeforeFinished, IsNotServedAndEndsTheSession) {
  const World world = World::copy();
  ServerHandshake server(world.server_settings, usher::test::randomness());
  PuppetClient client(world);
  client.accept(must(server.on_messages(client.keys(must(server.on_messages(client.start(), kNow))), kNow)));
  const auto step = must(server.on_record(client.request(GetParam(), {}), kNow));
  EXPECT_TRUE(step.session == nullptr);
  EXPECT_EQ(client.status_of(step.answer), wire::Status::unexpected_message);
  EXPECT_TRUE(server.closed());
  EXPECT_EQ(fault_of(server.on_record(client.request(wire::kPathFinished, client.finished()), kNow)),
            Fault::unexpected_message);
}

/// channel.md §6.4: a size of its own for api/auth, and for nothing else.
TEST(SizeOfARequest, IsCheckedByTheServer) {
  struct Case {
    std::string_view path;
    std::size_t total;
    bool right;
  };
  for (const Case& each : {Case{wire::kPathAuth, 24'576, true}, Case{wire::kPathAuth, 256, false},
                           Case{wire::kPathAuth, 24'320, false}, Case{wire::kPathList, 256, true},
                           Case{wire::kPathList, 24'576, false}, Case{wire::kPathDownload, 24'576, false}}) {
    const World world = World::copy();
    ServerHandshake server(world.server_settings, usher::test::randomness());
    PuppetClient client(world);
    client.accept(must(server.on_messages(client.keys(must(server.on_messages(client.start(), kNow))), kNow)));
    const auto step = must(server.on_record(client.request(wire::kPathFinished, client.finished()), kNow));
    ASSERT_TRUE(step.session != nullptr);
    const auto incoming = must(step.session->open_request(client.request(each.path, {}, {}, each.total)));
    EXPECT_EQ(incoming.request.has_value(), each.right) << each.path << " " << each.total;
    if (!incoming.request) {
      EXPECT_EQ(incoming.request.error().fault, Fault::malformed);
    }
    // A request that could not be read names no path.
    EXPECT_EQ(incoming.auth, each.path == wire::kPathAuth && each.total != 24'320) << each.total;
    EXPECT_EQ(incoming.chunk.has_value(), each.path == wire::kPathDownload);
  }
}

TEST(SizeOfARequest, OfFinishedIsTheUsualOne) {
  const World world = World::copy();
  ServerHandshake server(world.server_settings, usher::test::randomness());
  PuppetClient client(world);
  client.accept(must(server.on_messages(client.keys(must(server.on_messages(client.start(), kNow))), kNow)));
  const auto step = must(server.on_record(client.request(wire::kPathFinished, client.finished(), {}, 24'576), kNow));
  EXPECT_TRUE(step.session == nullptr);
  EXPECT_EQ(client.status_of(step.answer), wire::Status::malformed);
}

TEST(SizeOfAnAnswer, ToAuthIsCheckedByTheClient) {
  for (const auto& [path, least, right] :
       {std::tuple{wire::kPathAuth, 1'024U, true}, std::tuple{wire::kPathAuth, 512U, false},
        std::tuple{wire::kPathAuth, 2'048U, true}, std::tuple{wire::kPathAuth, 32'768U, false},
        std::tuple{wire::kPathList, 512U, true}, std::tuple{wire::kPathList, 1'024U, false}}) {
    const World world = World::copy();
    ClientHandshake client(world.client_settings, usher::test::randomness());
    PuppetServer server(world);
    const Bytes keys = must(client.on_messages(server.answer(must(client.start())), kNow));
    const Bytes finished = server.finished(must(client.on_messages(server.accept(keys), kNow)));
    const auto session = must(client.on_record(server.response(finished), kNow));
    const auto sealed = must(session->seal_request(path, {}, {}));
    const auto answer =
        session->open_response(server.response({}, wire::Status::bad_statement, sealed.sequence, least));
    EXPECT_EQ(answer.has_value(), right) << path << " " << least;
    if (!answer) {
      EXPECT_EQ(answer.error().fault, Fault::malformed);
    }
  }
}

class MessageInClient : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Types, MessageInClient, testing::ValuesIn(kTypes));

TEST_P(MessageInClient, BeforeTheStartIsUnexpected) {
  Handshake all(World::copy());
  EXPECT_EQ(fault_of(all.client.on_messages(body_of(GetParam(), finished_one()), kNow)), Fault::unexpected_message);
  EXPECT_TRUE(all.client.closed());
  EXPECT_EQ(fault_of(all.client.start()), Fault::unexpected_message);
}

TEST_P(MessageInClient, BeforeServerHelloIsUnexpectedUnlessItIsOne) {
  Handshake all(World::copy());
  (void)all.server_hello();
  const auto answer = all.client.on_messages(body_of(GetParam(), GetParam() == 2 ? all : finished_one()), kNow);
  if (GetParam() == 2) {
    EXPECT_TRUE(answer.has_value());
    return;
  }
  if (GetParam() == 10) {  // once
    EXPECT_TRUE(answer.has_value());
    EXPECT_EQ(fault_of(all.client.on_messages(body_of(10, all), kNow)), Fault::server_busy);
  } else {
    EXPECT_EQ(fault_of(answer), Fault::unexpected_message);
  }
  EXPECT_TRUE(all.client.closed());
  EXPECT_EQ(fault_of(all.client.on_messages(all.server_answer, kNow)), Fault::unexpected_message);
}

TEST_P(MessageInClient, BeforeKeysAcceptedIsUnexpectedUnlessItIsThat) {
  Handshake all(World::copy());
  (void)all.keys();
  const auto answer = all.client.on_messages(body_of(GetParam(), all), kNow);
  if (GetParam() == 7) {
    EXPECT_TRUE(answer.has_value());
    return;
  }
  EXPECT_EQ(fault_of(answer), Fault::unexpected_message);
  EXPECT_TRUE(all.client.closed());
}

TEST_P(MessageInClient, AfterKeysAcceptedIsUnexpectedAndTheServerCanStillFinish) {
  Handshake all(World::copy());
  const Bytes last = all.server_finished();
  EXPECT_EQ(fault_of(all.client.on_messages(body_of(GetParam(), all), kNow)), Fault::unexpected_message);
  EXPECT_TRUE(all.client.on_record(last, kNow).has_value());
}

/// The message takes ServerFinished's place inside the response to `api/finished`.
TEST_P(MessageInClient, InPlaceOfServerFinishedIsUnexpectedAndNoSessionComesOfIt) {
  const World world = World::copy();
  ClientHandshake client(world.client_settings, usher::test::randomness());
  PuppetServer server(world);
  const Bytes keys = must(client.on_messages(server.answer(must(client.start())), kNow));
  const Bytes finished = server.finished(must(client.on_messages(server.accept(keys), kNow)));
  const Bytes body = GetParam() == 9   ? finished
                     : GetParam() == 2 ? finished_one().client_hello
                                       : body_of(GetParam(), finished_one());
  const auto session = client.on_record(server.response(body), kNow);
  EXPECT_TRUE(client.closed());
  if (GetParam() == 9) {
    EXPECT_TRUE(session.has_value());
    return;
  }
  EXPECT_EQ(fault_of(session), Fault::unexpected_message);
}

TEST(RecordInClient, BeforeKeysAcceptedIsUnexpectedAndChangesNothing) {
  Handshake all(World::copy());
  EXPECT_EQ(fault_of(all.client.on_record(finished_one().server_finished_record, kNow)), Fault::unexpected_message);
  const Bytes answer = all.server_hello();
  EXPECT_EQ(fault_of(all.client.on_record(finished_one().server_finished_record, kNow)), Fault::unexpected_message);
  EXPECT_TRUE(all.client.on_messages(answer, kNow).has_value());
}

TEST(RecordInClient, ThatDoesNotVerifyIsRefusedAndTheServerCanStillFinish) {
  Handshake all(World::copy());
  const Bytes last = all.server_finished();
  for (std::size_t at = 0; at < last.size(); at += 7) {
    Bytes changed = last;
    changed[at] ^= 0x80;
    EXPECT_FALSE(all.client.on_record(changed, kNow).has_value()) << at;
  }
  EXPECT_EQ(fault_of(all.client.on_record(finished_one().server_finished_record, kNow)), Fault::record_refused);
  EXPECT_TRUE(all.client.on_record(last, kNow).has_value());
  EXPECT_EQ(fault_of(all.client.on_record(last, kNow)), Fault::unexpected_message);
}

}  // namespace
}  // namespace usher::channel::test
