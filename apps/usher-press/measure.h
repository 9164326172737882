// usher-press/measure: a medium in time, from all of its packets: how long it is, which bytes its first seconds need,
// where there is nothing but structure, where a player can begin.  Spec: release.md §2.5, §2.6.
#pragma once

#include "form.h"
#include "media/manifest.h"
#include "media/release.h"

namespace usher::press {

/// The streams that are played.
struct Chosen {
  int main = -1;    // the moving picture, or the sound where there is none
  int beside = -1;  // the sound of a moving picture; -1: none
  bool video = false;

  [[nodiscard]] bool has(int stream) const noexcept { return stream >= 0 && (stream == main || stream == beside); }
};

struct Measured {
  std::uint64_t duration_ms = 0;  // from the first packet's beginning to the last one's end; 0: unknown
  std::uint64_t played_ms = 0;    // the main stream's packets added up, without gaps and jumps; 0: unknown
  std::uint64_t begins_ms = 0;    // the time of the first packet
  bool even_packets = true;       // all packets of the main stream have about one size
  /// Bytes from the beginning that the first 1, 2, … 256 seconds need; rising.
  std::array<std::uint64_t, wire::kTableSeconds> needed{};
  std::vector<bool> covered;  // for each kMinChunkSize bytes: whether a packet has a byte there
  std::uint64_t head = 0;
  std::vector<media::SeekPoint> seek;
};

/// Errors: unreadable_media, also where no packet says where it lies; cancelled; those of each_packet().
[[nodiscard]] Result<Measured> measure(const MediaFile& file, const Form& form, const Chosen& chosen,
                                       const media::Progress& progress);

/// The power of two from 8 KiB to 256 KiB that is nearest to two seconds of the medium.
[[nodiscard]] std::uint32_t chunk_size_for(std::uint64_t size, std::uint64_t duration_ms) noexcept;

/// Fills in what a manifest says of chunks and time; its size and chunk size are there already.
void describe(media::Manifest& manifest, const Measured& measured);

}  // namespace usher::press
