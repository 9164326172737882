// Reads and writes the wallet's files.
#include <charconv>
#include <cstdio>
#include <span>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "base/encoding.h"
#include "base/file.h"
#include "client/wallet/wallet.h"
#include "crypto/digest.h"

namespace usher::client {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxFigures = 16 << 20;  // bytes
constexpr std::size_t kMaxPlayFile = 8 << 10;  // bytes
constexpr std::size_t kMaxAskedRanges = 128;   // in a play's file; only the first ones are stored
constexpr std::size_t kMaxKey = 2'048;         // bytes

std::optional<Id128> id_of(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != 16) return std::nullopt;
  return array_of<16>(*bytes);
}

/// Readers for members of a JSON object. Empty: the member is missing or has another type; the file is damaged.
std::optional<std::uint64_t> number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return std::nullopt;
  boost::system::error_code wrong;
  const auto out = value->to_number<std::uint64_t>(wrong);
  return wrong ? std::nullopt : std::optional(out);
}
std::optional<Id128> id(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return id_of({value->get_string().data(), value->get_string().size()});
}
std::optional<json::object> parse(std::string_view text) {
  boost::system::error_code wrong;
  const json::value value = json::parse({text.data(), text.size()}, wrong);
  if (wrong || !value.is_object()) return std::nullopt;
  return value.get_object();
}

/// "0-16,20-1,": for each range, the first chunk and the number of chunks.
std::string text_of_ranges(const wire::ChunkRanges& ranges) {
  std::string out;
  for (const wire::ChunkRange& range : std::span(ranges).first(std::min(ranges.size(), kMaxAskedRanges))) {
    out += std::to_string(range.first) + "-" + std::to_string(range.count) + ",";
  }
  return out;
}
std::optional<wire::ChunkRanges> ranges_of_text(std::string_view text) {
  wire::ChunkRanges ranges;
  const auto take = [&text](char behind, std::uint32_t& out) {
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
    const auto used = static_cast<std::size_t>(end - text.data());
    if (wrong != std::errc{} || used >= text.size() || text[used] != behind) return false;
    text.remove_prefix(used + 1);
    return true;
  };
  while (!text.empty()) {
    wire::ChunkRange range;
    if (ranges.size() == kMaxAskedRanges || !take('-', range.first) || !take(',', range.count)) return std::nullopt;
    ranges.push_back(range);
  }
  return ranges;
}
/// Empty if there is no such member: the file is from an earlier release.
std::string text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

std::string text_of_play(const UnfinishedPlay& play) {
  const json::object object{{"play", to_hex(play.play)},          {"medium", to_hex(play.medium)},
                            {"licence", to_hex(play.licence)},    {"position_ms", play.position_ms},
                            {"deadline", play.deadline},          {"own", play.own.text()},
                            {"asked", text_of_ranges(play.asked)}};
  return json::serialize(object);
}
std::optional<UnfinishedPlay> play_of_text(std::string_view text) {
  const auto object = parse(text);
  if (!object) return std::nullopt;
  const auto play = id(*object, "play");
  const auto medium = id(*object, "medium");
  const auto licence = id(*object, "licence");
  const auto position = number(*object, "position_ms");
  const auto deadline = number(*object, "deadline");
  if (!play || !medium || !licence || !position || !deadline) return std::nullopt;
  // The other members are optional, so that a play is never lost because of them. Without them it is resumed less
  // exactly.
  return UnfinishedPlay{.play = *play,
                        .medium = *medium,
                        .licence = *licence,
                        .position_ms = *position,
                        .deadline = *deadline,
                        .own = HeardClock::from_text(text_in(*object, "own")).value_or(HeardClock{}),
                        .asked = ranges_of_text(text_in(*object, "asked")).value_or(wire::ChunkRanges{})};
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view extension) {
  std::vector<std::filesystem::path> files;
  std::error_code wrong;
  for (const auto& entry : std::filesystem::directory_iterator(folder, wrong)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

Difference damaged(const std::filesystem::path& file, std::string_view what) {
  return {.kind = DifferenceKind::damaged,
          .licence = file.stem().string(),
          .sentence = "The file " + printable(file.string()) + " " + std::string(what)};
}

/// The deadline, limited, since the server may have sent any number.
std::int64_t ends_of(const UnfinishedPlay& play) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(play.deadline, licence::kMaxSeconds));
}

}  // namespace

Result<Wallet> Wallet::open(const std::filesystem::path& home, const wire::Authenticated& person,
                            const Hash256& installation, const Clock& clock) {
  const std::string server = to_hex(crypto::sha256(view_of(person.server_id))).substr(0, 32);
  Wallet wallet(home / "wallet" / server / to_hex(person.pseudonym), clock);
  for (const char* part : {"licences", "keys", "plays"}) USHER_CHECK(make_private_directory(wallet.folder_ / part));
  wallet.installation_ = installation;
  USHER_CHECK(wallet.load(person));
  return wallet;
}

