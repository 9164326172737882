// usher-press/prepare: from a named file to what is pressed: it can be played as a stream, holds one
// recording and no pictures, and has been read through; or it is refused, by name.
#pragma once

#include "measure.h"

namespace usher::press {

struct PrepareOptions {
  bool remux = false;                // pack it anew where that is what it needs
  bool cover = true;                 // the file's own
  std::filesystem::path cover_file;  // in place of the file's own; empty: none
  std::uint64_t duration_ms = 0;     // where it cannot be found out; 0: not stated
};

struct Prepared {
  MediaFilePtr media;  // the file itself, or a copy in memory
  media::MediaKind kind = media::MediaKind::audio;
  std::string media_type;  // "audio/ogg"
  Measured measured;
  std::optional<Bytes> cover;      // a JPEG
  std::vector<std::string> notes;  // what was done to it, in whole sentences
};

/// Errors: not_streamable, needs_encoding, too_many_streams, unreadable_media, unknown_duration, truncated, unsupported;
/// ffmpeg_missing, cancelled; those of opening the files.
[[nodiscard]] Result<Prepared> prepare(const std::filesystem::path& file, const PrepareOptions& options);

}  // namespace usher::press
