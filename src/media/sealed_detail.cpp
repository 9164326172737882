#include "media/sealed_detail.h"

#include "crypto/cipher.h"
#include "crypto/mac.h"
#include "wire/codec.h"

namespace usher::media::detail {
namespace {

using crypto::Digest;
using crypto::Secret;

constexpr std::string_view kMagic = "USHERSO1";

/// §5.1: 3 zero bytes ‖ index (8) ‖ 1 for the last chunk, else 0.
std::array<std::uint8_t, crypto::kAeadNonceSize> nonce_of(const Layout& layout, std::uint64_t index) {
  wire::Writer out;
  out.u8(0).u16(0).u64(index).u8(index + 1 == layout.chunks() ? 1 : 0);
  return array_of<crypto::kAeadNonceSize>(out.bytes());
}

/// §5.3: the nonce and a block counter of 4 bytes from 0; a chunk has at most 2^16 blocks.
std::array<std::uint8_t, 16> counter_block(View nonce) {
  std::array<std::uint8_t, 16> block{};
  std::ranges::copy(nonce, block.begin());
  return block;
}

void put_layout(wire::Writer& out, const Layout& layout) {
  out.u8(static_cast<std::uint8_t>(layout.suite)).u32(layout.chunk_size).u64(layout.total).raw(layout.object);
}

}  // namespace

Keys derive_keys(const Secret& object_key, const Hash256& salt, const Layout& layout) {
  const Secret prk = crypto::hkdf_extract(Digest::sha256, salt, object_key.expose());
  wire::Writer bound;
  put_layout(bound.u8(0), layout);
  const auto expand = [&](std::string_view label) {
    return crypto::hkdf_expand(Digest::sha256, prk, {view_of(label), bound.bytes()}, 32);
  };
  Keys keys;
  keys.commitment = array_of<32>(expand("usher/1 sealed commitment").expose());
  keys.header = expand("usher/1 sealed header");
  keys.body.cipher = expand("usher/1 sealed body");
  if (layout.suite == Suite::aes256_ctr_hmac_sha256) keys.body.mac = expand("usher/1 sealed body mac");
  return keys;
}

Id128 file_id(const Secret& object_key, const Hash256& salt, const Hash256& digest) {
  const Secret prk = crypto::hkdf_extract(Digest::sha256, salt, object_key.expose());
  const Secret key = crypto::hkdf_expand(Digest::sha256, prk, {view_of("usher/1 file id")}, 32);
  return array_of<16>(crypto::hmac(Digest::sha256, key.expose(), {digest}));
}

Bytes encode_without_mac(const Header& header) {
  wire::Writer recipients;
  for (const Recipient& recipient : header.recipients) {
    recipients.u8(recipient.type).vec16(recipient.params).vec16(recipient.wrapped);
  }
  wire::Writer out;
  out.raw(view_of(kMagic));
  put_layout(out, header.layout);
  out.raw(header.salt).vec16(recipients.bytes()).raw(header.commitment);
  return std::move(out).take();
}

Hash256 mac_of(const Secret& header_key, View header_without_mac) {
  return array_of<kMacSize>(crypto::hmac(Digest::sha256, header_key.expose(), {header_without_mac}));
}

Result<Bytes> make_header(const Layout& layout, const Hash256& salt, const Secret& object_key, const Keys& keys,
                          const Wrappers& wrappers, Random& random) {
  USHER_CHECK(check_layout(layout));
  Header header{.layout = layout, .salt = salt, .recipients = {}, .commitment = keys.commitment, .mac = {}, .size = 0};
  std::size_t size = 0;
  bool passphrase = false;
  for (const Wrapper* wrapper : wrappers) {
    USHER_TRY(Recipient recipient, wrapper->wrap(object_key, {layout.suite, layout.object}, random));
    passphrase = passphrase || recipient.type == static_cast<std::uint8_t>(WrapType::passphrase);
    size += 5 + recipient.params.size() + recipient.wrapped.size();
    header.recipients.push_back(std::move(recipient));
  }
  if (wrappers.empty() || wrappers.size() > kMaxRecipients || size > kMaxRecipientBytes) {
    return fail(Fault::too_long, "sealed: recipients");
  }
  // §4.1: a passphrase must be the only recipient.
  if (passphrase && wrappers.size() > 1) return fail(Fault::unsupported, "sealed: passphrase beside other recipients");
  Bytes bytes = encode_without_mac(header);
  append(bytes, mac_of(keys.header, bytes));
  return bytes;
}

Result<> check_layout(const Layout& layout) {
  if (layout.suite != Suite::aes256_gcm && layout.suite != Suite::aes256_ctr_hmac_sha256) {
    return fail(Fault::unsupported, "sealed: suite");
  }
  if (!is_chunk_size(layout.chunk_size)) return fail(Fault::malformed, "sealed: chunk size");
  if (layout.chunks() > kMaxChunks) return fail(Fault::too_long, "sealed: number of chunks");
  return {};
}

void seal_chunk(const Layout& layout, const BodyKeys& keys, std::uint64_t index, View plaintext, MutableView sealed) {
  const auto nonce = nonce_of(layout, index);
  if (layout.suite == Suite::aes256_gcm) {
    crypto::aead_seal(crypto::Cipher::aes256_gcm, keys.cipher.expose(), nonce, {}, plaintext, sealed);
    return;
  }
  const MutableView ciphertext = sealed.first(plaintext.size());
  crypto::encrypt(crypto::Cipher::aes256_ctr, keys.cipher.expose(), counter_block(nonce), plaintext, ciphertext);
  std::ranges::copy(crypto::hmac(Digest::sha256, keys.mac.expose(), {nonce, ciphertext}),
                    sealed.subspan(plaintext.size()).begin());
}

Result<> open_chunk(const Layout& layout, const BodyKeys& keys, std::uint64_t index, MutableView sealed) {
  const auto nonce = nonce_of(layout, index);
  const MutableView ciphertext = sealed.first(sealed.size() - layout.tag_size());
  if (layout.suite == Suite::aes256_gcm) {
    if (!crypto::aead_open(crypto::Cipher::aes256_gcm, keys.cipher.expose(), nonce, {}, sealed, ciphertext)) {
      return fail(Fault::chunk_damaged, "sealed: chunk", chunk_name(index));
    }
    return {};
  }
  const Bytes mac = crypto::hmac(Digest::sha256, keys.mac.expose(), {nonce, ciphertext});
  if (!crypto::equal_constant_time(mac, sealed.subspan(ciphertext.size()))) {
    return fail(Fault::chunk_damaged, "sealed: chunk", chunk_name(index));
  }
  // CTR keeps the length and works in place: it cannot fail here.
  if (!crypto::decrypt(crypto::Cipher::aes256_ctr, keys.cipher.expose(), counter_block(nonce), ciphertext,
                       ciphertext)) {
    return fail(Fault::local, "sealed: ctr", chunk_name(index));
  }
  return {};
}

std::string chunk_name(std::uint64_t index) { return "chunk " + std::to_string(index); }

Result<> read_exactly(const Source& source, std::uint64_t offset, MutableView out, std::string_view where) {
  USHER_TRY(const std::size_t got, source.read_at(offset, out));
  if (got != out.size()) return fail(Fault::truncated, where);
  return {};
}

}  // namespace usher::media::detail
