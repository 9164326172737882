// server/fetching/fetchers: everything that fetches revocation lists, OCSP answers and authorities' certificates.
// Spec: identity.md §11.
#pragma once

#include "server/fetching/crl_fetcher.h"
#include "server/fetching/issuer_fetcher.h"
#include "server/fetching/ocsp_fetcher.h"

namespace usher::server {

struct Fetchers {
  CrlFetcher lists;
  OcspFetcher statuses;
  IssuerFetcher issuers;

  /// All fetchers borrow what `parts` refers to.
  Fetchers(RevocationOptions of_lists, CrlFetcher::Parts parts, StatusOptions of_statuses, IssuerOptions of_issuers)
      : lists(std::move(of_lists), parts),
        statuses(std::move(of_statuses), {.clock = parts.clock, .random = parts.random, .log = parts.log}),
        issuers(std::move(of_issuers), {.clock = parts.clock, .random = parts.random, .log = parts.log}) {}

  /// `publish`: as CrlFetcher::Publish; also called when a responder newly reports a revocation.
  void start(CrlFetcher::Publish publish, Metrics& metrics) {
    lists.start(std::move(publish), metrics);
    statuses.start([this] { lists.publish_again(); }, metrics);
    issuers.start(metrics);
  }
  void stop() {
    statuses.stop();
    issuers.stop();
    lists.stop();
  }
};

}  // namespace usher::server
