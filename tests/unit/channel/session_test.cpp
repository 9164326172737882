// Open sessions: what the two ends refuse, and that a refusal changes nothing.  Spec: channel.md §6, §7.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "unit/channel/world.h"

namespace usher::channel::test {
namespace {

const Bytes kBody(40, 0x21);

/// One exchange that works: the earlier attempts have destroyed nothing.
void expect_alive(const Sessions& open) {
  const auto incoming = must(open.server->open_request(must(open.client->seal_request("api/list", {}, kBody)).record));
  ASSERT_TRUE(incoming.request.has_value());
  Bytes answer;
  must(open.server->seal_response(answer, incoming.sequence, wire::Status::ok, kBody));
  EXPECT_TRUE(must(open.client->open_response(answer)).ok());
}

class EverySession : public testing::TestWithParam<const Suite*> {
 protected:
  Sessions open = connect(World::with(*GetParam()));
  Bytes request(std::string_view path = "api/list", const Bytes& body = kBody) {
    return must(open.client->seal_request(path, {}, body)).record;
  }
};
INSTANTIATE_TEST_SUITE_P(Suites, EverySession,
                         testing::Values(suite_of(0x0101), suite_of(0x0103), suite_of(0x0001), suite_of(0x0007)),
                         [](const auto& each) { return std::string(each.param->name); });

TEST_P(EverySession, RefusesAReplayLikeAWrongMac) {
  const Bytes record = request();
  Bytes forged = request();
  forged.back() ^= 1;
  EXPECT_TRUE(open.server->open_request(record).has_value());
  const auto replay = open.server->open_request(record);
  const auto wrong = open.server->open_request(forged);
  ASSERT_FALSE(replay.has_value());
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(replay.error().fault, Fault::record_refused);
  EXPECT_EQ(wrong.error().fault, replay.error().fault);
  EXPECT_EQ(wrong.error().where, replay.error().where);
  EXPECT_EQ(wrong.error().about, replay.error().about);
  expect_alive(open);
}

TEST_P(EverySession, TakesRequestsInAnyOrderInsideTheWindow) {
  std::vector<Bytes> records;
  for (int i = 0; i < 50; ++i) records.push_back(request());
  std::reverse(records.begin(), records.end());
  for (const Bytes& record : records) EXPECT_TRUE(open.server->open_request(record).has_value());
  for (const Bytes& record : records) EXPECT_EQ(fault_of(open.server->open_request(record)), Fault::record_refused);
}

TEST_P(EverySession, RefusesARequestThatHasLeftTheWindow) {
  const Bytes early = request();
  for (std::size_t i = 0; i < ReplayWindow::kSize; ++i) {
    const auto sealed = must(open.client->seal_request("api/list", {}, {}));
    open.client->forget(sealed.sequence);
    if (i + 1 == ReplayWindow::kSize) {
      EXPECT_TRUE(open.server->open_request(sealed.record).has_value());
    }
  }
  EXPECT_EQ(fault_of(open.server->open_request(early)), Fault::record_refused);
  expect_alive(open);
}

TEST_P(EverySession, RefusesARecordOfAnotherSession) {
  const Sessions other = connect(World::with(*GetParam()));
  EXPECT_EQ(fault_of(open.server->open_request(must(other.client->seal_request("api/list", {}, {})).record)),
            Fault::record_refused);
  expect_alive(open);
  expect_alive(other);
}

TEST_P(EverySession, RefusesItsOwnRecordsBack) {
  const Bytes record = request();
  EXPECT_EQ(fault_of(open.client->open_response(record)), Fault::record_refused);
  const auto incoming = must(open.server->open_request(record));
  Bytes answer;
  must(open.server->seal_response(answer, incoming.sequence, wire::Status::ok, kBody));
  const auto reflected = open.server->open_request(answer);
  EXPECT_EQ(fault_of(reflected), Fault::record_refused);
  EXPECT_TRUE(open.client->open_response(answer).has_value());
}

TEST_P(EverySession, AcceptsOneResponseForOneRequest) {
  const auto incoming = must(open.server->open_request(request()));
  Bytes first;
  Bytes second;
  must(open.server->seal_response(first, incoming.sequence, wire::Status::ok, kBody));
  must(open.server->seal_response(second, incoming.sequence, wire::Status::internal));
  EXPECT_TRUE(open.client->open_response(first).has_value());
  EXPECT_EQ(fault_of(open.client->open_response(first)), Fault::record_refused);
  EXPECT_EQ(fault_of(open.client->open_response(second)), Fault::record_refused);
  expect_alive(open);
}

TEST_P(EverySession, RefusesAResponseThatNobodyWaitsFor) {
  const auto incoming = must(open.server->open_request(request()));
  Bytes unasked;
  must(open.server->seal_response(unasked, incoming.sequence + 1, wire::Status::ok, kBody));
  EXPECT_EQ(fault_of(open.client->open_response(unasked)), Fault::record_refused);
  Bytes forgotten;
  must(open.server->seal_response(forgotten, incoming.sequence, wire::Status::ok, kBody));
  open.client->forget(incoming.sequence);
  EXPECT_EQ(fault_of(open.client->open_response(forgotten)), Fault::record_refused);
  EXPECT_EQ(open.client->outstanding(), 0U);
  expect_alive(open);
}

TEST_P(EverySession, AForgedResponseLeavesTheRequestOutstanding) {
  const auto incoming = must(open.server->open_request(request()));
  Bytes answer;
  must(open.server->seal_response(answer, incoming.sequence, wire::Status::ok, kBody));
  Bytes forged = answer;
  forged[60] ^= 1;
  EXPECT_EQ(fault_of(open.client->open_response(forged)), Fault::record_refused);
  EXPECT_EQ(open.client->outstanding(), 1U);
  EXPECT_TRUE(open.client->open_response(answer).has_value());
}

Bytes chunk_body(std::uint32_t chunk) {
  return wire::Chunk{.play = {1}, .medium = {2}, .epoch = 1, .chunk = chunk}.encode();
}

TEST_P(EverySession, RefusesAChunkThatAnswersAnotherRequest) {
  const auto one = must(open.server->open_request(request(wire::kPathDownload, chunk_body(1))));
  const auto two = must(open.server->open_request(request(wire::kPathDownload, chunk_body(2))));
  Bytes swapped;
  must(open.server->seal_chunk(swapped, one.sequence, *two.chunk, 4096, {}, Bytes(4096, 2)));
  EXPECT_FALSE(open.client->open_response(swapped).has_value());
}

TEST_P(EverySession, RefusesAnOrdinaryResponseToAChunkRequest) {
  const auto incoming = must(open.server->open_request(request(wire::kPathDownload, chunk_body(1))));
  Bytes plain;
  must(open.server->seal_response(plain, incoming.sequence, wire::Status::ok, Bytes(300)));
  EXPECT_FALSE(open.client->open_response(plain).has_value());
}

TEST_P(EverySession, RefusesAChunkInAnswerToAnotherRequest) {
  const auto incoming = must(open.server->open_request(request()));
  Bytes chunk;
  must(open.server->seal_chunk(chunk, incoming.sequence, {}, 4096, {}, Bytes(4096)));
  EXPECT_FALSE(open.client->open_response(chunk).has_value());
}

TEST_P(EverySession, ChunkResponsesHaveOneSizeForOneRelease) {
  std::vector<std::size_t> sizes;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto incoming = must(open.server->open_request(request(wire::kPathDownload, chunk_body(i))));
    Bytes out;
    if (i == 0)
      must(open.server->seal_chunk(out, incoming.sequence, *incoming.chunk, 4096, std::vector<Hash256>(24),
                                   Bytes(4096)));
    if (i == 1) must(open.server->seal_chunk(out, incoming.sequence, *incoming.chunk, 4096, {}, Bytes(1)));
    if (i == 2)
      must(open.server->seal_chunk_refusal(out, incoming.sequence, *incoming.chunk, 4096, wire::Status::play_over));
    sizes.push_back(out.size());
    EXPECT_TRUE(open.client->open_response(out).has_value());
  }
  EXPECT_EQ(sizes[0], sizes[1]);
  EXPECT_EQ(sizes[0], sizes[2]);
}

TEST_P(EverySession, ADownloadWithAMalformedBodyIsAnsweredUnderZeros) {
  const auto incoming = must(open.server->open_request(request(wire::kPathDownload, Bytes(43))));
  ASSERT_TRUE(incoming.chunk.has_value());
  EXPECT_EQ(*incoming.chunk, ChunkIds{});
  Bytes out;
  must(open.server->seal_chunk_refusal(out, incoming.sequence, *incoming.chunk, wire::kNoChunkSize,
                                       wire::Status::malformed));
  EXPECT_EQ(must(open.client->open_response(out)).status(), wire::Status::malformed);
}

TEST_P(EverySession, AfterCloseNothingWorks) {
  const Bytes record = request();
  open.server->close();
  open.server->close();
  Bytes out;
  EXPECT_TRUE(open.server->closed());
  EXPECT_EQ(fault_of(open.server->open_request(record)), Fault::session_over);
  EXPECT_EQ(fault_of(open.server->seal_response(out, 0, wire::Status::ok)), Fault::session_over);
  EXPECT_EQ(fault_of(open.server->seal_chunk_refusal(out, 0, {}, 4096, wire::Status::internal)), Fault::session_over);
  EXPECT_EQ(fault_of(open.server->exporter("person")), Fault::session_over);
  open.client->close();
  EXPECT_EQ(fault_of(open.client->seal_request("api/list", {}, {})), Fault::session_over);
  EXPECT_EQ(fault_of(open.client->open_response(record)), Fault::session_over);
}

TEST_P(EverySession, ServesManyThreadsAtOnce) {
  constexpr int kThreads = 4;
  constexpr std::uint32_t kEach = 25;
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      Bytes out;
      for (std::uint32_t n = 0; n < kEach; ++n) {
        const auto sealed = open.client->seal_request(wire::kPathDownload, {}, chunk_body(n));
        const auto incoming = open.server->open_request(sealed->record);
        if (!open.server->seal_chunk(out, incoming->sequence, *incoming->chunk, 4096, {}, Bytes(4096, 7))) continue;
        const auto response = open.client->open_response(out);
        if (response && response->request() == sealed->sequence && response->ok()) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, kThreads * static_cast<int>(kEach));
}

TEST(Session, ASecondFinishedIsUnexpectedAndTheSessionGoesOn) {
  const Sessions open = connect(World::copy());
  const auto incoming =
      must(open.server->open_request(must(open.client->seal_request(wire::kPathFinished, {}, kBody)).record));
  EXPECT_EQ(fault_of(incoming.request), Fault::unexpected_message);
  expect_alive(open);
}

TEST(Session, TheSizesOfAuthTellNeitherCardNorName) {
  wire::Authenticated person;
  person.server_id = "music.example";
  person.licence_keys = std::vector<Bytes>(3, Bytes(91));  // P-256
  std::set<std::size_t> requests;
  std::set<std::size_t> answers;
  const std::size_t least = auth_answer_size(person);
  EXPECT_EQ(least, 1'024U);
  for (const std::size_t size : {0U, 1U, 700U, 4'000U, 20'000U}) {
    const Sessions open = connect(World::copy());
    auto sealed = must(open.client->seal_request("api/auth", {}, Bytes(size)));
    requests.insert(sealed.record.size());
    const auto incoming = must(open.server->open_request(std::move(sealed.record)));
    EXPECT_TRUE(incoming.auth);
    EXPECT_EQ(must(Result<wire::Request>(incoming.request)).body.size(), size);
    person.name.assign(std::min<std::size_t>(size, wire::kMaxPersonName), 'n');
    Bytes answer;
    const bool refused = size == 1;
    must(open.server->seal_response(answer, incoming.sequence, refused ? wire::Status::revoked : wire::Status::ok,
                                    refused ? Bytes{} : person.encode(), least));
    answers.insert(answer.size());
    EXPECT_EQ(must(open.client->open_response(answer)).ok(), !refused);
  }
  EXPECT_EQ(requests, (std::set<std::size_t>{56 + 24'576 + 16}));
  EXPECT_EQ(answers, (std::set<std::size_t>{56 + 1'024 + 16}));
  person.licence_keys = std::vector<Bytes>(8, Bytes(550));  // RSA of 4096 bits: the server's own, for every client
  EXPECT_EQ(auth_answer_size(person), 8'192U);
}

TEST(Session, ARequestBodyAboveTheLimitIsTooLong) {
  const Sessions open = connect(World::copy());
  EXPECT_TRUE(open.client->seal_request("api/list", {}, Bytes(49'152)).has_value());
  EXPECT_EQ(fault_of(open.client->seal_request("api/list", {}, Bytes(49'153))), Fault::too_long);
  // 24,576 bytes less n, tag, path, no parameters, and the body's own length.
  EXPECT_TRUE(open.client->seal_request("api/auth", {}, Bytes(24'576 - 4 - 1 - 9 - 2 - 4)).has_value());
  EXPECT_EQ(fault_of(open.client->seal_request("api/auth", {}, Bytes(24'576 - 4 - 1 - 9 - 2 - 3))), Fault::too_long);
  Bytes out;
  EXPECT_EQ(fault_of(open.server->seal_response(out, 0, wire::Status::ok, Bytes((1 << 20) - 11))), Fault::too_long);
  EXPECT_TRUE(open.server->seal_response(out, 0, wire::Status::ok, Bytes((1 << 20) - 12)).has_value());
  EXPECT_EQ(fault_of(open.server->seal_chunk(out, 0, {}, 4096, {}, Bytes(4097))), Fault::too_long);
  EXPECT_EQ(fault_of(open.server->seal_chunk(out, 0, {}, 4096, std::vector<Hash256>(25), {})), Fault::too_long);
  EXPECT_EQ(fault_of(open.server->seal_chunk(out, 0, {}, (1 << 20) + 1, {}, {})), Fault::too_long);
}

TEST(Session, TheLargestChunkFits) {
  const Sessions open = connect(World::copy());
  const auto incoming =
      must(open.server->open_request(must(open.client->seal_request(wire::kPathDownload, {}, chunk_body(0))).record));
  Bytes out;
  must(open.server->seal_chunk(out, incoming.sequence, *incoming.chunk, 1 << 20, std::vector<Hash256>(24),
                               Bytes(1 << 20, 5)));
  EXPECT_LE(out.size(), wire::kMaxRecord);
  EXPECT_EQ(must(wire::ChunkBody::decode(must(open.client->open_response(out)).body())).chunk.size(), 1U << 20);
}

TEST(Session, TooManyOutstandingRequestsAreNotSealed) {
  const Sessions open = connect(World::copy());
  for (std::size_t i = 0; i < ClientSession::kMaxOutstanding; ++i) {
    ASSERT_TRUE(open.client->seal_request("api/list", {}, {}).has_value());
  }
  EXPECT_EQ(fault_of(open.client->seal_request("api/list", {}, {})), Fault::busy);
  open.client->forget(5);
  EXPECT_TRUE(open.client->seal_request("api/list", {}, {}).has_value());
}

}  // namespace
}  // namespace usher::channel::test
