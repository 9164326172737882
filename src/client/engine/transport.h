// client/engine/transport: carries requests to the server over HTTP.  Spec: channel.md §8.
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

/// Whether to give up. Called now and then, from the thread that waits. Empty: never.
using Stop = std::function<bool()>;

/// Carries one HTTP exchange. Thread-safe: several at once.
class Transport {
 public:
  virtual ~Transport() = default;

  /// POSTs `body` to `path` ("/api/keys", "/"). Returns the body of a 200 response with the same media type. When
  /// `stop` returns true, the exchange is cancelled within a second.
  /// Errors: unreachable; interrupted (also too slow, or incomplete); server_busy; not_usher (a status, type or size
  /// that §8 does not have); cancelled; the code that the server returned, one of §8.2. These codes are not
  /// authenticated.
  [[nodiscard]] virtual Result<Bytes> post(std::string_view path, std::string_view type, View body,
                                           const Stop& stop) = 0;
};

struct HttpOptions {
  std::string url{};    // "http://host:8080", without a path or with the prefix of a reverse proxy
  std::string proxy{};  // empty: from the environment (http_proxy, no_proxy); "none": no proxy
  std::string user_agent = "usher";
  Milliseconds connect_deadline{10'000};
  Milliseconds stall_deadline{20'000};  // without a byte in either direction
  Milliseconds deadline{60'000};        // for a whole exchange
};

/// Uses libcurl, with binary encoding. Keeps as many connections alive as there are concurrent exchanges.
class HttpTransport final : public Transport {
 public:
  /// Does not connect yet. Errors: bad_config (the URL).
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
