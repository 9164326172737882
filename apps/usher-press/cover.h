// usher-press/cover: a picture of the medium, as a small JPEG.  Spec: release.md §2.7.
#pragma once

#include "ffmpeg.h"

namespace usher::press {

/// The file's front cover, otherwise its first picture. No value: it has no picture, or ffmpeg cannot read it.
/// Errors: ffmpeg_missing, cancelled, io.
[[nodiscard]] Result<std::optional<Bytes>> cover_in(const MediaFile& file, const Probe& probe);

/// A picture from its own file. Errors: unreadable_media; not_found, not_permitted; as above.
[[nodiscard]] Result<Bytes> cover_from(const std::filesystem::path& picture);

}  // namespace usher::press
