// support/crl: revocation lists written by hand, byte for byte: what no library would issue, and very long ones.
#pragma once

#include <openssl/evp.h>

#include <array>

#include "crypto/digest.h"
#include "pki/crl_walk.h"
#include "support/pki.h"

namespace usher::test {

/// Tag, definite length, content.
inline Bytes der(std::uint8_t tag, std::initializer_list<View> parts) {
  std::size_t size = 0;
  for (const View part : parts) size += part.size();
  Bytes out{tag};
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else {
    Bytes length;
    for (std::size_t left = size; left > 0; left >>= 8) length.insert(length.begin(), static_cast<std::uint8_t>(left));
    out.push_back(static_cast<std::uint8_t>(0x80 | length.size()));
    append(out, length);
  }
  for (const View part : parts) append(out, part);
  return out;
}

inline Bytes entry_extension(const Bytes& oid, const Bytes& value, bool critical) {
  const Bytes flag = critical ? Bytes{0x01, 0x01, 0xff} : Bytes{};
  return der(0x30, {der(0x06, {oid}), flag, der(0x04, {value})});
}

/// GeneralNames with one directoryName.
inline Bytes directory_names(const Bytes& name) { return der(0x30, {der(0xa4, {name})}); }

struct CrlEntrySketch {
  Bytes serial{};         // content of the INTEGER
  int reason = -1;        // reasonCode; -1: none
  Bytes issuer{};         // GeneralNames of a critical certificateIssuer; empty: none
  Bytes unknown_value{};  // of an unknown extension
  bool unknown_critical = false;
};

inline Bytes der_of(const CrlEntrySketch& entry) {
  Bytes extensions;
  if (entry.reason >= 0) {
    append(extensions,
           entry_extension({0x55, 0x1d, 0x15}, der(0x0a, {Bytes{static_cast<std::uint8_t>(entry.reason)}}), false));
  }
  if (!entry.issuer.empty()) append(extensions, entry_extension({0x55, 0x1d, 0x1d}, entry.issuer, true));
  if (entry.unknown_critical || !entry.unknown_value.empty()) {
    append(extensions, entry_extension({0x2a, 0x03}, entry.unknown_value, entry.unknown_critical));
  }
  if (!extensions.empty()) extensions = der(0x30, {extensions});
  return der(0x30, {der(0x02, {entry.serial}), der(0x17, {view_of("270101000000Z")}), extensions});
}

/// `model`, an empty list of the authority's, with these bytes as revokedCertificates' content, signed again.
inline Bytes crl_with_raw(const Authority& authority, const pki::Crl& model, const Bytes& entries) {
  const auto parts = must(pki::split_crl(model.der()));
  const Bytes list = entries.empty() ? Bytes{} : der(0x30, {entries});
  const Bytes body = der(0x30, {parts.before, list, parts.after});
  const crypto::MdCtxPtr context(EVP_MD_CTX_new());
  std::size_t size = 0;
  Bytes signature;
  const auto sign = [&] { return EVP_DigestSign(context.get(), signature.data(), &size, body.data(), body.size()); };
  const bool started = EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, authority.key.ossl()) == 1 &&
                       EVP_DigestSign(context.get(), nullptr, &size, body.data(), body.size()) == 1;
  signature.resize(size);
  if (!started || sign() != 1) throw std::runtime_error("a list cannot be signed");
  signature.resize(size);
  const Bytes algorithm{0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};  // ecdsa-with-SHA256
  return der(0x30, {body, algorithm, der(0x03, {Bytes{0}, signature})});
}

inline Bytes crl_with(const Authority& authority, const pki::Crl& model, const std::vector<CrlEntrySketch>& entries) {
  Bytes all;
  for (const auto& entry : entries) append(all, der_of(entry));
  return crl_with_raw(authority, model, all);
}

/// 16 bytes that look random, and are the same each time.
inline Bytes large_serial(std::uint32_t number) {
  const std::array<std::uint8_t, 4> seed{static_cast<std::uint8_t>(number >> 24),
                                         static_cast<std::uint8_t>(number >> 16),
                                         static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  const Hash256 hash = crypto::sha256(seed);
  Bytes serial(hash.begin(), hash.begin() + 16);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3f) | 0x40);  // positive, and one length for all
  return serial;
}

/// large_serial(0) to large_serial(count - 1), each with a reason, as most authorities write them.
inline Bytes large_crl(const Authority& authority, const pki::Crl& model, std::uint32_t count) {
  Bytes all;
  all.reserve(std::size_t{count} * 50);
  for (std::uint32_t i = 0; i < count; ++i) append(all, der_of({.serial = large_serial(i), .reason = 1}));
  return crl_with_raw(authority, model, all);
}

}  // namespace usher::test
