// server/http/http_server: an HTTP/1.1 listener that limits the resources that a peer can use.  Spec: channel.md §8.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/result.h"
#include "server/http/host_names.h"
#include "server/http/http.h"
#include "server/runtime/log.h"

namespace usher::server {

class Runtime;
class Workers;

struct HttpLimits {
  std::size_t header_bytes = 16 << 10;
  std::size_t connections = 1'000;
  std::size_t connections_per_address = 128;  // IPv6: of one /64
  Milliseconds header_time{10'000};           // for a whole head; also until a new connection's first byte
  Milliseconds body_time{30'000};             // for a whole body
  Milliseconds idle_time{60'000};             // between two requests of one connection
  Milliseconds write_stall{20'000};           // in which the peer takes no byte of an answer
  Milliseconds write_time{300'000};           // for a whole answer
};

/// Callbacks for metrics. Called from any thread.
struct HttpEvents {
  std::function<void(std::size_t open)> connections{};
  std::function<void(std::string_view reason)> refused{};  // "connections", "connections-per-address", "timeout", …
};

class HttpServer {
 public:
  /// All references are borrowed and must outlive the server. `names` may change while it runs.
  HttpServer(Runtime& runtime, Workers& workers, HttpHandler& handler, const HostNames& names, Log& log,
             HttpLimits limits, HttpEvents events = {});
  ~HttpServer();  // before: the runtime and the workers were stopped, or drained() is true
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds all endpoints; accepts connections once the runtime runs. If this machine has no IPv6 (or no IPv4), such
  /// addresses are left out with a warning; at least one must remain. Returns the bound endpoints.
  /// Errors: busy (the port is taken), not_permitted, bad_config.
  [[nodiscard]] Result<std::vector<Endpoint>> listen(const std::vector<Endpoint>& endpoints);

  /// Accepts no new connections. Closes those that wait for a request at once, and the others after their answer.
  void drain();
  [[nodiscard]] bool drained() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace usher::server
