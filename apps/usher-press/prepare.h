// usher-press/prepare: turns a named file into the medium to press. The medium can be played as a stream, holds one
// recording and no pictures, and was read completely. Otherwise the file is refused, with its name.
#pragma once

#include "measure.h"

namespace usher::press {

struct PrepareOptions {
  bool remux = false;                // repack the file if it needs that
  bool cover = true;                 // use the file's own cover
  std::filesystem::path cover_file;  // used instead of the file's own cover; empty: none
  std::uint64_t duration_ms = 0;     // used if the duration cannot be measured; 0: not stated
};

struct Prepared {
  MediaFilePtr media;  // the file itself, or a copy in memory
  media::MediaKind kind = media::MediaKind::audio;
  std::string media_type;  // "audio/ogg"
  Measured measured;
  std::optional<Bytes> cover;      // a JPEG
  std::vector<std::string> notes;  // what was done to the medium, in whole sentences
};

/// Errors: not_streamable, needs_encoding, too_many_streams, unreadable_media, unknown_duration, truncated,
/// unsupported; ffmpeg_missing, cancelled; those of opening the files.
[[nodiscard]] Result<Prepared> prepare(const std::filesystem::path& file, const PrepareOptions& options);

}  // namespace usher::press
