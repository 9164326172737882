#include "media/release.h"

#include "media/sealed_detail.h"
#include "wire/codec.h"

namespace usher::media {
namespace {

using crypto::Secret;

constexpr std::string_view kMagic = "USHERRL2";
constexpr std::string_view kNotARelease = "It is no release: `usher-press press` makes one (.usher) of a recording.";
constexpr std::string_view kPressAgain = "Press it again while nothing changes the media file.";
constexpr std::size_t kPrefix = 32;  // bytes: magic, medium's id, lengths of the sealed manifest and of the parts
constexpr std::size_t kMaxSealedManifest = detail::kMaxHeader + kMaxSignedManifest + 32;

Result<> tell(const Progress& progress, std::uint64_t done, std::uint64_t total) {
  if (progress && !progress(done, total)) return fail(Fault::cancelled, "media: cancelled");
  return {};
}

/// Reads `media` chunk by chunk, and calls `take` with each chunk.
template <class Take>
Result<> each_chunk(const Source& media, std::uint32_t chunk_size, const Progress& progress, Take take) {
  const std::uint64_t total = media.size();
  Secret buffer(static_cast<std::size_t>(std::min<std::uint64_t>(total, chunk_size)));
  for (std::uint64_t done = 0; done < total;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(total - done, chunk_size));
    const MutableView chunk = buffer.expose_for_writing().first(size);
    USHER_CHECK(detail::read_exactly(media, done, chunk, "media: read"));
    USHER_CHECK(take(View(chunk)));
    done += size;
    USHER_CHECK(tell(progress, done, total));
  }
  return {};
}

/// The areas of a release file; nothing is opened yet.
struct Areas {
  Id128 medium{};
  SourcePtr manifest;
  SourcePtr parts;
  SourcePtr media;
  std::uint64_t parts_offset = 0;
  std::uint64_t media_offset = 0;
};

Result<Areas> areas_of(const SourcePtr& source) {
  std::array<std::uint8_t, kPrefix> prefix{};
  USHER_CHECK(detail::read_exactly(*source, 0, prefix, "release: prefix"));
  wire::Reader in(prefix, "release: prefix");
  if (!same(in.raw(kMagic.size()), view_of(kMagic)))
    return fail(Fault::malformed, "release: magic", {}, std::string(kNotARelease));
  Areas out;
  out.medium = in.array<16>();
  const std::uint32_t manifest = in.u32();
  const std::uint32_t parts = in.u32();
  USHER_CHECK(in.finish());
  if (manifest > kMaxSealedManifest) return fail(Fault::malformed, "release: size of the manifest");
  if (parts > kMaxSealedParts) return fail(Fault::malformed, "release: size of the parts");
  out.parts_offset = kPrefix + manifest;
  out.media_offset = out.parts_offset + parts;
  USHER_TRY(out.manifest, part_of(source, kPrefix, manifest));
  USHER_TRY(out.parts, part_of(source, out.parts_offset, parts));
  USHER_TRY(out.media, part_of(source, out.media_offset, source->size() - out.media_offset));
  return out;
}

}  // namespace

Result<Hash256> root_of(const Source& media, std::uint32_t chunk_size, const Progress& progress) {
  if (!is_chunk_size(chunk_size)) return fail(Fault::malformed, "media: chunk size");
  if (media.size() == 0)
    return fail(Fault::malformed, "media: empty", "the media file is empty", "Name a file with a recording in it.");
  if (chunks_of(media.size(), chunk_size) > kMaxChunks) return fail(Fault::too_long, "media: number of chunks");
  TreeBuilder tree;
  USHER_CHECK(each_chunk(media, chunk_size, progress, [&](View chunk) -> Result<> {
    tree.add(leaf_hash(chunk));
    return {};
  }));
  return tree.root();
}

