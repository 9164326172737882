// Which list URLs make room for others (identity.md §11.3). What web servers do to a fetcher: tests/e2e.
#include "server/fetching/crl_fetcher.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/descriptor.h"
#include "support/pki.h"
#include "unit/media/fixtures.h"

namespace usher::server::test {
namespace {

using namespace usher::test;

constexpr Milliseconds kYoung{61'000};  // after which a URL may make room for another

/// An authority of its own with a client whose certificate points to one URL.
struct Source {
  explicit Source(const std::string& url_)
      : url(url_), client(root.leaf({.role = pki::Role::client, .urls = {.crl = url_}}).certificate) {}
  std::string url;
  Authority root = Authority::root();
  pki::Certificate client;
  [[nodiscard]] pki::Chain path() const { return {client, root.certificate}; }
};

/// A web server that lets its clients wait for an answer.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 16), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/list.crl";
  }
  [[nodiscard]] const std::string& url() const { return url_; }
  /// Whether a client has connected and waits.
  [[nodiscard]] bool is_asked() {
    pollfd one{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, 60'000) == 1;
  }

 private:
  Descriptor socket_;
  std::string url_;
};

class CrlFetcherTest : public ::testing::Test {
 protected:
  static std::string url(std::size_t number) { return "http://lists.example/" + std::to_string(number) + ".crl"; }
  void open(const std::vector<std::string>& configured = {}) {
    fetcher = std::make_unique<CrlFetcher>(
        RevocationOptions{.urls = configured,
                          .limits = {.bytes = 1'000, .allowed = {must(AddressRange::from_text("127.0.0.1"))}}},
        CrlFetcher::Parts{
            .clock = clock, .random = randomness(), .log = *log, .cache = cache, .admit = [](const pki::Crl&) {
              return Result<>();
            }});
  }
  /// A path needs its list, which is not there.
  void want(const Source& source) const { static_cast<void>(fetcher->want(source.path())); }
  /// Whether the fetcher still looks for its list.
  [[nodiscard]] bool is_sought(const Source& source) const { return fetcher->may_bring(source.root.certificate, {}); }
  /// Lists that are in force, of as many other URLs.
  void keep_lists(std::size_t count) const {
    const Authority other = Authority::root();
    for (std::size_t i = 0; i < count; ++i) {
      must(cache.keep({.url = url(10'000 + i), .issuer = other.certificate, .list = other.crl(i + 1)}));
    }
  }

  media::test::Directory directory{64 << 20};
  RevocationCache cache{directory.path / "revocation"};
  ManualClock clock{kNow};
  std::unique_ptr<Log> log = make_silent_log();
  Metrics metrics;
  std::unique_ptr<CrlFetcher> fetcher;
};

TEST_F(CrlFetcherTest, UrlsThatWereWantedLongestAgoMakeRoomForOthers) {
  open();
  std::vector<Source> sources;
  for (std::size_t i = 0; i < kMaxFetchedLists + 100; ++i) {
    want(sources.emplace_back(url(i)));
    ASSERT_TRUE(is_sought(sources.back())) << i;
    clock.advance(Milliseconds(1'000));
  }
  for (std::size_t i = 0; i < sources.size(); ++i) EXPECT_EQ(is_sought(sources[i]), i >= 100) << i;
}

TEST_F(CrlFetcherTest, WhatMakesRoomIsForgottenOnDiskToo) {
  keep_lists(kMaxFetchedLists);
  open();
  ASSERT_EQ(fetcher->lists().size(), kMaxFetchedLists);
  const Source source(url(0));
  want(source);
  EXPECT_TRUE(is_sought(source));
  EXPECT_EQ(fetcher->lists().size(), kMaxFetchedLists - 1);
  EXPECT_EQ(cache.load().size(), kMaxFetchedLists - 1);
}

TEST_F(CrlFetcherTest, AUrlWithoutAListMakesRoomBeforeListsThatAreInForce) {
  keep_lists(kMaxFetchedLists - 1);
  open();
  const Source vain(url(0));
  const Source source(url(1));
  want(vain);
  clock.advance(kYoung);
  want(source);
  EXPECT_FALSE(is_sought(vain));
  EXPECT_TRUE(is_sought(source));
  EXPECT_EQ(fetcher->lists().size(), kMaxFetchedLists - 1);
}

TEST_F(CrlFetcherTest, WhoeverWaitsForAListKeepsItsUrl) {
  open();
  std::vector<Source> waiting;
  for (std::size_t i = 0; i < kMaxFetchedLists; ++i) want(waiting.emplace_back(url(i)));
  const Source late(url(kMaxFetchedLists));
  want(late);
  EXPECT_FALSE(is_sought(late));
  for (const Source& one : waiting) EXPECT_TRUE(is_sought(one)) << one.url;
  clock.advance(kYoung);
  want(waiting.front());  // still waits
  want(late);
  EXPECT_TRUE(is_sought(late));
  EXPECT_TRUE(is_sought(waiting.front()));
}

TEST_F(CrlFetcherTest, UrlsOfTheConfigurationAndOfTheServersOwnCertificatesStay) {
  const Source own(url(20'000));
  const Source configured(url(20'001));
  open({configured.url});
  fetcher->keep({own.client});
  want(own);
  want(configured);
  std::vector<Source> others;
  for (std::size_t i = 0; i < kMaxFetchedLists + 10; ++i) {
    clock.advance(kYoung);
    want(others.emplace_back(url(i)));
    ASSERT_TRUE(is_sought(others.back())) << i;
  }
  EXPECT_TRUE(is_sought(own));
  EXPECT_TRUE(is_sought(configured));
}

TEST_F(CrlFetcherTest, AUrlThatIsBeingFetchedStaysAndIsNotInTheWay) {
  keep_lists(kMaxFetchedLists - 1);
  open();
  fetcher->start([](const std::vector<pki::Crl>&) {}, metrics);
  SilentServer server;
  const Source slow(server.url());
  want(slow);
  ASSERT_TRUE(server.is_asked());
  clock.advance(kYoung);
  const Source source(server.url() + "?another");
  want(source);
  EXPECT_TRUE(is_sought(slow));
  EXPECT_TRUE(is_sought(source));
  EXPECT_EQ(fetcher->lists().size(), kMaxFetchedLists - 2);
}

}  // namespace
}  // namespace usher::server::test
