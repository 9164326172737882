#include "media/manifest.h"

#include "base/encoding.h"
#include "crypto/digest.h"
#include "wire/codec.h"

namespace usher::media {
namespace {

constexpr std::uint8_t kVersion = 2;        // of the manifest
constexpr std::uint8_t kSignedVersion = 1;  // of the signed structure around it
constexpr std::size_t kMinSignature = 8;    // bytes: the shortest possible DER signature
constexpr std::size_t kMaxSignature = 512;  // bytes: RSA-4096

constexpr std::uint64_t kMaxExact = (std::uint64_t{1} << 53) - 1;  // every JSON reader represents it exactly

/// §2.3: 64 spaces ‖ context ‖ 0 ‖ manifest.
Bytes signed_bytes(View manifest) {
  Bytes out(64, 0x20);
  append(out, view_of("usher/1 manifest"));
  out.push_back(0);
  append(out, manifest);
  return out;
}

bool is_text(std::string_view text, std::size_t min, std::size_t max) {
  return text.size() >= min && text.size() <= max && is_clean_utf8(text);
}

/// type "/" subtype, each of the characters that RFC 6838 §4.2 allows, in lower case.
bool is_media_type(std::string_view text) {
  const auto is_name = [](std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("!#$&-^_.+").contains(c);
    });
  };
  const auto slash = text.find('/');
  return text.size() <= kMaxMediaType && slash != std::string_view::npos && is_name(text.substr(0, slash)) &&
         is_name(text.substr(slash + 1));
}

std::unexpected<Error> bad_field(std::string_view name) {
  return fail(Fault::malformed, "manifest: field", "the manifest's " + std::string(name));
}

/// A distributor's signature never uses a scheme that is for cards only.
bool is_manifest_scheme(crypto::SignatureScheme scheme) {
  return scheme == crypto::SignatureScheme::ecdsa_p256_sha256 || scheme == crypto::SignatureScheme::rsa_pss_sha256;
}

bool is_structure_size(const Manifest& manifest) {
  return wire::count_of(manifest.structure) * manifest.chunk_size <= max_header(manifest.size);
}

bool is_seek_index(const Manifest& manifest) {
  if (manifest.seek.size() > kMaxSeekPoints || manifest.head > max_header(manifest.size) ||
      manifest.head > manifest.size)
    return false;
  constexpr std::uint64_t kMaxStep = 0xffff'ffff;
  SeekPoint last{.time_ms = 0, .offset = 0};
  for (const SeekPoint& point : manifest.seek) {
    const bool rises = point.time_ms > last.time_ms && point.offset > last.offset;
    const bool fits = point.time_ms - last.time_ms <= kMaxStep && point.offset - last.offset <= kMaxStep;
    if (!rises || !fits || point.offset < manifest.head) return false;
    last = point;
  }
  return last.time_ms < manifest.duration_ms && last.offset < manifest.size;
}

bool is_part(const Part& part) { return part.kind == PartKind::cover && part.size >= 1 && part.size <= kMaxCover; }

Bytes encode_seek(const std::vector<SeekPoint>& seek) {
  wire::Writer out;
  SeekPoint last;
  for (const SeekPoint& point : seek) {
    out.u32(static_cast<std::uint32_t>(point.time_ms - last.time_ms));
    out.u32(static_cast<std::uint32_t>(point.offset - last.offset));
    last = point;
  }
  return out.take();
}

Result<std::vector<SeekPoint>> decode_seek(View bytes) {
  wire::Reader in(bytes, "manifest: seek");
  std::vector<SeekPoint> seek;
  SeekPoint at;
  while (in.ok() && !in.empty() && seek.size() <= kMaxSeekPoints) {
    at.time_ms += in.u32();
    at.offset += in.u32();
    seek.push_back(at);
  }
  USHER_CHECK(in.finish());
  return seek;
}

