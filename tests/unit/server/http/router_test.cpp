// Every path of channel.md §9.2, and each status of §9.1, through the whole server but its sockets.
#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.h"
#include "unit/server/service_world.h"

namespace usher::server::test {
namespace {

using wire::Status;

class Requests : public ::testing::Test {
 protected:
  [[nodiscard]] static Bytes page(std::uint32_t offset = 0, std::uint32_t count = 256) {
    return wire::Page{offset, count}.encode();
  }
  [[nodiscard]] static Bytes open_body(const Id128& medium = kMedium) {
    return wire::Open{.medium = medium, .licence = {}}.encode();
  }
  [[nodiscard]] static Bytes chunk_body(const wire::Opened& play, std::uint32_t chunk) {
    return wire::Chunk{play.play, play.medium, play.epoch, chunk}.encode();
  }
  World world;
};

TEST_F(Requests, BeforeAuthenticationEachIsRefusedByItsOwnCode) {
  Listener listener(world);
  EXPECT_EQ(listener.status("api/list", page()), Status::not_authenticated);
  EXPECT_EQ(listener.status("api/licences", page()), Status::not_authenticated);
  EXPECT_EQ(listener.status("api/plays"), Status::not_authenticated);
  EXPECT_EQ(listener.status("api/download", wire::Chunk{}.encode()), Status::not_authenticated);
  for (const char* path : {"api/license", "api/play/open", "api/play/resume", "api/play/close"}) {
    EXPECT_EQ(listener.status_once(path, {}), Status::not_authenticated) << path;
  }
}

TEST_F(Requests, AnUnknownPathIsRefused) {
  Listener listener(world);
  EXPECT_EQ(listener.status("api/nothing"), Status::unknown_path);
}

TEST_F(Requests, ADamagedMediumDoesNotHideTheOthers) {
  const Id128 second = world.add_medium(2);
  const auto file = world.directory.path / "media" / (to_hex(second) + ".medium");
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(60).write("damaged", 7);
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const auto listed = must(listener.ask("api/list", page()));
  const auto catalogue = must(wire::Catalogue::decode(listed.body()));
  ASSERT_EQ(catalogue.entries.size(), 2U);
  for (const wire::CatalogueEntry& entry : catalogue.entries) {
    EXPECT_EQ(entry.signed_manifest.empty(), entry.medium == second);
  }
  // Reported once, however often a listener calls api/list.
  ASSERT_EQ(listener.status("api/list", page()), Status::ok);
  EXPECT_EQ(world.unreadable, std::vector<Id128>{second});
}

TEST_F(Requests, WhoHasNoLicenceDoesNotMakeTheVaultOpenAMedium) {
  const auto file = world.directory.path / "media" / (to_hex(kMedium) + ".medium");
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(60).write("damaged", 7);
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  EXPECT_EQ(listener.status_once("api/play/open", open_body()), Status::no_licence) << "it was not looked at";
  static_cast<void>(listener.acquire(kMedium));
  EXPECT_NE(listener.status_once("api/play/open", open_body()), Status::ok);
  EXPECT_EQ(must(wire::Licences::decode(must(listener.ask("api/licences", page())).body())).entries.at(0).plays_left,
            1U)
      << "a medium that cannot be read costs no play";
}

TEST_F(Requests, AMediumThatCannotBeReadIsCalledThatToTheListenerAndByItsCauseInTheLog) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  const auto file = world.directory.path / "media" / (to_hex(kMedium) + ".medium");
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(60).write("damaged", 7);
  EXPECT_EQ(listener.status_once("api/play/open", open_body()), Status::medium_unavailable);
  const std::string log = world.log.text();
  EXPECT_NE(log.find("request failed"), std::string::npos) << log;
  EXPECT_NE(log.find("medium-unavailable"), std::string::npos) << log;
  EXPECT_NE(log.find("wrong-object, medium " + to_hex(kMedium)), std::string::npos) << log;
}

TEST_F(Requests, AMediumWhoseFileIsMissingIsUnavailableAndNotUnknown) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  ASSERT_TRUE(std::filesystem::remove(world.directory.path / "media" / (to_hex(kMedium) + ".medium")));
  EXPECT_EQ(listener.status_once("api/play/open", open_body()), Status::medium_unavailable);
  EXPECT_NE(world.log.text().find("unknown-medium, medium " + to_hex(kMedium)), std::string::npos) << world.log.text();
}

