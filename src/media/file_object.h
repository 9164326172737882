// media/file_object: a file as a sealed object whose id follows from its contents.  Spec: filestream.md §5, sealed.md §2.
//
// To seal one, a SealWriter (sealed.h) writes header and chunks to a Sink one after the other, never going back: its
// layout is file_layout(), the whole file's digest comes first.
#pragma once

#include <optional>

#include "media/release.h"

namespace usher::media {

/// filestream.md §5.1. `digest`: the SHA-256 of the plaintext.
[[nodiscard]] Id128 file_object_id(const Hash256& digest);

/// What `SEALED` and `SEALED-CTR` answer: chunks of 64 KiB, the id of §5.1. `size`: bytes of plaintext.
[[nodiscard]] Layout file_layout(Suite suite, std::uint64_t size, const Hash256& digest);

struct OpenedFile {
  Hash256 digest{};         // SHA-256 of the plaintext
  std::uint64_t bytes = 0;  // of the plaintext
  Suite suite = Suite::aes256_gcm;
};

/// Opens a file object, chunk by chunk, into `sink`, and compares the digest of what came out. What went into the sink
/// is worth nothing unless this succeeds. `expected`: a digest that is known from elsewhere; it is compared with the
/// object's id first, before anything is opened.
/// Errors: as SealedObject::open and read_chunk; digest_mismatch; cancelled; the sink's.
[[nodiscard]] Result<OpenedFile> open_file_object(SourcePtr source, const Unwrapper& key, Sink& sink,
                                                  const std::optional<Hash256>& expected = {},
                                                  const Progress& progress = {});

}  // namespace usher::media
