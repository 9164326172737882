// Large lists: the index beside the DER, and what OpenSSL sees of a list.  Spec: identity.md §4.6.
#include "pki/crl_index.h"

#include <gtest/gtest.h>
#include <openssl/rsa.h>
#include <rapidcheck.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "pki/crl_reduced.h"
#include "support/crl.h"
#include "support/pki.h"

namespace usher::pki {
namespace {

using test::Authority;
using test::CrlEntrySketch;
using test::kNow;
using test::must;

const Authority& authority() {
  static const Authority root = Authority::root();
  return root;
}

Crl list_of(const std::vector<CrlEntrySketch>& entries) {
  return must(Crl::from_der(test::crl_with(authority(), authority().crl(), entries)));
}

/// The same bytes as OpenSSL reads them, with OpenSSL's own look-up.
CrlPtr openssl_of(View der) {
  const unsigned char* at = der.data();
  return CrlPtr(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
}

IntegerPtr integer_of(View content) {
  const Bytes der = test::der(0x02, {content});
  const unsigned char* at = der.data();
  return IntegerPtr(d2i_ASN1_INTEGER(nullptr, &at, static_cast<long>(der.size())));
}

/// 0, 1 or 2, as X509_CRL_get0_by_serial returns it.
int looked_up(X509_CRL* crl, View serial) {
  X509_REVOKED* entry = nullptr;
  const IntegerPtr number = integer_of(serial);
  return X509_CRL_get0_by_serial(crl, &entry, number.get());
}

Bytes any_serial() {
  Bytes serial = *rc::gen::container<Bytes>(*rc::gen::inRange<std::size_t>(1, 21), rc::gen::arbitrary<std::uint8_t>());
  while (serial.size() > 1 && ((serial[0] == 0 && serial[1] < 0x80) || (serial[0] == 0xff && serial[1] >= 0x80))) {
    serial.erase(serial.begin());
  }
  return serial;
}

TEST(CrlIndex, SaysWhatOpenSslsOwnLookUpSays) {
  EXPECT_TRUE(rc::check("any list", [] {
    std::map<Bytes, CrlEntrySketch> entries;
    for (auto count = *rc::gen::inRange(0, 60); count > 0; --count) {
      const Bytes serial = any_serial();
      const int reason = *rc::gen::element(-1, 0, 1, 4, 6, 8, 10);
      entries.insert_or_assign(serial, CrlEntrySketch{.serial = serial, .reason = reason});
    }
    std::vector<CrlEntrySketch> in_order;
    for (const auto& [serial, entry] : entries) in_order.push_back(entry);
    // Lists are ordered by date, not by number.
    for (std::size_t i = 1; i < in_order.size(); ++i) {
      std::swap(in_order[i], in_order[*rc::gen::inRange<std::size_t>(0, i + 1)]);
    }
    const Crl ours = list_of(in_order);
    const CrlPtr theirs = openssl_of(ours.der());
    const bool read = theirs != nullptr;
    RC_ASSERT(read);
    RC_ASSERT(ours.entries() == in_order.size());
    for (const auto& entry : in_order) {
      RC_ASSERT(looked_up(ours.ossl(), entry.serial) == looked_up(theirs.get(), entry.serial));
    }
    for (int i = 0; i < 20; ++i) {
      const Bytes serial = any_serial();
      RC_ASSERT(looked_up(ours.ossl(), serial) == looked_up(theirs.get(), serial));
    }
  }));
}

TEST(CrlIndex, AnIndirectListsEntriesBelongToTheirIssuers) {
  const Authority other = Authority::root("another authority");
  const auto names = [](const Authority& of) {
    return test::directory_names(der_of_name(X509_get_subject_name(of.certificate.x509())));
  };
  const Authority third = Authority::root("a third authority");
  const Crl crl = list_of({{.serial = {1}},
                           {.serial = {2}, .issuer = names(other)},
                           {.serial = {3}},  // still the other's
                           {.serial = {1}, .reason = 8, .issuer = names(third)},
                           {.serial = {4}, .issuer = names(authority())}});
  const CrlPtr theirs = openssl_of(crl.der());
  for (const Authority* issuer : {&authority(), &other, &third}) {
    X509_NAME* name = X509_get_subject_name(issuer->certificate.x509());
    for (std::uint8_t serial = 0; serial < 6; ++serial) {
      // OpenSSL looks up by certificate or by serial alone: a certificate with just these two is enough.
      const X509Ptr certificate(X509_new());
      ASSERT_EQ(X509_set_issuer_name(certificate.get(), name), 1);
      ASSERT_EQ(X509_set_serialNumber(certificate.get(), integer_of(Bytes{serial}).get()), 1);
      X509_REVOKED* entry = nullptr;
      EXPECT_EQ(X509_CRL_get0_by_cert(crl.ossl(), &entry, certificate.get()),
                X509_CRL_get0_by_cert(theirs.get(), &entry, certificate.get()))
          << issuer->certificate.subject_text() << " " << int{serial};
    }
  }
}

TEST(CrlIndex, RevokedCountsWhereAListSaysBoth) {
  const Bytes serial{7};
  EXPECT_EQ(looked_up(list_of({{.serial = serial, .reason = 8}, {.serial = serial}}).ossl(), serial), 1);
  EXPECT_EQ(looked_up(list_of({{.serial = serial}, {.serial = serial, .reason = 8}}).ossl(), serial), 1);
}

TEST(CrlIndex, ACriticalExtensionOfAnyEntryMakesTheListUnusable) {
  const auto leaf = authority().leaf(Role::client);
  const auto code = [&](const std::vector<CrlEntrySketch>& entries) {
    const auto peer = test::trust(Role::client, authority(), {list_of(entries)})->verify({{leaf.certificate}}, kNow);
    return peer ? std::string() : explain(peer.error());
  };
  const std::vector<CrlEntrySketch> good{{.serial = {1}}, {.serial = {2}, .reason = 8}, {.serial = {3}}};
  EXPECT_EQ(code(good), "");
  for (const bool removed : {false, true}) {
    std::vector<CrlEntrySketch> bad = good;
    bad.push_back({.serial = {4}, .reason = removed ? 8 : -1, .unknown_critical = true});
    EXPECT_NE(code(bad).find("unhandled critical CRL extension"), std::string::npos) << code(bad);
  }
  EXPECT_NE(code({{.serial = {4}, .unknown_critical = true}}).find("unhandled critical CRL extension"),
            std::string::npos);
}

TEST(CrlIndex, ADeltaWithSuchAnEntryEstablishesNothing) {
  // Neither list nor certificate names a freshest list, so OpenSSL does not look at the delta at all.
  const auto leaf = authority().leaf(Role::client);
  const auto code = [&](bool critical) {
    const Crl empty = authority().crl(2, {}, 1);
    const Crl delta =
        must(Crl::from_der(test::crl_with(authority(), empty, {{.serial = {4}, .unknown_critical = critical}})));
    const auto peer =
        test::trust(Role::client, authority(), {authority().crl(1), delta})->verify({{leaf.certificate}}, kNow);
    return peer ? std::string() : std::string(code_of(peer.error().fault));
  };
  EXPECT_EQ(code(false), "");
  EXPECT_EQ(code(true), "revocation-unknown");
}

TEST(CrlIndex, WhatOpenSslReadsOfAnAnswerIsItsReason) {
  const Crl crl = list_of({{.serial = {2}, .reason = 8}, {.serial = {3}}, {.serial = {4}, .reason = 1}});
  for (const auto& [serial, removed] : std::map<std::uint8_t, bool>{{2, true}, {3, false}, {4, false}}) {
    X509_REVOKED* entry = nullptr;
    const IntegerPtr number = integer_of(Bytes{serial});
    ASSERT_GT(X509_CRL_get0_by_serial(crl.ossl(), &entry, number.get()), 0);
    int critical = 0;
    using ReasonPtr = Ossl<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;
    const ReasonPtr reason(
        static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, nullptr)));
    EXPECT_EQ(reason != nullptr && ASN1_ENUMERATED_get(reason.get()) == 8, removed) << int{serial};
  }
}

TEST(CrlIndex, DamagedEntriesAreRefused) {
  const auto code = [](View entry) {
    const auto crl = Crl::from_der(test::crl_with_raw(authority(), authority().crl(), to_bytes(entry)));
    return crl ? std::string("accepted") : std::string(code_of(crl.error().fault));
  };
  const Bytes serial = test::der(0x02, {Bytes{5}});
  const Bytes date = test::der(0x17, {view_of("270101000000Z")});
  const Bytes reason = test::entry_extension({0x55, 0x1d, 0x15}, test::der(0x0a, {Bytes{1}}), false);
  const auto entry = [&](std::initializer_list<View> parts) { return test::der(0x30, parts); };
  EXPECT_EQ(code(entry({serial, date})), "accepted");
  EXPECT_EQ(code(entry({serial, date, test::der(0x30, {reason})})), "accepted");
  EXPECT_EQ(code(entry({serial})), "malformed");
  EXPECT_EQ(code(entry({date, serial})), "malformed");
  EXPECT_EQ(code(entry({test::der(0x02, {}), date})), "malformed");
  EXPECT_EQ(code(entry({test::der(0x02, {Bytes{0, 5}}), date})), "malformed");
  EXPECT_EQ(code(entry({test::der(0x02, {Bytes{0xff, 0x85}}), date})), "malformed");
  EXPECT_EQ(code(entry({serial, date, reason})), "malformed");
  EXPECT_EQ(code(entry({serial, date, test::der(0x30, {reason}), serial})), "malformed");
  EXPECT_EQ(code(entry({serial, date, test::der(0x30, {reason, reason})})), "malformed");  // twice
  const Bytes no_names = test::entry_extension({0x55, 0x1d, 0x1d}, Bytes{0x30, 0x01, 0x00}, true);
  EXPECT_EQ(code(entry({serial, date, test::der(0x30, {no_names})})), "malformed");
  const Bytes cut = entry({serial, date});
  EXPECT_EQ(code(View(cut).first(cut.size() - 1)), "malformed");
  const Bytes indefinite = concat({Bytes{0x30, 0x80}, serial, date, Bytes{0, 0}});
  EXPECT_EQ(code(indefinite), "malformed");
}

TEST(CrlIndex, LongEntriesAndLongSurroundingsAreRefused) {
  const Bytes long_value(kMaxCrlEntry, 0);
  EXPECT_EQ(Crl::from_der(test::crl_with(authority(), authority().crl(),
                                         {{.serial = {1}, .unknown_value = long_value, .unknown_critical = false}}))
                .error()
                .fault,
            Fault::too_long);
  const Bytes name = test::der(0x30, {test::der(0x31, {Bytes(kMaxCrlAround, 0)})});
  const Bytes body = test::der(0x30, {test::der(0x30, {}), name, test::der(0x17, {view_of("270101000000Z")})});
  const Bytes list = test::der(0x30, {body, test::der(0x30, {}), test::der(0x03, {Bytes{0, 1}})});
  EXPECT_EQ(split_crl(list).error().fault, Fault::too_long);
}

TEST(CrlSignature, TheAlgorithmOutsideIsTheSignedOne) {
  Bytes der = authority().crl().der();
  const Bytes sha256_name{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
  const auto last = std::ranges::find_end(der, sha256_name);
  ASSERT_FALSE(last.empty());
  last.back() = 0x03;  // ecdsa-with-SHA384
  EXPECT_EQ(Crl::from_der(der).error().fault, Fault::malformed);
}

TEST(CrlSignature, OfManyEntriesIsThatOfTheOriginalBytes) {
  std::vector<CrlEntrySketch> entries;
  for (std::uint8_t i = 1; i < 100; ++i) entries.push_back({.serial = {i}});
  const Crl crl = list_of(entries);
  EXPECT_TRUE(crl.verify(authority().certificate));
  EXPECT_TRUE(crl.verify(authority().certificate));  // remembered
  EXPECT_EQ(crl.verify(Authority::root().certificate).error().fault, Fault::revocation_unknown);
  Bytes changed = crl.der();
  const auto at = std::ranges::search(changed, test::der(0x02, {Bytes{50}}));
  ASSERT_FALSE(at.empty());
  at.back() = 101;  // one serial number exchanged for another
  EXPECT_EQ(must(Crl::from_der(changed)).verify(authority().certificate).error().fault, Fault::revocation_unknown);
}

TEST(CrlSignature, OfPssAndEdDsaIsVerifiedToo) {
  std::vector<CrlEntrySketch> entries;
  for (std::uint8_t i = 1; i < 20; ++i) entries.push_back({.serial = {i}});
  const Bytes unsigned_yet = list_of(entries).der();
  for (const bool pss : {true, false}) {
    const auto new_pair = [&] {
      return crypto::PKeyPtr(pss ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})
                                 : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    };
    const crypto::PKeyPtr key = new_pair();
    const CrlPtr list = openssl_of(unsigned_yet);
    const crypto::MdCtxPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    ASSERT_EQ(EVP_DigestSignInit(context.get(), &parameters, pss ? EVP_sha256() : nullptr, nullptr, key.get()), 1);
    ASSERT_TRUE(!pss || EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
    ASSERT_GT(X509_CRL_sign_ctx(list.get(), context.get()), 0);
    Bytes der = crypto::der_of<i2d_X509_CRL>(list.get());
    EXPECT_TRUE(must(ReducedCrl::make(der))->verify(key.get()));
    EXPECT_FALSE(must(ReducedCrl::make(der))->verify(new_pair().get()));
    const auto at = std::ranges::search(der, test::der(0x02, {Bytes{10}}));
    ASSERT_FALSE(at.empty());
    at.back() = 100;
    EXPECT_FALSE(must(ReducedCrl::make(der))->verify(key.get()));
  }
}

TEST(CrlSignature, NewListsOfOthersKeepOpenSslsMethods) {
  const Crl ours = list_of({{.serial = {9}}});
  const CrlPtr theirs = openssl_of(ours.der());
  EXPECT_EQ(X509_CRL_verify(theirs.get(), X509_get0_pubkey(authority().certificate.x509())), 1);
  EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(theirs.get())), 1);
  EXPECT_EQ(X509_CRL_get_meth_data(theirs.get()), nullptr);
}