Result<> Wallet::load(const wire::Authenticated& person) {
  USHER_TRY(const FileLock lock, FileLock::wait(folder_ / "lock"));
  server_ = person.server_id;
  pseudonym_ = person.pseudonym;
  USHER_CHECK(load_keys(person));
  load_licences();
  std::error_code wrong;
  first_time_ = kept_.empty() && !std::filesystem::exists(folder_ / "figures.json", wrong);
  load_figures();
  find_lost_keys();
  return {};
}

/// Loads new key files only; keys that were loaded before stay as they are.
void Wallet::load_known_keys() {
  for (const auto& file : files_in(folder_ / "keys", ".der")) {
    const std::string name = file.stem().string();
    if (std::ranges::any_of(all_keys_, [&](const auto& known) { return licence::key_id_of(known) == name; })) continue;
    const auto content = read_file(file, kMaxKey);
    const auto key = content ? crypto::PublicKey::from_spki(view_of(*content)) : fail(Fault::bad_key, "wallet");
    if (key && licence::key_id_of(*key) == name) {
      all_keys_.push_back(*key);
    } else if (damaged_.insert(file).second) {
      findings_.push_back(damaged(file, "is not the licence key that it was."));
    }
  }
}

Result<> Wallet::load_keys(const wire::Authenticated& person) {
  load_known_keys();
  for (const Bytes& spki : person.licence_keys) {
    USHER_TRY(crypto::PublicKey key, crypto::PublicKey::from_spki(spki));
    const std::string kid = licence::key_id_of(key);
    keys_.push_back(key);
    if (std::ranges::any_of(all_keys_, [&](const auto& known) { return licence::key_id_of(known) == kid; })) continue;
    USHER_CHECK(replace_file(folder_ / "keys" / (kid + ".der"), text_of(spki)));
    all_keys_.push_back(std::move(key));
  }
  return {};
}

/// A server may add and remove keys, but lists each key until all its licences have ended. A key that is missing while
/// one of its licences can still be used is a difference.
void Wallet::find_lost_keys() {
  const std::int64_t now = unix_seconds(clock_->now());
  for (const auto& [id, held] : kept_) {
    const auto kid = licence::claimed_key_id(held.document());
    const bool there =
        std::ranges::any_of(keys_, [&](const auto& key) { return kid && licence::key_id_of(key) == *kid; });
    const auto figure = figures_.find(id);
    const bool over = (held.terms().expires && *held.terms().expires <= now) ||
                      (figure != figures_.end() && (figure->second.state == wire::LicenceState::used_up ||
                                                    figure->second.state == wire::LicenceState::expired ||
                                                    figure->second.state == wire::LicenceState::revoked));
    if (there || over) continue;
    findings_.push_back({.kind = DifferenceKind::key_changed,
                         .licence = to_hex(id),
                         .sentence = "Licence " + to_hex(id) + ": the server has no longer the key that signed it (" +
                                     kid.value_or("unknown") + "); ask the operator whether that is so."});
  }
}

/// Loads new licence files only; licences that were loaded before stay as they are.
void Wallet::load_licences() {
  for (const auto& file : files_in(folder_ / "licences", ".jws")) {
    if (const auto known = id_of(file.stem().string()); known && kept_.contains(*known)) continue;
    const auto document = read_file(file, licence::kMaxDocument);
    auto verified = document ? check(*document, all_keys_) : std::unexpected(document.error());
    if (verified && to_hex(verified->terms().id) == file.stem().string() && check_holder(verified->terms())) {
      const Id128 number = verified->terms().id;
      kept_.emplace(number, *std::move(verified));
    } else if (damaged_.insert(file).second) {
      findings_.push_back(damaged(file, "is not the licence that was kept: its signature does not hold."));
    }
  }
}

void Wallet::load_figures() {
  const auto file = folder_ / "figures.json";
  std::error_code wrong;
  if (!std::filesystem::exists(file, wrong)) return;
  const auto text = read_file(file, kMaxFigures);
  const auto object = text ? parse(*text) : std::nullopt;
  std::map<Id128, Figure> figures;
  bool good = object.has_value();
  if (good) {
    for (const auto& member : *object) {
      const auto name = id_of({member.key().data(), member.key().size()});
      const json::object* value = member.value().if_object();
      const auto left = value != nullptr ? number(*value, "plays_left") : std::nullopt;
      const auto state = value != nullptr ? number(*value, "state") : std::nullopt;
      const auto until = value != nullptr ? number(*value, "usable_until") : std::nullopt;
      const auto open = value != nullptr ? number(*value, "open_plays").value_or(0) : 0;  // missing: an earlier release
      good = good && name && left && *left <= wire::kNoLimit && state && *state <= 4 && until;
      if (!good) break;
      figures[*name] = {.plays_left = static_cast<std::uint32_t>(*left),
                        .state = static_cast<wire::LicenceState>(*state),
                        .usable_until = *until,
                        .open_plays = static_cast<std::uint32_t>(std::min<std::uint64_t>(open, wire::kNoLimit))};
    }
  }
  if (good) {
    figures_ = std::move(figures);
  } else {
    findings_.push_back(damaged(file, "cannot be read: the server's figures cannot be compared with it this time."));
  }
}

