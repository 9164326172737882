#include "repack.h"

namespace usher::press {
namespace {

using Arguments = std::vector<std::string>;

/// Codecs that players expect in MP4.
bool fits_mp4(const std::string& codec) {
  constexpr std::array<std::string_view, 9> kCodecs = {"aac",  "alac", "mp3", "opus", "flac",
                                                       "h264", "hevc", "av1", "mpeg4"};
  return std::ranges::find(kCodecs, codec) != kCodecs.end();
}

Arguments matroska_arguments(bool webm, bool video) {
  Arguments out = {"-f", webm ? "webm" : "matroska"};
  // A player can begin at a cluster. With a moving picture, clusters begin at its key frames.
  if (!video) out.insert(out.end(), {"-cluster_time_limit", "2000"});  // milliseconds
  return out;
}

Arguments mp4_arguments(bool video) {
  Arguments out = {"-f", "mp4", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"};
  if (!video) out.insert(out.end(), {"-frag_duration", "2000000"});  // microseconds
  return out;
}

Result<Arguments> target_of(const MediaFile& file, const Probe& probe, const Chosen& chosen) {
  bool all_fit_mp4 = true;
  for (const Stream& stream : probe.streams) {
    if (chosen.has(stream.index)) all_fit_mp4 = all_fit_mp4 && fits_mp4(stream.codec);
  }
  switch (probe.container) {
    case Container::ogg:
      return Arguments{"-f", "ogg"};
    case Container::mp3:
      return Arguments{"-f", "mp3", "-write_xing", "1", "-id3v2_version", "3"};
    case Container::adts:
      return Arguments{"-f", "adts"};
    case Container::flac:
      return Arguments{"-f", "flac"};
    case Container::wav:
      return Arguments{"-f", "wav", "-rf64", "auto"};
    case Container::aiff:
      return Arguments{"-f", "aiff"};
    case Container::mp4:
      return all_fit_mp4 ? mp4_arguments(chosen.video) : matroska_arguments(false, chosen.video);
    case Container::matroska: {
      USHER_TRY(const bool webm, is_webm(file));
      return matroska_arguments(webm, chosen.video);
    }
    case Container::other:
      break;
  }
  return matroska_arguments(false, chosen.video);
}

}  // namespace

Result<MediaFilePtr> repack(const MediaFile& file, const Probe& probe, const Chosen& chosen) {
  USHER_TRY(Descriptor copy, memory_file());
  Arguments arguments = {"-v", "error", "-nostdin", "-y"};
  const auto add = [&arguments](const Arguments& more) { arguments.insert(arguments.end(), more.begin(), more.end()); };
  if (probe.container == Container::other) add({"-fflags", "+genpts"});  // AVI has no timestamps
  add(reading_arguments());
  add({"-map", "0:" + std::to_string(chosen.main)});
  if (chosen.beside >= 0) add({"-map", "0:" + std::to_string(chosen.beside)});
  add({"-map_chapters", "-1", "-c", "copy", "-fflags", "+bitexact"});
  USHER_TRY(const Arguments target, target_of(file, probe, chosen));
  add(target);
  // By name, not as a pipe: some muxers seek back to the beginning.
  add({"file:/proc/self/fd/4"});
  USHER_TRY(const Ended ended,
            run({.program = "ffmpeg", .arguments = arguments, .files = {file.descriptor(), copy.get()}}));
  if (ended.status != 0) return fail(Fault::needs_encoding, "repack", complaint_of(ended));
  return MediaFile::take(std::move(copy));
}

}  // namespace usher::press
