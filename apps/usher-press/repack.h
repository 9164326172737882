// usher-press/repack: the same sound and pictures, packed anew, in memory: nothing is encoded again.
#pragma once

#include "measure.h"

namespace usher::press {

/// A copy of the chosen streams in a packing that can be played as a stream: the same one where there is such a form
/// of it (fragmented MP4, MP3 with a header), otherwise Matroska. Tags are kept; covers and other streams are not.
/// Errors: needs_encoding, with what ffmpeg says; ffmpeg_missing, cancelled, io.
[[nodiscard]] Result<MediaFilePtr> repack(const MediaFile& file, const Probe& probe, const Chosen& chosen);

}  // namespace usher::press
