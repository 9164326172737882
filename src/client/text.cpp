#include "client/text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/display.h"
#include "base/encoding.h"

namespace usher::client {
namespace {

constexpr std::size_t kMargin = 6;       // columns of indent before an object's text in a list
constexpr std::size_t kLeastTitle = 12;  // columns: with fewer, the title has a line of its own

std::string medium_text(const VerifiedMedium& medium) {
  const media::Manifest& manifest = medium.manifest();
  return titled(manifest.title) + (manifest.artist.empty() ? "" : ", by " + printable(manifest.artist));
}

std::string number_text(std::size_t number) { return fmt::format("{:4}  ", number); }

/// One object of a list. The title may be cut, the details never: they go on the next line if there is no room.
std::string row(const std::string& lead, const std::string& title, const std::string& between,
                const std::string& details, std::size_t columns) {
  const std::size_t taken = kMargin + columns_of(between) + columns_of(details);
  if (columns == kAnyWidth || columns >= taken + std::min(kLeastTitle, columns_of(title))) {
    return lead + cut(title, columns == kAnyWidth ? columns : columns - taken) + between + details + "\n";
  }
  return lead + cut(title, std::max(columns, kMargin + 1) - kMargin) + "\n" +
         wrapped(std::string(kMargin, ' ') + details, columns, kMargin) + "\n";
}

/// One part of the progress line. `brief` is for narrow terminals.
struct Part {
  std::string whole;
  std::string brief;
};

std::string joined(const std::string& first, const std::vector<Part>& parts, bool brief) {
  std::string text = first;
  for (const Part& part : parts) text += (brief ? "  " + part.brief : "   " + part.whole);
  return text;
}

std::vector<Part> state_of(const PlayPosition& now) {
  std::vector<Part> parts;
  const auto add = [&parts](std::string whole, std::string brief) {
    parts.push_back({std::move(whole), std::move(brief)});
  };
  if (!now.typed.empty()) add("to " + now.typed + "_", "to " + now.typed + "_");
  if (now.going_to) add("to " + clock_text(*now.going_to), "to " + clock_text(*now.going_to));
  if (now.paused) add("paused", "paused");
  if (now.flow == Flow::waiting) add("waiting for the server", "waiting");
  if (now.flow == Flow::silent) add("the player does not play", "silent");
  return parts;
}

}  // namespace

std::string greeting(const PersonInfo& who, std::size_t columns) {
  const std::string name = printable(who.name.empty() ? who.pseudonym.substr(0, 16) : who.name);
  const auto server =
      fmt::format("Connected to {} ({}), {}.", printable(who.server), printable(who.server_id), printable(who.suite));
  return wrapped(server, columns, 2) + "\n" + wrapped("Authenticated: " + name + ".", columns, 2) + "\n";
}

std::string error_text(const Error& error) {
  return printable(explain(error)) + " [" + std::string(code_of(error.fault)) + "]";
}

std::string catalogue_text(const std::vector<CatalogueItem>& catalogue, std::size_t columns) {
  if (catalogue.empty()) return "The catalogue is empty.\n";
  std::string out = "Catalogue:\n";
  for (const CatalogueItem& item : catalogue) {
    if (!item.medium) {
      const bool there = item.medium.error().fault != Fault::medium_unavailable;
      out += wrapped(number_text(item.number) + (there ? "cannot be trusted: " : "") + error_text(item.medium.error()),
                     columns, kMargin) +
             "\n";
      continue;
    }
    const media::Manifest& manifest = item.medium->manifest();
    std::string text = medium_text(*item.medium);
    if (!manifest.album.empty()) text += " (" + printable(manifest.album) + ")";
    const bool video = manifest.kind == media::MediaKind::video;
    out +=
        row(number_text(item.number), text, "  ", clock_text(manifest.duration_ms) + (video ? ", video" : ""), columns);
  }
  return out;
}

std::string title_of(const std::vector<CatalogueItem>& catalogue, const Id128& medium) {
  for (const CatalogueItem& item : catalogue) {
    if (item.id == medium && item.medium) return medium_text(*item.medium);
  }
  return "medium " + to_hex(medium);
}

std::string licences_text(const Overview& overview, std::size_t columns) {
  if (overview.licences.empty()) return "You have no licences.\n";
  std::string out = "Your licences:\n";
  for (const HeldLicence& licence : overview.licences) {
    std::string text = plays_text(licence.entry.plays_left, licence.entry.usable_until);
    if (licence.entry.state != wire::LicenceState::usable) text += " – " + std::string(name_of(licence.entry.state));
    if (licence.entry.open_plays > 0) text += fmt::format(" – {} open", licence.entry.open_plays);
    const auto item = std::ranges::find(overview.catalogue, licence.terms.medium, &CatalogueItem::id);
    const std::string lead = item == overview.catalogue.end() ? std::string(kMargin, ' ') : number_text(item->number);
    out += row(lead, title_of(overview.catalogue, licence.terms.medium), ": ", text, columns);
    // The argument of play --licence: never cut.
    out += wrapped(std::string(kMargin, ' ') + "licence " + to_hex(licence.terms.id), columns, kMargin) + "\n";
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

std::string line_text(const PlayPosition& now, std::uint32_t plays_left, std::size_t columns) {
  const std::string elapsed = clock_text(now.elapsed_ms);
  const std::string time = elapsed + " / " + clock_text(now.total_ms);
  std::vector<Part> parts = state_of(now);
  const std::size_t states = parts.size();
  const std::string plays = plays_text(plays_left, 0);
  parts.push_back({plays, plays_left == wire::kNoLimit ? "any" : std::to_string(plays_left) + " left"});
  if (const std::string counts = counts_text(now.counts); !counts.empty()) parts.push_back({counts, counts});
  for (const bool brief : {false, true}) {
    if (std::string all = joined(time, parts, brief); columns_of(all) <= columns) return all;
  }
  // The states (seeking, paused …) have priority, then the total time. The other parts follow as far as they fit.
  const std::vector<Part> doing(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(states));
  std::string text = joined(time, doing, true);
  if (columns_of(text) > columns) return cut(joined(elapsed, doing, true), columns);
  for (std::size_t i = states; i < parts.size(); ++i) {
    for (const std::string& more : {"   " + parts[i].whole, "  " + parts[i].brief}) {
      if (columns_of(text) + columns_of(more) > columns) continue;
      text += more;
      break;
    }
  }
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

Result<VerifiedMedium> chosen(const std::vector<CatalogueItem>& catalogue, std::string_view name) {
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
