// net/keepers: all that a server fetches by which certificates are judged.  Spec: identity.md §11.
#pragma once

#include "net/issuer_keeper.h"
#include "net/revocation_keeper.h"
#include "net/status_keeper.h"

namespace usher::net {

struct Keepers {
  RevocationKeeper lists;
  StatusKeeper statuses;
  IssuerKeeper issuers;

  /// What `parts` refers to is borrowed, by all of them.
  Keepers(RevocationOptions of_lists, RevocationKeeper::Parts parts, StatusOptions of_statuses,
          IssuerOptions of_issuers)
      : lists(std::move(of_lists), parts),
        statuses(std::move(of_statuses), {.clock = parts.clock, .random = parts.random, .log = parts.log}),
        issuers(std::move(of_issuers), {.clock = parts.clock, .random = parts.random, .log = parts.log}) {}

  /// `publish`: as RevocationKeeper::Publish; also called when a responder says that somebody is revoked.
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

}  // namespace usher::net
