// media/file_object: a file as a sealed object whose id proves its contents.  Spec: filestream.md §5.
//
// To seal one, SealWriter::begin_file (sealed.h) writes header and chunks to a Sink one after the other, never going back;
// the whole file's digest comes first.
#pragma once

#include <optional>

#include "media/release.h"

namespace usher::media {

/// What `SEALED` and `SEALED-CTR` answer: chunks of 64 KiB. Without an id: that is made with the keys.
/// `size`: bytes of plaintext.
[[nodiscard]] Layout file_layout(Suite suite, std::uint64_t size);

struct OpenedFile {
  Hash256 digest{};         // SHA-256 of the plaintext
  std::uint64_t bytes = 0;  // of the plaintext
  Suite suite = Suite::aes256_gcm;
};

/// Opens a file object, chunk by chunk, into `sink`, and compares the digest of what came out. What went into the sink
/// is worth nothing unless this succeeds. `expected`: a digest that is known from elsewhere; it is compared with the
/// object's id first, before any chunk is opened.
/// Errors: as SealedObject::open and read_chunk; digest_mismatch; cancelled; the sink's.
[[nodiscard]] Result<OpenedFile> open_file_object(SourcePtr source, const Unwrapper& key, Sink& sink,
                                                  const std::optional<Hash256>& expected = {},
                                                  const Progress& progress = {});

}  // namespace usher::media