Result<> write_release(const SignedManifest& manifest, const Source& media, const Wrapper& recipient, Sink& sink,
                       Random& random, const Progress& progress, Suite suite, const std::vector<Bytes>& parts) {
  USHER_TRY(const Manifest contents, manifest.contents());
  if (contents.size != media.size())
    return fail(Fault::release_mismatch, "release: size", {}, std::string(kPressAgain));
  USHER_TRY(const Bytes sealed_manifest,
            seal_small(manifest.encode(), companion_id("manifest", contents.medium), recipient, random));
  USHER_TRY(const Bytes sealed_parts, seal_parts(contents.parts, parts, recipient, random));
  wire::Writer prefix;
  prefix.raw(view_of(kMagic)).raw(contents.medium).u32(static_cast<std::uint32_t>(sealed_manifest.size()));
  prefix.u32(static_cast<std::uint32_t>(sealed_parts.size()));
  USHER_CHECK(sink.write(prefix.bytes()));
  USHER_CHECK(sink.write(sealed_manifest));
  USHER_CHECK(sink.write(sealed_parts));

  const Layout layout{
      .suite = suite, .chunk_size = contents.chunk_size, .total = contents.size, .object = contents.object};
  USHER_TRY(SealWriter writer, SealWriter::begin(layout, {&recipient}, sink, random));
  TreeBuilder tree;
  USHER_CHECK(each_chunk(media, contents.chunk_size, progress, [&](View chunk) -> Result<> {
    tree.add(leaf_hash(chunk));
    return writer.write(chunk);
  }));
  USHER_CHECK(writer.finish());
  // The file was read twice, once for the manifest: it may have changed in between.
  if (tree.root() != contents.root) return fail(Fault::release_mismatch, "release: root", {}, std::string(kPressAgain));
  return {};
}

Result<> check_belongs(const Manifest& manifest, const Id128& medium, const Layout& layout) {
  if (manifest.medium != medium || manifest.object != layout.object || manifest.size != layout.total ||
      manifest.chunk_size != layout.chunk_size || manifest.chunks != layout.chunks()) {
    return fail(Fault::release_mismatch, "release: manifest and media");
  }
  return {};
}

Result<ReleaseOutline> ReleaseOutline::read(const SourcePtr& source) {
  USHER_TRY(const Areas areas, areas_of(source));
  ReleaseOutline out;
  out.medium = areas.medium;
  out.parts_offset = areas.parts_offset;
  out.media_offset = areas.media_offset;
  USHER_TRY(out.manifest, Header::read(*areas.manifest));
  USHER_TRY(out.media, Header::read(*areas.media));
  return out;
}

Result<Release> Release::open(const SourcePtr& source, const Unwrapper& key) {
  USHER_TRY(const Areas areas, areas_of(source));
  USHER_TRY(const Secret encoded,
            open_small(areas.manifest, companion_id("manifest", areas.medium), key, kMaxSignedManifest));
  USHER_TRY(SignedManifest signed_manifest, SignedManifest::decode(encoded.expose()));
  USHER_TRY(Manifest manifest, signed_manifest.contents());
  USHER_TRY(SealedObject media, SealedObject::open(areas.media, manifest.object, key));
  USHER_CHECK(check_belongs(manifest, areas.medium, media.layout()));
  USHER_TRY(SealedParts parts, SealedParts::open(areas.parts, manifest.parts, key));
  return Release(std::move(signed_manifest), std::move(manifest), std::move(parts), std::move(media));
}

Result<> Release::verify_media(const Progress& progress) const {
  TreeBuilder tree;
  std::uint64_t done = 0;
  for (std::uint64_t i = 0; i < media_.layout().chunks(); ++i) {
    USHER_TRY(const Secret chunk, media_.read_chunk(i));
    tree.add(leaf_hash(chunk.expose()));
    done += chunk.size();
    USHER_CHECK(tell(progress, done, media_.layout().total));
  }
  if (tree.root() != manifest_.root) return fail(Fault::release_mismatch, "release: root");
  return {};
}

}  // namespace usher::media
