#include "media/vault_file.h"

#include "base/encoding.h"
#include "media/sealed_detail.h"
#include "wire/codec.h"

namespace usher::media::detail {
namespace {

using crypto::Secret;

constexpr std::string_view kMagic = "USHERVT2";
constexpr std::size_t kPrefix =
    40;  // bytes: magic, medium's id, sizes of the sealed manifest, of the parts, of the tree
constexpr std::size_t kNodeSize = 32;  // bytes

Result<> put_nodes(SealWriter& tree, const std::vector<Hash256>& nodes) {
  for (const Hash256& node : nodes) USHER_CHECK(tree.write(node));
  return {};
}

/// Copies the body, and writes the Merkle tree of its plaintext.
Result<> copy_body(const Release& release, SealWriter& tree, FileSink& body, const Progress& progress) {
  TreeBuilder builder;
  std::vector<Hash256> nodes;
  Bytes sealed;
  const Layout& layout = release.media().layout();
  std::uint64_t done = 0;
  for (std::uint64_t i = 0; i < layout.chunks(); ++i) {
    USHER_TRY(const Secret chunk, release.media().read_chunk(i, sealed));
    USHER_CHECK(body.write(sealed));
    nodes.clear();
    builder.add(leaf_hash(chunk.expose()), &nodes);
    USHER_CHECK(put_nodes(tree, nodes));
    done += chunk.size();
    if (progress && !progress(done, layout.total)) return fail(Fault::cancelled, "vault: import");
  }
  USHER_CHECK(tree.finish());
  if (builder.root() != release.manifest().root) return fail(Fault::release_mismatch, "vault: root");
  return {};
}

}  // namespace

std::unexpected<Error> of_medium(Error error, const Id128& medium) {
  error.about = "medium " + to_hex(medium) + (error.about.empty() ? "" : ", " + error.about);
  return std::unexpected(std::move(error));
}

Result<VaultAreas> vault_areas(const SourcePtr& file, const Id128& medium) {
  std::array<std::uint8_t, kPrefix> prefix{};
  USHER_CHECK(read_exactly(*file, 0, prefix, "vault: prefix"));
  wire::Reader in(prefix, "vault: prefix");
  if (!same(in.raw(kMagic.size()), view_of(kMagic))) return fail(Fault::malformed, "vault: magic");
  if (in.array<16>() != medium) return fail(Fault::wrong_object, "vault: medium");
  const std::uint64_t manifest = in.u32();
  const std::uint64_t parts = in.u32();
  const std::uint64_t tree = in.u64();
  USHER_CHECK(in.finish());
  if (tree > file->size()) return fail(Fault::truncated, "vault: tree");
  VaultAreas out;
  USHER_TRY(out.manifest, part_of(file, kPrefix, manifest));
  USHER_TRY(out.parts, part_of(file, kPrefix + manifest, parts));
  USHER_TRY(out.tree, part_of(file, kPrefix + manifest + parts, tree));
  const std::uint64_t media = kPrefix + manifest + parts + tree;
  USHER_TRY(out.media, part_of(file, media, file->size() - media));
  return out;
}

Layout tree_layout(const Layout& media) {
  return {.suite = Suite::aes256_gcm,
          .chunk_size = kTreeChunkSize,
          .total = node_count(media.chunks()) * kNodeSize,
          .object = companion_id("tree", media.object)};
}

Result<> write_vault_file(const Release& release, const Kek& kek, NewFile& file, Random& random,
                          const Progress& progress) {
  const Id128& medium = release.manifest().medium;
  USHER_TRY(const Bytes manifest,
            seal_small(release.signed_manifest().encode(), companion_id("manifest", medium), kek, random));
  USHER_TRY(const Bytes parts, release.parts().rewrap(kek, random));
  USHER_TRY(const Bytes media_header, release.media().rewrap({&kek}, random));

  const Layout layout = tree_layout(release.media().layout());
  const std::uint64_t tree_offset = kPrefix + manifest.size() + parts.size();
  FileSink tree_sink(file, tree_offset);
  USHER_TRY(SealWriter tree, SealWriter::begin(layout, {&kek}, tree_sink, random));
  const std::uint64_t tree_size = tree.header_size() + layout.body_size();
  FileSink body(file, tree_offset + tree_size);
  USHER_CHECK(file.reserve(body.offset() + media_header.size() + release.media().layout().body_size()));

  wire::Writer prefix;
  prefix.raw(view_of(kMagic)).raw(medium).u32(static_cast<std::uint32_t>(manifest.size()));
  prefix.u32(static_cast<std::uint32_t>(parts.size())).u64(tree_size);
  USHER_CHECK(file.write_at(0, prefix.bytes()));
  USHER_CHECK(file.write_at(kPrefix, manifest));
  USHER_CHECK(file.write_at(kPrefix + manifest.size(), parts));
  USHER_CHECK(body.write(media_header));
  return copy_body(release, tree, body, progress);
}

Result<SignedManifest> read_manifest(const VaultAreas& areas, const Id128& medium, const Kek& kek) {
  USHER_TRY(const Secret encoded,
            open_small(areas.manifest, companion_id("manifest", medium), kek, kMaxSignedManifest));
  return SignedManifest::decode(encoded.expose());
}

Result<std::shared_ptr<const MediumFile>> MediumFile::open(const SourcePtr& file, const Id128& medium, const Kek& kek) {
  USHER_TRY(const VaultAreas areas, vault_areas(file, medium));
  USHER_TRY(SignedManifest signed_manifest, read_manifest(areas, medium, kek));
  USHER_TRY(Manifest manifest, signed_manifest.contents());
  USHER_TRY(SealedObject media, SealedObject::open(areas.media, manifest.object, kek));
  USHER_CHECK(check_belongs(manifest, medium, media.layout()));
  USHER_TRY(SealedParts parts, SealedParts::open(areas.parts, manifest.parts, kek));
  const Layout layout = tree_layout(media.layout());
  USHER_TRY(SealedObject tree, SealedObject::open(areas.tree, layout.object, kek));
  if (tree.layout().total != layout.total || tree.layout().chunk_size != layout.chunk_size) {
    return fail(Fault::release_mismatch, "vault: tree and media");
  }
  std::shared_ptr<MediumFile> out(new MediumFile(std::move(signed_manifest), std::move(manifest), std::move(parts),
                                                 std::move(media), std::move(tree)));
  USHER_CHECK(out->load_tree());
  return out;
}

Result<> MediumFile::load_tree() {
  const Layout& layout = tree_.layout();
  if (layout.total <= kMaxTreeInMemory) {
    Secret all(static_cast<std::size_t>(layout.total));
    std::size_t filled = 0;
    for (std::uint64_t i = 0; i < layout.chunks(); ++i) {
      USHER_TRY(const Secret chunk, tree_.read_chunk(i));
      std::ranges::copy(chunk.expose(), all.expose_for_writing().subspan(filled).begin());
      filled += chunk.size();
    }
    nodes_ = std::move(all);
  }
  USHER_TRY(const Hash256 root, tree_root(manifest_.chunks, node_reader()));
  if (root != manifest_.root) return fail(Fault::release_mismatch, "vault: root");
  return {};
}

NodeReader MediumFile::node_reader() const {
  if (!nodes_.empty()) {
    return [this](std::uint64_t position) -> Result<Hash256> {
      return array_of<32>(nodes_.expose().subspan(static_cast<std::size_t>(position * kNodeSize)));
    };
  }
  struct Last {
    std::uint64_t index = ~std::uint64_t{0};
    Secret chunk;
  };
  return [this, last = std::make_shared<Last>()](std::uint64_t position) -> Result<Hash256> {
    const std::uint64_t offset = position * kNodeSize;
    if (const std::uint64_t index = offset / kTreeChunkSize; index != last->index) {
      USHER_TRY(last->chunk, tree_.read_chunk(index));
      last->index = index;
    }
    return array_of<32>(last->chunk.expose().subspan(static_cast<std::size_t>(offset % kTreeChunkSize)));
  };
}

Result<Chunk> MediumFile::read_chunk(std::uint64_t index) const {
  auto plaintext = media_.read_chunk(index);
  if (!plaintext) return of_medium(std::move(plaintext).error(), manifest_.medium);
  auto proof = inclusion_proof(index, manifest_.chunks, node_reader());
  if (!proof) return of_medium(std::move(proof).error(), manifest_.medium);
  return Chunk{std::move(*plaintext), std::move(*proof)};
}

Result<Secret> MediumFile::read_part(std::size_t index) const {
  auto part = parts_.read(index);
  if (!part) return of_medium(std::move(part).error(), manifest_.medium);
  return part;
}

Result<> MediumFile::verify(const Progress& progress) const {
  USHER_CHECK(parts_.verify());
  TreeBuilder tree;
  const NodeReader kept = node_reader();
  std::vector<Hash256> nodes;
  std::uint64_t position = 0;
  std::uint64_t done = 0;
  for (std::uint64_t i = 0; i < manifest_.chunks; ++i) {
    USHER_TRY(const Secret chunk, media_.read_chunk(i));
    nodes.clear();
    tree.add(leaf_hash(chunk.expose()), &nodes);
    for (const Hash256& node : nodes) {
      USHER_TRY(const Hash256 stored, kept(position++));
      if (stored != node) return fail(Fault::chunk_damaged, "vault: tree", chunk_name(i));
    }
    done += chunk.size();
    if (progress && !progress(done, manifest_.size)) return fail(Fault::cancelled, "vault: verify");
  }
  if (tree.root() != manifest_.root) return fail(Fault::release_mismatch, "vault: root");
  return {};
}

}  // namespace usher::media::detail
