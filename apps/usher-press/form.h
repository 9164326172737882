// usher-press/form: how a file is packed: where a player can begin, which bytes it needs first, and what prevents
// playing it as a stream. Only the container is read here; ffprobe reads the packets.
#pragma once

#include "ffmpeg.h"

namespace usher::press {

/// A page of Ogg, a fragment of MP4, a cluster of Matroska.
struct Unit {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool fresh = true;  // begins with a whole packet, not with the rest of one
};

struct Form {
  /// Why the file cannot be played as a stream; follows the file's name in a sentence: "an MP4 file with …". Empty: it
  /// can.
  std::string obstacle;
  /// Whether ffmpeg can remove the obstacle without encoding again.
  bool can_be_repacked = true;
  /// The obstacle is the data after the sound. It disappears together with the pictures if those are taken out.
  bool only_a_tail = false;
  /// Bytes that a player needs first; no value: everything before the first packet.
  std::optional<std::uint64_t> head;
  /// A player can begin at each unit that begins with a key frame; empty: at every packet.
  std::vector<Unit> units;
  /// True (Ogg): a packet ends somewhere in the unit where the next packet begins. False: it ends where its size says.
  bool ends_with_unit = false;
};

/// Errors: truncated, the file ends inside an element that states its own size; unreadable_media; io.
[[nodiscard]] Result<Form> form_of(const MediaFile& file, const Probe& probe);

// One function for each container. Errors: as form_of().
[[nodiscard]] Result<Form> ogg_form(const MediaFile& file);
[[nodiscard]] Result<Form> mp4_form(const MediaFile& file);
[[nodiscard]] Result<Form> matroska_form(const MediaFile& file);
[[nodiscard]] Result<Form> wav_form(const MediaFile& file);
[[nodiscard]] Result<Form> aiff_form(const MediaFile& file);

/// The part of the media type after the slash: "ogg", "mpeg", "x-matroska". Empty: no such type.
[[nodiscard]] Result<std::string> subtype_of(const MediaFile& file, Container container);
/// Whether a Matroska file is a WebM file.
[[nodiscard]] Result<bool> is_webm(const MediaFile& file);
/// Whether an MP3's first frame states the duration: Xing, Info or VBRI.
[[nodiscard]] Result<bool> has_mp3_header(const MediaFile& file);

}  // namespace usher::press
