// usherd media: add, list, verify, remove.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/display.h"
#include "base/encoding.h"
#include "common/json.h"
#include "common/output.h"
#include "common/report.h"
#include "common/table.h"
#include "service/media_service.h"
#include "usherd/config/trust_files.h"
#include "usherd/home/home.h"
#include "usherd/home/key_files.h"

namespace usher::usherd {
namespace {

constexpr std::uint32_t kPage = 256;

volatile std::sig_atomic_t interrupted = 0;

/// Ctrl-C cancels an import in an orderly way: nothing of it remains.
void cancel_on_interrupt() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

/// A line on the terminal that is overwritten; no output if stderr is no terminal.
media::Progress progress_line(std::string what) {
  const bool show = ::isatty(STDERR_FILENO) != 0;
  return [what = std::move(what), show, last = -1](std::uint64_t done, std::uint64_t total) mutable {
    const int percent = total == 0 ? 100 : static_cast<int>(done * 100 / total);
    if (show && percent != last) {
      constexpr std::size_t kNumber = 8;  // columns for the percentage and the last column, which stays free
      const std::size_t columns = app::terminal_columns(STDERR_FILENO);
      const std::string name = cut(what, columns == kAnyWidth ? 72 : std::max(columns, kNumber) - kNumber);
      std::fprintf(stderr, "\r\x1b[K%s  %3d %%%s", name.c_str(), percent, done == total ? "\n" : "");
      std::fflush(stderr);
    }
    last = percent;
    return interrupted == 0;
  };
}

store::MediumRecord record_of(const media::SignedManifest& signed_manifest, const media::Manifest& manifest) {
  store::MediumRecord medium;
  medium.id = manifest.medium;
  medium.manifest = signed_manifest.hash();
  medium.object = manifest.object;
  medium.chunk_size = manifest.chunk_size;
  medium.extent = manifest.extent();
  medium.size = manifest.size;
  return medium;
}

/// Verifies the distributor's chain at the time of pressing, with today's revocation state, then the signature.
Result<> check_origin(const media::SignedManifest& signed_manifest, const pki::TrustStore& distributors, Time now) {
  std::vector<View> ders(signed_manifest.chain.begin(), signed_manifest.chain.end());
  USHER_TRY(const pki::Chain chain, pki::chain_from_der(ders));
  USHER_TRY(const media::Manifest manifest, signed_manifest.contents());
  USHER_TRY(const auto peer, distributors.verify_signed_at(chain, from_unix_seconds(manifest.pressed_at), now));
  return signed_manifest.verify(peer.public_key());
}

std::string title_of(const media::Manifest& manifest) {
  return (manifest.artist.empty() ? "" : printable(manifest.artist) + ", ") + titled(manifest.title);
}

boost::json::object json_of(const store::MediumRecord& medium, const media::Manifest& manifest) {
  return {{"medium", to_hex(medium.id)},
          {"title", manifest.title},
          {"artist", manifest.artist},
          {"album", manifest.album},
          {"media_type", manifest.media_type},
          {"kind", manifest.kind == media::MediaKind::video ? "video" : "audio"},
          {"duration_ms", manifest.duration_ms},
          {"size", medium.size},
          {"chunk_size", medium.chunk_size},
          {"chunks", medium.extent.chunks},
          {"distributor", manifest.distributor},
          {"manifest_sha256", to_hex(medium.manifest)},
          {"added_at", app::iso_time(medium.added_at)}};
}

struct Importer {
  Home home;
  media::PrivateKeyUnwrapper recipient;
  std::shared_ptr<const pki::TrustStore> distributors;
  const Clock& clock;
  bool json = false;

