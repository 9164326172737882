// Seals and opens small data in one piece: keys, manifests.  Spec: sealed.md §2.2, §6.
#include "crypto/digest.h"
#include "media/sealed.h"

namespace usher::media {

using crypto::Secret;

Result<Bytes> seal_small(View plaintext, const Id128& object, const Wrapper& wrapper, Random& random) {
  const Layout layout{
      .suite = Suite::aes256_gcm, .chunk_size = kDefaultChunkSize, .total = plaintext.size(), .object = object};
  MemorySink sink;
  USHER_TRY(SealWriter writer, SealWriter::begin(layout, {&wrapper}, sink, random));
  USHER_CHECK(writer.write(plaintext));
  USHER_CHECK(writer.finish());
  return std::move(sink.bytes);
}

Result<Secret> open_small(SourcePtr source, const Id128& object, const Unwrapper& key, std::size_t max) {
  USHER_TRY(const SealedObject sealed, SealedObject::open(std::move(source), object, key));
  const Layout& layout = sealed.layout();
  if (layout.total > max) return fail(Fault::too_long, "sealed: small object");
  Secret all(static_cast<std::size_t>(layout.total));
  std::size_t filled = 0;
  for (std::uint64_t i = 0; i < layout.chunks(); ++i) {
    USHER_TRY(const Secret chunk, sealed.read_chunk(i));
    std::ranges::copy(chunk.expose(), all.expose_for_writing().subspan(filled).begin());
    filled += chunk.size();
  }
  return all;
}

Id128 companion_id(std::string_view kind, const Id128& to) {
  constexpr std::uint8_t kZero[] = {0};
  return array_of<16>(crypto::sha256({view_of("usher/1 object"), kZero, view_of(kind), kZero, to}));
}

}  // namespace usher::media
