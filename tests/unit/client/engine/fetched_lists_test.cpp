// Lists that a server hands out, and which of them the client keeps (identity.md §11.5).
#include "client/engine/fetched_lists.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/pki.h"
#include "unit/client/tiny_server.h"
#include "unit/media/fixtures.h"
#include "wire/revocation_lists.h"

namespace usher::client {
namespace {

using namespace usher::test;
namespace fs = std::filesystem;

class ListsTest : public ::testing::Test {
 protected:
  [[nodiscard]] KeptLists kept() const { return KeptLists(directory.path / "lists.bin"); }
  [[nodiscard]] static Result<std::vector<pki::Crl>> asked(const std::string& answer) {
    const TinyServer server(always(answer));
    const auto transport = must(HttpTransport::create({.url = server.url(), .proxy = "none"}));
    return ask_for_lists(*transport);
  }
  media::test::Directory directory{16 << 20};
  Authority root = Authority::root();
};

TEST_F(ListsTest, WhatAServerHandsOutIsRead) {
  const Bytes body = wire::RevocationLists{.lists = {root.crl(3).der()}}.encode();
  const auto lists = must(asked(http("200 OK", "application/vnd.usher.lists", std::string(text_of(body)))));
  ASSERT_EQ(lists.size(), 1U);
  EXPECT_EQ(lists[0].number(), pki::CrlNumber(3));
}

TEST_F(ListsTest, AnythingElseIsRefused) {
  EXPECT_EQ(asked(http("200 OK", "text/html", "hello")).error().fault, Fault::not_usher);
  EXPECT_EQ(asked(http("200 OK", "application/vnd.usher.lists", "hello")).error().fault, Fault::malformed);
  const Bytes body = wire::RevocationLists{.lists = {{1, 2, 3}}}.encode();
  EXPECT_EQ(asked(http("200 OK", "application/vnd.usher.lists", std::string(text_of(body)))).error().fault,
            Fault::malformed);
  EXPECT_EQ(asked(http("404 Not Found", "application/vnd.usher.error", "unknown-path")).error().fault,
            Fault::unknown_path);
}

TEST_F(ListsTest, OnlyWhatAConfiguredAuthoritySignedIsTaken) {
  const Authority stranger = Authority::root();
  KeptLists lists = kept();
  must(lists.take({root.crl(2), stranger.crl(9)}, {root.certificate}, kNow));
  ASSERT_EQ(lists.lists().size(), 1U);
  EXPECT_EQ(lists.lists()[0].number(), pki::CrlNumber(2));
}

TEST_F(ListsTest, TheNewestOfEachScopeStaysFromOneTimeToTheNext) {
  KeptLists lists = kept();
  must(lists.take({root.crl(2)}, {root.certificate}, kNow));
  must(lists.take({root.crl(1)}, {root.certificate}, kNow));
  EXPECT_EQ(lists.lists()[0].number(), pki::CrlNumber(2));
  must(lists.take({root.crl(3)}, {root.certificate}, kNow));
  const KeptLists again = kept();
  ASSERT_EQ(again.lists().size(), 1U);
  EXPECT_EQ(again.lists()[0].number(), pki::CrlNumber(3));
}

TEST_F(ListsTest, AreOldAfterAnHourAndWhenThereAreNone) {
  EXPECT_TRUE(kept().is_old(kNow));
  KeptLists lists = kept();
  must(lists.take({root.crl()}, {root.certificate}, kNow));
  const auto written = std::chrono::floor<Milliseconds>(
      std::chrono::file_clock::to_sys(fs::last_write_time(directory.path / "lists.bin")));
  EXPECT_FALSE(lists.is_old(written + std::chrono::minutes(59)));
  EXPECT_TRUE(lists.is_old(written + std::chrono::minutes(61)));
  EXPECT_TRUE(lists.is_old(written - std::chrono::minutes(1)));  // the clock was moved
}

TEST_F(ListsTest, AFileThatIsNoneCountsAsNothing) {
  std::ofstream(directory.path / "lists.bin") << "nonsense";
  EXPECT_TRUE(kept().lists().empty());
}

}  // namespace
}  // namespace usher::client
