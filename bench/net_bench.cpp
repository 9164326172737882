// Net: the cost of one ordinary HTTP request if the event loop answers it, and if it goes through a worker.
// Links: server
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/descriptor.h"
#include "server/http/http_server.h"
#include "server/runtime/runtime.h"
#include "server/runtime/workers.h"

namespace {

using namespace usher;
using namespace usher::server;

/// Answers with the path; "/loop" is answered at once, by the event loop.
class Handler final : public HttpHandler {
 public:
  Admission admit(const HttpRequest& /*head*/) override { return std::size_t{0}; }
  HttpResponse handle(HttpRequest request) override {
    return {.content_type = "text/plain", .body = to_bytes(view_of(request.path))};
  }
  bool answers_at_once(const HttpRequest& head) const override { return head.path == "/loop"; }
  HttpResponse refuse(unsigned status, std::string_view code, const HttpRequest& /*head*/) override {
    return {.status = status, .content_type = "text/plain", .body = to_bytes(view_of(code))};
  }
};

class Server {
 public:
  Server() : http_(runtime_, workers_, handler_, names_, *log_, {}) {
    const auto bound = http_.listen({{"127.0.0.1", 0}});
    if (!bound) std::abort();
    port_ = bound->front().port;
    runtime_.start();
  }
  ~Server() {
    runtime_.stop();
    workers_.stop();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  std::unique_ptr<Log> log_ = make_silent_log();
  HostNames names_{{"localhost"}};
  Handler handler_;
  Runtime runtime_{2};
  Workers workers_{{.threads = 4}};
  HttpServer http_;
  std::uint16_t port_ = 0;
};

Descriptor connect_to(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
  return socket;
}

/// One connection, one request after the other. `hops`: each request goes through a worker.
void request(benchmark::State& state, bool hops) {
  const Server server;
  const Descriptor socket = connect_to(server.port());
  const std::string path = hops ? "/worker" : "/loop";
  const std::string asked = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::array<char, 4096> buffer{};
  while (state.KeepRunning()) {
    if (::send(socket.get(), asked.data(), asked.size(), 0) != static_cast<ssize_t>(asked.size())) std::abort();
    std::string_view answer;
    std::size_t size = 0;
    while (!answer.ends_with("\r\n\r\n" + path)) {
      const ssize_t got = ::recv(socket.get(), buffer.data() + size, buffer.size() - size, 0);
      if (got <= 0) std::abort();
      size += static_cast<std::size_t>(got);
      answer = {buffer.data(), size};
    }
  }
}
BENCHMARK_CAPTURE(request, on_the_loop, false)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(request, through_a_worker, true)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
