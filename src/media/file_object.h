// media/file_object: a file as a sealed object whose id proves its contents.  Spec: filestream.md §5.
//
// To seal one, use SealWriter::begin_file (sealed.h). It writes header and chunks to a Sink in order and never goes
// back. It needs the digest of the whole file first.
#pragma once

#include <optional>

#include "media/release.h"

namespace usher::media {

/// The layout of the answers to `SEALED` and `SEALED-CTR`: chunks of 64 KiB. It has no id yet: the id is made with the
/// keys.
/// `size`: bytes of plaintext.
[[nodiscard]] Layout file_layout(Suite suite, std::uint64_t size);

struct OpenedFile {
  Hash256 digest{};         // SHA-256 of the plaintext
  std::uint64_t bytes = 0;  // of the plaintext
  Suite suite = Suite::aes256_gcm;
};

/// Opens a file object, chunk by chunk, into `sink`, and verifies the digest of the plaintext. Do not use the content
/// of the sink unless this succeeds. `expected`: a digest that is known from elsewhere; it is compared with the
/// object's id first, before any chunk is opened.
/// Errors: as SealedObject::open and read_chunk; digest_mismatch; cancelled; the sink's.
[[nodiscard]] Result<OpenedFile> open_file_object(SourcePtr source, const Unwrapper& key, Sink& sink,
                                                  const std::optional<Hash256>& expected = {},
                                                  const Progress& progress = {});

}  // namespace usher::media