Result<> Wallet::save_figures() const {
  json::object object;
  for (const auto& [number, figure] : figures_) {
    object[to_hex(number)] = json::object{{"plays_left", figure.plays_left},
                                          {"state", static_cast<std::uint8_t>(figure.state)},
                                          {"usable_until", figure.usable_until},
                                          {"open_plays", figure.open_plays}};
  }
  return replace_file(folder_ / "figures.json", json::serialize(object));
}

Result<> Wallet::check_writable() const {
  const auto file = folder_ / "licences" / "probe";
  USHER_CHECK(replace_file(file, std::string(licence::kMaxDocument, ' ')));
  std::error_code wrong;
  std::filesystem::remove(file, wrong);
  return {};
}

Result<> Wallet::keep(const licence::VerifiedLicence& licence) {
  const auto file = folder_ / "licences" / (to_hex(licence.terms().id) + ".jws");
  std::error_code wrong;
  if (!kept_.contains(licence.terms().id) && std::filesystem::exists(file, wrong)) {
    std::filesystem::rename(file, file.string() + ".damaged", wrong);  // evidence is not overwritten
  }
  if (kept_.contains(licence.terms().id)) return {};
  USHER_CHECK(replace_file(file, licence.document()));
  kept_.emplace(licence.terms().id, licence);
  return {};
}

void Wallet::log(const std::vector<Difference>& differences) const {
  if (differences.empty()) return;
  const int out = ::open((folder_ / "differences.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) return;
  for (const Difference& difference : differences) {
    const std::string line = std::to_string(unix_seconds(clock_->now())) + " " + std::string(name_of(difference.kind)) +
                             " " + difference.sentence + "\n";
    static_cast<void>(!::write(out, line.data(), line.size()));
  }
  ::close(out);
}

std::vector<UnfinishedPlay> Wallet::all_unfinished() const {
  std::vector<UnfinishedPlay> plays;
  for (const auto& file : files_in(folder_ / "plays", ".json")) {
    const auto text = read_file(file, kMaxPlayFile);
    if (const auto play = text ? play_of_text(*text) : std::nullopt) plays.push_back(*play);
  }
  return plays;
}

/// Removes marks of plays whose deadline passed more than a day ago: the server has counted them or given them back.
void Wallet::forget_old_plays() const {
  constexpr std::int64_t kDay = 86'400;  // seconds
  for (const UnfinishedPlay& play : all_unfinished()) {
    if (ends_of(play) + kDay >= unix_seconds(clock_->now())) continue;
    std::error_code wrong;
    std::filesystem::remove(folder_ / "plays" / (to_hex(play.play) + ".json"), wrong);
  }
}

std::vector<UnfinishedPlay> Wallet::unfinished(const Id128& medium, Time now) const {
  std::vector<UnfinishedPlay> plays;
  for (const UnfinishedPlay& play : all_unfinished()) {
    if (play.medium != medium || ends_of(play) <= unix_seconds(now)) continue;
    if (FileLock::try_existing(folder_ / "plays" / (to_hex(play.play) + ".json"))) plays.push_back(play);
  }
  std::ranges::sort(plays, std::ranges::greater{}, &UnfinishedPlay::deadline);
  return plays;
}

Result<std::unique_ptr<PlayMark>> Wallet::begin(const UnfinishedPlay& play, std::optional<std::uint32_t> left) {
  // Mark and figure change under one lock: another process that compares meanwhile sees both changes or neither.
  USHER_TRY(const FileLock both, FileLock::wait(folder_ / "lock"));
  // Written in place: the lock belongs to the file, and would not follow a rename.
  auto file = folder_ / "plays" / (to_hex(play.play) + ".json");
  auto lock = FileLock::try_now(file);
  if (!lock) return fail(Fault::busy, "wallet: play", "the play's file");
  std::unique_ptr<PlayMark> mark(new PlayMark(*std::move(lock), std::move(file), play));
  mark->write();
  if (left) note(play.licence, *left, 0);
  return mark;
}

void Wallet::closed(PlayMark& mark, std::uint32_t left) {
  const auto both = FileLock::wait(folder_ / "lock");
  mark.done();
  if (both) note(mark.play_.licence, left, 1);
}

/// Writes the text with one call over the old text, so that a process that is killed leaves the old text or the new
/// one. For this the file never becomes shorter, and a text within the bounds above fits into a page.
void PlayMark::write() noexcept {
  std::string text = text_of_play(play_);
  struct stat info{};
  if (::fstat(lock_.descriptor(), &info) == 0 && info.st_size > static_cast<off_t>(text.size())) {
    text.append(std::min(kMaxPlayFile, static_cast<std::size_t>(info.st_size)) - text.size(), ' ');
  }
  static_cast<void>(!::pwrite(lock_.descriptor(), text.data(), text.size(), 0));
}

void PlayMark::keep(std::uint64_t position_ms, const HeardClock& own, const wire::ChunkRanges& asked) noexcept {
  play_.position_ms = position_ms;
  play_.own = own;
  play_.asked = asked;
  write();
}

void PlayMark::done() noexcept {
  std::error_code wrong;
  std::filesystem::remove(file_, wrong);
}

}  // namespace usher::client
