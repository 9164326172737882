#include "cover.h"

#include "base/encoding.h"
#include "media/manifest.h"

namespace usher::press {
namespace {

using Arguments = std::vector<std::string>;

struct Attempt {
  int side;     // maximum of the longer side, pixels
  int quality;  // of ffmpeg's JPEG: 2 is best, 31 is smallest
};
// The last attempt always fits: 256 × 256 pixels at the worst quality.
constexpr std::array<Attempt, 6> kAttempts = {{{1024, 3}, {1024, 6}, {1024, 12}, {1024, 24}, {512, 12}, {256, 31}}};

/// One picture as JPEG; empty if ffmpeg cannot read it. `what`: the stream, as ffmpeg's -map names it.
Result<Bytes> jpeg_of(const MediaFile& file, const Arguments& reading, const std::string& what, Attempt attempt,
                      std::string& complaint) {
  const std::string side = std::to_string(attempt.side);
  Arguments arguments = decoding_arguments();
  arguments.insert(arguments.begin(), {"-v", "error", "-nostdin"});
  arguments.insert(arguments.end(), reading.begin(), reading.end());
  // Scales a larger picture down to fit the square; never enlarges a smaller one.
  const std::string scale = "scale=min(" + side + "\\,iw):min(" + side +
                            "\\,ih):force_original_aspect_ratio=decrease:force_divisible_by=2,format=yuvj420p";
  const Arguments rest = {"-map", what, "-frames:v", "1", "-vf", scale, "-q:v", std::to_string(attempt.quality),
                          // Drops the picture's metadata and ffmpeg's version.
                          "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-c:v", "mjpeg", "-f",
                          "image2pipe", "pipe:1"};
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  Bytes jpeg;
  const auto keep = [&jpeg](View bytes) -> Result<> {
    constexpr std::size_t kMost = 8 << 20;  // bytes; a picture of this size is never larger
    if (jpeg.size() + bytes.size() > kMost) return fail(Fault::unreadable_media, "cover: size");
    append(jpeg, bytes);
    return {};
  };
  USHER_TRY(const Ended ended, run({.program = "ffmpeg", .arguments = arguments, .files = {file.descriptor()}}, keep));
  complaint = complaint_of(ended);
  return ended.status == 0 ? jpeg : Bytes();
}

/// Empty if ffmpeg cannot read the picture.
Result<Bytes> small_jpeg_of(const MediaFile& file, const Arguments& reading, const std::string& what,
                            std::string& complaint) {
  for (const Attempt& attempt : kAttempts) {
    USHER_TRY(Bytes jpeg, jpeg_of(file, reading, what, attempt, complaint));
    if (jpeg.size() <= media::kMaxCover) return jpeg;
  }
  return Bytes();
}

}  // namespace

Result<std::optional<Bytes>> cover_in(const MediaFile& file, const Probe& probe) {
  const Stream* chosen = nullptr;
  for (const Stream& stream : probe.streams) {
    if (!stream.picture) continue;
    if (chosen == nullptr || (stream.front_cover && !chosen->front_cover)) chosen = &stream;
  }
  if (chosen == nullptr) return std::nullopt;
  std::string complaint;
  USHER_TRY(Bytes jpeg, small_jpeg_of(file, reading_arguments(), "0:" + std::to_string(chosen->index), complaint));
  if (jpeg.empty()) return std::nullopt;
  return jpeg;
}

Result<Bytes> cover_from(const std::filesystem::path& picture) {
  USHER_TRY(const MediaFilePtr file, MediaFile::open(picture));
  std::string complaint;
  USHER_TRY(Bytes jpeg, small_jpeg_of(*file, reading_picture_arguments(), "0:v:0", complaint));
  if (jpeg.empty()) return fail(Fault::unreadable_media, "cover", picture.string() + ", " + complaint);
  return jpeg;
}

}  // namespace usher::press
