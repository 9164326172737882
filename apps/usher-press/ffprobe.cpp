#include <boost/json.hpp>
#include <charconv>

#include "base/encoding.h"
#include "ffmpeg.h"

namespace usher::press {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxAnswer = 1 << 20;  // bytes of JSON
constexpr std::size_t kMaxComplaint = 200;   // bytes
// No playlists and similar formats: they refer to other files.
constexpr const char* kFormats =
    "ogg,mp3,aac,flac,wav,w64,aiff,mov,matroska,mpegts,mpeg,avi,flv,asf,caf,au,wv,ape,tta,tak,mpc,mpc8,ac3,eac3,dts,"
    "amr";
constexpr const char* kPictureFormats = "jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe,gif";

std::vector<std::string> reading(const char* formats) {
  return {"-protocol_whitelist", "file,pipe", "-format_whitelist", formats, "-i", "file:/proc/self/fd/3"};
}

Container container_of(std::string_view format) {
  if (format == "ogg") return Container::ogg;
  if (format == "mp3") return Container::mp3;
  if (format == "aac") return Container::adts;
  if (format == "flac") return Container::flac;
  if (format == "wav") return Container::wav;
  if (format == "aiff") return Container::aiff;
  if (format.starts_with("mov,")) return Container::mp4;
  if (format.starts_with("matroska")) return Container::matroska;
  return Container::other;
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Stream stream_of(const json::object& object) {
  Stream out;
  if (const json::value* index = object.if_contains("index"); index != nullptr && index->is_int64()) {
    out.index = static_cast<int>(index->get_int64());
  }
  out.type = text_at(object, "codec_type");
  out.codec = text_at(object, "codec_name");
  const json::value* disposition = object.if_contains("disposition");
  if (disposition != nullptr && disposition->is_object()) {
    const json::value* attached = disposition->get_object().if_contains("attached_pic");
    out.picture = attached != nullptr && attached->is_int64() && attached->get_int64() != 0;
  }
  if (const json::value* tags = object.if_contains("tags"); tags != nullptr && tags->is_object()) {
    for (const auto& tag : tags->get_object()) {
      out.front_cover = out.front_cover || (tag.value().is_string() && tag.value().get_string() == "Cover (front)");
    }
  }
  return out;
}

std::uint64_t milliseconds_of(const std::string& seconds) {
  double value = 0;
  const auto [end, error] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  constexpr double kMost = 1e9;  // seconds; a larger value is nonsense
  return error == std::errc() && value > 0 && value < kMost ? static_cast<std::uint64_t>(value * 1000) : 0;
}

Result<Probe> probe_of(const std::string& text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  const json::object* whole = error ? nullptr : parsed.if_object();
  const json::value* format = whole == nullptr ? nullptr : whole->if_contains("format");
  const json::value* streams = whole == nullptr ? nullptr : whole->if_contains("streams");
  if (format == nullptr || !format->is_object() || streams == nullptr || !streams->is_array()) {
    return fail(Fault::unreadable_media, "ffprobe: answer");
  }
  Probe out;
  out.format = text_at(format->get_object(), "format_name");
  out.container = container_of(out.format);
  out.stated_ms = milliseconds_of(text_at(format->get_object(), "duration"));
  for (const json::value& stream : streams->get_array()) {
    if (stream.is_object()) out.streams.push_back(stream_of(stream.get_object()));
  }
  return out;
}

template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "stream_index=0|pts_time=0.013061|…", fields in any order. No value: the line does not describe a packet.
std::optional<Packet> packet_of(std::string_view line) {
  Packet out;
  bool about_packet = false;
  while (!line.empty()) {
    const std::string_view field = line.substr(0, line.find('|'));
    line.remove_prefix(std::min(line.size(), field.size() + 1));
    const std::string_view name = field.substr(0, field.find('='));
    const std::string_view value = field.substr(std::min(field.size(), name.size() + 1));
    if (name == "stream_index") {
      const auto stream = number_of<int>(value);
      about_packet = stream.has_value();
      out.stream = stream.value_or(-1);
    } else if (name == "pts_time") {
      out.time = number_of<double>(value);
    } else if (name == "duration_time") {
      out.duration = std::max(0.0, number_of<double>(value).value_or(0));
    } else if (name == "pos") {
      out.place = number_of<std::uint64_t>(value);
    } else if (name == "size") {
      out.size = number_of<std::uint64_t>(value).value_or(0);
    } else if (name == "flags") {
      out.key = value.starts_with('K');
    }
  }
  if (!about_packet) return std::nullopt;
  return out;
}

Result<Ended> ffprobe(const MediaFile& file, std::vector<std::string> arguments, const Output& output) {
  arguments.insert(arguments.begin(), {"-v", "error"});
  const auto reading = reading_arguments();
  arguments.insert(arguments.end(), reading.begin(), reading.end());
  USHER_TRY(Ended ended, run({.program = "ffprobe", .arguments = arguments, .files = {file.descriptor()}}, output));
  if (ended.errors.contains("not on whitelist")) {
    return fail(Fault::unreadable_media, "ffprobe: kind", "it is of a kind that usher does not take",
                "docs/reference/formats.md names the kinds; convert it to one of them with `ffmpeg -i FILE out.flac`, "
                "or to out.mkv if it is a moving picture.");
  }
  if (ended.status != 0) return fail(Fault::unreadable_media, "ffprobe", complaint_of(ended));
  return ended;
}

}  // namespace

std::vector<std::string> reading_arguments() { return reading(kFormats); }
std::vector<std::string> reading_picture_arguments() { return reading(kPictureFormats); }
std::vector<std::string> decoding_arguments() { return {"-max_pixels", "100000000"}; }

std::string complaint_of(const Ended& ended) {
  std::string_view line = std::string_view(ended.errors).substr(0, ended.errors.find('\n'));
  // "[mov,mp4,… @ 0x5653]": the part of ffmpeg that printed the message.
  if (line.starts_with('[') && line.contains("] ")) line.remove_prefix(line.find("] ") + 2);
  constexpr std::string_view kName = "file:/proc/self/fd/3: ";
  if (line.starts_with(kName)) line.remove_prefix(kName.size());
  if (line.empty()) return "ffmpeg ended with status " + std::to_string(ended.status);
  return "ffmpeg says: " + printable(std::string(line.substr(0, kMaxComplaint)));
}

Result<Probe> probe(const MediaFile& file) {
  std::string text;
  const auto keep = [&text](View bytes) -> Result<> {
    if (text.size() + bytes.size() > kMaxAnswer) return fail(Fault::unreadable_media, "ffprobe: long answer");
    text.append(text_of(bytes));
    return {};
  };
  USHER_CHECK(ffprobe(file,
                      {"-of", "json", "-show_entries",
                       "format=format_name,duration:stream=index,codec_type,codec_name:"
                       "stream_disposition=attached_pic:stream_tags=comment"},
                      keep));
  return probe_of(text);
}

Result<> each_packet(const MediaFile& file, const std::function<Result<>(const Packet&)>& take) {
  constexpr std::size_t kMaxLine = 64 << 10;  // bytes; a packet's line has about a hundred
  std::string line;
  const auto split = [&](View bytes) -> Result<> {
    std::string_view text = text_of(bytes);
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      line.append(text.substr(0, end));
      if (line.size() > kMaxLine) return fail(Fault::unreadable_media, "ffprobe: long line");
      if (end == std::string_view::npos) break;
      text.remove_prefix(end + 1);
      if (const auto packet = packet_of(line)) USHER_CHECK(take(*packet));
      line.clear();
    }
    return {};
  };
  USHER_CHECK(ffprobe(
      file, {"-of", "compact=p=0", "-show_entries", "packet=stream_index,pts_time,duration_time,pos,size,flags"},
      split));
  return {};
}

}  // namespace usher::press
