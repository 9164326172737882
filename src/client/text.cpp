#include "client/text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/encoding.h"

namespace usher::client {
namespace {

std::string medium_text(const Medium& medium) {
  const media::Manifest& manifest = medium.manifest();
  return printable(manifest.title) + (manifest.artist.empty() ? "" : ", by " + printable(manifest.artist));
}

std::string row(std::size_t number, const std::string& text) { return fmt::format("{:4}  {}\n", number, text); }

}  // namespace

std::string greeting(const Who& who) {
  return fmt::format("Connected to {} ({}), {}.\nAuthenticated: {}.\n", printable(who.server), printable(who.server_id),
                     printable(who.suite), printable(who.name.empty() ? who.pseudonym.substr(0, 16) : who.name));
}

std::string error_text(const Error& error) {
  return printable(explain(error)) + " [" + std::string(code_of(error.fault)) + "]";
}

std::string catalogue_text(const std::vector<CatalogueItem>& catalogue) {
  if (catalogue.empty()) return "The catalogue is empty.\n";
  std::string out = "Catalogue:\n";
  for (const CatalogueItem& item : catalogue) {
    if (!item.medium) {
      const bool there = item.medium.error().fault != Fault::medium_unavailable;
      out += row(item.number, (there ? "cannot be trusted: " : "") + error_text(item.medium.error()));
      continue;
    }
    const media::Manifest& manifest = item.medium->manifest();
    std::string text = medium_text(*item.medium);
    if (!manifest.album.empty()) text += " (" + printable(manifest.album) + ")";
    text += "  " + clock_text(manifest.duration_ms);
    if (manifest.kind == media::MediaKind::video) text += ", video";
    out += row(item.number, text);
  }
  return out;
}

std::string title_of(const std::vector<CatalogueItem>& catalogue, const Id128& medium) {
  for (const CatalogueItem& item : catalogue) {
    if (item.id == medium && item.medium) return medium_text(*item.medium);
  }
  return "medium " + to_hex(medium);
}

std::string licences_text(const Shelf& shelf) {
  if (shelf.licences.empty()) return "You have no licences.\n";
  std::string out = "Your licences:\n";
  for (const HeldLicence& licence : shelf.licences) {
    std::string text = title_of(shelf.catalogue, licence.terms.medium) + ": " +
                       plays_text(licence.entry.plays_left, licence.entry.usable_until);
    if (licence.entry.state != wire::LicenceState::usable) text += " – " + std::string(name_of(licence.entry.state));
    if (licence.entry.open_plays > 0) text += fmt::format(" – {} open", licence.entry.open_plays);
    const auto item = std::ranges::find(shelf.catalogue, licence.terms.medium, &CatalogueItem::id);
    out += item == shelf.catalogue.end() ? "      " + text + "\n" : row(item->number, text);
    out += "      licence " + to_hex(licence.terms.id) + "\n";  // what play --licence takes
  }
  return out;
}

std::string news_text(const std::vector<std::string>& news) {
  std::string out;
  for (const std::string& sentence : news) out += printable(sentence) + "\n";
  return out;
}

std::string differences_text(const std::vector<Difference>& differences) {
  if (differences.empty()) return {};
  Error error{.fault = Fault::licences_differ, .where = "text"};
  std::string out = "Attention: " + error_text(error) + "\n";
  for (const Difference& difference : differences) out += "  - " + printable(difference.sentence) + "\n";
  return out;
}

std::string counts_text(const CountsFrom& counts) {
  switch (counts.kind) {
    case CountsFrom::Kind::never:
      return {};
    case CountsFrom::Kind::time:
      return "counts from " + clock_text(counts.ms);
    case CountsFrom::Kind::first_new:
      return "counts from the first new second";
    case CountsFrom::Kind::already:
      return "counts";
  }
  return {};
}

std::string line_text(const PlayPosition& now, std::uint32_t plays_left) {
  std::string text = clock_text(now.elapsed_ms) + " / " + clock_text(now.total_ms);
  const auto add = [&text](const std::string& part) {
    if (!part.empty()) text += "   " + part;
  };
  // What the listener is doing comes first: the end is cut off where the terminal is narrow.
  if (!now.typed.empty()) add("to " + now.typed + "_");
  if (now.going_to) add("to " + clock_text(*now.going_to));
  if (now.paused) add("paused");
  if (now.flow == Flow::waiting) add("waiting for the server");
  if (now.flow == Flow::silent) add("the player does not play");
  add(plays_text(plays_left, 0));
  add(counts_text(now.counts));
  return text;
}

std::string report_text(const PlayReport& report) {
  std::string text = report.finished ? "Played to the end." : "Stopped at " + clock_text(report.elapsed_ms) + ".";
  if (report.plays_left == wire::kNoLimit) return text;
  text += report.refunded ? " The play was given back; " : " It counts as one play; ";
  return text + std::to_string(report.plays_left) + (report.plays_left == 1 ? " is left." : " are left.");
}

std::string acquired_text(const HeldLicence& licence) {
  return "Acquired licence " + to_hex(licence.terms.id) + ": " +
         plays_text(licence.entry.plays_left, licence.entry.usable_until) + ".";
}

Result<Medium> chosen(const std::vector<CatalogueItem>& catalogue, std::string_view name) {
  std::size_t number = 0;
  const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = name.size() < 10 && wrong == std::errc{} && end == name.data() + name.size();
  if (is_number) {
    const auto item = std::ranges::find(catalogue, number, &CatalogueItem::number);
    if (item != catalogue.end()) return item->medium;
  }
  if (const auto id = from_hex(name); id && id->size() == 16) {
    for (const CatalogueItem& item : catalogue) {
      if (same(item.id, *id)) return item.medium;
    }
  }
  return fail(Fault::unknown_medium, "choose", printable(name));
}

}  // namespace usher::client
