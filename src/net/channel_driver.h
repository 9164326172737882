// net/channel_driver: from the bytes of HTTP to the channel's machines, and back.  Spec: channel.md §4.3, §6.3, §8.2.
#pragma once

#include "base/clock.h"
#include "channel/retry.h"
#include "net/guarded.h"
#include "net/log.h"
#include "net/metrics.h"
#include "net/session_table.h"

namespace usher::net {

/// What is done with a request whose record was verified.
class RequestSink {
 public:
  virtual ~RequestSink() = default;
  /// Writes the record that answers it to `out`. Errors: session_over, too_long: there is no answer.
  [[nodiscard]] virtual Result<> answer(LiveSession& session, const channel::IncomingRequest& request,
                                        std::uint64_t number, Bytes& out) = 0;
};

/// Thread-safe.
class ChannelDriver {
 public:
  /// All borrowed.
  struct Parts {
    SessionTable& sessions;
    RequestSink& sink;
    const Guarded<channel::ServerSettings>& settings;
    const Clock& clock;
    Random& random;
    Log& log;
    Metrics& metrics;
  };
  explicit ChannelDriver(const Parts& parts) : p_(parts), cookies_(parts.random) {}

  // Each takes the body of one HTTP request and returns that of its answer. `number`: the HTTP request's, for the log.
  // Errors: those of §8.2; whatever is wrong with the client's chain has its own fault here, see http_error_of().
  // `network`: where it comes from, as HttpRequest has it.
  [[nodiscard]] Result<Bytes> protocols(View body, const std::string& network, std::uint64_t number);
  [[nodiscard]] Result<Bytes> keys(View body, std::uint64_t number);
  [[nodiscard]] Result<Bytes> record(Bytes record, std::uint64_t number);

 private:
  [[nodiscard]] Result<Bytes> finish(const Id128& session, const HalfOpenPtr& half_open, Bytes record,
                                     std::uint64_t number);
  /// A Retry, where one network begins more handshakes than its share and has not brought a cookie; else nothing. §4.4.
  [[nodiscard]] Result<std::optional<Bytes>> retry_for(View body, const std::string& network, Time now);
  /// `judged_by`: the generation of trust that took the peer. Errors: those of TrustStore::verify, by the trust of now.
  [[nodiscard]] Result<SessionPtr> admit(std::unique_ptr<channel::ServerSession> session, std::uint64_t judged_by,
                                         Time now);
  void note_failure(const Error& error, const channel::Suite* suite, std::uint64_t number);

  Parts p_;
  channel::RetryCookies cookies_;
};

/// What HTTP tells of a fault outside of records, §8.2.
struct HttpError {
  unsigned status;
  std::string_view code;
};
[[nodiscard]] HttpError http_error_of(Fault fault) noexcept;

/// The first 8 hexadecimal digits: enough to find a session in the log, too little to be one.
[[nodiscard]] std::string session_prefix(const Id128& session);

}  // namespace usher::net
