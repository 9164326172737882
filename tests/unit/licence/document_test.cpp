// The licence document: one text for one licence and one key; everything else is refused.  licence.md §2.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "licence/licence.h"

namespace usher::licence {
namespace {

using crypto::PrivateKey;

const PrivateKey& p256_key() {
  static const PrivateKey key = *PrivateKey::generate(crypto::NewKey::p256);
  return key;
}
const PrivateKey& rsa_key() {
  static const PrivateKey key = *PrivateKey::generate(crypto::NewKey::rsa2048);
  return key;
}

LicenceTerms sample() {
  LicenceTerms terms;
  terms.id.fill(0x11);
  terms.server = "music.example";
  terms.pseudonym.fill(0x22);
  terms.installation.emplace().fill(0x33);
  terms.manifest.fill(0x44);
  terms.medium.fill(0x55);
  terms.plays = 5;
  terms.not_before = 1'800'000'000;
  terms.issued_at = 1'800'000'001;
  return terms;
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out.append(text);
  return out;
}

struct Parts {
  std::string header, payload, signature;
};
Parts parts_of(const std::string& document) {
  const auto first = document.find('.');
  const auto second = document.find('.', first + 1);
  return {document.substr(0, first), document.substr(first + 1, second - first - 1), document.substr(second + 1)};
}
std::string text_in(const std::string& part) { return std::string{text_of(*from_base64url(part))}; }
std::string as_part(std::string_view text) { return to_base64url(view_of(text)); }

/// A document with any header and payload, correctly signed by the key over just these.
std::string forge(const PrivateKey& key, std::string_view header, std::string_view payload) {
  const std::string signed_text = as_part(header) + "." + as_part(payload);
  Bytes signature = *key.sign(view_of(signed_text));
  if (key.public_key().kind() == crypto::KeyKind::p256) signature = *crypto::ecdsa_raw_from_der(signature);
  return signed_text + "." + to_base64url(signature);
}
std::string good_header(const PrivateKey& key) { return text_in(parts_of(*sign(sample(), key)).header); }

Fault fault(const Result<VerifiedLicence>& result) { return result ? Fault::local : result.error().fault; }

TEST(LicenceDocument, IsVerifiedWithEitherKindOfKey) {
  for (const PrivateKey* key : {&p256_key(), &rsa_key()}) {
    const auto document = sign(sample(), *key);
    ASSERT_TRUE(document);
    const auto verified = verify(*document, key->public_key());
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->terms(), sample());
    EXPECT_EQ(verified->document(), *document);
  }
}

TEST(LicenceDocument, HeaderIsOneFixedTextForAKey) {
  const std::string kid = to_base64url(p256_key().public_key().fingerprint());
  EXPECT_EQ(good_header(p256_key()), R"({"alg":"ES256","kid":")" + kid + R"(","typ":"usher-licence+jws"})");
  EXPECT_EQ(kid.size(), 43U);
  EXPECT_TRUE(good_header(rsa_key()).starts_with(R"({"alg":"PS256",)"));
}

TEST(LicenceDocument, Es256SignatureIsRawAndSixtyFourBytes) {
  EXPECT_EQ(from_base64url(parts_of(*sign(sample(), p256_key())).signature)->size(), 64U);
}

TEST(LicenceDocument, PayloadIsTheExactSerialisation) {
  EXPECT_EQ(encode_terms(sample()),
            R"({"version":1,"id":")" + repeated("11", 16) + R"(","server":"music.example","pseudonym":")" +
                repeated("22", 32) + R"(","installation":")" + repeated("33", 32) + R"(","manifest":")" +
                repeated("44", 32) + R"(","medium":")" + repeated("55", 16) +
                R"(","plays":5,"not_before":1800000000,"expires":null,"window_after_first_play":null,)" +
                R"("issued_at":1800000001})");
}

TEST(LicenceDocument, EveryCombinationOfOptionalMembersComesBack) {
  for (int mask = 0; mask < 16; ++mask) {
    LicenceTerms terms = sample();
    if ((mask & 1) != 0) terms.installation.reset();
    if ((mask & 2) != 0) terms.plays.reset();
    if ((mask & 4) != 0) terms.expires = 1'900'000'000;
    if ((mask & 8) != 0) terms.window_after_first_play = 86'400;
    const bool ends = terms.plays || terms.expires || terms.window_after_first_play;
    const auto document = sign(terms, p256_key());
    EXPECT_EQ(document.has_value(), ends) << mask;
    if (!document) continue;
    EXPECT_EQ(verify(*document, p256_key().public_key())->terms(), terms) << mask;
  }
}

TEST(LicenceDocument, AnotherKeysDocumentIsRefused) {
  const auto other = PrivateKey::generate(crypto::NewKey::p256);
  EXPECT_EQ(fault(verify(*sign(sample(), *other), p256_key().public_key())), Fault::bad_signature);
  EXPECT_EQ(fault(verify(*sign(sample(), rsa_key()), p256_key().public_key())), Fault::bad_signature);
  EXPECT_EQ(fault(verify(*sign(sample(), p256_key()), rsa_key().public_key())), Fault::bad_signature);
}

