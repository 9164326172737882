// usher-press/ffmpeg: how ffprobe and ffmpeg are asked. What they read is not trusted, and neither is what they answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media_file.h"
#include "process.h"

namespace usher::press {

/// How a file is packed, as far as usher knows it.
enum class Container : std::uint8_t { ogg, mp3, adts, flac, wav, aiff, mp4, matroska, other };

struct Stream {
  int index = 0;
  std::string type;          // audio, video, subtitle, data, …
  std::string codec;         // vorbis, aac, h264, …
  bool picture = false;      // a cover, no moving picture
  bool front_cover = false;  // a picture that says so
};

/// What ffprobe says of a file without reading it through.
struct Probe {
  Container container = Container::other;
  std::string format;           // ffprobe's name of it
  std::vector<Stream> streams;  // as they are in the file
  std::uint64_t stated_ms = 0;  // how long the file says that it is; 0: it does not
};

/// Errors: ffmpeg_missing, cancelled; unreadable_media, with what ffprobe says.
[[nodiscard]] Result<Probe> probe(const MediaFile& file);

/// One packet, as ffprobe finds it.
struct Packet {
  int stream = 0;
  std::optional<double> time;          // seconds
  double duration = 0;                 // seconds; 0: unknown
  std::optional<std::uint64_t> place;  // bytes from the file's beginning
  std::uint64_t size = 0;              // bytes
  bool key = false;
};

/// Reads the whole file and gives each packet to `take`, in the file's order. Memory: a few lines.
/// Errors: as probe(); those of `take`.
[[nodiscard]] Result<> each_packet(const MediaFile& file, const std::function<Result<>(const Packet&)>& take);

/// Arguments that make ffprobe or ffmpeg read descriptor 3: from a file alone, and only kinds of media that usher means.
[[nodiscard]] std::vector<std::string> reading_arguments();
/// The same for pictures.
[[nodiscard]] std::vector<std::string> reading_picture_arguments();

/// Before either, where a picture is decoded: not one that would fill the memory.
[[nodiscard]] std::vector<std::string> decoding_arguments();

/// The first thing that ffmpeg complained of, fit for a sentence.
[[nodiscard]] std::string complaint_of(const Ended& ended);

}  // namespace usher::press
