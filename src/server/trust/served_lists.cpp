#include "server/trust/served_lists.h"

#include <algorithm>
#include <utility>

#include "wire/revocation_lists.h"

namespace usher::server {
namespace {

using TrustPtr = std::shared_ptr<const pki::TrustStore>;

void add(pki::Chain& issuers, std::vector<pki::Crl>& lists, const TrustPtr& trust) {
  if (!trust) return;
  const pki::TrustConfig& config = trust->config();
  for (const pki::Chain* chain : {&config.anchors, &config.intermediates}) {
    issuers.insert(issuers.end(), chain->begin(), chain->end());
  }
  for (const auto* some : {&config.crls, &config.fetched}) lists.insert(lists.end(), some->begin(), some->end());
}

}  // namespace

Bytes revocation_lists(const Authorities& authorities, Time now) {
  const pki::Chain& own = authorities.channel->chain;
  pki::Chain issuers(own.begin() + 1, own.end());
  std::vector<pki::Crl> lists;
  add(issuers, lists, authorities.channel->clients);
  add(issuers, lists, authorities.distributors);
  const pki::CrlSelection newest = pki::select_crls(lists, now);
  std::vector<pki::Crl> proven;
  for (const auto* some : {&newest.complete, &newest.deltas}) {
    std::ranges::copy_if(*some, std::back_inserter(proven), [&](const pki::Crl& list) {
      return std::ranges::any_of(issuers,
                                 [&](const pki::Certificate& issuer) { return list.verify(issuer).has_value(); });
    });
  }
  std::ranges::sort(proven, {}, [](const pki::Crl& list) { return std::pair(list.der().size(), list.scope()); });
  wire::RevocationLists out;
  std::size_t size = 1;
  for (const pki::Crl& list : proven) {
    size += list.der().size() + 3;
    if (size > wire::kMaxHandedBytes || out.lists.size() == wire::kMaxHandedLists) break;
    out.lists.push_back(list.der());
  }
  return out.encode();
}

}  // namespace usher::server
