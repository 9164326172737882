#include "client/wallet/wallet.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <set>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/digest.h"

namespace usher::client {
namespace {

std::string plays(std::uint32_t count) {
  if (count == wire::kNoLimit) return "any number of plays";
  return std::to_string(count) + (count == 1 ? " play" : " plays");
}

std::string id_of(const licence::LicenceTerms& terms) { return to_hex(terms.id); }

}  // namespace

std::string_view name_of(DifferenceKind kind) noexcept {
  switch (kind) {
    case DifferenceKind::missing:
      return "missing";
    case DifferenceKind::changed:
      return "changed";
    case DifferenceKind::bad_signature:
      return "bad-signature";
    case DifferenceKind::foreign:
      return "foreign";
    case DifferenceKind::more_plays:
      return "more-plays";
    case DifferenceKind::fewer_plays:
      return "fewer-plays";
    case DifferenceKind::impossible:
      return "impossible";
    case DifferenceKind::key_changed:
      return "key-changed";
    case DifferenceKind::damaged:
      return "damaged";
  }
  return "unknown";
}

Result<licence::VerifiedLicence> Wallet::check(std::string_view document,
                                               const std::vector<crypto::PublicKey>& keys) const {
  USHER_TRY(const std::string kid, licence::claimed_key_id(document));
  for (const crypto::PublicKey& key : keys) {
    if (licence::key_id_of(key) == kid) return licence::verify(document, key);
  }
  return fail(Fault::bad_signature, "wallet: licence key", "a licence signed with a key that the server does not have",
              "Keep it, and ask the operator.");
}

namespace {

bool has_key(const std::vector<crypto::PublicKey>& keys, std::string_view kid) {
  return std::ranges::any_of(keys, [&](const crypto::PublicKey& key) { return licence::key_id_of(key) == kid; });
}

}  // namespace

Result<> Wallet::check_holder(const licence::LicenceTerms& terms) const {
  if (terms.server != server_) return fail(Fault::unknown_licence, "wallet: server", "a licence of another server");
  if (terms.pseudonym != pseudonym_) return fail(Fault::unknown_licence, "wallet: person", "another person's licence");
  return {};
}

std::vector<Difference> Wallet::take_findings() {
  log(findings_);
  return std::exchange(findings_, {});
}

bool Wallet::knows_usable(const Id128& medium, Time now) const {
  for (const auto& [id, held] : kept_) {
    if (held.terms().medium != medium) continue;
    const auto figure = figures_.find(id);
    if (figure == figures_.end()) return true;
    const bool in_time =
        figure->second.usable_until == 0 || unix_seconds(now) < static_cast<std::int64_t>(figure->second.usable_until);
    if (in_time && figure->second.plays_left > 0 && figure->second.state != wire::LicenceState::revoked) return true;
  }
  return false;
}

/// Compares the server's figures for a licence with its last ones.
void Wallet::compare(const HeldLicence& held, std::vector<Difference>& differences) const {
  const std::string id = id_of(held.terms);
  const std::uint32_t left = held.entry.plays_left;
  const auto differ = [&](DifferenceKind kind, std::string sentence) {
    differences.push_back({.kind = kind, .licence = id, .sentence = "Licence " + id + ": " + std::move(sentence)});
  };
  if (held.terms.plays.has_value() != (left != wire::kNoLimit) || (held.terms.plays && left > *held.terms.plays)) {
    return differ(DifferenceKind::impossible, "the server says that " + plays(left) +
                                                  " are left, but the licence is for " +
                                                  plays(held.terms.plays.value_or(wire::kNoLimit)) + ".");
  }
  const auto figure = figures_.find(held.terms.id);
  if (figure == figures_.end() || left == figure->second.plays_left) return;
  // If the licence can also be used elsewhere, its plays left change by what is done there.
  if (held.terms.installation != installation_) return;
  const std::uint32_t before = figure->second.plays_left;
  const std::uint32_t marks = marks_of(held.terms.id);
  const std::string both = plays(before) + " left by what is kept here, " + plays(left) + " by the server; ";
  // A play that was not closed is given back at its deadline, if it does not count by then.
  if (left > before && left - before > std::max(marks, figure->second.open_plays)) {
    differ(DifferenceKind::more_plays, both + "no play that was made here can have been given back.");
  }
  // An open play may have no mark here: another process has just begun it, or died before it could write the mark.
  // Plays that were open at the last list are subtracted already.
  const std::uint32_t explained = std::max(marks, figure->second.open_plays);
  const std::uint32_t open = held.entry.open_plays > explained ? held.entry.open_plays - explained : 0;
  if (left < before && before - left > open) {
    differ(DifferenceKind::fewer_plays, both + std::to_string(before - left - open) + " not made here.");
  }
}

std::uint32_t Wallet::marks_of(const Id128& licence) const {
  std::uint32_t marks = 0;
  for (const UnfinishedPlay& play : all_unfinished()) marks += play.licence == licence ? 1U : 0U;
  return marks;
}

std::optional<licence::VerifiedLicence> Wallet::admit(const wire::LicenceEntry& entry, Reconciled& result) const {
  auto verified = check(entry.licence, keys_);
  if (verified) return *std::move(verified);
  // A licence in the wallet was signed with a key that the server had. The server may have removed that key since (see
  // find_lost_keys).
  const auto kept =
      std::ranges::find_if(kept_, [&](const auto& one) { return one.second.document() == entry.licence; });
  if (kept != kept_.end()) return kept->second;
  const std::string name = to_hex(crypto::sha256(view_of(entry.licence))).substr(0, 16);
  const auto kid = licence::claimed_key_id(entry.licence);
  if (kid && !has_key(keys_, *kid)) {
    // An operator's tool signs with a new key at once. The server lists the key only after it has read it.
    result.news.push_back("The server lists a licence that is signed with a key which it does not name yet (document " +
                          name + "); it is taken when it does.");
  } else {
    result.differences.push_back({.kind = DifferenceKind::bad_signature,
                                  .licence = {},
                                  .sentence = "The server lists a licence whose signature does not hold (document " +
                                              name + "); it is not taken."});
  }
  return std::nullopt;
}

Result<> Wallet::take(HeldLicence held, const licence::VerifiedLicence& verified, Reconciled& result) {
  const std::string id = id_of(held.terms);
  const auto kept = kept_.find(held.terms.id);
  if (kept == kept_.end()) {
    if (!first_time_) {
      result.news.push_back("Licence " + id + " is new here, with " + plays(held.entry.plays_left) + " left.");
    }
    USHER_CHECK(keep(verified));
  } else if (kept->second.document() != held.entry.licence) {
    result.differences.push_back({.kind = DifferenceKind::changed,
                                  .licence = id,
                                  .sentence = "Licence " + id +
                                              ": the server's document is not the one that is kept "
                                              "here; the one kept here stays."});
  }
  compare(held, result.differences);
  figures_[held.terms.id] = {.plays_left = held.entry.plays_left,
                             .state = held.entry.state,
                             .usable_until = held.entry.usable_until,
                             .open_plays = held.entry.open_plays};
  result.licences.push_back(std::move(held));
  return {};
}

Result<Reconciled> Wallet::reconcile(const std::vector<wire::LicenceEntry>& listed) {
  USHER_TRY(const FileLock lock, FileLock::wait(folder_ / "lock"));
  std::set<Id128> before;  // known before the list was requested; licences that were bought later need not be on it
  for (const auto& [id, held] : kept_) before.insert(id);
  load_known_keys();
  load_licences();
  load_figures();
  Reconciled result;
  std::set<Id128> seen;
  for (const wire::LicenceEntry& entry : listed) {
    const auto verified = admit(entry, result);
    if (!verified) continue;
    HeldLicence held{.terms = verified->terms(), .entry = entry};
    const std::string id = id_of(held.terms);
    if (!check_holder(held.terms) || !seen.insert(held.terms.id).second) {
      result.differences.push_back({.kind = DifferenceKind::foreign,
                                    .licence = id,
                                    .sentence = "Licence " + id +
                                                ": the server lists it, but it is another person's, "
                                                "another server's, or listed twice; it is not taken."});
      continue;
    }
    USHER_CHECK(take(std::move(held), *verified, result));
  }
  for (const Id128& id : before) {
    if (seen.contains(id)) continue;
    const std::string text = to_hex(id);
    const auto figure = figures_.find(id);
    result.differences.push_back(
        {.kind = DifferenceKind::missing,
         .licence = text,
         .sentence =
             "Licence " + text + ": it is kept here" +
             (figure == figures_.end() ? std::string{} : " with " + plays(figure->second.plays_left) + " left") +
             ", but the server does not list it."});
  }
  first_time_ = false;
  USHER_CHECK(save_figures());
  forget_old_plays();
  log(result.differences);
  return result;
}

Result<HeldLicence> Wallet::add(const wire::LicenceEntry& entry) {
  USHER_TRY(const licence::VerifiedLicence verified, check(entry.licence, keys_));
  USHER_CHECK(check_holder(verified.terms()));
  USHER_TRY(const FileLock lock, FileLock::wait(folder_ / "lock"));
  load_figures();
  USHER_CHECK(keep(verified));
  figures_[verified.terms().id] = {
      .plays_left = entry.plays_left, .state = entry.state, .usable_until = entry.usable_until};
  first_time_ = false;
  USHER_CHECK(save_figures());
  return HeldLicence{.terms = verified.terms(), .entry = entry};
}

/// The lock is held. Best effort: if the figures cannot be written, the next list reports a difference wrongly.
void Wallet::note(const Id128& licence, std::uint32_t left, std::uint32_t closed) {
  load_figures();
  const auto figure = figures_.find(licence);
  if (figure == figures_.end()) return;
  figure->second.plays_left = left;
  figure->second.open_plays -= std::min(figure->second.open_plays, closed);
  [[maybe_unused]] const auto saved = save_figures();
}

}  // namespace usher::client
