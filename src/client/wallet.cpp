#include "client/wallet.h"

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
    case DifferenceKind::unknown:
      return "unknown";
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
  return fail(Fault::bad_signature, "wallet: licence key", "a licence signed with a key that the server does not have");
}

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

/// What the server says of a licence that was kept, beside what it said last.
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
  const std::uint32_t before = figure->second.plays_left;
  const std::string both = plays(before) + " left by what is kept here, " + plays(left) + " by the server; ";
  // A play of ours that was not closed is given back when its time is over, if little of it was heard.
  std::uint32_t unclosed = 0;
  for (const UnfinishedPlay& play : all_unfinished()) unclosed += play.licence == held.terms.id ? 1U : 0U;
  if (left > before && left - before > unclosed) {
    differ(DifferenceKind::more_plays, both + "no play that was made here can have been given back.");
  } else if (left < before) {
    differ(DifferenceKind::fewer_plays, both + std::to_string(before - left) + " not made here.");
  }
}

Result<Reconciled> Wallet::reconcile(const std::vector<wire::LicenceEntry>& listed) {
  USHER_TRY(const FileLock lock, FileLock::wait(folder_ / "lock"));
  load_figures();
  Reconciled result;
  std::set<Id128> seen;
  for (const wire::LicenceEntry& entry : listed) {
    auto verified = check(entry.licence, keys_);
    if (!verified) {
      const std::string name = to_hex(crypto::sha256(view_of(entry.licence))).substr(0, 16);
      result.differences.push_back({.kind = DifferenceKind::bad_signature,
                                    .licence = {},
                                    .sentence = "The server lists a licence whose signature does not hold (document " +
                                                name + "); it is not taken."});
      continue;
    }
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
    const auto kept = kept_.find(held.terms.id);
    if (kept == kept_.end()) {
      if (!first_time_) {
        result.differences.push_back({.kind = DifferenceKind::unknown,
                                      .licence = id,
                                      .sentence = "Licence " + id + ": the server lists it with " +
                                                  plays(entry.plays_left) +
                                                  " left, but it was not acquired here; it is "
                                                  "kept from now on."});
      }
      USHER_CHECK(keep(*verified));
    } else if (kept->second.document() != entry.licence) {
      result.differences.push_back({.kind = DifferenceKind::changed,
                                    .licence = id,
                                    .sentence = "Licence " + id +
                                                ": the server's document is not the one that is kept "
                                                "here; the one kept here stays."});
    }
    compare(held, result.differences);
    figures_[held.terms.id] = {
        .plays_left = entry.plays_left, .state = entry.state, .usable_until = entry.usable_until};
    result.licences.push_back(std::move(held));
  }
  for (const auto& [id, held] : kept_) {
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

Result<> Wallet::plays_left(const Id128& licence, std::uint32_t left) {
  USHER_TRY(const FileLock lock, FileLock::wait(folder_ / "lock"));
  load_figures();
  const auto figure = figures_.find(licence);
  if (figure == figures_.end()) return {};
  figure->second.plays_left = left;
  return save_figures();
}

}  // namespace usher::client
