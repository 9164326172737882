#include "media/file_object.h"

#include "base/encoding.h"
#include "crypto/digest.h"

namespace usher::media {

Layout file_layout(Suite suite, std::uint64_t size) {
  return {.suite = suite, .chunk_size = kDefaultChunkSize, .total = size};
}

Result<OpenedFile> open_file_object(SourcePtr source, const Unwrapper& key, Sink& sink,
                                    const std::optional<Hash256>& expected, const Progress& progress) {
  // The id is not known in advance. It is taken from the header, and the plaintext must prove it.
  USHER_TRY(const Header header, Header::read(*source));
  USHER_TRY(const SealedObject object, SealedObject::open(std::move(source), header.layout.object, key));
  if (expected && !object.is_file_of(*expected)) {
    return fail(Fault::digest_mismatch, "file object: id", "it was sealed from other bytes than " + to_hex(*expected),
                "Get it again from its origin, or check the digest that was given.");
  }
  const Layout& layout = object.layout();
  crypto::Hasher hasher(crypto::Digest::sha256);
  OpenedFile opened{.suite = layout.suite};
  for (std::uint64_t i = 0; i < layout.chunks(); ++i) {
    USHER_TRY(const crypto::Secret chunk, object.read_chunk(i));
    hasher.update(chunk.expose());
    USHER_CHECK(sink.write(chunk.expose()));
    opened.bytes += chunk.size();
    if (progress && !progress(opened.bytes, layout.total)) return fail(Fault::cancelled, "file object");
  }
  opened.digest = array_of<32>(hasher.value());
  // §5.1: a MUST. The chunks' tags prove that they belong together, not that they are the file that was hashed.
  if (!object.is_file_of(opened.digest)) {
    return fail(Fault::digest_mismatch, "file object: digest", "the opened bytes do not match the object's id",
                "Get the object again from its origin; the opened data were discarded.");
  }
  return opened;
}

}  // namespace usher::media