TEST(LicenceDocument, HeaderThatIsNotTheFixedOneIsRefused) {
  const std::string good = good_header(p256_key());
  const auto replaced = [&](std::string_view what, std::string_view with) {
    std::string header = good;
    return header.replace(header.find(what), what.size(), with);
  };
  const std::vector<std::string> headers = {
      replaced("ES256", "none"),
      replaced("ES256", "HS256"),
      replaced("ES256", "PS256"),
      replaced("ES256", "RS256"),
      replaced("ES256", "ES384"),
      replaced("ES256", "es256"),
      replaced("usher-licence+jws", "JWT"),
      replaced(good.substr(22, 4), "AAAA"),
      good + " ",
      " " + good,
      replaced(":", ": "),
      replaced("{", R"({"alg":"ES256",)"),
      replaced("}", R"(,"crit":["x"]})"),
      replaced("}", R"(,"jwk":{}})"),
      R"({"typ":"usher-licence+jws"})",
      "{}",
      "",
  };
  for (const std::string& header : headers) {
    EXPECT_EQ(fault(verify(forge(p256_key(), header, encode_terms(sample())), p256_key().public_key())),
              Fault::bad_signature)
        << header;
  }
}

TEST(LicenceDocument, AlgNoneWithoutASignatureIsRefused) {
  const std::string document = as_part(R"({"alg":"none"})") + "." + as_part(encode_terms(sample())) + ".";
  EXPECT_EQ(fault(verify(document, p256_key().public_key())), Fault::bad_signature);
  const Parts good = parts_of(*sign(sample(), p256_key()));
  EXPECT_FALSE(verify(good.header + "." + good.payload + ".", p256_key().public_key()));
}

TEST(LicenceDocument, PublicKeyAsHmacKeyIsRefused) {  // the classic confusion of algorithms
  const std::string header =
      R"({"alg":"HS256","kid":")" + key_id_of(rsa_key().public_key()) + R"(","typ":"usher-licence+jws"})";
  const std::string text = as_part(header) + "." + as_part(encode_terms(sample()));
  EXPECT_EQ(fault(verify(text + "." + to_base64url(Bytes(32, 7)), rsa_key().public_key())), Fault::bad_signature);
}

TEST(LicenceDocument, EveryChangedCharacterIsRefused) {
  const std::string document = *sign(sample(), p256_key());
  for (std::size_t i = 0; i < document.size(); ++i) {
    std::string changed = document;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify(changed, p256_key().public_key())) << i;
  }
}

TEST(LicenceDocument, SignatureInDerIsRefused) {
  const Parts good = parts_of(*sign(sample(), p256_key()));
  const Bytes der = *crypto::ecdsa_der_from_raw(*from_base64url(good.signature));
  EXPECT_EQ(fault(verify(good.header + "." + good.payload + "." + to_base64url(der), p256_key().public_key())),
            Fault::malformed);
}

TEST(LicenceDocument, WhatIsNotThreePartsIsMalformed) {
  const std::string document = *sign(sample(), p256_key());
  for (const std::string& text :
       {std::string{}, std::string{"a"}, std::string{"a.b"}, document + ".", document + ".x", "." + document}) {
    EXPECT_EQ(fault(verify(text, p256_key().public_key())), Fault::malformed) << text;
  }
}

TEST(LicenceDocument, TrailingDataIsRefused) {
  const std::string document = *sign(sample(), p256_key());
  for (const std::string& tail : {std::string{" "}, std::string{"\n"}, std::string{"="}, std::string{"A"},
                                  std::string{"AAAA"}, std::string(1, '\0')}) {
    EXPECT_FALSE(verify(document + tail, p256_key().public_key()));
  }
}

TEST(LicenceDocument, OversizeIsRefusedBeforeAnythingElse) {
  EXPECT_EQ(fault(verify(std::string(kMaxDocument + 1, 'A'), p256_key().public_key())), Fault::too_long);
}