TEST_F(Requests, ADamagedMediumThatIsRestoredIsServedWithoutARestart) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  const wire::Opened play = listener.open(kMedium);
  const auto file = world.directory.path / "media" / (to_hex(kMedium) + ".medium");
  const auto whole = world.directory.path / "whole";
  std::filesystem::copy_file(file, whole);
  ASSERT_EQ(listener.status("api/download", chunk_body(play, 0)), Status::ok);
  for (std::uintmax_t at = std::filesystem::file_size(file) / 2; at < std::filesystem::file_size(file); at += 64) {
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(static_cast<std::streamoff>(at)).put(0);
  }
  ASSERT_EQ(listener.status("api/download", chunk_body(play, kChunks - 1)), Status::medium_unavailable);
  std::filesystem::rename(whole, file);
  EXPECT_EQ(listener.status("api/download", chunk_body(play, kChunks - 1)), Status::ok);
}

TEST_F(Requests, ALicenceOfAMediumThatWasTakenOutIsNotCalledUsable) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  const auto state = [&] {
    const auto answer = must(listener.ask("api/licences", page()));
    return must(wire::Licences::decode(answer.body())).entries.at(0).state;
  };
  EXPECT_EQ(state(), wire::LicenceState::usable);
  must(world.store->remove_medium(kMedium, kNow));
  EXPECT_EQ(state(), wire::LicenceState::revoked);
}

TEST_F(Requests, TheWholeJobWorks) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  EXPECT_EQ(listener.me.server_id, "test");
  EXPECT_EQ(listener.me.name, "Ana");
  const auto listed = must(listener.ask("api/list", page()));
  const auto catalogue = must(wire::Catalogue::decode(listed.body()));
  ASSERT_EQ(catalogue.total, 1U);
  EXPECT_EQ(catalogue.entries.at(0).medium, kMedium);

  EXPECT_EQ(listener.status_once("api/play/open", open_body()), Status::no_licence);
  EXPECT_EQ(listener.acquire(kMedium).plays_left, 1U);
  const wire::Opened play = listener.open(kMedium);
  const auto manifest = must(must(media::SignedManifest::decode(play.signed_manifest)).contents());
  for (std::uint32_t i = 0; i < manifest.chunks; ++i) {
    const auto response = must(listener.ask("api/download", chunk_body(play, i)));
    ASSERT_TRUE(response.ok());
    const auto chunk = must(wire::ChunkBody::decode(response.body()));
    EXPECT_TRUE(media::verify_inclusion(media::leaf_hash(chunk.chunk), i, manifest.chunks, chunk.proof, manifest.root));
  }
  const auto plays = must(listener.ask("api/plays"));
  EXPECT_EQ(must(wire::Plays::decode(plays.body())).entries.size(), 1U);
  const auto closed = must(listener.ask_once("api/play/close", wire::Close{play.play, play.epoch}.encode()));
  EXPECT_FALSE(must(wire::Closed::decode(closed.body())).refunded);
  EXPECT_EQ(listener.status_once("api/play/open", open_body()), Status::no_licence);
  EXPECT_EQ(listener.status("api/download", chunk_body(play, 0)), Status::play_over);
}

TEST_F(Requests, ASecondPersonIsRefused) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  EXPECT_EQ(listener.log_in(People::get().rui), Status::already_authenticated);
}

TEST_F(Requests, ABadStatementLeavesTheSessionWithoutAPerson) {
  Listener listener(world);
  Listener other(world);
  EXPECT_EQ(listener.status("api/auth", other.auth_body(People::get().ana)), Status::bad_statement);
  EXPECT_EQ(listener.status("api/list", page()), Status::not_authenticated);
  EXPECT_EQ(listener.log_in(), Status::ok);
}

