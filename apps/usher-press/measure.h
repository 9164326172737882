// usher-press/measure: measures a medium from all of its packets: its duration, the bytes that its first seconds need,
// the chunks with structure only, the places where a player can begin.  Spec: release.md §2.5, §2.6.
#pragma once

#include "form.h"
#include "media/manifest.h"
#include "media/release.h"

namespace usher::press {

/// The streams that are played.
struct Chosen {
  int main = -1;    // the moving picture, or the sound if there is no moving picture
  int beside = -1;  // the sound that goes with a moving picture; -1: none
  bool video = false;

  [[nodiscard]] bool has(int stream) const noexcept { return stream >= 0 && (stream == main || stream == beside); }
};

struct Measured {
  std::uint64_t duration_ms = 0;  // from the beginning of the first packet to the end of the last; 0: unknown
  std::uint64_t played_ms = 0;    // sum of the main stream's packets, without gaps and jumps; 0: unknown
  std::uint64_t begins_ms = 0;    // the time of the first packet
  bool even_packets = true;       // all packets of the main stream have about the same size
  /// Bytes from the beginning that the first 1, 2, … 256 seconds need; ascending.
  std::array<std::uint64_t, wire::kTableSeconds> needed{};
  std::vector<bool> covered;  // for each block of kMinChunkSize bytes: whether it has a byte of a packet
  std::uint64_t head = 0;
  std::vector<media::SeekPoint> seek;
};

/// Errors: unreadable_media, also if no packet states its position; cancelled; those of each_packet().
[[nodiscard]] Result<Measured> measure(const MediaFile& file, const Form& form, const Chosen& chosen,
                                       const media::Progress& progress);

/// The power of two from 8 KiB to 256 KiB that is nearest to the size of two seconds of the medium.
[[nodiscard]] std::uint32_t chunk_size_for(std::uint64_t size, std::uint64_t duration_ms) noexcept;

/// Sets the manifest's fields about chunks and time. Its size and chunk size must be set before.
void describe(media::Manifest& manifest, const Measured& measured);

}  // namespace usher::press