  [[nodiscard]] media::Vault::CheckOrigin origin() const {
    return [this](const media::SignedManifest& manifest) -> Result<> {
      USHER_CHECK(check_origin(manifest, *distributors, clock.now()));
      return check_release(manifest);
    };
  }
  /// The medium in the store, removed or not; nullopt if there is none.
  [[nodiscard]] Result<std::optional<store::MediumRecord>> known(const Id128& id) const {
    auto medium = home.store->find_medium(id);
    if (medium) return *std::move(medium);
    if (medium.error().fault == Fault::unknown_medium) return std::nullopt;
    return std::unexpected(std::move(medium).error());
  }
  /// A medium keeps the release that it was imported from, even if its file in the vault is missing.
  /// Errors: release_mismatch.
  [[nodiscard]] Result<> check_release(const media::SignedManifest& manifest) const {
    USHER_TRY(const media::Manifest contents, manifest.contents());
    USHER_TRY(const auto before, known(contents.medium));
    if (!before || before->manifest == manifest.hash()) return {};
    return fail(Fault::release_mismatch, "media add",
                "medium " + to_hex(contents.medium) + " was imported from another release",
                "Press the recording again: it becomes a medium of its own.");
  }
  [[nodiscard]] Result<bool> is_in_catalogue(const Id128& id) const {
    USHER_TRY(const auto medium, known(id));
    return medium && !medium->removed_at;
  }
  /// What is wrong with the vault's file of a medium; nullopt: nothing. Errors: those that say nothing about the file,
  /// such as no_key_fits: with a wrong vault key every intact file looks unreadable, and must stay.
  [[nodiscard]] Result<std::optional<Error>> damage_of(const Id128& id, const media::Progress& progress) const {
    static constexpr std::array kDamage{Fault::malformed, Fault::wrong_object,     Fault::header_damaged,
                                        Fault::truncated, Fault::chunk_damaged,    Fault::unsupported,
                                        Fault::too_long,  Fault::release_mismatch, Fault::unknown_medium};
    auto verified = home.vault->verify(id, progress);
    if (!verified && std::ranges::find(kDamage, verified.error().fault) == kDamage.end()) {
      return std::unexpected(std::move(verified).error());
    }
    if (!verified) return std::move(verified).error();
    USHER_TRY(const auto record, known(id));
    if (!record) return std::nullopt;
    USHER_TRY(const media::SignedManifest stored, home.vault->manifest(id));
    if (stored.hash() == record->manifest) return std::nullopt;
    return Error{Fault::release_mismatch, "media add", "the file of medium " + to_hex(id) + " is of another release"};
  }
  /// The vault has a file of this medium. Replaces it if it is damaged, and then sets `damage`. An intact one is used
  /// without importing again if the store does not have the medium: an import was interrupted between the two.
  /// Errors: already_exists; damage_of's.
  [[nodiscard]] Result<media::SignedManifest> take_up(const media::SourcePtr& source, const media::Progress& progress,
                                                      std::optional<Error>& damage) const {
    USHER_TRY(const auto outline, media::ReleaseOutline::read(source));
    USHER_TRY(damage, damage_of(outline.medium, progress));
    if (damage) return home.vault->import(source, recipient, origin(), progress, Replace::yes);
    USHER_TRY(const bool listed, is_in_catalogue(outline.medium));
    if (listed)
      return fail(Fault::already_exists, "media add", "medium " + to_hex(outline.medium),
                  "Nothing has to be done; `usherd media list` shows it.");
    USHER_TRY(media::SignedManifest manifest, home.vault->manifest(outline.medium));
    USHER_CHECK(origin()(manifest));
    return manifest;
  }
  [[nodiscard]] Result<> add(const std::string& file, const media::SourcePtr& source) const {
    bool restored = false;  // the catalogue has the medium; only its file in the vault was missing or damaged
    if (const auto outline = media::ReleaseOutline::read(source)) {
      USHER_TRY(restored, is_in_catalogue(outline->medium));
    }
    const media::Progress progress = progress_line(printable(file));
    std::optional<Error> damage;
    auto manifest = home.vault->import(source, recipient, origin(), progress);
    if (!manifest && manifest.error().fault == Fault::already_exists) manifest = take_up(source, progress, damage);
    if (!manifest) {
      std::string& about = manifest.error().about;
      if (about.find(file) == std::string::npos) about = file + (about.empty() ? "" : ": " + about);
      return std::unexpected(std::move(manifest).error());
    }
    USHER_TRY(const media::Manifest contents, manifest->contents());
    store::MediumRecord record = record_of(*manifest, contents);
    record.added_at = clock.now();
    USHER_TRY(const bool still_listed, is_in_catalogue(record.id));  // it may have been removed meanwhile
    restored = restored && still_listed;
    if (!restored) USHER_CHECK(home.store->add_medium(record, record.added_at));
    if (json) {
      boost::json::object out = json_of(record, contents);
      out["file"] = printable(file);
      out["restored"] = restored;
      out["damage"] = damage ? app::json_of(*damage) : boost::json::value();
      app::print_json(out);
      return {};
    }
    std::printf("%s: %s  %s\n", restored ? "restored" : "added", to_hex(contents.medium).c_str(),
                title_of(contents).c_str());
    if (damage) std::printf("  its file was damaged: %s\n", printable(explain(*damage)).c_str());
    return {};
  }
};

Result<> add(Context& context, const std::vector<std::string>& files) {
  cancel_on_interrupt();
  // Opened as the calling user: after open_home() the process runs as the home's owner.
  std::vector<Result<media::SourcePtr>> sources;
  sources.reserve(files.size());
  for (const std::string& file : files) sources.push_back(media::open_file(file));
  USHER_TRY(Home home, open_home_with_vault(context));
  USHER_TRY(auto distributors, load_distributors(home.config, cached_lists(home.config), home.store.get()));
  USHER_TRY(const KeyPair recipient,
            load_pair(home.config, home.config.recipient_certificate, home.config.recipient_key, *home.keys));
  const Importer importer{.home = std::move(home),
                          .recipient = media::PrivateKeyUnwrapper(*recipient.key),
                          .distributors = std::move(distributors),
                          .clock = context.clock,
                          .json = context.json};
  app::Batch batch("usherd", context.json);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto added = sources[i] ? importer.add(files[i], *sources[i]) : std::unexpected(sources[i].error());
    if (!added && added.error().fault == Fault::cancelled) return added;
    if (!added) batch.refused(added.error());
  }
  context.status = batch.status();
  return {};
}

Result<std::vector<store::MediumRecord>> all_media(store::Store& store) {
  std::vector<store::MediumRecord> all;
  for (;;) {
    USHER_TRY(auto page, store.list_media({.offset = static_cast<std::uint32_t>(all.size()), .count = kPage}));
    all.insert(all.end(), page.entries.begin(), page.entries.end());
    if (page.entries.empty() || all.size() >= page.total) return all;
  }
}

std::vector<Id128> ids_of(const std::vector<store::MediumRecord>& media) {
  std::vector<Id128> ids;
  ids.reserve(media.size());
  for (const store::MediumRecord& medium : media) ids.push_back(medium.id);
  return ids;
}

/// For a medium in the catalogue. Errors: not_found, its file is missing; the vault's.
Result<media::SignedManifest> signed_manifest_of(const Home& home, const store::MediumRecord& medium) {
  auto known = home.vault->manifest(medium.id);
  if (known || known.error().fault != Fault::unknown_medium) return known;
  return fail(
      Fault::not_found, "media", "the file of medium " + to_hex(medium.id),
      "Restore the media directory from a backup, or add the release again with `usherd media add`; the licences "
      "for it stay.");
}

Result<media::Manifest> manifest_of(const Home& home, const store::MediumRecord& medium) {
  USHER_TRY(const auto signed_manifest, signed_manifest_of(home, medium));
  return signed_manifest.contents();
}

/// A medium that cannot be read is reported as an error, and does not hide the others.
Result<> list(Context& context) {
  USHER_TRY(const Home home, open_home_with_vault(context, Use::read));
  USHER_TRY(const auto media, all_media(*home.store));
  boost::json::array out;
  app::Batch batch("usherd", context.json);
  constexpr std::size_t kShortId = 9;  // columns: eight digits of an id, and the mark of a cut text
  constexpr std::size_t kLeastTitle = 12;
  app::Table table({{.head = "medium", .least = kShortId},
                    {.head = "length", .goes = 1, .to_the_right = true},
                    {.head = "bytes", .goes = 2, .to_the_right = true},
                    {.head = "title", .least = kLeastTitle}});
  for (const store::MediumRecord& medium : media) {
    const auto known = manifest_of(home, medium);
    if (!known) {
      batch.refused(known.error());
      continue;
    }
    if (context.json) {
      out.push_back(json_of(medium, *known));
      continue;
    }
    const auto seconds = known->duration_ms / 1000;
    table.add({to_hex(medium.id), fmt::format("{}:{:02}", seconds / 60, seconds % 60), std::to_string(medium.size),
               title_of(*known)});
  }
  if (context.json) {
    app::print_json(out);
  } else {
    const std::string text = table.text(app::terminal_columns(STDOUT_FILENO));
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  context.status = batch.status();
  return {};
}

/// Whether the vault's file is intact, and is the one that the store's record and its licences refer to.
Result<> verify_one(const Home& home, const store::MediumRecord& medium) {
  USHER_TRY(const auto manifest, signed_manifest_of(home, medium));
  if (manifest.hash() != medium.manifest) {
    return fail(Fault::release_mismatch, "media verify", "medium " + to_hex(medium.id),
                "Remove it and add its release again; the licences for it stand.");
  }
  return home.vault->verify(medium.id, progress_line(to_hex(medium.id)));
}

Result<> verify(const Context& context, const std::string& id) {
  cancel_on_interrupt();
  USHER_TRY(const Home home, open_home_with_vault(context, Use::read));
  USHER_TRY(const auto media, all_media(*home.store));
  std::optional<Id128> wanted;
  if (!id.empty()) {
    USHER_TRY(wanted, find_id(id, ids_of(media), Fault::unknown_medium));
  }
  Result<> first;
  for (const store::MediumRecord& medium : media) {
    if (wanted && medium.id != *wanted) continue;
    auto verified = verify_one(home, medium);
    if (!verified && verified.error().fault == Fault::cancelled) return verified;
    if (context.json) {
      boost::json::object out{{"medium", to_hex(medium.id)}, {"verified", verified.has_value()}, {"error", nullptr}};
      if (!verified) out["error"] = app::json_of(verified.error());
      app::print_json(out);
    } else {
      std::printf("%s: %s\n", to_hex(medium.id).c_str(),
                  verified ? "ok" : printable(explain(verified.error())).c_str());
    }
    if (!verified && first) first = std::unexpected(std::move(verified).error());
  }
  return first;
}

/// The number of its licences that can be played now.
Result<std::size_t> count_usable(store::Store& store, const Id128& medium, Time now) {
  std::size_t usable = 0;
  for (std::uint32_t offset = 0;;) {
    USHER_TRY(const auto page, store.list_all_licences({.offset = offset, .count = kPage}));
    for (const store::Licence& licence : page.entries) {
      const bool may_play = service::entry_of(licence, now).state == wire::LicenceState::usable;
      if (licence.terms.medium == medium && may_play) ++usable;
    }
    offset += static_cast<std::uint32_t>(page.entries.size());
    if (page.entries.empty() || offset >= page.total) return usable;
  }
}

Result<> ask_to_remove(const Context& context, const Home& home, const Id128& medium) {
  USHER_TRY(const std::size_t usable, count_usable(*home.store, medium, context.clock.now()));
  const auto signed_manifest = home.vault->manifest(medium);
  const auto contents = signed_manifest ? signed_manifest->contents() : std::unexpected(signed_manifest.error());
  return app::confirm(
      fmt::format("Remove medium {}{}? {} usable licence{} of it can then no longer be played.", to_hex(medium),
                  contents ? " (" + title_of(*contents) + ")" : "", usable, usable == 1 ? "" : "s"),
      "--yes");
}

Result<> remove(const Context& context, const std::string& id, bool yes) {
  USHER_TRY(const Home home, open_home_with_vault(context));
  USHER_TRY(const auto media, all_media(*home.store));
  USHER_TRY(const Id128 medium, find_id(id, ids_of(media), Fault::unknown_medium));
  if (!yes) USHER_CHECK(ask_to_remove(context, home, medium));
  // The store first: from then on no chunk of it is granted.
  const Time now = context.clock.now();
  USHER_TRY([[maybe_unused]] const auto removed, home.store->remove_medium(medium, now));
  const auto file = home.vault->remove(medium);
  if (!file && file.error().fault != Fault::unknown_medium) return file;  // a missing file needs no removal
  if (context.json) {
    app::print_json(boost::json::object{{"medium", to_hex(medium)}, {"removed_at", app::iso_time(now)}});
    return {};
  }
  std::printf("removed: %s\n", to_hex(medium).c_str());
  return {};
}

}  // namespace

void add_media_command(const app::Command& program, Context& context) {
  const app::Command media = program.command("media", "Releases in the vault and the catalogue");
  media.needs_command();
  media.footer(
      "Examples:\n"
      "  usherd --home h media add track01.usher track02.usher\n"
      "  usherd --home h media list --json\n"
      "  usherd --home h media verify 3f9a\n"
      "  usherd --home h media remove 3f9a\n"
      "All of them may be used while the server runs.");
  const auto files = std::make_shared<std::vector<std::string>>();
  const auto id = std::make_shared<std::string>();

  const app::Command add_verb = media.command("add", "Import releases that were pressed for this operator");
  add_verb.option("file", *files, "Releases, as usher-press writes them").required();
  add_verb.action([&context, files] { return add(context, *files); });

  const app::Command list_verb = media.command("list", "The catalogue");
  list_verb.action([&context] { return list(context); });

  const app::Command verify_verb = media.command("verify", "Read media whole, and check them against their manifests");
  verify_verb.option("medium", *id, "Its id, or the beginning of it; all where it is left out");
  verify_verb.action([&context, id] { return verify(context, *id); });

  const app::Command remove_verb = media.command("remove", "Take a medium out of the catalogue and the vault");
  remove_verb.option("medium", *id, "Its id, or the beginning of it").required();
  const auto yes = std::make_shared<bool>(false);
  remove_verb.flag("--yes", *yes, "Do not ask");
  remove_verb.action([&context, id, yes] { return remove(context, *id, *yes); });
}

}  // namespace usher::usherd
