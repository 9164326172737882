// client/transport: how bytes get to the server and back.  Spec: channel.md §8.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace usher::client {

inline constexpr std::size_t kMaxReply = 1'056'768;  // bytes: the largest record, channel.md §6.1

inline constexpr std::string_view kHandshakeType = "application/vnd.usher.handshake";
inline constexpr std::string_view kRecordType = "application/vnd.usher.record";
inline constexpr std::string_view kErrorType = "application/vnd.usher.error";

/// Asked now and then, from the thread that waits: whether to give up. Empty: never.
using Stop = std::function<bool()>;

/// Carries one HTTP exchange. Thread-safe: several at once.
class Transport {
 public:
  virtual ~Transport() = default;

  /// POSTs `body` to `path` ("/api/keys", "/") and gives the body of a 200 that has the same media type. When `stop`
  /// says so the exchange is given up within a second.
  /// Errors: unreachable; interrupted (also too slow, or cut short); server_busy; not_usher (another status, type or
  /// size than §8 has); cancelled; the code that the server told, one of §8.2: nobody vouches for those.
  [[nodiscard]] virtual Result<Bytes> post(std::string_view path, std::string_view type, View body,
                                           const Stop& stop) = 0;
};

struct HttpOptions {
  std::string url{};    // "http://host:8080", without a path or with the prefix of a reverse proxy
  std::string proxy{};  // empty: as the environment says (http_proxy, no_proxy); "none": no proxy
  std::string user_agent = "usher";
  Milliseconds connect_deadline{10'000};
  Milliseconds stall_deadline{20'000};  // without a byte in either direction
  Milliseconds deadline{60'000};        // of a whole exchange
};

/// Over libcurl, binary encoding, with as many kept-alive connections as there are exchanges at once.
class HttpTransport final : public Transport {
 public:
  /// Connects nothing yet. Errors: bad_config (the URL).
  [[nodiscard]] static Result<std::unique_ptr<HttpTransport>> create(HttpOptions options);
  ~HttpTransport() override;
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  [[nodiscard]] Result<Bytes> post(std::string_view path, std::string_view type, View body, const Stop& stop) override;

  /// The host of the URL, as dialled: IPv6 without brackets.
  [[nodiscard]] const std::string& host() const noexcept;

 private:
  struct State;
  explicit HttpTransport(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace usher::client