TEST(CrlSignature, ListsAreReadAndUsedOnManyThreads) {
  const auto leaf = authority().leaf(Role::client);
  const auto stolen = authority().leaf(Role::client);
  const Crl shared = authority().crl(2, {stolen.certificate});
  const auto store = test::trust(Role::client, authority(), {shared});
  std::atomic<int> right = 0;
  const auto work = [&] {
    for (int i = 0; i < 20; ++i) {
      const bool read = Crl::from_der(shared.der())->verify(authority().certificate).has_value();
      const bool good = store->verify({{leaf.certificate}}, kNow).has_value();
      const auto bad = store->verify({{stolen.certificate}}, kNow);
      if (read && good && !bad && bad.error().fault == Fault::revoked) ++right;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  }
  EXPECT_EQ(right, 80);
}

TEST(LargeCrl, AHundredThousandEntriesAreAllFound) {
  const Crl crl = must(Crl::from_der(test::large_crl(authority(), authority().crl(), 100'000)));
  EXPECT_EQ(crl.entries(), 100'000U);
  EXPECT_TRUE(crl.verify(authority().certificate));
  for (std::uint32_t i = 0; i < 100'000; i += 997) {
    EXPECT_EQ(looked_up(crl.ossl(), test::large_serial(i)), 1);
    EXPECT_EQ(looked_up(crl.ossl(), test::large_serial(i + 100'000)), 0);
  }
  const auto leaf = authority().leaf(Role::client);
  EXPECT_TRUE(test::trust(Role::client, authority(), {crl})->verify({{leaf.certificate}}, kNow));
}

}  // namespace
}  // namespace usher::pki