Bytes encode_parts(const std::vector<Part>& parts) {
  wire::Writer out;
  for (const Part& part : parts) {
    out.u8(static_cast<std::uint8_t>(part.kind)).u32(part.size).raw(part.hash).raw(part.object);
  }
  return out.take();
}

Result<std::vector<Part>> decode_parts(View bytes) {
  wire::Reader in(bytes, "manifest: parts");
  std::vector<Part> parts;
  while (in.ok() && !in.empty() && parts.size() <= kMaxParts) {
    Part part;
    part.kind = static_cast<PartKind>(in.u8());
    part.size = in.u32();
    part.hash = in.array<32>();
    part.object = in.array<16>();
    parts.push_back(part);
  }
  USHER_CHECK(in.finish());
  return parts;
}

bool is_chain(const std::vector<Bytes>& chain) {
  if (chain.empty() || chain.size() > kMaxCertificates) return false;
  std::size_t size = 0;
  for (const Bytes& certificate : chain) {
    if (certificate.empty()) return false;
    size += 2 + certificate.size();
  }
  return size <= kMaxChain;
}

}  // namespace

/// Headers are sent again free of charge, so there must not be many of them.
std::uint64_t max_header(std::uint64_t size) noexcept {
  constexpr std::uint64_t kAlways = 1 << 20;  // bytes
  return std::max(kAlways, size / 50);
}

Result<> Manifest::valid() const {
  if (!is_text(title, 1, kMaxName)) return bad_field("title");
  if (!is_text(artist, 0, kMaxName)) return bad_field("artist");
  if (!is_text(album, 0, kMaxName)) return bad_field("album");
  if (!is_text(description, 0, kMaxDescription)) return bad_field("description");
  if (!is_media_type(media_type)) return bad_field("media type");
  if (!is_chunk_size(chunk_size)) return bad_field("chunk size");
  if (size == 0 || chunks_of(size, chunk_size) > kMaxChunks) return bad_field("size");
  if (chunks != chunks_of(size, chunk_size)) return bad_field("number of chunks");
  if (kind != MediaKind::audio && kind != MediaKind::video) return bad_field("kind");
  if (duration_ms == 0 || duration_ms > kMaxExact) return bad_field("duration");
  USHER_CHECK(extent().check());
  if (!is_structure_size(*this)) return bad_field("structure");
  if (!is_seek_index(*this)) return bad_field("seek index");
  if (parts.size() > kMaxParts || !std::ranges::all_of(parts, is_part)) return bad_field("parts");
  if (pressed_at < 0 || static_cast<std::uint64_t>(pressed_at) > kMaxExact) return bad_field("time");
  if (!is_text(distributor, 1, kMaxName)) return bad_field("distributor");
  return {};
}

wire::Extent Manifest::extent() const {
  const auto duration = static_cast<std::int64_t>(std::min(duration_ms, kMaxExact));
  const std::uint64_t headers = chunk_size == 0 ? 0 : chunks_of(head, chunk_size);
  return {.chunks = chunks,
          .duration = Milliseconds(duration),
          .structure = structure,
          .head = static_cast<std::uint32_t>(std::min<std::uint64_t>(headers, chunks)),
          .seconds = seconds};
}

Bytes Manifest::encode() const {
  wire::Writer out;
  out.u8(kVersion).raw(medium);
  out.text16(title).text16(artist).text16(album).text16(description).text8(media_type);
  out.u8(static_cast<std::uint8_t>(kind)).u64(duration_ms);
  out.u64(size).u32(chunk_size).u32(chunks).raw(root).raw(object);
  out.vec16(wire::encode_ranges(structure)).raw(wire::encode_seconds(seconds));
  out.u32(head).vec16(encode_seek(seek)).vec16(encode_parts(parts));
  out.u64(static_cast<std::uint64_t>(pressed_at)).text16(distributor);
  return std::move(out).take();
}

