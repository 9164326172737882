#include "measure.h"

#include <cmath>
#include <map>

namespace usher::press {
namespace {

constexpr std::uint64_t kBlock = media::kMinChunkSize;  // bytes: chunk sizes are multiples of it
constexpr double kApart = 2.0;                          // minimum distance of seek points, seconds
constexpr std::uint64_t kHeaderOfPacket = 64;           // bytes; the most that a container puts before a packet's data

std::uint64_t milliseconds(double seconds) {
  return seconds <= 0 ? 0 : static_cast<std::uint64_t>(std::llround(seconds * 1000));
}

/// Receives the packets in order.
class Meter {
 public:
  Meter(const MediaFile& file, const Form& form, const Chosen& chosen) : file_(file), form_(form), chosen_(chosen) {
    out_.covered.resize(static_cast<std::size_t>((file.size() + kBlock - 1) / kBlock));
  }

  void take(const Packet& packet);
  Result<Measured> finish();

 private:
  struct Last {
    double time = 0;
    double end = 0;  // the next packet's time if that packet has none
    std::uint64_t place = 0;
    std::uint64_t size = 0;
  };

  /// Notes that a packet at `time` lies in bytes [begin, end).
  void lies(double time, std::uint64_t begin, std::uint64_t end);
  void take_main(const Packet& packet, double time, std::uint64_t place);
  [[nodiscard]] const Unit* unit_of(std::uint64_t place) const;
  void thin_out();
  void note_size(std::uint64_t size) {
    smallest_ = std::min(smallest_, size);
    largest_ = std::max(largest_, size);
  }

