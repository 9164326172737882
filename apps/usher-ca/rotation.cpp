#include "rotation.h"

#include <algorithm>
#include <ctime>
#include <span>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/json.hpp>

#include "common/json.h"

namespace usher::ca {
namespace {

namespace json = boost::json;

/// One step of the change. `safe`: when the next step may begin.
struct Step {
  const char* who;
  const char* what;
  const char* safe;
};

constexpr Step kBegin[] = {
    {"authority", "usher-ca rotate root --begin: makes a new root beside the old one; nothing is issued by it yet",
     "at once"}};
constexpr Step kPrepared[] = {
    {"authority", "usher-ca crl --out published: lists of both roots, from now on; publish them and the new root",
     "at once"},
    {"operators",
     "add the new root to trust.client.anchors and trust.distributor.anchors, and its list to their crls, beside the "
     "old "
     "ones; usherd config check; SIGHUP",
     "in any order with the listeners"},
    {"listeners and distributors",
     "add the new root and its list to trust.server and trust.distributor (usher-press: to the file of --trust, and "
     "--crl)",
     "every operator, listener and distributor has both roots"},
    {"authority", "usher-ca rotate root --switch --out reissued: the new root issues, and certifies the same keys anew",
     "at once"}};
constexpr Step kSwitched[] = {
    {"operators, listeners, distributors",
     "put the successor in place of the old certificate; the key stays (usherd: SIGHUP; listeners log in again)",
     "in any order, while both roots are trusted"},
    {"operators", "take the old root and its list out of trust.client; SIGHUP",
     "every listener has the successor: the old certificate is refused from then on"},
    {"listeners", "take the old root and its list out of trust.server",
     "every server has the successor: the old certificate is refused from then on"},
    {"authority", "usher-ca crl, as before: it goes on with the lists of the old root",
     "until its last certificate has ended, and no medium that was pressed under it is offered any more"},
    {"operators and listeners", "take the old root out of trust.distributor",
     "no medium that was pressed under it is offered any more"}};

std::span<const Step> steps_of(Stage stage) {
  if (stage == Stage::none) return kBegin;
  if (stage == Stage::prepared) return kPrepared;
  return kSwitched;
}

std::string_view name_of(Stage stage) {
  if (stage == Stage::none) return "none";
  return stage == Stage::prepared ? "prepared" : "switched";
}

}  // namespace

Result<Rotation> rotation_of(const Context& context) {
  const std::vector<std::string> names = media_roots_in(context.home);
  if (names.empty())
    return fail(Fault::not_set_up, "rotate",
                "no media root in " + context.home.string() + "; `usher-ca init` makes it");
  USHER_TRY(const std::string issuing, issuing_root(context.home));
  Rotation out;
  bool after = false;
  for (const std::string& name : names) {
    USHER_TRY(const Authority authority, Authority::open(context.home / name));
    RootInfo info{.name = name,
                  .subject = authority.certificate().subject_text(),
                  .part = name == issuing ? "issuing"
                          : after         ? "next"
                                          : "old"};
    after = after || name == issuing;
    for (const IndexEntry& entry : authority.index()) {
      if (entry.revoked_at != 0 || entry.not_after < unix_seconds(context.clock.now())) continue;
      ++info.in_force;
      info.last_ends = std::max(info.last_ends, entry.not_after);
    }
    out.roots.push_back(std::move(info));
  }
  if (out.roots.back().part == "next") {
    out.stage = Stage::prepared;
  } else if (out.roots.size() > 1) {
    out.stage = Stage::switched;
  }
  return out;
}

std::string words_of(const Rotation& rotation) {
  std::string out;
  for (const RootInfo& root : rotation.roots) {
    out += fmt::format("{} ({}): {}, {} certificates in force", root.name, root.part, root.subject, root.in_force);
    if (root.last_ends != 0)
      out += ", the last one until " + fmt::format("{:%F}", fmt::gmtime(static_cast<std::time_t>(root.last_ends)));
    out += '\n';
  }
  for (const Successor& one : rotation.successors) {
    out += one.file.empty() ? fmt::format("by hand: {} {} (serial {}): usher-ca issue, with --public-key\n", one.kind,
                                          one.name, one.replaces)
                            : fmt::format("reissued: {} {}: {}\n", one.kind, one.name, one.file);
  }
  int number = 0;
  out += "Next:\n";
  for (const Step& step : steps_of(rotation.stage)) {
    out += fmt::format("{}. {}: {}\n   go on: {}\n", ++number, step.who, step.what, step.safe);
  }
  return out;
}

std::string json_of(const Rotation& rotation) {
  json::array roots;
  for (const RootInfo& root : rotation.roots) {
    roots.push_back(json::object{
        {"authority", root.name},
        {"subject", root.subject},
        {"part", root.part},
        {"in_force", root.in_force},
        {"last_ends", root.last_ends == 0 ? json::value(nullptr) : json::value(app::iso_time(root.last_ends))}});
  }
  json::array successors;
  for (const Successor& one : rotation.successors) {
    json::object entry{{"kind", one.kind}, {"name", one.name}, {"replaces", one.replaces}, {"file", nullptr}};
    if (!one.file.empty()) entry["file"] = one.file;
    successors.push_back(std::move(entry));
  }
  json::array steps;
  for (const Step& step : steps_of(rotation.stage)) {
    steps.push_back(json::object{{"who", step.who}, {"what", step.what}, {"safe", step.safe}});
  }
  return json::serialize(json::object{{"stage", name_of(rotation.stage)},
                                      {"roots", std::move(roots)},
                                      {"successors", std::move(successors)},
                                      {"steps", std::move(steps)}});
}

}  // namespace usher::ca
