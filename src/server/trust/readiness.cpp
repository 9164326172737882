#include "server/trust/readiness.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "pki/certificate_urls.h"
#include "pki/issuers.h"

namespace usher::server {
namespace {

using TrustPtr = std::shared_ptr<const pki::TrustStore>;
using pki::Certificate;
using pki::Crl;
using pki::RevocationMode;

/// The name of an authority, which is not secret. Never called with a person's certificate.
std::string name_of(const Certificate& authority) {
  const std::string name = authority.common_name();
  return "\"" + printable(name.empty() ? authority.subject_text() : name) + "\"";
}

Milliseconds last_quarter(const Crl& list) {
  return std::min(kExpiryNotice, (list.next_update() - list.this_update()) / 4);
}

/// Adds an expiry. A name that is already used gets a number.
void add(Expiries& expiries, Expiry expiry) {
  const std::string name = expiry.what;
  const auto taken = [&] { return std::ranges::find(expiries, expiry.what, &Expiry::what) != expiries.end(); };
  for (int n = 2; taken(); ++n) expiry.what = name + " (" + std::to_string(n) + ")";
  expiries.push_back(std::move(expiry));
}

void add_lists(Expiries& expiries, const std::string& role, const TrustPtr& trust, Time now) {
  const pki::TrustConfig& config = trust->config();
  if (config.revocation == RevocationMode::none) return;
  std::vector<Crl> all = config.crls;
  all.insert(all.end(), config.fetched.begin(), config.fetched.end());
  const pki::CrlSelection used = pki::select_crls(all, now);
  std::map<Hash256, bool> configured;  // scopes of the lists that the operator has configured
  for (const Crl& crl : config.crls) configured[crl.scope()] = true;
  for (const auto* lists : {&used.complete, &used.deltas}) {
    for (const Crl& crl : *lists) {
      if (!configured.contains(crl.scope())) continue;
      const bool by_hand = std::ranges::any_of(config.crls, [&](const Crl& one) { return same(one.der(), crl.der()); });
      const bool tolerated = crl.is_delta() ? config.tolerance.unusable_delta : config.tolerance.expired_list;
      add(expiries,
          {.what = role + (crl.is_delta() ? " delta list of " : " revocation list of ") + printable(crl.issuer_text()),
           .when = crl.next_update(),
           .notice = by_hand && !crl.is_delta() ? kExpiryNotice : last_quarter(crl),
           .stops = !tolerated});
    }
  }
}

void add_store(Expiries& expiries, const std::string& role, const TrustPtr& trust, Time now) {
  if (!trust) return;
  for (const pki::Chain* chain : {&trust->config().anchors, &trust->config().intermediates}) {
    for (const Certificate& one : *chain) {
      add(expiries, {.what = role + " authority " + name_of(one), .when = one.not_after(), .stops = false});
    }
  }
  add_lists(expiries, role, trust, now);
}

void add_gaps(LoginGaps& out, const std::string& role, const TrustPtr& trust, Time now, const MayFetch& may_fetch) {
  if (!trust) return;
  const pki::Chain& anchors = trust->config().anchors;
  std::vector<Error> found;
  std::size_t closed = 0;  // anchors with a gap
  for (const pki::TrustGap& gap : trust->gaps(now)) {
    const bool of_list = gap.why.fault == Fault::revocation_unknown || gap.why.fault == Fault::crl_expired;
    if (of_list && may_fetch && may_fetch(gap.authority)) continue;
    if (std::ranges::find(anchors, gap.authority) != anchors.end()) ++closed;
    found.push_back(
        {gap.why.fault, "trust",
         role + ": certificates below " + name_of(gap.authority) + " cannot be used to log in: " + gap.why.about});
  }
  auto& to = closed == anchors.size() ? out.none : out.some;
  to.insert(to.end(), found.begin(), found.end());
}

}  // namespace

Expiries trust_expiries(const Authorities& authorities, Time now) {
  Expiries expiries;
  add_store(expiries, "client", authorities.channel->clients, now);
  for (const PersonSource& source : authorities.persons) add_store(expiries, source.profile.name, source.trust, now);
  add_store(expiries, "distributor", authorities.distributors, now);
  return expiries;
}

std::string warning_of(const Expiry& expiry, Time now) {
  if (now >= expiry.when) return expiry.what + " has expired";
  if (now < expiry.when - expiry.notice) return {};
  const auto hours = std::chrono::ceil<std::chrono::hours>(expiry.when - now).count();
  if (hours < 48) return expiry.what + " ends in " + std::to_string(hours) + (hours == 1 ? " hour" : " hours");
  const auto days = std::chrono::floor<std::chrono::days>(expiry.when - now).count();
  return expiry.what + " ends in " + std::to_string(days) + " days";
}

std::string gap_text(const Error& gap) { return gap.about + " [" + std::string(code_of(gap.fault)) + "]"; }

LoginGaps login_gaps(const Authorities& authorities, Time now, const MayFetch& may_fetch) {
  LoginGaps gaps;
  add_gaps(gaps, "client", authorities.channel->clients, now, may_fetch);
  for (const PersonSource& source : authorities.persons) {
    add_gaps(gaps, source.profile.name, source.trust, now, may_fetch);
  }
  return gaps;
}

bool points_to_lists_of(const Certificate& authority, const pki::Chain& certificates) {
  return std::ranges::any_of(certificates, [&](const Certificate& one) {
    return !pki::list_urls(one).empty() && pki::has_issued(authority, one);
  });
}

}  // namespace usher::server
