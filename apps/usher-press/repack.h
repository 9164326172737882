// usher-press/repack: packs the same sound and pictures anew, in memory; encodes nothing again.
#pragma once

#include "measure.h"

namespace usher::press {

/// A copy of the chosen streams in a container that can be played as a stream: the same container if it has such a form
/// (fragmented MP4, MP3 with a header), otherwise Matroska. Keeps tags; drops covers and other streams. Errors:
/// needs_encoding, with ffmpeg's message; ffmpeg_missing, cancelled, io.
[[nodiscard]] Result<MediaFilePtr> repack(const MediaFile& file, const Probe& probe, const Chosen& chosen);

}  // namespace usher::press
