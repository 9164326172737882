// media/sealed: sealed objects, the only encrypted container.  Spec: sealed.md.
//
//   header (magic, suite, sizes, object id, salt, recipients, commitment, MAC) ‖ chunk 0 ‖ … ‖ chunk n-1
#pragma once

#include <span>

#include "media/merkle.h"
#include "media/source.h"
#include "media/wrap.h"

namespace usher::media {

inline constexpr std::uint32_t kMinChunkSize = 4 << 10;       // bytes; chunk sizes are multiples of it
inline constexpr std::uint32_t kMaxChunkSize = 1 << 20;       // bytes
inline constexpr std::uint32_t kDefaultChunkSize = 64 << 10;  // bytes
inline constexpr std::size_t kMaxRecipients = 16;
inline constexpr std::size_t kMaxRecipientBytes = 16 << 10;

[[nodiscard]] constexpr bool is_chunk_size(std::uint64_t size) noexcept {
  return size >= kMinChunkSize && size <= kMaxChunkSize && size % kMinChunkSize == 0;
}
/// The number of chunks of `total` bytes; 0 bytes are one empty chunk.
[[nodiscard]] constexpr std::uint64_t chunks_of(std::uint64_t total, std::uint32_t chunk_size) noexcept {
  return total == 0 ? 1 : (total - 1) / chunk_size + 1;
}

/// The properties of an object, without its recipients (§3.1). Fixed when it is sealed. The keys are bound to all of
/// them.
struct Layout {
  Suite suite = Suite::aes256_gcm;
  std::uint32_t chunk_size = kDefaultChunkSize;  // bytes
  std::uint64_t total = 0;                       // bytes of plaintext
  Id128 object{};

  [[nodiscard]] std::uint64_t chunks() const noexcept { return chunks_of(total, chunk_size); }
  /// Bytes of plaintext in chunk `index`. Precondition: index < chunks().
  [[nodiscard]] std::size_t chunk_bytes(std::uint64_t index) const noexcept;
  [[nodiscard]] std::size_t tag_size() const noexcept { return suite == Suite::aes256_gcm ? 16 : 32; }
  /// Bytes of all sealed chunks.
  [[nodiscard]] std::uint64_t body_size() const noexcept { return total + chunks() * tag_size(); }
};

/// A header as it was read from a file: parsed, bounds checked, not authenticated (§3).
struct Header {
  Layout layout;
  Hash256 salt{};
  std::vector<Recipient> recipients;
  Hash256 commitment{};
  Hash256 mac{};
  std::size_t size = 0;  // bytes of the whole header

  /// Errors: malformed; truncated, ends inside the header; unsupported, another version or suite; too_long.
  [[nodiscard]] static Result<Header> read(const Source& source);
  [[nodiscard]] std::uint64_t object_size() const noexcept { return size + layout.body_size(); }
};

namespace detail {
struct BodyKeys {
  crypto::Secret cipher;
  crypto::Secret mac;  // suite 2 only
};
}  // namespace detail

using Wrappers = std::vector<const Wrapper*>;

/// Seals a stream of known length, under a new key.
class SealWriter {
 public:
  /// Writes the header. `wrappers`: 1..kMaxRecipients, borrowed for this call; `sink` is borrowed until finish().
  /// Errors: bad_key, unsupported, too_long (more than kMaxChunks chunks), the sink's.
  [[nodiscard]] static Result<SealWriter> begin(const Layout& layout, const Wrappers& wrappers, Sink& sink,
                                                Random& random);
  /// The same for a file of the file stream, whose id follows from its object key and its plaintext's digest
  /// (filestream.md §5.1); the layout's own id is ignored.
  [[nodiscard]] static Result<SealWriter> begin_file(Layout layout, const Hash256& digest, const Wrappers& wrappers,
                                                     Sink& sink, Random& random);
  /// Any number of bytes. Errors: too_long, more than the layout's total; the sink's.
  [[nodiscard]] Result<> write(View plaintext);
  /// Errors: truncated, fewer bytes were written than the layout's total; the sink's.
  [[nodiscard]] Result<> finish();
  [[nodiscard]] std::size_t header_size() const noexcept { return header_size_; }

 private:
  [[nodiscard]] static Result<SealWriter> begin_with(const crypto::Secret& object_key, const Hash256& salt,
                                                     const Layout& layout, const Wrappers& wrappers, Sink& sink,
                                                     Random& random);
  SealWriter(const Layout& layout, detail::BodyKeys keys, Sink& sink, std::size_t header_size);
  [[nodiscard]] Result<> put_chunk();

  Layout layout_;
  detail::BodyKeys keys_;
  Sink* sink_;
  std::size_t header_size_;
  crypto::Secret pending_;  // plaintext of the chunk that is being filled
  std::size_t filled_ = 0;
  std::uint64_t next_ = 0;   // number of that chunk
  std::uint64_t taken_ = 0;  // bytes so far
  Bytes sealed_;
};

/// An opened object: the header is authentic, and the source has exactly its length. Thread-safe.
class SealedObject {
 public:
  /// Errors: as Header::read; wrong_object; no_key_fits; bad_passphrase; header_damaged; truncated, with the number of
  /// the first chunk that is not whole; malformed, bytes follow the last chunk.
  [[nodiscard]] static Result<SealedObject> open(SourcePtr source, const Id128& expected, const Unwrapper& key);

  [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
  /// The plaintext of one chunk. Errors, with the chunk's number: unknown_chunk, chunk_damaged, truncated, io.
  [[nodiscard]] Result<crypto::Secret> read_chunk(std::uint64_t index) const;
  /// The same, and writes the sealed bytes to `sealed`, to be copied under another header.
  [[nodiscard]] Result<crypto::Secret> read_chunk(std::uint64_t index, Bytes& sealed) const;
  /// Whether the object's id is that of a file with this digest (filestream.md §5.1).
  [[nodiscard]] bool is_file_of(const Hash256& digest) const;
  /// A new header for the same body and other recipients (§5). Errors: bad_key.
  [[nodiscard]] Result<Bytes> rewrap(const Wrappers& wrappers, Random& random) const;

 private:
  SealedObject() = default;
  [[nodiscard]] Result<std::size_t> sealed_size(std::uint64_t index) const;
  [[nodiscard]] Result<> fetch(std::uint64_t index, MutableView sealed) const;
  [[nodiscard]] Result<crypto::Secret> open_in_place(std::uint64_t index, crypto::Secret chunk) const;

  SourcePtr source_;
  Layout layout_;
  Hash256 salt_{};
  std::size_t body_ = 0;  // offset of chunk 0
  crypto::Secret object_key_;
  detail::BodyKeys keys_;
};

/// Seals or opens small data in one piece. `max`: bytes of plaintext that the opener takes. Errors: as above; too_long.
[[nodiscard]] Result<Bytes> seal_small(View plaintext, const Id128& object, const Wrapper& wrapper, Random& random);
[[nodiscard]] Result<crypto::Secret> open_small(SourcePtr source, const Id128& object, const Unwrapper& key,
                                                std::size_t max);

/// The id of a sealed object that belongs to `to`. `kind`: "manifest" or "tree", for example. It is the first 16 bytes
/// of SHA-256("usher/1 object" ‖ 0 ‖ kind ‖ 0 ‖ to) (§2.2).
[[nodiscard]] Id128 companion_id(std::string_view kind, const Id128& to);

}  // namespace usher::media
