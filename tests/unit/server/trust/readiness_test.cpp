// When certificates and lists end, and which roles could not log in: reported in log, metrics and readiness
// (docs/reference/log-and-metrics.md).
#include "server/trust/readiness.h"

#include "server/server.h"
#include "support/odd.h"
#include "unit/server/http/raw_client.h"
#include "unit/server/service_world.h"

namespace usher::server::test {
namespace {

using pki::Crl;
using pki::Role;
using pki::TrustConfig;
using usher::test::kDay;

struct Trusts {
  Authority root = Authority::root("media root");
  TrustConfig clients{.role = Role::client, .anchors = {root.certificate}, .crls = {root.crl()}};
  TrustConfig persons{
      .role = Role::person, .anchors = {People::get().root.certificate}, .crls = {People::get().root.crl()}};

  [[nodiscard]] std::shared_ptr<const Authorities> authorities() const {
    auto made = std::make_shared<Authorities>();
    auto channel = std::make_shared<channel::ServerSettings>(*channel_world().server_settings);
    channel->clients = must(pki::TrustStore::make(clients));
    made->channel = std::move(channel);
    made->persons.push_back({person::generic_profile(), must(pki::TrustStore::make(persons))});
    return made;
  }
  /// The first gap's text if clients have these lists; empty if there is no gap.
  [[nodiscard]] std::string gap(std::vector<Crl> crls, Time at = kNow, const MayFetch& may_fetch = {}) {
    clients.crls = std::move(crls);
    const LoginGaps gaps = login_gaps(*authorities(), at, may_fetch);
    return gaps.none.empty() ? "" : gap_text(gaps.none.front());
  }
};

TEST(LoginGaps, ThereAreNoneWhereSomebodyCouldLogIn) {
  Trusts t;
  EXPECT_EQ(t.gap({t.root.crl()}), "");
  EXPECT_EQ(t.gap({t.root.crl(), t.root.crl(2, {}, 1)}), "");
}

TEST(LoginGaps, ARootWithoutAListIsOne) {
  Trusts t;
  const std::string gap = t.gap({});
  EXPECT_NE(gap.find("client: certificates below \"media root\" cannot be used to log in"), std::string::npos) << gap;
  EXPECT_NE(gap.find("[revocation-unknown]"), std::string::npos) << gap;
  EXPECT_NE(t.gap({Authority::root("another").crl()}), "");
}

TEST(LoginGaps, AListThatCoversNothingIsOne) {
  Trusts t;
  for (const char* point : {"critical,onlyAA:TRUE", "critical,onlyuser:TRUE", "critical,onlyCA:TRUE"}) {
    EXPECT_NE(t.gap({usher::test::with_scope(t.root, t.root.crl(), point)}), "") << point;
  }
  EXPECT_EQ(t.gap({usher::test::with_scope(t.root, t.root.crl(), "critical,onlyuser:TRUE"),
                   usher::test::with_scope(t.root, t.root.crl(), "critical,onlyCA:TRUE")}),
            "");
}

TEST(LoginGaps, AnExpiredListOrRootIsOne) {
  Trusts t;
  EXPECT_NE(t.gap({t.root.crl()}, kNow + 11 * kDay).find("[crl-expired]"), std::string::npos);
  const Time late = kNow + 2'000 * kDay;
  EXPECT_NE(t.gap({t.root.crl(1, {}, {}, late - kDay, late + kDay)}, late).find("[certificate-expired]"),
            std::string::npos);
  t.clients.tolerance.expired_list = true;
  t.persons.tolerance.expired_list = true;
  EXPECT_EQ(t.gap({t.root.crl()}, kNow + 11 * kDay), "");
}

TEST(LoginGaps, OfOneRootBesideAnotherAreNoneOfAll) {
  Trusts t;
  const Authority other = Authority::root("other root");
  t.clients.anchors.push_back(other.certificate);
  const LoginGaps gaps = login_gaps(*t.authorities(), kNow, {});
  EXPECT_TRUE(gaps.none.empty());
  ASSERT_EQ(gaps.some.size(), 1U);
  EXPECT_NE(gaps.some[0].about.find("other root"), std::string::npos);
}

TEST(LoginGaps, AListOfAnAuthorityThatAPeerWillSendCounts) {
  Trusts t;
  const Authority sub = t.root.sub();
  const Crl for_authorities = usher::test::with_scope(t.root, t.root.crl(), "critical,onlyCA:TRUE");
  EXPECT_NE(t.gap({for_authorities}), "");
  EXPECT_EQ(t.gap({for_authorities, sub.crl()}), "");
  t.clients.intermediates = {sub.certificate};
  EXPECT_EQ(t.gap({for_authorities, sub.crl()}), "");
}

TEST(LoginGaps, WhatIsNotAskedForIsNotMissed) {
  Trusts t;
  EXPECT_EQ(t.gap({}, kNow, [&](const pki::Certificate& one) { return one == t.root.certificate; }), "");
  EXPECT_NE(t.gap({}, kNow, [&](const pki::Certificate&) { return false; }), "");
  t.clients.revocation = pki::RevocationMode::leaf;
  EXPECT_EQ(t.gap({usher::test::with_scope(t.root, t.root.crl(), "critical,onlyuser:TRUE")}), "");
  EXPECT_NE(t.gap({}), "");
  t.clients.revocation = pki::RevocationMode::none;
  EXPECT_EQ(t.gap({}), "");
  t.clients.revocation = pki::RevocationMode::chain;
  t.clients.answers = [](const Hash256&, const Hash256&) { return std::optional<pki::StatusAnswer>(); };
  EXPECT_EQ(t.gap({}), "");
}

TEST(LoginGaps, AllOfThemAreToldAtOnce) {
  Trusts t;
  t.clients.crls.clear();
  t.persons.crls.clear();
  EXPECT_EQ(login_gaps(*t.authorities(), kNow, {}).none.size(), 2U);
}

TEST(PointsToLists, OnlyWhatTheAuthorityItselfIssuedCounts) {
  const Authority root = Authority::root();
  pki::LeafRequest request{.role = Role::client};
  EXPECT_FALSE(points_to_lists_of(root.certificate, {root.leaf(request).certificate}));
  request.urls = {.crl = "http://a.example/1.crl"};
  EXPECT_TRUE(points_to_lists_of(root.certificate, {root.leaf(request).certificate}));
  EXPECT_FALSE(points_to_lists_of(root.certificate, {Authority::root().leaf(request).certificate}));
}

const Expiry* find(const Expiries& all, std::string_view part) {
  const auto at =
      std::ranges::find_if(all, [&](const Expiry& one) { return one.what.find(part) != std::string::npos; });
  return at == all.end() ? nullptr : &*at;
}

TEST(Endings, RootsListsAndDeltasHaveNames) {
  Trusts t;
  t.clients.crls = {t.root.crl(), t.root.crl(2, {}, 1)};
  const Expiries all = trust_expiries(*t.authorities(), kNow);
  for (const char* name : {"client authority \"media root\"", "client revocation list of CN=media root",
                           "client delta list of CN=media root", "generic authority \"card root\""}) {
    EXPECT_NE(find(all, name), nullptr) << name;
  }
}

TEST(Endings, AreWarnedOfFromSevenDaysBefore) {
  const Expiry one{.what = "x", .when = kNow};
  EXPECT_EQ(warning_of(one, kNow - 7 * kDay - Milliseconds(1)), "");
  EXPECT_EQ(warning_of(one, kNow - 7 * kDay), "x ends in 7 days");
  EXPECT_EQ(warning_of(one, kNow - std::chrono::hours(1)), "x ends in 1 hour");
  EXPECT_EQ(warning_of(one, kNow), "x has expired");
}

TEST(Endings, OfListsThatWereFetchedTheLastQuarterCounts) {
  Trusts t;
  t.clients.fetched = {t.root.crl(2, {}, {}, kNow - kDay, kNow + 3 * kDay)};  // in place of the configured one
  const Expiry* list = nullptr;
  const Expiries all = trust_expiries(*t.authorities(), kNow);
  ASSERT_NE(list = find(all, "client revocation list"), nullptr);
  EXPECT_EQ(warning_of(*list, kNow), "");
  EXPECT_NE(warning_of(*list, kNow + 2 * kDay), "");
}

class Readiness : public ::testing::Test {
 protected:
  void start(const std::function<std::vector<std::string>()>& obstacles = {}) {
    ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    options.operator_listen = {{"127.0.0.1", 0}};
    options.threads = 2;
    server = std::make_unique<Server>(options,
                                      Server::Parts{.store = *world.store,
                                                    .vault = world.vault,
                                                    .issuer = World::make_issuer(),
                                                    .pseudonyms = world.pseudonyms,
                                                    .clock = world.clock,
                                                    .random = randomness(),
                                                    .log = world.log,
                                                    .not_ready = obstacles},
                                      snapshot());
    must(server->start());
  }
  [[nodiscard]] ServerSnapshot snapshot() const {
    return {.authorities = trusts.authorities(),
            .policy = std::make_shared<const service::ServicePolicy>(),
            .names = {"localhost"},
            .expiries = {{.what = "server certificate", .when = kNow + 3 * kDay},
                         {.what = "file stream certificate", .when = kNow + 8 * kDay}}};
  }
  [[nodiscard]] std::string get(std::string_view path) const {
    return RawClient(server->operator_endpoints().at(0))
        .send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .rest();
  }
  World world;
  Trusts trusts;
  std::unique_ptr<Server> server;
};

TEST_F(Readiness, NamesEveryReasonALineEach) {
  trusts.clients.crls.clear();
  start([] { return std::vector<std::string>{"the disk is full"}; });
  world.clock.advance(4 * kDay);
  const std::string answer = get("/readyz");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503")) << answer;
  for (const char* line :
       {"server certificate has expired\n", "client: certificates below \"media root\" cannot be used to log in",
        "\nthe disk is full\n"}) {
    EXPECT_NE(answer.find(line), std::string::npos) << line << answer;
  }
  EXPECT_NE(world.log.text().find("no login is possible"), std::string::npos);
}

TEST_F(Readiness, IsThereAgainAfterAReloadThatMendsIt) {
  trusts.clients.crls.clear();
  start();
  EXPECT_TRUE(get("/readyz").starts_with("HTTP/1.1 503"));
  trusts.clients.crls = {trusts.root.crl()};
  server->reload(snapshot());
  EXPECT_TRUE(get("/readyz").starts_with("HTTP/1.1 200"));
}

TEST_F(Readiness, WhatEndsSoonIsInLogAndMetricsByName) {
  start();
  EXPECT_NE(world.log.text().find("\"what\":\"server certificate\""), std::string::npos) << world.log.text();
  EXPECT_EQ(world.log.text().find("\"what\":\"file stream certificate\""), std::string::npos);
  const std::string metrics = get("/metrics");
  EXPECT_NE(metrics.find("usher_expires_soon{what=\"server certificate\"} 1\n"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("usher_expires_soon{what=\"file stream certificate\"} 0\n"), std::string::npos);
  EXPECT_NE(metrics.find("what=\"client authority \\\"media root\\\"\"} 0\n"), std::string::npos) << metrics;
}

TEST_F(Readiness, WhatIsGoneAfterAReloadIsInNoMetric) {
  start();
  ServerSnapshot next = snapshot();
  next.expiries.pop_back();
  server->reload(std::move(next));
  EXPECT_EQ(get("/metrics").find("file stream certificate"), std::string::npos);
}

}  // namespace
}  // namespace usher::server::test
