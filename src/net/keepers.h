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
