// media/sealed_detail: functions that sealing and opening share.  Spec: sealed.md §3, §5.
#pragma once

#include "media/sealed.h"

namespace usher::media::detail {

inline constexpr std::size_t kMacSize = 32;      // bytes
inline constexpr std::size_t kFixedHeader = 71;  // bytes: magic to the length of the recipients
inline constexpr std::size_t kMaxHeader = kFixedHeader + kMaxRecipientBytes + 2 * kMacSize;

/// Everything that is derived from an object key (§3.3).
struct Keys {
  Hash256 commitment{};
  crypto::Secret header;
  BodyKeys body;
};
[[nodiscard]] Keys derive_keys(const crypto::Secret& object_key, const Hash256& salt, const Layout& layout);

/// filestream.md §5.1: without the object key, the id does not reveal which file it is.
[[nodiscard]] Id128 file_id(const crypto::Secret& object_key, const Hash256& salt, const Hash256& digest);

/// The header without its MAC.
[[nodiscard]] Bytes encode_without_mac(const Header& header);
[[nodiscard]] Hash256 mac_of(const crypto::Secret& header_key, View header_without_mac);

/// A header for `wrappers`, with commitment and MAC. Errors: bad_key, unsupported, too_long, the wrappers'.
[[nodiscard]] Result<Bytes> make_header(const Layout& layout, const Hash256& salt, const crypto::Secret& object_key,
                                        const Keys& keys, const Wrappers& wrappers, Random& random);

/// Errors: malformed, unsupported, too_long.
[[nodiscard]] Result<> check_layout(const Layout& layout);

/// `sealed`: as long as the chunk and its tag.
void seal_chunk(const Layout& layout, const BodyKeys& keys, std::uint64_t index, View plaintext, MutableView sealed);
/// Opens in place: the plaintext takes the place of the ciphertext. Errors: chunk_damaged.
[[nodiscard]] Result<> open_chunk(const Layout& layout, const BodyKeys& keys, std::uint64_t index, MutableView sealed);

/// "chunk 17": chunks count from 0.
[[nodiscard]] std::string chunk_name(std::uint64_t index);

/// Fills all of `out`. Errors: truncated; the source's.
[[nodiscard]] Result<> read_exactly(const Source& source, std::uint64_t offset, MutableView out,
                                    std::string_view where);

}  // namespace usher::media::detail
