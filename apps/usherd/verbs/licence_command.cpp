// usherd licence, usherd persons: issues, lists and revokes licences.
#include <cstdio>
#include <memory>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/encoding.h"
#include "base/file.h"
#include "common/duration.h"
#include "common/json.h"
#include "common/output.h"
#include "common/table.h"
#include "crypto/digest.h"
#include "service/media_service.h"
#include "usherd/config/trust_files.h"
#include "usherd/home/home.h"
#include "usherd/home/key_files.h"

namespace usher::usherd {
namespace {

constexpr std::uint32_t kPage = 256;
constexpr std::size_t kShortId = 9;       // columns: eight digits of an id, and the mark of a cut text
constexpr std::size_t kMaxPem = 1 << 20;  // bytes of a file with a certificate

struct IssueOptions {
  std::string to;
  std::filesystem::path card;
  std::filesystem::path installation;
  std::string medium;
  std::uint32_t plays = 0;
  std::string life;
};

std::string time_text(std::int64_t seconds) { return fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(seconds)); }

void show(const Context& context, const boost::json::array& list, const app::Table& table) {
  if (context.json) return app::print_json(list);
  const std::string text = table.text(app::terminal_columns(STDOUT_FILENO));
  std::fwrite(text.data(), 1, text.size(), stdout);
}

template <class T, class Verb>
Result<std::vector<T>> all_pages(Verb verb) {
  std::vector<T> all;
  for (;;) {
    USHER_TRY(auto page, verb(store::Range{.offset = static_cast<std::uint32_t>(all.size()), .count = kPage}));
    all.insert(all.end(), std::make_move_iterator(page.entries.begin()), std::make_move_iterator(page.entries.end()));
    if (page.entries.empty() || all.size() >= page.total) return all;
  }
}

Result<std::vector<store::Person>> all_people(store::Store& store) {
  return all_pages<store::Person>([&](store::Range range) { return store.list_people(range); });
}

/// By the pseudonym (or the beginning of a known one), or by a card's certificate.
Result<Hash256> person_of(const Context& context, const Home& home, const IssueOptions& options,
                          const pki::Chain& card) {
  if (options.card.empty()) {
    if (const auto whole = from_hex(options.to); whole && whole->size() == 32) return array_of<32>(*whole);
    USHER_TRY(const auto people, all_people(*home.store));
    std::optional<Hash256> found;
    for (const store::Person& person : people) {
      if (options.to.size() < 4 || !to_hex(person.pseudonym).starts_with(options.to)) continue;
      if (found)
        return fail(Fault::bad_usage, "--to", "several pseudonyms begin with " + options.to, "Give more digits.");
      found = person.pseudonym;
    }
    if (!found)
      return fail(Fault::bad_usage, "--to", "no pseudonym that has been seen begins with " + options.to,
                  "`usherd persons` shows those that there are.");
    return *found;
  }
  USHER_TRY(const auto pseudonyms, load_pseudonym_key(home.config, *home.keys));
  USHER_TRY(const auto sources, load_persons(home.config, cached_lists(home.config), home.store.get()));
  Result<Hash256> last = fail(Fault::bad_config, "licence issue", "no kind of card is configured");
  for (const server::PersonSource& source : sources) {
    const auto peer = source.trust->verify(card, context.clock.now());
    if (!peer) {
      last = std::unexpected(peer.error());
      continue;
    }
    USHER_TRY(const person::PersonId id, source.profile.identify(*peer));
    return pseudonyms.of(source.profile.name, peer->anchor().key_fingerprint(), id.subject_id);
  }
  return last;
}

Result<std::optional<Hash256>> installation_of(const std::filesystem::path& certificate) {
  if (certificate.empty()) return std::nullopt;
  USHER_TRY(const std::string pem, read_file(certificate, kMaxPem));
  USHER_TRY(const pki::Chain chain, pki::chain_from_pem(pem));
  return chain.front().key_fingerprint();
}

/// The state as text, also used in JSON.
std::string state_of(const store::Licence& licence, const wire::LicenceEntry& entry) {
  if (licence.medium_removed && entry.state == wire::LicenceState::revoked && !licence.standing.revoked_at) {
    return "medium removed";
  }
  return std::string(name_of(entry.state));
}

boost::json::object json_of(const store::Licence& licence, const wire::LicenceEntry& entry) {
  boost::json::object out = app::json_of(licence.terms, entry);
  out["state"] = state_of(licence, entry);
  out["revoked_at"] = app::iso_time_or_null(licence.standing.revoked_at);
  return out;
}

Result<> issue(const Context& context, const IssueOptions& options) {
  if ((options.plays == 0) == options.life.empty()) {
    return fail(Fault::bad_usage, "licence issue", "give either --plays or --for");
  }
  if (options.to.empty() == options.card.empty()) {
    return fail(Fault::bad_usage, "licence issue", "name the person with either --to or --card");
  }
  // Read as the calling user: after open_home() the process runs as the home's owner.
  pki::Chain card;
  if (!options.card.empty()) {
    USHER_TRY(const std::string pem, read_file(options.card, kMaxPem));
    USHER_TRY(card, pki::chain_from_pem(pem));
  }
  service::LicenceOrder order;
  USHER_TRY(order.installation, installation_of(options.installation));
  USHER_TRY(const Home home, open_home_with_vault(context));
  USHER_CHECK(check_server_id(home.config, *home.store));
  USHER_TRY(const auto media,
            all_pages<store::MediumRecord>([&](store::Range range) { return home.store->list_media(range); }));
  std::vector<Id128> ids;
  ids.reserve(media.size());
  for (const store::MediumRecord& medium : media) ids.push_back(medium.id);
  USHER_TRY(order.medium, find_id(options.medium, ids, Fault::unknown_medium));
  USHER_TRY(order.pseudonym, person_of(context, home, options, card));
  if (options.plays != 0) order.plays = options.plays;
  if (!options.life.empty()) {
    USHER_TRY(order.life, app::duration_from_text(options.life, Seconds(licence::kMaxWindow)));
  }
  USHER_TRY(service::LicenceIssuer issuer, load_licence_issuer(home.config, *home.keys));
  const Guarded<service::ServicePolicy> policy(std::make_shared<const service::ServicePolicy>());
  service::MediaService service({.store = *home.store,
                                 .vault = *home.vault,
                                 .issuer = std::move(issuer),
                                 .random = context.random,
                                 .policy = policy});
  const store::Operation operation{.id = context.random.id(), .content = crypto::sha256(view_of("operator"))};
  USHER_TRY(const store::Licence licence, service.issue(order, operation, std::nullopt, context.clock.now()));
  if (context.json) {
    app::print_json(json_of(licence, service::entry_of(licence, context.clock.now())));
  } else {
    std::printf("issued: %s\n", to_hex(licence.terms.id).c_str());
  }
  return {};
}

Result<> list(const Context& context) {
  USHER_TRY(const Home home, open_home(context, Use::read));
  USHER_TRY(const auto licences,
            all_pages<store::Licence>([&](store::Range range) { return home.store->list_all_licences(range); }));
  boost::json::array out;
  app::Table table({{.head = "licence", .least = kShortId},
                    {.head = "pseudonym", .least = kShortId, .goes = 1},
                    {.head = "medium", .goes = 2},
                    {.head = "left"},
                    {.head = "state"},
                    {.head = "issued", .goes = 3}});
  for (const store::Licence& licence : licences) {
    const wire::LicenceEntry entry = service::entry_of(licence, context.clock.now());
    if (context.json) {
      out.push_back(json_of(licence, entry));
      continue;
    }
    const licence::LicenceTerms& terms = licence.terms;
    const std::string left = licence.standing.plays_left
                                 ? fmt::format("{} of {}", *licence.standing.plays_left, terms.plays.value_or(0))
                                 : "any";
    table.add({to_hex(terms.id), to_hex(terms.pseudonym).substr(0, 16), to_hex(terms.medium).substr(0, 8), left,
               state_of(licence, entry), time_text(terms.issued_at)});
  }
  show(context, out, table);
  return {};
}

Result<> revoke(const Context& context, const std::string& id) {
  USHER_TRY(const Home home, open_home(context));
  USHER_TRY(const auto licences,
            all_pages<store::Licence>([&](store::Range range) { return home.store->list_all_licences(range); }));
  std::vector<Id128> ids;
  ids.reserve(licences.size());
  for (const store::Licence& licence : licences) ids.push_back(licence.terms.id);
  USHER_TRY(const Id128 licence, find_id(id, ids, Fault::unknown_licence));
  const Time now = context.clock.now();
  USHER_TRY([[maybe_unused]] const auto revoked, home.store->revoke_licence(licence, now));
  if (context.json) {
    app::print_json(boost::json::object{{"licence", to_hex(licence)}, {"revoked_at", app::iso_time(now)}});
  } else {
    std::printf("revoked: %s\n", to_hex(licence).c_str());
  }
  return {};
}

Result<> persons(const Context& context) {
  USHER_TRY(const Home home, open_home(context, Use::read));
  USHER_TRY(const auto people, all_people(*home.store));
  boost::json::array out;
  app::Table table(
      {{.head = "pseudonym", .least = kShortId}, {.head = "first seen", .goes = 1}, {.head = "last seen"}});
  for (const store::Person& person : people) {
    if (context.json) {
      out.push_back(boost::json::object{{"pseudonym", to_hex(person.pseudonym)},
                                        {"first_seen", app::iso_time(person.first_seen)},
                                        {"last_seen", app::iso_time(person.last_seen)}});
    } else {
      table.add({to_hex(person.pseudonym), time_text(unix_seconds(person.first_seen)),
                 time_text(unix_seconds(person.last_seen))});
    }
  }
  show(context, out, table);
  return {};
}

void add_issue_verb(const app::Command& licence, Context& context) {
  const auto options = std::make_shared<IssueOptions>();
  const app::Command verb = licence.command("issue", "Issue a licence to a person");
  verb.option("--to", options->to, "The person's pseudonym, or the beginning of one that has been seen");
  verb.option("--card", options->card, "PEM with the card's certificate and its authorities, instead of --to");
  verb.option("--medium", options->medium, "The medium's id, or the beginning of it").required();
  verb.option("--plays", options->plays, "How many plays").between(1U, licence::kMaxPlays);
  verb.option("--for", options->life, "For how long, any number of plays: 90s, 30m, 12h, 7d, 4w");
  verb.option("--installation", options->installation, "PEM of the installation that it is bound to; else any");
  verb.action([&context, options] { return issue(context, *options); });
}

}  // namespace

void add_licence_command(const app::Command& program, Context& context) {
  const app::Command licence = program.command("licence", "Issue, list and revoke licences");
  licence.needs_command();
  licence.footer(
      "Examples:\n"
      "  usherd --home h licence issue --to 9c4e --medium 3f9a --plays 5\n"
      "  usherd --home h licence issue --card ana.pem --medium 3f9a --for 7d --installation kitchen.pem\n"
      "  usherd --home h licence list --json\n"
      "  usherd --home h licence revoke 77b1\n"
      "All of them may be used while the server runs.");
  add_issue_verb(licence, context);
  const auto id = std::make_shared<std::string>();
  const app::Command list_verb = licence.command("list", "Everybody's licences, in the order of their issue");
  list_verb.action([&context] { return list(context); });
  const app::Command revoke_verb = licence.command("revoke", "Refuse a licence from its next chunk on");
  revoke_verb.option("licence", *id, "Its id, or the beginning of it").required();
  revoke_verb.action([&context, id] { return revoke(context, *id); });
}

void add_persons_command(const app::Command& program, Context& context) {
  const app::Command verb =
      program.command("persons", "Who has logged in, by pseudonym: names and numbers are not kept");
  verb.action([&context] { return persons(context); });
}

}  // namespace usher::usherd
