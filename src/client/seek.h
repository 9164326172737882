// client/seek: where in a medium a player has to start to play from a given time. Ogg (Vorbis, Opus, FLAC) and MPEG
// audio can be entered in their middle; other forms cannot.
#pragma once

#include <functional>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "media/manifest.h"

namespace usher::client {

/// Up to `size` bytes of the medium from `offset` on; fewer only at its end.
using ReadAt = std::function<Result<crypto::Secret>(std::uint64_t offset, std::size_t size)>;

/// A new player is given `head` bytes from the beginning, and then everything from `offset` on.
struct StartPoint {
  std::uint64_t head = 0;
  std::uint64_t offset = 0;
  std::uint64_t time_ms = 0;  // what is heard first, as far as it can be known
};

/// Errors: unsupported (a form that cannot be entered in its middle, or without a known duration); the reader's.
[[nodiscard]] Result<StartPoint> find_start(const media::Manifest& manifest, const ReadAt& read,
                                            std::uint64_t target_ms);

}  // namespace usher::client