TEST_F(Requests, ACardOfAnotherHierarchyIsRefused) {
  Listener listener(world);
  const Authority other = Authority::root("another root");
  const Identity stranger = other.leaf({.role = pki::Role::person, .name = {.serial_number = "3"}});
  EXPECT_EQ(listener.log_in(stranger), Status::bad_certificate);
}

TEST_F(Requests, AnotherRoleIsNoPerson) {
  Listener listener(world);
  EXPECT_EQ(listener.log_in(People::get().root.leaf(pki::Role::client)), Status::bad_certificate);
}

TEST_F(Requests, AnExpiredCardIsTold) {
  Listener listener(world);
  const Identity old = People::get().root.leaf(
      {.role = pki::Role::person, .name = {.serial_number = "4"}, .validity = usher::test::around(kNow, 10, -1)});
  EXPECT_EQ(listener.log_in(old), Status::certificate_expired);
}

TEST_F(Requests, OperationIsNeededExactlyWhereStateChanges) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  EXPECT_EQ(listener.status("api/license", wire::Acquire{kMedium, 1, 1}.encode()), Status::malformed);
  EXPECT_EQ(must(listener.ask_once("api/list", page())).status(), Status::malformed);
  EXPECT_EQ(listener.status("api/list", page(), {{"other", {}}}), Status::malformed);
  EXPECT_EQ(listener.status("api/play/open", open_body(), {{"operation", Bytes(15)}}), Status::malformed);
}

TEST_F(Requests, MalformedBodiesAreRefused) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const Bytes junk{1, 2, 3};
  EXPECT_EQ(listener.status("api/list", junk), Status::malformed);
  EXPECT_EQ(listener.status("api/licences", page(0, 257)), Status::malformed);
  EXPECT_EQ(listener.status("api/plays", junk), Status::malformed);
  EXPECT_EQ(listener.status("api/exit", junk), Status::malformed);
  EXPECT_EQ(listener.status("api/download", junk), Status::malformed);
  for (const char* path : {"api/license", "api/play/open", "api/play/resume", "api/play/close"}) {
    EXPECT_EQ(listener.status_once(path, junk), Status::malformed) << path;
  }
}

TEST_F(Requests, ARepeatedAcquisitionGivesTheSameLicence) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const Id128 operation = randomness().id();
  const Bytes body = wire::Acquire{kMedium, 1, 5}.encode();
  const auto first = must(listener.ask_once("api/license", body, operation));
  const auto second = must(listener.ask_once("api/license", body, operation));
  EXPECT_EQ(to_bytes(first.body()), to_bytes(second.body()));
  const auto mine = must(listener.ask("api/licences", page()));
  EXPECT_EQ(must(wire::Licences::decode(mine.body())).total, 1U);
  const auto other = must(listener.ask_once("api/license", wire::Acquire{kMedium, 1, 10}.encode(), operation));
  EXPECT_EQ(other.status(), Status::operation_conflict);
}

TEST_F(Requests, AnOperationIsBoundToItsPath) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const auto licence = listener.acquire(kMedium, 5);
  const wire::Opened play = listener.open(kMedium);
  const Id128 operation = randomness().id();
  const Bytes body = wire::Resume{play.play}.encode();
  EXPECT_EQ(must(listener.ask_once("api/play/resume", body, operation)).status(), Status::ok);
  EXPECT_EQ(must(listener.ask_once("api/play/open", open_body(), operation)).status(), Status::operation_conflict);
  EXPECT_EQ(licence.state, wire::LicenceState::usable);
}

TEST_F(Requests, UnknownKindsOfLicencesAreRefused) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  for (const wire::Acquire& wanted : {wire::Acquire{kMedium, 0, 1},
                                      {kMedium, 3, 1},
                                      {kMedium, 1, 2},
                                      {kMedium, 1, 0},
                                      {kMedium, 2, 59},
                                      {kMedium, 2, 31'622'401}}) {
    EXPECT_EQ(listener.status_once("api/license", wanted.encode()), Status::unknown_licence_kind)
        << int{wanted.kind} << " " << wanted.amount;
  }
  for (const wire::Acquire& wanted : {wire::Acquire{kMedium, 1, 1},
                                      {kMedium, 1, 5},
                                      {kMedium, 1, 10},
                                      {kMedium, 1, 20},
                                      {kMedium, 2, 60},
                                      {kMedium, 2, 31'622'400}}) {
    EXPECT_EQ(listener.status_once("api/license", wanted.encode()), Status::ok);
  }
}

