#include "prepare.h"

#include "cover.h"
#include "progress.h"
#include "repack.h"

namespace usher::press {
namespace {

/// Everything found out about a file before it is changed.
struct Looked {
  MediaFilePtr media;
  Probe probe;
  Chosen chosen;
  std::string extra;  // streams beyond one recording, in words: "another audio stream (aac)"; empty: none
  Form form;
  Measured measured;
};

bool is_moving(const Stream& stream) { return stream.type == "video" && !stream.picture; }

/// Chooses the first moving picture and the first sound. `extra`: the other streams, in words.
Chosen choose(const std::vector<Stream>& streams, std::string& extra) {
  Chosen chosen;
  int moving = -1;
  int sound = -1;
  for (const Stream& stream : streams) {
    if (stream.picture) continue;
    int* first = is_moving(stream) ? &moving : stream.type == "audio" ? &sound : nullptr;
    if (first != nullptr && *first < 0) {
      *first = stream.index;
      continue;
    }
    const std::string article = first != nullptr ? "another " : stream.type.starts_with('a') ? "an " : "a ";
    if (!extra.empty()) extra += ", ";
    extra += article + (stream.type.empty() ? "nameless" : stream.type) + " stream";
    if (!stream.codec.empty()) extra += " (" + stream.codec + ")";
  }
  chosen.video = moving >= 0;
  chosen.main = chosen.video ? moving : sound;
  chosen.beside = chosen.video ? sound : -1;
  return chosen;
}

bool has_pictures(const Probe& probe) { return std::ranges::any_of(probe.streams, &Stream::picture); }

/// Whether the container states the duration; otherwise ffprobe only estimates it.
Result<bool> states_duration(const Looked& looked) {
  switch (looked.probe.container) {
    case Container::mp3:
      return has_mp3_header(*looked.media);
    case Container::flac:
    case Container::aiff:
    case Container::mp4:
    case Container::matroska:
      return true;
    default:
      return false;
  }
}

/// Whether two durations are equal, apart from what containers round off.
bool about(std::uint64_t one, std::uint64_t other) {
  constexpr std::uint64_t kSlack = 1000;  // milliseconds
  const std::uint64_t larger = std::max(one, other);
  return larger - std::min(one, other) <= std::max(kSlack, larger / 50);
}

std::string seconds_text(std::uint64_t milliseconds) {
  return std::to_string(milliseconds / 1000) + "." + std::to_string(milliseconds / 100 % 10) + " s";
}

Result<> check_whole(const Looked& looked) {
  USHER_TRY(const bool stated, states_duration(looked));
  const std::uint64_t says = looked.probe.stated_ms;
  const std::uint64_t holds = looked.measured.begins_ms + looked.measured.duration_ms;
  // A stream that is left out may be longer than the others.
  if (!stated || !looked.extra.empty() || says <= holds || about(says, holds)) return {};
  return fail(Fault::truncated, "prepare: length",
              "it says that it plays " + seconds_text(says) + ", and holds " + seconds_text(holds));
}

/// Finds obstacles that show only after the whole file was read, not in its packing alone.
Result<> find_obstacle(Looked& looked) {
  std::string& obstacle = looked.form.obstacle;
  const Measured& measured = looked.measured;
  if (!obstacle.empty()) return {};
  if (looked.probe.container == Container::mp3 && !measured.even_packets) {
    USHER_TRY(const bool header, has_mp3_header(*looked.media));
    if (!header)
      obstacle = "an MP3 of varying bit rate without a Xing, Info or VBRI header, whose length players guess";
  }
  constexpr std::uint64_t kLate = 1000;  // milliseconds
  if (measured.begins_ms > kLate) {
    obstacle = "a file whose clock begins at " + seconds_text(measured.begins_ms);
  }
  const bool gaps = measured.played_ms != 0 && !about(measured.played_ms, measured.duration_ms);
  if (gaps && !looked.chosen.video) {
    obstacle = "a file whose clock jumps: it holds " + seconds_text(measured.played_ms) + " of sound in " +
               seconds_text(measured.duration_ms);
  }
  // Bytes sent before the first sound is heard use up the free part (licence.md §5.2), except the structure set.
  const std::uint64_t size = looked.media->size();
  constexpr std::uint64_t kLong = 76'000;  // milliseconds: in shorter media the first second is a large part anyway
  if (measured.duration_ms >= kLong && measured.needed.front() > media::max_header(size) + size / 4) {
    obstacle = "a file that begins with so many other data that a listener would pay before the first sound is heard";
  }
  return {};
}

Result<Looked> look_at(MediaFilePtr file, const std::string& name) {
  Looked out{.media = std::move(file), .probe = {}, .chosen = {}, .extra = {}, .form = {}, .measured = {}};
  if (out.media->size() == 0)
    return fail(Fault::malformed, "prepare: empty", "the media file is empty", "Name a file with a recording in it.");
  USHER_TRY(out.probe, probe(*out.media));
  out.chosen = choose(out.probe.streams, out.extra);
  if (out.chosen.main < 0)
    return fail(Fault::unreadable_media, "prepare: streams", "it holds neither sound nor moving pictures");
  USHER_TRY(out.form, form_of(*out.media, out.probe));
  USHER_TRY(out.measured, measure(*out.media, out.form, out.chosen, progress_line(name + "  measuring")));
  USHER_CHECK(check_whole(out));
  USHER_CHECK(find_obstacle(out));
  return out;
}

/// Whether the copy has the same content as the file.
bool holds_all(const Looked& copy, const Looked& file) {
  const auto length = [](const Looked& looked) {
    const Measured& m = looked.measured;
    return m.played_ms != 0 && !looked.chosen.video ? m.played_ms : m.duration_ms;
  };
  return about(length(copy), length(file)) && copy.chosen.video == file.chosen.video;
}

Result<Looked> packed_anew(const Looked& file, const std::string& name) {
  USHER_TRY(MediaFilePtr copy, repack(*file.media, file.probe, file.chosen));
  USHER_TRY(Looked looked, look_at(std::move(copy), name));
  const bool good = looked.form.obstacle.empty() && looked.extra.empty() && !has_pictures(looked.probe);
  if (!good || !holds_all(looked, file)) {
    return fail(Fault::needs_encoding, "prepare: repack",
                (looked.form.obstacle.empty() ? std::string("packed anew, not all of it is there")
                                              : looked.form.obstacle + ", even packed anew"));
  }
  return looked;
}

Result<> refuse_or_allow(const Looked& looked, const PrepareOptions& options) {
  const std::string& obstacle = looked.form.obstacle;
  const bool goes_anyway = looked.form.only_a_tail && has_pictures(looked.probe);
  if (!obstacle.empty() && !goes_anyway) {
    if (!looked.form.can_be_repacked) return fail(Fault::needs_encoding, "prepare: form", obstacle);
    if (!options.remux) return fail(Fault::not_streamable, "prepare: form", obstacle);
  }
  if (!looked.extra.empty() && !options.remux) return fail(Fault::too_many_streams, "prepare: streams", looked.extra);
  return {};
}

Result<std::string> type_of(const Looked& looked) {
  USHER_TRY(const std::string subtype, subtype_of(*looked.media, looked.probe.container));
  return (looked.chosen.video ? "video/" : "audio/") + subtype;
}

Result<> settle_duration(Prepared& prepared, const PrepareOptions& options) {
  Measured& measured = prepared.measured;
  if (measured.duration_ms != 0) {
    if (options.duration_ms != 0) {
      prepared.notes.push_back("it plays " + seconds_text(measured.duration_ms) + ": --duration was not needed");
    }
    return {};
  }
  if (options.duration_ms == 0) return fail(Fault::unknown_duration, "prepare: duration");
  // Its times are unknown: assume that all seconds have the same size.
  measured.duration_ms = options.duration_ms;
  for (std::size_t s = 0; s < measured.needed.size(); ++s) {
    const double part = static_cast<double>((s + 1) * 1000) / static_cast<double>(options.duration_ms);
    measured.needed[s] = static_cast<std::uint64_t>(std::min(1.0, part) * static_cast<double>(prepared.media->size()));
  }
  return {};
}

Result<Prepared> prepare_file(const std::filesystem::path& file, const PrepareOptions& options) {
  const std::string name = file.filename().string();
  USHER_TRY(MediaFilePtr opened, MediaFile::open(file));
  USHER_TRY(Looked looked, look_at(std::move(opened), name));
  USHER_CHECK(refuse_or_allow(looked, options));
  Prepared out;
  if (!options.cover_file.empty()) {
    USHER_TRY(out.cover, cover_from(options.cover_file));
  } else if (options.cover) {
    USHER_TRY(out.cover, cover_in(*looked.media, looked.probe));
  }
  const bool pictures = has_pictures(looked.probe);
  const std::string obstacle = looked.form.obstacle;
  const std::string extra = looked.extra;
  if (!obstacle.empty() || !extra.empty() || pictures) {
    USHER_TRY(looked, packed_anew(looked, name));
  }
  if (!obstacle.empty() && options.remux) out.notes.push_back("packed anew, since it was " + obstacle);
  if (!extra.empty()) out.notes.push_back("left out " + extra);
  if (pictures) {
    out.notes.emplace_back(out.cover && options.cover_file.empty()
                               ? "its embedded pictures were taken out; the first one is its cover"
                               : "its embedded pictures were taken out");
  }
  out.media = looked.media;
  out.kind = looked.chosen.video ? media::MediaKind::video : media::MediaKind::audio;
  USHER_TRY(out.media_type, type_of(looked));
  out.measured = std::move(looked.measured);
  USHER_CHECK(settle_duration(out, options));
  if (out.measured.seek.empty() && out.measured.duration_ms > 10'000) {
    out.notes.emplace_back("it has no place but its beginning where a player can begin");
  }
  return out;
}

}  // namespace

Result<Prepared> prepare(const std::filesystem::path& file, const PrepareOptions& options) {
  auto prepared = prepare_file(file, options);
  if (prepared) return prepared;
  std::string& about = prepared.error().about;
  const std::string name = file.string();
  // "song.m4a, an MP4 file with its index at the end"
  if (!about.contains(name)) about = about.empty() ? name : name + ", " + about;
  return prepared;
}

}  // namespace usher::press
