// usher-press/cover: a picture of the medium, as a small JPEG.  Spec: release.md §2.7.
#pragma once

#include "ffmpeg.h"

namespace usher::press {

/// The file's front cover, or else its first picture; nothing if it has none, or none that can be read.
/// Errors: ffmpeg_missing, cancelled, io.
[[nodiscard]] Result<std::optional<Bytes>> cover_in(const MediaFile& file, const Probe& probe);

/// A picture in a file of its own. Errors: unreadable_media; not_found, not_permitted; as above.
[[nodiscard]] Result<Bytes> cover_from(const std::filesystem::path& picture);

}  // namespace usher::press