TEST_F(Requests, AMediumThatIsNotThereIsRefused) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const Id128 unknown = randomness().id();
  EXPECT_EQ(listener.status_once("api/license", wire::Acquire{unknown, 1, 1}.encode()), Status::unknown_medium);
  EXPECT_EQ(listener.status_once("api/play/open", open_body(unknown)), Status::unknown_medium);
}

TEST_F(Requests, PlaysOfNobodyAndOfOthersAreUnknown) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium, 5));
  const wire::Opened play = listener.open(kMedium);
  Listener other(world);
  ASSERT_EQ(other.log_in(People::get().rui), Status::ok);
  EXPECT_EQ(other.status("api/download", chunk_body(play, 0)), Status::unknown_play);
  EXPECT_EQ(other.status_once("api/play/resume", wire::Resume{play.play}.encode()), Status::unknown_play);
  EXPECT_EQ(other.status_once("api/play/close", wire::Close{play.play, 1}.encode()), Status::unknown_play);
}

TEST_F(Requests, AfterResumingTheOldEpochIsStale) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  const wire::Opened play = listener.open(kMedium);
  ASSERT_EQ(listener.status_once("api/play/resume", wire::Resume{play.play}.encode()), Status::ok);
  EXPECT_EQ(listener.status("api/download", chunk_body(play, 0)), Status::stale_epoch);
}

TEST_F(Requests, AChunkBeyondTheLastIsUnknown) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  EXPECT_EQ(listener.status("api/download", chunk_body(listener.open(kMedium), kChunks)), Status::unknown_chunk);
}

TEST_F(Requests, TheRepeatsOfAPlayEnd) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  const wire::Opened play = listener.open(kMedium);
  Status status = Status::ok;
  std::uint32_t got = 0;
  for (std::uint32_t i = 0; status == Status::ok && i < 20 * kChunks; ++i) {
    status = listener.status("api/download", chunk_body(play, static_cast<std::uint32_t>(1 + i % (kChunks - 1))));
    if (status == Status::ok) ++got;
  }
  EXPECT_EQ(status, Status::budget_spent);
  EXPECT_EQ(got, kChunks - 1 + 176);  // the first one has headers
}

TEST_F(Requests, APlayEndsAtItsDeadline) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  const wire::Opened play = listener.open(kMedium);
  world.clock.advance(std::chrono::hours(11));
  EXPECT_EQ(listener.status("api/download", chunk_body(play, 0)), Status::ok);
  world.clock.advance(std::chrono::days(7));
  Listener later(world);
  ASSERT_EQ(later.log_in(), Status::ok);
  EXPECT_EQ(later.status("api/download", chunk_body(play, 0)), Status::play_expired);
}

TEST_F(Requests, ALicenceThatExpiresBetweenTwoChunksEndsThePlay) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  ASSERT_EQ(listener.status_once("api/license", wire::Acquire{kMedium, 2, 3600}.encode()), Status::ok);
  const wire::Opened play = listener.open(kMedium);
  EXPECT_EQ(play.plays_left, wire::kNoLimit);
  EXPECT_EQ(listener.status("api/download", chunk_body(play, 0)), Status::ok);
  world.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(listener.status("api/download", chunk_body(play, 1)), Status::licence_expired);
}

TEST_F(Requests, ARevokedLicenceEndsThePlay) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  const wire::Opened play = listener.open(kMedium);
  must(world.store->revoke_licence(play.licence, world.clock.now()));
  EXPECT_EQ(listener.status("api/download", chunk_body(play, 0)), Status::licence_revoked);
}

