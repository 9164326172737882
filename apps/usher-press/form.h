// usher-press/form: how a file is packed: where a player can begin, what it needs first, and what hinders it from being
// played as a stream. Only the packing is read here; what the packets hold is ffprobe's business.
#pragma once

#include "ffmpeg.h"

namespace usher::press {

/// A page of Ogg, a fragment of MP4, a cluster of Matroska.
struct Unit {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool fresh = true;  // it begins with a packet, and not with the rest of one
};

struct Form {
  /// Why it cannot be played as a stream, to be read after the file's name: "an MP4 file with …". Empty: it can.
  std::string obstacle;
  /// Whether ffmpeg can mend that without encoding again.
  bool can_be_repacked = true;
  /// The obstacle is what follows the sound: it goes with the pictures where those are taken out.
  bool only_a_tail = false;
  /// Bytes that a player needs first; nothing: all before the first packet.
  std::optional<std::uint64_t> head;
  /// A player can begin at each of these that begins with a key frame; empty: at every packet.
  std::vector<Unit> units;
  /// Whether a packet ends somewhere in the unit where the next one begins (Ogg), and not where its size says.
  bool ends_with_unit = false;
};

/// Errors: truncated, the file ends inside of something that says how long it is; unreadable_media; io.
[[nodiscard]] Result<Form> form_of(const MediaFile& file, const Probe& probe);

// One for each way of packing; errors as form_of().
[[nodiscard]] Result<Form> ogg_form(const MediaFile& file);
[[nodiscard]] Result<Form> mp4_form(const MediaFile& file);
[[nodiscard]] Result<Form> matroska_form(const MediaFile& file);
[[nodiscard]] Result<Form> wav_form(const MediaFile& file);
[[nodiscard]] Result<Form> aiff_form(const MediaFile& file);

/// "ogg", "mpeg", "x-matroska": what a media type names after the slash. Empty: none.
[[nodiscard]] Result<std::string> subtype_of(const MediaFile& file, Container container);
/// Whether a Matroska file is of the kind that is called WebM.
[[nodiscard]] Result<bool> is_webm(const MediaFile& file);
/// Whether an MP3 says in its first frame how long it is: Xing, Info or VBRI.
[[nodiscard]] Result<bool> has_mp3_header(const MediaFile& file);

}  // namespace usher::press
