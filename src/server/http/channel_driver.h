// server/http/channel_driver: passes HTTP bodies to the channel's state machines.  Spec: channel.md §4.3, §6.3, §8.2.
#pragma once

#include "base/clock.h"
#include "base/guarded.h"
#include "channel/retry.h"
#include "server/http/router.h"

namespace usher::server {

/// Thread-safe.
class ChannelDriver {
 public:
  /// All references are borrowed.
  struct Parts {
    SessionTable& sessions;
    Router& router;
    const Guarded<channel::ServerSettings>& settings;
    const Clock& clock;
    Random& random;
    Log& log;
    Metrics& metrics;
  };
  explicit ChannelDriver(const Parts& parts) : p_(parts), cookies_(parts.random) {}

  // Each takes the body of one HTTP request and returns the body of its answer. `number`: the HTTP request's number,
  // for the log. `network`: HttpRequest::network. Errors: those of §8.2, but each error of the client's chain has a
  // fault of its own here; http_error_of() maps them.
  [[nodiscard]] Result<Bytes> protocols(View body, const std::string& network, std::uint64_t number);
  [[nodiscard]] Result<Bytes> keys(View body, std::uint64_t number);
  [[nodiscard]] Result<Bytes> record(Bytes record, std::uint64_t number);

 private:
  [[nodiscard]] Result<Bytes> finish(const Id128& session, const HalfOpenPtr& half_open, Bytes record,
                                     std::uint64_t number);
  /// A Retry, if the network has used up its share of half-open sessions and the ClientHello has no valid cookie; else
  /// nullopt. §4.4.
  [[nodiscard]] Result<std::optional<Bytes>> retry_for(View body, const std::string& network, Time now);
  /// `judged_by`: the trust generation that accepted the peer. Errors: those of TrustStore::verify with current trust.
  [[nodiscard]] Result<SessionPtr> admit(std::unique_ptr<channel::ServerSession> session, std::uint64_t judged_by,
                                         Time now);
  /// `machine`: nullptr if the handshake was refused before it had one.
  void note_failure(const Error& error, const channel::ServerHandshake* machine, std::uint64_t number);

  static constexpr std::uint32_t kRefusedPerMinute = 100;  // lines in the log

  Parts p_;
  channel::RetryCookies cookies_;
  LogLimit refused_{kRefusedPerMinute};
};

/// How HTTP reports a fault outside of records, §8.2.
struct HttpError {
  unsigned status;
  std::string_view code;
};
[[nodiscard]] HttpError http_error_of(Fault fault) noexcept;

}  // namespace usher::server