TEST_F(Requests, AnotherInstallationCannotUseABoundLicence) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const auto before = listener.acquire(kMedium, 5);
  static_cast<void>(before);
  const auto mine = must(world.store->list_licences(listener.me.pseudonym, {})).entries.at(0);
  auto settings = std::make_shared<channel::ClientSettings>(*channel_world().client_settings);
  const auto other = channel::test::party(channel_world().authority, pki::Role::client);
  settings->chain = other.chain;
  settings->signer = other.key;
  Listener elsewhere(world, settings);
  const person::LoginTerms terms{.server_key = elsewhere.session->peer().certificate().key_fingerprint(),
                                 .installation = other.chain.front().fingerprint(),
                                 .now = world.clock.now()};
  const auto& ana = People::get().ana;
  const auto login = must(person::PersonSession::create(ana.key, {ana.certificate}, terms, randomness()));
  const Bytes body = must(login.bind(must(elsewhere.session->exporter("person")))).encode();
  ASSERT_EQ(elsewhere.status("api/auth", body), Status::ok);
  EXPECT_EQ(elsewhere.status_once("api/play/open", wire::Open{.medium = kMedium, .licence = mine.terms.id}.encode()),
            Status::wrong_installation);
}

TEST(RequestsByPolicy, WhereTheOperatorIssuesAcquiringIsClosed) {
  World world({}, {.acquisition = {}, .bind_installation = true});
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  EXPECT_EQ(listener.status_once("api/license", wire::Acquire{kMedium, 1, 1}.encode()), Status::acquisition_closed);
}

TEST(RequestsByPolicy, WhereThereIsAQuotaItIsOverAllTimeAndAPersonsForAMedium) {
  World world({}, {.acquisition = store::AcquisitionLimit{.licences = {}, .plays = 5}, .bind_installation = true});
  const Id128 second = world.add_medium(2);
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const auto acquire = [&](const Id128& medium, std::uint8_t kind, std::uint64_t amount) {
    return listener.status_once("api/license", wire::Acquire{medium, kind, amount}.encode());
  };
  EXPECT_EQ(acquire(kMedium, 1, 10), Status::quota_spent);
  EXPECT_EQ(acquire(kMedium, 2, 3600), Status::quota_spent);  // a time is any number of plays
  EXPECT_EQ(acquire(kMedium, 1, 1), Status::ok);
  EXPECT_EQ(acquire(kMedium, 1, 5), Status::quota_spent);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(acquire(kMedium, 1, 1), Status::ok);
  world.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(acquire(kMedium, 1, 1), Status::quota_spent);
  EXPECT_EQ(acquire(second, 1, 5), Status::ok);
  Listener other(world);
  ASSERT_EQ(other.log_in(People::get().rui), Status::ok);
  EXPECT_EQ(other.status_once("api/license", wire::Acquire{kMedium, 1, 5}.encode()), Status::ok);
}

TEST(RequestsByPolicy, WhatTheOperatorIssuesDoesNotCountIntoTheQuota) {
  World world({}, {.acquisition = store::AcquisitionLimit{.licences = {}, .plays = 1}, .bind_installation = true});
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  service::LicenceOrder order;
  order.pseudonym = listener.me.pseudonym;
  order.medium = kMedium;
  order.plays = 100;
  must(world.media.issue(order, {.id = randomness().id(), .content = {}}, std::nullopt, world.clock.now()));
  EXPECT_EQ(listener.status_once("api/license", wire::Acquire{kMedium, 1, 1}.encode()), Status::ok);
  EXPECT_EQ(listener.status_once("api/license", wire::Acquire{kMedium, 1, 1}.encode()), Status::quota_spent);
}

TEST(RequestsByPolicy, LicencesOfAMediumHaveALimitWhereEverybodyMayAcquire) {
  World world({}, {.acquisition = store::AcquisitionLimit{.licences = 3, .plays = {}}, .bind_installation = true});
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const Id128 operation = randomness().id();
  const Bytes wanted = wire::Acquire{kMedium, 1, 20}.encode();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(must(listener.ask_once("api/license", wanted, operation)).status(), Status::ok);
  EXPECT_EQ(listener.status_once("api/license", wanted), Status::ok);
  EXPECT_EQ(listener.status_once("api/license", wanted), Status::ok);
  EXPECT_EQ(listener.status_once("api/license", wanted), Status::quota_spent);
}

