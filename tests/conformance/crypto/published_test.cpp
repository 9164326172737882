// OpenSSL's and Botan's vectors for what Wycheproof does not have: CFB-128, ChaCha20, CTR, FFDHE; HKDF once more.
#include <map>
#include <sstream>

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "base/encoding.h"
#include "crypto/cipher.h"
#include "crypto/group.h"
#include "crypto/kdf.h"
#include "crypto/ossl.h"
#include "support/conformance.h"
#include "support/fixed_random.h"

namespace usher::crypto {
namespace {

using test::conformance_folder;
using test::read_text;

/// One stanza: its `name = value` lines. Botan's [section] is under "section"; PEM blocks are under "pem".
using Stanza = std::multimap<std::string, std::string>;

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

/// The lines of a value on several lines, as of FFDHE's shared secrets, become one value.
std::vector<Stanza> stanzas_of(const std::string& text) {
  std::vector<Stanza> out;
  Stanza now;
  std::string section;
  std::string pem;
  const auto close = [&] {
    if (now.empty()) return;
    if (!section.empty()) now.emplace("section", section);
    out.push_back(std::exchange(now, {}));
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("-----BEGIN"))
      pem = line + "\n";
    else if (!pem.empty()) {
      pem += line + "\n";
      if (line.starts_with("-----END")) now.emplace("pem", std::exchange(pem, {}));
    } else if (trimmed(line).empty())
      close();
    else if (line.starts_with('#'))
      continue;
    else if (line.starts_with('['))
      section = line;
    else if (const auto equals = line.find('='); equals != std::string::npos) {
      now.emplace(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
    }
  }
  close();
  return out;
}

std::string field(const Stanza& stanza, const std::string& name) {
  const auto at = stanza.find(name);
  return at == stanza.end() ? "" : at->second;
}

std::optional<Cipher> cipher_named(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
  static const std::map<std::string, Cipher> kNames = {
      {"aes-128-cfb", Cipher::aes128_cfb}, {"aes-256-cfb", Cipher::aes256_cfb},   {"aes-256-ctr", Cipher::aes256_ctr},
      {"chacha20", Cipher::chacha20},      {"[aes-128/cfb]", Cipher::aes128_cfb}, {"[aes-256/cfb]", Cipher::aes256_cfb},
  };
  const auto at = kNames.find(name);
  return at == kNames.end() ? std::nullopt : std::optional(at->second);
}

void both_ways(Cipher cipher, const Bytes& key, const Bytes& iv, const Bytes& plaintext, const Bytes& ciphertext) {
  Bytes out(plaintext.size());
  encrypt(cipher, key, iv, plaintext, out);
  EXPECT_EQ(to_hex(out), to_hex(ciphertext));
  ASSERT_TRUE(decrypt(cipher, key, iv, ciphertext, out).has_value());
  EXPECT_EQ(out, plaintext);
}

void openssl_ciphers(const std::string& file, std::size_t least) {
  std::size_t used = 0;
  for (const Stanza& stanza : stanzas_of(read_text(conformance_folder() / "vectors/openssl" / file))) {
    const auto cipher = cipher_named(field(stanza, "Cipher"));
    if (!cipher) continue;
    both_ways(*cipher, from_hex(field(stanza, "Key")).value(), from_hex(field(stanza, "IV")).value(),
              from_hex(field(stanza, "Plaintext")).value(), from_hex(field(stanza, "Ciphertext")).value());
    ++used;
  }
  EXPECT_GE(used, least);
}

TEST(OpensslVectors, AesCfbAndCtr) {
  USHER_NEEDS_CONFORMANCE("vectors");
  openssl_ciphers("evpciph_aes_common.txt", 16);
}

TEST(OpensslVectors, ChaCha20) {
  USHER_NEEDS_CONFORMANCE("vectors");
  openssl_ciphers("evpciph_chacha.txt", 5);
}

TEST(BotanVectors, AesCfb) {
  USHER_NEEDS_CONFORMANCE("vectors");
  std::size_t used = 0;
  for (const Stanza& stanza : stanzas_of(read_text(conformance_folder() / "vectors/botan/cfb.vec"))) {
    const auto cipher = cipher_named(field(stanza, "section"));
    if (!cipher || field(stanza, "Key").empty()) continue;
    both_ways(*cipher, from_hex(field(stanza, "Key")).value(), from_hex(field(stanza, "Nonce")).value(),
              from_hex(field(stanza, "In")).value(), from_hex(field(stanza, "Out")).value());
    ++used;
  }
  EXPECT_GE(used, 4U);
}

/// Those with a 256-bit key and a 96-bit nonce, from block 0: as a record uses it (channel.md).
TEST(BotanVectors, ChaCha20) {
  USHER_NEEDS_CONFORMANCE("vectors");
  std::size_t used = 0;
  for (const Stanza& stanza : stanzas_of(read_text(conformance_folder() / "vectors/botan/chacha.vec"))) {
    const Bytes key = from_hex(field(stanza, "Key")).value();
    const Bytes nonce = from_hex(field(stanza, "Nonce")).value();
    if (field(stanza, "section") != "[ChaCha(20)]" || key.size() != 32 || nonce.size() != 12) continue;
    if (!field(stanza, "Seek").empty()) continue;
    const Bytes wanted = from_hex(field(stanza, "Out")).value();
    const std::string given = field(stanza, "In");
    const Bytes plaintext = given.empty() ? Bytes(wanted.size()) : from_hex(given).value();
    both_ways(Cipher::chacha20, key, concat({Bytes(4), nonce}), plaintext, wanted);
    ++used;
  }
  EXPECT_GE(used, 1U);
}

std::string after_colon(const std::string& text) { return text.substr(text.find(':') + 1); }

Bytes parameter(const Stanza& stanza, const std::string& name) {
  const std::string value = field(stanza, name);
  return value.starts_with("hex") ? from_hex(after_colon(value)).value() : to_bytes(view_of(after_colon(value)));
}

TEST(OpensslVectors, Hkdf) {
  USHER_NEEDS_CONFORMANCE("vectors");
  std::size_t used = 0;
  for (const Stanza& stanza : stanzas_of(read_text(conformance_folder() / "vectors/openssl/evpkdf_hkdf.txt"))) {
    const std::string digest_name = after_colon(field(stanza, "Ctrl.digest"));
    if (field(stanza, "KDF") != "HKDF" || digest_name == "SHA1" || field(stanza, "Output").empty()) continue;
    if (stanza.contains("Result") || !stanza.contains("Ctrl.IKM")) continue;
    ASSERT_EQ(digest_name, "SHA256");
    const Bytes output = from_hex(field(stanza, "Output")).value();
    const std::string mode = after_colon(field(stanza, "Ctrl.mode"));
    const Bytes input = parameter(stanza, "Ctrl.IKM");
    const Secret prk = mode == "EXPAND_ONLY" ? Secret::copy_of(input)
                                             : hkdf_extract(Digest::sha256, parameter(stanza, "Ctrl.salt"), input);
    const Secret got = mode == "EXTRACT_ONLY"
                           ? prk.clone()
                           : hkdf_expand(Digest::sha256, prk, {parameter(stanza, "Ctrl.info")}, output.size());
    EXPECT_EQ(to_hex(got.expose()), to_hex(output));
    ++used;
  }
  EXPECT_GE(used, 6U);
}

PKeyPtr read_pem(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return PKeyPtr(pem.starts_with("-----BEGIN PUBLIC") ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)
                                                      : PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

Bytes number_of(EVP_PKEY* key, const char* name, std::size_t size) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1) << name;
  const BnPtr owned(number);
  Bytes out(size);
  EXPECT_EQ(BN_bn2binpad(number, out.data(), static_cast<int>(size)), static_cast<int>(size));
  return out;
}

class Ffdhe : public testing::TestWithParam<Group> {};
INSTANTIATE_TEST_SUITE_P(All, Ffdhe, testing::Values(Group::ffdhe2048, Group::ffdhe3072, Group::ffdhe4096),
                         [](const auto& instance) { return std::string(name_of(instance.param)); });

/// The keys of the file are made again from their private numbers: same p and g, same Y, same secret, padding and all.
TEST_P(Ffdhe, ParametersPublicValuesAndSecretsAreThoseOfOpensslsVectors) {
  USHER_NEEDS_CONFORMANCE("vectors");
  const std::string name(name_of(GetParam()));
  const std::size_t size = public_size(GetParam());
  const std::size_t private_size = GetParam() == Group::ffdhe2048 ? 32 : GetParam() == Group::ffdhe3072 ? 36 : 44;
  std::map<std::string, std::string> keys;
  std::size_t used = 0;
  for (const Stanza& stanza : stanzas_of(read_text(conformance_folder() / "vectors/openssl/evppkey_ffdhe.txt"))) {
    for (const char* kind : {"PrivateKey", "PublicKey"}) {
      if (stanza.contains(kind)) keys[field(stanza, kind)] = field(stanza, "pem");
    }
    const std::string own_name = field(stanza, "Derive");
    if (!own_name.starts_with(name + "-") || !stanza.contains("SharedSecret") || stanza.contains("KDFType")) continue;
    const PKeyPtr own = read_pem(keys.at(own_name));
    const PKeyPtr own_public = read_pem(keys.at(own_name + "-pub"));
    const PKeyPtr peer = read_pem(keys.at(field(stanza, "PeerKey")));
    ASSERT_TRUE(own && own_public && peer);
    EXPECT_EQ(number_of(own.get(), OSSL_PKEY_PARAM_FFC_P, size), parameters_of(GetParam()).p);
    EXPECT_EQ(number_of(own.get(), OSSL_PKEY_PARAM_FFC_G, 1), parameters_of(GetParam()).g);
    test::FixedRandom random(number_of(own.get(), OSSL_PKEY_PARAM_PRIV_KEY, private_size));
    auto again = EphemeralKey::generate(GetParam(), random);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->public_value(), number_of(own_public.get(), OSSL_PKEY_PARAM_PUB_KEY, size));
    const auto secret = std::move(*again).agree(number_of(peer.get(), OSSL_PKEY_PARAM_PUB_KEY, size));
    ASSERT_TRUE(secret.has_value());
    Bytes wanted = from_hex(field(stanza, "SharedSecret")).value();
    wanted.insert(wanted.begin(), size - wanted.size(), 0);  // without dh_pad, OpenSSL leaves leading zeros out
    EXPECT_EQ(to_hex(secret->expose()), to_hex(wanted));
    ++used;
  }
  EXPECT_GE(used, 2U);
}

}  // namespace
}  // namespace usher::crypto
