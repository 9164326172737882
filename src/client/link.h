// client/link: one open channel over a transport: the handshake, and then protected requests.  Spec: channel.md §1, §8, §9.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/random.h"
#include "channel/handshake_client.h"
#include "client/transport.h"

namespace usher::client {

/// What became of a request: `lost` tells whether its answer is unknown, so that only a repeat with the same operation,
/// on a new channel, can tell.
struct Failure {
  Error error;
  bool lost = false;
};
using Answer = std::expected<channel::Response, Failure>;

/// Thread-safe: requests go over several connections at once. Borrows the transport.
class Link {
 public:
  /// Errors: the transport's; those of ClientHandshake, so everything that is wrong with the server's certificate.
  [[nodiscard]] static Result<std::unique_ptr<Link>> open(Transport& transport,
                                                          std::shared_ptr<const channel::ClientSettings> settings,
                                                          Random& random, const Clock& clock, const Stop& stop = {});

  /// Errors, not lost: what the server answered in a record, as fault_of; too_long. Lost: the transport's;
  /// record_refused, unknown_session, session_over.
  [[nodiscard]] Answer request(std::string_view path, const std::optional<Id128>& operation, View body,
                               const Stop& stop = {});

  [[nodiscard]] const channel::ClientSession& session() const noexcept { return *session_; }
  /// Destroys the keys.
  void close() noexcept { session_->close(); }

 private:
  Link(Transport& transport, std::unique_ptr<channel::ClientSession> session)
      : transport_(&transport), session_(std::move(session)) {}
  Transport* transport_;
  std::unique_ptr<channel::ClientSession> session_;
};

}  // namespace usher::client