TEST_F(Requests, OpeningTellsWhatIsFreeAndWhatWasHeard) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium, 5));
  wire::Opened play = listener.open(kMedium);
  EXPECT_EQ(play.commit_after, 30U);
  EXPECT_EQ(play.free_left, 5U);  // c(38) of 20 chunks in 169 s
  EXPECT_EQ(play.repeats_left, 176U);
  for (const std::uint32_t chunk : {0U, 1U, 4U}) {
    ASSERT_EQ(listener.status("api/download", chunk_body(play, chunk)), Status::ok);
  }
  play = listener.open(kMedium);
  EXPECT_EQ(play.free_left, 2U);
  EXPECT_EQ(play.heard, (wire::ChunkRanges{{.first = 0, .count = 2}, {.first = 4, .count = 1}}));
}

TEST_F(Requests, ExitDestroysTheSessionsKeys) {
  Listener listener(world);
  ASSERT_EQ(listener.status("api/exit"), Status::ok);
  EXPECT_EQ(world.sessions.open_sessions(), 0U);
  EXPECT_EQ(world.ended, std::vector<std::string>{"exit"});
  auto sealed = must(listener.session->seal_request("api/plays", {}, {}));
  const HttpResponse response = send(world, post("/", kTypeRecord, std::move(sealed.record)));
  EXPECT_EQ(response.status, 404U);
  EXPECT_EQ(text_of(response.body), "unknown-session");
}

TEST_F(Requests, ASecondFinishedIsUnexpected) {
  Listener listener(world);
  EXPECT_EQ(listener.status("api/finished", Bytes(4)), Status::unexpected_message);
}

TEST_F(Requests, RefusalsOfChunksAreAsLargeAsChunks) {
  Listener listener(world);
  const auto sealed_size = [&](View body) {
    auto sealed = must(listener.session->seal_request("api/download", {}, body));
    return exchanged(world, "/", kTypeRecord, std::move(sealed.record)).size();
  };
  const std::size_t nobody = sealed_size(wire::Chunk{}.encode());
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  const wire::Opened play = listener.open(kMedium);
  const std::size_t served = sealed_size(chunk_body(play, 0));
  EXPECT_EQ(sealed_size(chunk_body(play, kChunks - 1)), served);
  EXPECT_EQ(sealed_size(chunk_body(play, kChunks)), served);
  EXPECT_EQ(sealed_size(wire::Chunk{randomness().id(), kMedium, 1, 0}.encode()), nobody);
  EXPECT_EQ(sealed_size(Bytes{1}), nobody);
  EXPECT_EQ(nobody - served, wire::padded_chunk(wire::kNoChunkSize) - wire::padded_chunk(kChunkSize));
}

TEST_F(Requests, NothingPersonalIsLogged) {
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  static_cast<void>(listener.acquire(kMedium));
  static_cast<void>(listener.open(kMedium));
  const std::string log = world.log.text();
  EXPECT_NE(log.find("ECDHE_AES256_GCM_SHA384"), std::string::npos);
  EXPECT_NE(log.find("person authenticated"), std::string::npos);
  EXPECT_EQ(log.find("Ana"), std::string::npos);
  EXPECT_EQ(log.find("Awakening"), std::string::npos);
}

TEST_F(Requests, ListsCanBeReadInParts) {
  static_cast<void>(world.add_medium(2));
  Listener listener(world);
  ASSERT_EQ(listener.log_in(), Status::ok);
  const auto response = must(listener.ask("api/list", page(1, 1)));
  const auto catalogue = must(wire::Catalogue::decode(response.body()));
  EXPECT_EQ(catalogue.total, 2U);
  ASSERT_EQ(catalogue.entries.size(), 1U);
  EXPECT_NE(catalogue.entries.at(0).medium, kMedium);
}

}  // namespace
}  // namespace usher::server::test