Result<Manifest> Manifest::decode(View bytes) {
  if (bytes.size() > kMaxManifest) return fail(Fault::malformed, "manifest: size");
  wire::Reader in(bytes, "manifest");
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kVersion) return fail(Fault::unsupported, "manifest: version");
  Manifest out;
  out.medium = in.array<16>();
  out.title = in.text16(1, kMaxName);
  out.artist = in.text16(0, kMaxName);
  out.album = in.text16(0, kMaxName);
  out.description = in.text16(0, kMaxDescription);
  out.media_type = in.text8(3, kMaxMediaType);
  out.kind = static_cast<MediaKind>(in.u8());
  out.duration_ms = in.u64();
  out.size = in.u64();
  out.chunk_size = in.u32();
  out.chunks = in.u32();
  out.root = in.array<32>();
  out.object = in.array<16>();
  const View structure = in.vec16();
  const View seconds = in.raw(2 * wire::kTableSeconds);
  out.head = in.u32();
  const View seek = in.vec16();
  const View parts = in.vec16();
  out.pressed_at = static_cast<std::int64_t>(in.u64());
  out.distributor = in.text16(1, kMaxName);
  USHER_CHECK(in.finish());
  USHER_TRY(out.structure, wire::decode_ranges(structure, wire::kMaxStructureRanges));
  USHER_TRY(out.seconds, wire::decode_seconds(seconds));
  USHER_TRY(out.seek, decode_seek(seek));
  USHER_TRY(out.parts, decode_parts(parts));
  USHER_CHECK(out.valid());
  return out;
}

Result<SignedManifest> SignedManifest::sign(const Manifest& manifest, const crypto::Signer& signer,
                                            std::vector<Bytes> chain) {
  USHER_CHECK(manifest.valid());
  if (!is_chain(chain)) return fail(Fault::malformed, "manifest: chain", "the distributor's certificates");
  if (!is_manifest_scheme(signer.scheme())) return fail(Fault::bad_key, "manifest: scheme");
  SignedManifest out{
      .manifest = manifest.encode(), .scheme = signer.scheme(), .signature = {}, .chain = std::move(chain)};
  USHER_TRY(out.signature, signer.sign(signed_bytes(out.manifest)));
  return out;
}

Bytes SignedManifest::encode() const {
  wire::Writer certificates;
  for (const Bytes& certificate : chain) certificates.vec16(certificate);
  wire::Writer out;
  out.u8(kSignedVersion)
      .vec16(manifest)
      .u16(static_cast<std::uint16_t>(scheme))
      .vec16(signature)
      .vec16(certificates.bytes());
  return std::move(out).take();
}

Result<SignedManifest> SignedManifest::decode(View bytes) {
  if (bytes.size() > kMaxSignedManifest) return fail(Fault::malformed, "signed manifest: size");
  wire::Reader in(bytes, "signed manifest");
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kSignedVersion) return fail(Fault::unsupported, "signed manifest: version");
  SignedManifest out;
  out.manifest = to_bytes(in.vec16(1, kMaxManifest));
  const auto scheme = crypto::scheme_of(in.u16());
  out.signature = to_bytes(in.vec16(kMinSignature, kMaxSignature));
  wire::Reader certificates(in.vec16(1, kMaxChain), "signed manifest: chain");
  USHER_CHECK(in.finish());
  while (certificates.ok() && !certificates.empty() && out.chain.size() <= kMaxCertificates) {
    out.chain.push_back(to_bytes(certificates.vec16(1)));
  }
  USHER_CHECK(certificates.finish());
  if (!is_chain(out.chain)) return fail(Fault::malformed, "signed manifest: chain");
  if (!scheme || !is_manifest_scheme(*scheme)) return fail(Fault::unsupported, "signed manifest: scheme");
  out.scheme = *scheme;
  return out;
}

Result<> SignedManifest::verify(const crypto::PublicKey& key) const {
  return key.verify(scheme, signed_bytes(manifest), signature);
}

Hash256 SignedManifest::hash() const { return crypto::sha256(manifest); }

}  // namespace usher::media