  const MediaFile& file_;
  const Form& form_;
  const Chosen& chosen_;
  Measured out_;
  std::map<int, Last> last_;
  std::optional<double> begins_;
  double ends_ = 0;
  double played_ = 0;      // duration of the main stream's packets except the last
  double last_lasts_ = 0;  // duration of that last packet
  std::uint64_t first_place_ = ~std::uint64_t{0};
  const Unit* unit_ = nullptr;  // the last unit in which a packet of the main stream began
  std::uint64_t smallest_ = ~std::uint64_t{0};
  std::uint64_t largest_ = 0;
  std::uint64_t packets_ = 0;  // number of the main stream's packets
  std::vector<std::pair<double, std::uint64_t>> places_;
};

const Unit* Meter::unit_of(std::uint64_t place) const {
  const auto after = std::ranges::upper_bound(form_.units, place, {}, &Unit::begin);
  if (after == form_.units.begin() || place >= std::prev(after)->end) return nullptr;
  return &*std::prev(after);
}

void Meter::lies(double time, std::uint64_t begin, std::uint64_t end) {
  end = std::min(end, file_.size());
  for (std::uint64_t block = begin / kBlock; block * kBlock < end; ++block) {
    out_.covered[static_cast<std::size_t>(block)] = true;
  }
  const double second = std::max(0.0, std::floor(time - std::max(0.0, begins_.value_or(0))));
  if (second >= static_cast<double>(out_.needed.size())) return;
  std::uint64_t& needed = out_.needed[static_cast<std::size_t>(second)];
  needed = std::max(needed, end);
}

void Meter::take_main(const Packet& packet, double time, std::uint64_t place) {
  bool can_begin = packet.key;
  if (!form_.units.empty()) {
    const Unit* unit = unit_of(place);
    if (unit == nullptr || unit == unit_) return;
    unit_ = unit;
    can_begin = can_begin && unit->fresh;
    place = unit->begin;
  }
  if (!can_begin || place == 0 || time < 0) return;
  if (places_.empty() ? time < kApart : time < places_.back().first + kApart) return;
  if (!places_.empty() && place <= places_.back().second) return;
  places_.emplace_back(time, place);
}

void Meter::take(const Packet& packet) {
  if (!chosen_.has(packet.stream)) return;
  auto [entry, is_first] = last_.try_emplace(packet.stream);
  Last& last = entry->second;
  const double time = packet.time.value_or(last.end);
  const std::uint64_t place = packet.place.value_or(last.place);
  if (packet.time) begins_ = std::min(begins_.value_or(time), time);
  // In some containers a packet's duration follows from the next packet's time only. The last packet then gets the
  // duration of the one before it.
  constexpr double kLongest = 2;  // seconds
  const double step = is_first ? 0 : std::clamp(time - last.time, 0.0, kLongest);
  const double lasts = packet.duration > 0 ? packet.duration : step;
  if (packet.time || packet.duration > 0) ends_ = std::max(ends_, time + lasts);
  if (packet.place) first_place_ = std::min(first_place_, place);
  if (!form_.ends_with_unit) {
    lies(time, place, place + packet.size + kHeaderOfPacket);
  } else if (!is_first) {
    // The previous packet ends at the latest in the page where this one begins.
    const Unit* unit = unit_of(place);
    lies(last.time, last.place, unit == nullptr ? file_.size() : unit->end);
  }
  if (packet.stream == chosen_.main) {
    // The packets' own durations are not exact (Vorbis). They are used only where the clock jumps.
    const bool steady = time >= last.time && time - last.time <= kLongest;
    if (!is_first) played_ += steady ? step : last.end - last.time;
    last_lasts_ = lasts;
    ++packets_;
    if (!is_first) note_size(last.size);  // without the very last packet, which may be cut
    take_main(packet, time, place);
  }
  last = {.time = time, .end = time + packet.duration, .place = place, .size = packet.size};
}

/// Keeps no more seek points than a manifest holds: those nearest to equal steps.
void Meter::thin_out() {
  const double begins = std::max(0.0, begins_.value_or(0));
  double step = 0;
  if (places_.size() > media::kMaxSeekPoints) {
    step = (ends_ - begins) / static_cast<double>(media::kMaxSeekPoints);
  }
  double next = 0;
  for (const auto& [time, place] : places_) {
    const std::uint64_t at = milliseconds(time - begins);
    // A seek point in the last second is useless to a listener.
    if (place < out_.head || at == 0 || at + 1000 > out_.duration_ms || time < next) continue;
    if (out_.seek.size() == media::kMaxSeekPoints) break;
    out_.seek.push_back({.time_ms = at, .offset = place});
    // The steps do not depend on the places taken, so that one late place does not shift all later ones.
    while (step > 0 && next <= time) next += step;
  }
}

Result<Measured> Meter::finish() {
  if (first_place_ >= file_.size()) return fail(Fault::unreadable_media, "measure", "it holds no sound");
  if (form_.ends_with_unit) {
    for (const auto& [stream, last] : last_) lies(last.time, last.place, file_.size());
  }
  std::uint64_t needed = 0;
  for (std::uint64_t& bytes : out_.needed) needed = bytes = std::max(needed, bytes);
  const double begins = std::max(0.0, begins_.value_or(0));
  out_.begins_ms = milliseconds(begins);
  out_.duration_ms = milliseconds(ends_ - begins);
  // Less than a millisecond for each packet: the clock stands still, so its times are useless.
  if (packets_ > 1 && out_.duration_ms < packets_) out_.duration_ms = 0;
  out_.played_ms = milliseconds(played_ + last_lasts_);
  constexpr std::uint64_t kPadding = 4;  // bytes; frames of one bit rate differ by at most this
  out_.even_packets = largest_ == 0 || largest_ <= smallest_ + kPadding;
  out_.head = form_.head.value_or(first_place_);
  thin_out();
  return std::move(out_);
}

/// Chunks without any byte of a packet, up to the manifest's limits.
wire::ChunkRanges structure_of(const media::Manifest& manifest, const std::vector<bool>& covered) {
  const std::uint64_t most = media::max_header(manifest.size) / manifest.chunk_size;
  const std::size_t blocks = manifest.chunk_size / kBlock;
  std::vector<std::uint32_t> chunks;
  for (std::uint32_t chunk = 0; chunk < manifest.chunks && chunks.size() < most; ++chunk) {
    const std::size_t begin = std::size_t{chunk} * blocks;
    const std::size_t end = std::min(begin + blocks, covered.size());
    const auto from = covered.begin();
    const bool is_media = std::find(from + static_cast<std::ptrdiff_t>(begin), from + static_cast<std::ptrdiff_t>(end),
                                    true) != from + static_cast<std::ptrdiff_t>(end);
    if (!is_media) chunks.push_back(chunk);
  }
  wire::ChunkRanges ranges = wire::ranges_of(chunks);
  if (ranges.size() > wire::kMaxStructureRanges) ranges.resize(wire::kMaxStructureRanges);
  return ranges;
}

}  // namespace

Result<Measured> measure(const MediaFile& file, const Form& form, const Chosen& chosen,
                         const media::Progress& progress) {
  Meter meter(file, form, chosen);
  std::uint64_t furthest = 0;
  USHER_CHECK(each_packet(file, [&](const Packet& packet) -> Result<> {
    meter.take(packet);
    furthest = std::max(furthest, std::min(packet.place.value_or(0), file.size()));
    if (progress && !progress(furthest, file.size())) return fail(Fault::cancelled, "measure");
    return {};
  }));
  return meter.finish();
}

std::uint32_t chunk_size_for(std::uint64_t size, std::uint64_t duration_ms) noexcept {
  constexpr std::uint32_t kLeast = 8 << 10;
  constexpr std::uint32_t kMost = 256 << 10;
  const double wanted = static_cast<double>(size) * 2000 / static_cast<double>(std::max<std::uint64_t>(duration_ms, 1));
  std::uint32_t best = kLeast;
  for (std::uint32_t candidate = kLeast; candidate <= kMost; candidate *= 2) {
    if (std::abs(wanted - candidate) < std::abs(wanted - best)) best = candidate;
  }
  return best;
}

void describe(media::Manifest& manifest, const Measured& measured) {
  manifest.duration_ms = measured.duration_ms;
  manifest.chunks = static_cast<std::uint32_t>(media::chunks_of(manifest.size, manifest.chunk_size));
  manifest.structure = structure_of(manifest, measured.covered);
  const bool fits = measured.head <= media::max_header(manifest.size);
  manifest.head = fits ? static_cast<std::uint32_t>(measured.head) : 0;
  manifest.seek = fits ? measured.seek : std::vector<media::SeekPoint>();
  const std::uint32_t all = manifest.extent().media_chunks();
  std::uint32_t chunk = 0;  // the first chunk that is not counted yet
  std::uint32_t count = 0;
  for (std::size_t s = 1; s <= wire::kTableSeconds; ++s) {
    for (; chunk < manifest.chunks && std::uint64_t{chunk} * manifest.chunk_size < measured.needed[s - 1]; ++chunk) {
      if (!wire::contains(manifest.structure, chunk)) ++count;
    }
    const bool whole = s * 1000 >= manifest.duration_ms;
    manifest.seconds[s - 1] = whole ? all : std::max(count, 1U);
  }
}

}  // namespace usher::press
