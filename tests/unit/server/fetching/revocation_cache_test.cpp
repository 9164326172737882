// Where lists may be fetched from, and which of them are kept (identity.md §11). Misbehaving web servers: tests/e2e.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <cstring>
#include <fstream>

#include "pki/certificate_urls.h"
#include "server/fetching/fetch.h"
#include "server/fetching/revocation_cache.h"
#include "support/pki.h"
#include "unit/media/fixtures.h"

namespace usher::server::test {
namespace {

using namespace usher::test;

bool may_connect(const std::string& text, const std::vector<std::string>& allowed = {}) {
  std::vector<AddressRange> ranges;
  for (const std::string& range : allowed) ranges.push_back(must(AddressRange::from_text(range)));
  const Bytes bytes = must(pki::IpAddress::from_text(text)).bytes;
  sockaddr_storage storage{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  storage.ss_family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() == 4) {
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
  } else {
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
  }
  return may_connect_to(reinterpret_cast<const sockaddr&>(storage), bytes.size() == 4 ? sizeof v4 : sizeof v6, ranges);
}

TEST(Addresses, PublicOnesMayBeConnectedTo) {
  for (const char* text : {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "223.255.255.255", "2606:4700::1111",
                           "2a00:1450::1", "::ffff:8.8.8.8"}) {
    EXPECT_TRUE(may_connect(text)) << text;
  }
}

TEST(Addresses, OthersMayNot) {
  for (const char* text : {"0.0.0.0",         "10.0.0.1",         "100.64.0.1",      "127.0.0.1",   "127.255.255.255",
                           "169.254.169.254", "172.16.0.1",       "172.31.255.255",  "192.168.1.1", "198.18.0.1",
                           "203.0.113.9",     "224.0.0.1",        "255.255.255.255", "::",          "::1",
                           "fe80::1",         "fd00::1",          "ff02::1",         "2001:db8::1", "2002:7f00:1::",
                           "64:ff9b::a00:1",  "::ffff:127.0.0.1", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(may_connect(text)) << text;
  }
}

TEST(Addresses, WhatTheOperatorNamesMayBeConnectedToAndNothingBeside) {
  EXPECT_TRUE(may_connect("10.1.2.3", {"10.1.0.0/16"}));
  EXPECT_TRUE(may_connect("::ffff:10.1.2.3", {"10.1.0.0/16"}));
  EXPECT_FALSE(may_connect("10.2.0.0", {"10.1.0.0/16"}));
  EXPECT_TRUE(may_connect("10.1.255.255", {"10.1.128.0/17"}));
  EXPECT_FALSE(may_connect("10.1.127.255", {"10.1.128.0/17"}));
  EXPECT_TRUE(may_connect("fd00::7", {"127.0.0.1", "fd00::/8"}));
  EXPECT_FALSE(may_connect("127.0.0.2", {"127.0.0.1"}));
  EXPECT_TRUE(may_connect("::1", {"::/0"}));
}

TEST(Addresses, AMisspeltRangeIsRefused) {
  for (const char* text :
       {"", "10", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "fd00::/129", "example.org", "10.0.0.0/-1"}) {
    const auto range = AddressRange::from_text(text);
    ASSERT_FALSE(range.has_value()) << text;
    EXPECT_EQ(range.error().fault, Fault::bad_config);
  }
}

TEST(Fetch, OtherProtocolsAreRefused) {
  for (const char* url :
       {"file:///etc/passwd", "ldap://localhost/", "gopher://localhost/", "dict://localhost/", "nonsense"}) {
    const auto got = fetch(url, {.bytes = 1000}, [] { return false; });
    ASSERT_FALSE(got.has_value()) << url;
    EXPECT_TRUE(got.error().fault == Fault::malformed || got.error().fault == Fault::unreachable)
        << code_of(got.error().fault);
  }
}

TEST(Fetch, AnAddressOfThisMachineIsRefusedWhateverItsName) {
  for (const char* url : {"http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://0x7f000001:1/"}) {
    const auto got = fetch(url, {.bytes = 1000}, [] { return false; });
    ASSERT_FALSE(got.has_value()) << url;
    EXPECT_EQ(got.error().fault, Fault::unreachable);
    EXPECT_NE(got.error().about.find("not public"), std::string::npos) << got.error().about;
  }
}

class CacheTest : public ::testing::Test {
 protected:
  [[nodiscard]] CachedList list(const std::string& url, std::uint64_t number = 1) const {
    return {.url = url, .issuer = root.certificate, .list = root.crl(number)};
  }
  media::test::Directory directory{16 << 20};
  Authority root = Authority::root();
  RevocationCache cache{directory.path / "revocation"};
};

TEST_F(CacheTest, KeepsTheNewestOfEachUrl) {
  EXPECT_TRUE(cache.load().empty());
  must(cache.keep(list("http://a.example/1.crl", 1)));
  must(cache.keep(list("http://b.example/1.crl", 7)));
  must(cache.keep(list("http://a.example/1.crl", 2)));
  const auto kept = cache.load();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].url, "http://a.example/1.crl");
  EXPECT_EQ(kept[0].list.number(), pki::CrlNumber(2));
  EXPECT_EQ(kept[0].issuer, root.certificate);
  cache.forget("http://a.example/1.crl");
  EXPECT_EQ(cache.load().size(), 1U);
}

TEST_F(CacheTest, LeavesOutWhatIsDamagedOrUnderAnotherName) {
  must(cache.keep(list("http://a.example/1.crl")));
  must(cache.keep(list("http://b.example/1.crl")));
  for (const auto& entry : std::filesystem::directory_iterator(directory.path / "revocation")) {
    if (entry.path().extension() == ".url") std::ofstream(entry.path()) << "http://a.example/1.crl";
  }
  EXPECT_EQ(cache.load().size(), 1U);
  for (const auto& entry : std::filesystem::directory_iterator(directory.path / "revocation")) {
    if (entry.path().extension() == ".crl") std::filesystem::resize_file(entry.path(), 20);
  }
  EXPECT_TRUE(cache.load().empty());
}

TEST(ListUrls, AreThoseOfTheCertificatesBelowTheRoot) {
  const Authority root = Authority::root();
  const Authority sub =
      root.sub("sub", around(kNow, 1000, 900),
               {.crl = "http://a.example/root.crl", .freshest_crl = "https://a.example/root.delta.crl"});
  pki::LeafRequest request{.role = pki::Role::client};
  request.urls = {.crl = "http://a.example/sub.crl"};
  const Identity leaf = sub.leaf(request);
  EXPECT_EQ(pki::list_urls(pki::Chain{leaf.certificate, sub.certificate, root.certificate}),
            (std::vector<std::string>{"http://a.example/sub.crl", "http://a.example/root.crl",
                                      "https://a.example/root.delta.crl"}));
  EXPECT_TRUE(pki::list_urls(root.certificate).empty());
}

TEST(StatusMissing, IsToldOfThePathAndDecidesWhetherToAskAgain) {
  const Authority root = Authority::root();
  const Identity leaf = root.leaf(pki::Role::client);
  bool coming = true;
  std::size_t told = 0;
  const auto store = must(pki::TrustStore::make(
      {.role = pki::Role::client, .anchors = {root.certificate}, .missing = [&](const pki::Chain& path) {
         told += path.size();
         return coming;
       }}));
  const auto busy = store->verify(pki::Chain{leaf.certificate}, kNow);
  ASSERT_FALSE(busy.has_value());
  EXPECT_EQ(busy.error().fault, Fault::server_busy);
  EXPECT_EQ(told, 2U);
  coming = false;
  EXPECT_EQ(store->verify(pki::Chain{leaf.certificate}, kNow).error().fault, Fault::revocation_unknown);
  const auto with = must(store->with_fetched({root.crl()}));
  EXPECT_TRUE(with->verify(pki::Chain{leaf.certificate}, kNow).has_value());
  EXPECT_EQ(told, 4U);
}

TEST(StatusMissing, NobodyFetchesForACertificateThatNoRootStandsBehind) {
  const Authority root = Authority::root();
  const Authority stranger = Authority::root("test root");
  bool told = false;
  const auto store = must(pki::TrustStore::make({.role = pki::Role::client,
                                                 .anchors = {root.certificate},
                                                 .missing = [&](const pki::Chain&) { return told = true; }}));
  const Identity leaf = stranger.leaf(pki::Role::client);
  EXPECT_FALSE(store->verify(pki::Chain{leaf.certificate, stranger.certificate}, kNow).has_value());
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace usher::server::test
