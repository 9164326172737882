// client/engine/channel_link: one channel over a transport: the handshake, then protected requests.
// Spec: channel.md §1, §8, §9.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/random.h"
#include "channel/handshake_client.h"
#include "client/engine/transport.h"

namespace usher::client {

/// Why a request failed. `lost`: the server's answer is unknown. Only a repeat with the same operation, on a new
/// channel, can find it out.
struct Failure {
  Error error;
  bool lost = false;
};
using Answer = std::expected<channel::Response, Failure>;

/// Thread-safe: sends requests over several connections at once. Borrows the transport.
class ChannelLink {
 public:
  /// Errors: the transport's; those of ClientHandshake, which include all errors of the server's certificate.
  [[nodiscard]] static Result<std::unique_ptr<ChannelLink>> open(
      Transport& transport, std::shared_ptr<const channel::ClientSettings> settings, Random& random, const Clock& clock,
      const Stop& stop = {});

  /// Errors, not lost: the status that the server answered in a record, as fault_of; too_long. Lost: the transport's;
  /// record_refused, unknown_session, session_over.
  [[nodiscard]] Answer request(std::string_view path, const std::optional<Id128>& operation, View body,
                               const Stop& stop = {});

  [[nodiscard]] const channel::ClientSession& session() const noexcept { return *session_; }
  /// Destroys the keys.
  void close() noexcept { session_->close(); }

 private:
  ChannelLink(Transport& transport, std::unique_ptr<channel::ClientSession> session)
      : transport_(&transport), session_(std::move(session)) {}
  Transport* transport_;
  std::unique_ptr<channel::ClientSession> session_;
};

}  // namespace usher::client
