// server/fetching/fetchers: the keepers that fetch lists, OCSP answers and issuers to judge certificates.
// Spec: identity.md §11.
#pragma once

#include "server/fetching/crl_fetcher.h"
#include "server/fetching/issuer_fetcher.h"
#include "server/fetching/ocsp_fetcher.h"

namespace usher::server {

struct Keepers {
  RevocationKeeper lists;
  StatusKeeper statuses;
  IssuerKeeper issuers;

  /// All keepers borrow what `parts` refers to.
  Keepers(RevocationOptions of_lists, RevocationKeeper::Parts parts, StatusOptions of_statuses,
          IssuerOptions of_issuers)
      : lists(std::move(of_lists), parts),
        statuses(std::move(of_statuses), {.clock = parts.clock, .random = parts.random, .log = parts.log}),
        issuers(std::move(of_issuers), {.clock = parts.clock, .random = parts.random, .log = parts.log}) {}

  /// `publish`: as RevocationKeeper::Publish; also called when a responder newly reports a revocation.
  void start(RevocationKeeper::Publish publish, Metrics& metrics) {
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