TEST(LicenceDocument, PayloadThatIsNotTheExactSerialisationIsRefused) {
  const std::string good = encode_terms(sample());
  const auto replaced = [&](std::string_view what, std::string_view with) {
    std::string payload = good;
    const auto at = payload.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return payload.replace(at, what.size(), with);
  };
  const std::vector<std::string> payloads = {
      good + " ",
      " " + good,
      good + good,
      replaced(":5", ": 5"),
      replaced(":5", ":5.0"),
      replaced(":5", ":5e0"),
      replaced(":5", ":05"),
      replaced(":5", ":\"5\""),
      replaced(":5", ":0"),
      replaced(":5", ":-1"),
      replaced(":5", ":1000001"),
      replaced(":5", ":99999999999999999999"),
      replaced(":5", ":true"),
      replaced(":5", ":null"),  // without an end
      replaced("1800000000", "-1"),
      replaced("1800000001", "253402300800"),
      replaced("1800000001", "null"),
      replaced("\"plays\":5", "\"plays\":5,\"plays\":5"),  // twice
      replaced("\"plays\":5", "\"plays\":5,\"plays\":500"),
      replaced("\"plays\":5,", ""),  // missing
      replaced("{", "{\"extra\":1,"),
      replaced("\"plays\"", "\"Plays\""),
      replaced("\"plays\"", "\"pl\\u0061ys\""),
      replaced("music.example", "music\\u002eexample"),
      replaced("music.example", ""),
      replaced("music.example", "music example"),
      replaced("music.example", std::string(256, 'a')),
      replaced("1111", "11"),
      replaced("1111", "111111"),
      replaced("1111", "11zz"),
      replaced("2222", "AAAA"),
      replaced("\"expires\":null", "\"expires\":1800000000"),  // not after not_before
      replaced("\"window_after_first_play\":null", "\"window_after_first_play\":0"),
      "[]",
      "null",
      "1",
      "",
      "{}",
      "{\"version\":1}",
  };
  for (const std::string& payload : payloads) {
    EXPECT_EQ(fault(verify(forge(p256_key(), good_header(p256_key()), payload), p256_key().public_key())),
              Fault::malformed)
        << payload;
  }
  const std::string newer = replaced("\"version\":1", "\"version\":2");
  EXPECT_EQ(fault(verify(forge(p256_key(), good_header(p256_key()), newer), p256_key().public_key())),
            Fault::unsupported);
}

TEST(LicenceDocument, PayloadIsNotReadBeforeItsSignatureHeld) {
  const Parts good = parts_of(*sign(sample(), p256_key()));
  const std::string document = good.header + "." + as_part("not json") + "." + good.signature;
  EXPECT_EQ(fault(verify(document, p256_key().public_key())), Fault::bad_signature);
}

TEST(LicenceDocument, DeepJsonDoesNotExhaustTheStack) {
  const std::string deep = repeated("[", 4000);
  EXPECT_EQ(decode_terms(deep).error().fault, Fault::malformed);
  EXPECT_EQ(decode_terms("{\"a\":" + deep).error().fault, Fault::malformed);
}

TEST(LicenceDocument, NamesItsKeyForThoseWhoHaveSeveral) {
  for (const PrivateKey* key : {&p256_key(), &rsa_key()}) {
    EXPECT_EQ(claimed_key_id(*sign(sample(), *key)), key_id_of(key->public_key()));
  }
  EXPECT_FALSE(claimed_key_id("a.b.c"));
}

TEST(LicenceDocument, TermsOutOfRangeAreNotSigned) {
  LicenceTerms terms = sample();
  terms.plays = 0;
  EXPECT_EQ(sign(terms, p256_key()).error().fault, Fault::malformed);
  terms.plays = kMaxPlays + 1;
  EXPECT_EQ(sign(terms, p256_key()).error().fault, Fault::malformed);
  terms = sample();
  terms.server = "a\"b";
  EXPECT_EQ(sign(terms, p256_key()).error().fault, Fault::malformed);
  terms = sample();
  terms.window_after_first_play = kMaxWindow + 1;
  EXPECT_EQ(sign(terms, p256_key()).error().fault, Fault::malformed);
}

TEST(EcdsaRaw, ComesBackFromDer) {
  for (int i = 0; i < 50; ++i) {  // r or s is shorter than 32 bytes now and then
    const Bytes der = *p256_key().sign(view_of(std::to_string(i)));
    const Bytes raw = *crypto::ecdsa_raw_from_der(der);
    EXPECT_EQ(raw.size(), 64U);
    EXPECT_EQ(*crypto::ecdsa_der_from_raw(raw), der);
  }
}

TEST(EcdsaRaw, IsRefusedForWhatIsNotDer) {
  Bytes der = *p256_key().sign(view_of("message"));
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_FALSE(crypto::ecdsa_raw_from_der(longer));
  EXPECT_FALSE(crypto::ecdsa_raw_from_der(View{der}.first(der.size() - 1)));
  EXPECT_FALSE(crypto::ecdsa_raw_from_der({}));
  Bytes large{0x30, 0x26, 0x02, 0x21, 0x01};  // r = 2^256, s = 1
  large.resize(large.size() + 32);
  append(large, Bytes{0x02, 0x01, 0x01});
  EXPECT_FALSE(crypto::ecdsa_raw_from_der(large));
  EXPECT_FALSE(crypto::ecdsa_raw_from_der(Bytes{0x30, 0x06, 0x02, 0x01, 0xff, 0x02, 0x01, 0x01}));  // r = -1
}

}  // namespace
}  // namespace usher::licence
