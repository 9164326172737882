#include "media/parts.h"

#include "crypto/digest.h"
#include "wire/codec.h"

namespace usher::media {
namespace {

using crypto::Secret;

constexpr std::size_t kLength = 4;  // bytes, before each sealed object

std::unexpected<Error> mismatch(std::size_t index) {
  return fail(Fault::release_mismatch, "parts", "part " + std::to_string(index) + " is not the one that was signed");
}

bool is_of(const Part& part, View plaintext) {
  return plaintext.size() == part.size && crypto::sha256(plaintext) == part.hash;
}

Result<Secret> read_whole(const SealedObject& object) {
  const Layout& layout = object.layout();
  Secret all(static_cast<std::size_t>(layout.total));
  std::size_t filled = 0;
  for (std::uint64_t i = 0; i < layout.chunks(); ++i) {
    USHER_TRY(const Secret chunk, object.read_chunk(i));
    std::ranges::copy(chunk.expose(), all.expose_for_writing().subspan(filled).begin());
    filled += chunk.size();
  }
  return all;
}

}  // namespace

Result<Bytes> seal_parts(const std::vector<Part>& parts, const std::vector<Bytes>& plaintexts, const Wrapper& recipient,
                         Random& random) {
  if (parts.size() != plaintexts.size()) return fail(Fault::release_mismatch, "parts: number");
  wire::Writer out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!is_of(parts[i], plaintexts[i])) return mismatch(i);
    USHER_TRY(const Bytes sealed, seal_small(plaintexts[i], parts[i].object, recipient, random));
    out.u32(static_cast<std::uint32_t>(sealed.size())).raw(sealed);
  }
  return std::move(out).take();
}

Result<SealedParts> SealedParts::open(const SourcePtr& source, const std::vector<Part>& parts, const Unwrapper& key) {
  SealedParts out;
  out.parts_ = parts;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::array<std::uint8_t, kLength> length{};
    USHER_TRY(const std::size_t got, source->read_at(at, length));
    if (got != length.size()) return fail(Fault::truncated, "parts: length");
    at += length.size();
    wire::Reader in(length, "parts: length");
    const std::uint32_t size = in.u32();
    USHER_TRY(SourcePtr area, part_of(source, at, size));
    at += size;
    USHER_TRY(SealedObject object, SealedObject::open(std::move(area), parts[i].object, key));
    if (object.layout().total != parts[i].size) return mismatch(i);
    out.objects_.push_back(std::move(object));
  }
  if (at != source->size()) return fail(Fault::malformed, "parts: bytes follow the last one");
  USHER_CHECK(out.verify());
  return out;
}

Result<Secret> SealedParts::read(std::size_t index) const {
  if (index >= objects_.size()) return fail(Fault::not_found, "parts", "part " + std::to_string(index));
  USHER_TRY(Secret plaintext, read_whole(objects_[index]));
  if (!is_of(parts_[index], plaintext.expose())) return mismatch(index);
  return plaintext;
}

Result<> SealedParts::verify() const {
  for (std::size_t i = 0; i < objects_.size(); ++i) USHER_CHECK(read(i));
  return {};
}

Result<Bytes> SealedParts::rewrap(const Wrapper& recipient, Random& random) const {
  wire::Writer out;
  Bytes sealed;
  for (const SealedObject& object : objects_) {
    USHER_TRY(Bytes copy, object.rewrap({&recipient}, random));
    for (std::uint64_t i = 0; i < object.layout().chunks(); ++i) {
      USHER_CHECK(object.read_chunk(i, sealed));
      append(copy, sealed);
    }
    out.u32(static_cast<std::uint32_t>(copy.size())).raw(copy);
  }
  return std::move(out).take();
}

}  // namespace usher::media
