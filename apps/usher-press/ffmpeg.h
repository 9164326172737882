// usher-press/ffmpeg: calls ffprobe and ffmpeg. Neither their input nor their output is trusted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media_file.h"
#include "process.h"

namespace usher::press {

/// The container formats that usher knows.
enum class Container : std::uint8_t { ogg, mp3, adts, flac, wav, aiff, mp4, matroska, other };

struct Stream {
  int index = 0;
  std::string type;          // audio, video, subtitle, data, …
  std::string codec;         // vorbis, aac, h264, …
  bool picture = false;      // a cover, not a moving picture
  bool front_cover = false;  // a picture marked as front cover
};

/// ffprobe's information about a file, without reading all of it.
struct Probe {
  Container container = Container::other;
  std::string format;           // ffprobe's name for it
  std::vector<Stream> streams;  // in the file's order
  std::uint64_t stated_ms = 0;  // the duration that the file states; 0: it states none
};

/// Errors: ffmpeg_missing, cancelled; unreadable_media, with ffprobe's message.
[[nodiscard]] Result<Probe> probe(const MediaFile& file);

/// One packet, as ffprobe reports it.
struct Packet {
  int stream = 0;
  std::optional<double> time;          // seconds
  double duration = 0;                 // seconds; 0: unknown
  std::optional<std::uint64_t> place;  // bytes from the file's beginning
  std::uint64_t size = 0;              // bytes
  bool key = false;
};

/// Reads the whole file and gives each packet to `take`, in the file's order. Memory: a few lines of output.
/// Errors: as probe(); those of `take`.
[[nodiscard]] Result<> each_packet(const MediaFile& file, const std::function<Result<>(const Packet&)>& take);

/// Arguments that make ffprobe or ffmpeg read descriptor 3: only as a file, and only the media formats that usher
/// accepts.
[[nodiscard]] std::vector<std::string> reading_arguments();
/// The same for pictures.
[[nodiscard]] std::vector<std::string> reading_picture_arguments();

/// Goes before either of these when a picture is decoded: refuses a picture that would fill the memory.
[[nodiscard]] std::vector<std::string> decoding_arguments();

/// The first error message of ffmpeg or ffprobe, in a form that fits into a sentence.
[[nodiscard]] std::string complaint_of(const Ended& ended);

}  // namespace usher::press
