#include "server/files/file_stream.h"

#include <algorithm>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "server/files/file_connection.h"
#include "server/runtime/listen_socket.h"

namespace usher::server {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

constexpr Milliseconds kSweep{250};  // between two checks of all deadlines
constexpr int kAcceptsATurn = 64;
constexpr unsigned kWorkers = 2;        // at least; otherwise one per processor
constexpr unsigned kSigners = 4;        // at least; otherwise two per processor
constexpr std::size_t kJobs = 1'024;    // digests and lists that are in progress or wait
constexpr std::size_t kJobsOfOne = 64;  // the same, of one client

/// Runs one job of a client at a time; its other jobs wait.
WorkerLimits worker_limits() {
  return {.threads = std::max(kWorkers, std::thread::hardware_concurrency()),
          .jobs = kJobs,
          .jobs_of_one = kJobsOfOne,
          .at_once = 1};
}

/// Each thread may wait for the token, so there are more threads than processors. A connection has at most one job.
WorkerLimits signer_limits(const FileLimits& limits) {
  return {.threads = std::max(kSigners, 2 * std::thread::hardware_concurrency()),
          .jobs = limits.connections,
          .jobs_of_one = limits.connections_per_address};
}

/// The address of a peer; nullopt if it is neither IPv4 nor IPv6.
std::optional<asio::ip::address> address_of(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (from.ss_family != AF_INET6) return std::nullopt;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
  asio::ip::address_v6::bytes_type bytes;
  std::copy_n(v6.sin6_addr.s6_addr, bytes.size(), bytes.begin());
  return asio::ip::address_v6(bytes);
}

}  // namespace

struct FileStream::Impl {
  struct Listening {
    explicit Listening(tcp::acceptor socket_) : socket(std::move(socket_)), pause(socket.get_executor()) {}
    tcp::acceptor socket;
    asio::steady_timer pause;
  };

  Impl(FileStreamOptions options_, Parts parts, FileSnapshot snapshot)
      : options(std::move(options_)),
        shared(options.limits, parts, std::move(snapshot), worker_limits(), signer_limits(options.limits)) {
    const unsigned threads = options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < threads; ++i) loops.push_back(std::make_unique<FileLoop>());
  }

  void accept(const std::shared_ptr<Listening>& listening);
  /// True if more connections may be waiting.
  bool take_one(Listening& listening);
  void place(Descriptor socket, const asio::ip::address& address);
  [[nodiscard]] std::string_view admit(const std::string& counted);
  void sweep(FileLoop& loop);
  template <class F>
  void on_each(const F& what);

  FileStreamOptions options;
  FileShared shared;
  std::vector<std::unique_ptr<FileLoop>> loops;
  std::vector<std::shared_ptr<Listening>> listenings;  // on the first loop
  std::vector<Endpoint> bound;
  std::size_t next = 0;  // the next connection's loop
  bool stopped = false;
};

void FileStream::Impl::accept(const std::shared_ptr<Listening>& listening) {
  listening->socket.async_wait(tcp::acceptor::wait_read, [this, listening](const boost::system::error_code& error) {
    if (error || !listening->socket.is_open()) return;
    bool more = true;
    for (int i = 0; i < kAcceptsATurn && more; ++i) more = take_one(*listening);
    if (more || errno == EAGAIN || errno == EWOULDBLOCK) return accept(listening);
    shared.log.warning("accept failed", {{"reason", std::generic_category().message(errno)}});
    listening->pause.expires_after(kAcceptPause);
    listening->pause.async_wait([this, listening](const boost::system::error_code& cancelled) {
      if (!cancelled && listening->socket.is_open()) accept(listening);
    });
  });
}

bool FileStream::Impl::take_one(Listening& listening) {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  Descriptor socket(::accept4(listening.socket.native_handle(), reinterpret_cast<sockaddr*>(&from), &size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.is_open()) return errno == ECONNABORTED || errno == EINTR;
  if (const auto address = address_of(from)) place(std::move(socket), *address);
  return true;
}

/// Counts a new connection. Returns why it is refused; empty: it is admitted.
std::string_view FileStream::Impl::admit(const std::string& counted) {
  if (shared.open >= shared.limits.connections) return "connections";
  const std::scoped_lock lock(shared.mutex);
  std::size_t& of_address = shared.by_address[counted];
  if (of_address >= shared.limits.connections_per_address) return "connections-per-address";
  ++of_address;
  ++shared.open;
  return {};
}

void FileStream::Impl::place(Descriptor socket, const asio::ip::address& address) {
  std::string counted = counted_as(address);
  if (const std::string_view reason = admit(counted); !reason.empty()) {
    shared.metrics.http_refused("files", reason);
    shared.log.debug("connection refused", {{"peer", address.to_string()}, {"reason", reason}});
    return;
  }
  FileLoop& loop = *loops[next++ % loops.size()];
  auto connection =
      std::make_shared<FileConnection>(shared, loop, std::move(socket), address.to_string(), std::move(counted));
  if (loops.size() == 1) return connection->start();
  asio::post(loop.context, [connection = std::move(connection)] { connection->start(); });
}

void FileStream::Impl::sweep(FileLoop& loop) {
  loop.sweep.expires_after(kSweep);
  loop.sweep.async_wait([this, &loop](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    const auto now = Steady::now();
    for (auto at = loop.connections.begin(); at != loop.connections.end();) {
      const auto connection = *at++;  // the list may lose it
      connection->look_at_time(now);
    }
    if (&loop == loops.front().get()) shared.metrics.connections_open("files", shared.open);
    sweep(loop);
  });
}

template <class F>
void FileStream::Impl::on_each(const F& what) {
  for (const auto& loop : loops) {
    asio::post(loop->context, [&loop = *loop, what] {
      for (auto at = loop.connections.begin(); at != loop.connections.end();) {
        const auto connection = *at++;
        what(*connection);
      }
    });
  }
}

FileStream::FileStream(FileStreamOptions options, Parts parts, FileSnapshot snapshot)
    : impl_(std::make_unique<Impl>(std::move(options), parts, std::move(snapshot))) {}

FileStream::~FileStream() { stop(); }

Result<> FileStream::start() {
  Impl& s = *impl_;
  if (s.options.kernel_tls) {
    const std::string missing = kernel_tls_missing();
    s.shared.kernel_tls = missing.empty();
    s.shared.log.info(missing.empty() ? "kernel TLS in use" : "kernel TLS not in use", {{"reason", missing}});
  }
  for (const Endpoint& endpoint : s.options.listen) {
    USHER_TRY(auto socket, open_acceptor(s.loops.front()->context, endpoint, s.shared.log));
    if (!socket) continue;
    boost::system::error_code ignored;
    ignored = socket->set_option(tcp::no_delay(true), ignored);  // accepted sockets inherit it
    ignored = socket->non_blocking(true, ignored);
    s.bound.push_back(endpoint_of(*socket));
    s.listenings.push_back(std::make_shared<Impl::Listening>(*std::move(socket)));
  }
  if (s.bound.empty())
    return fail(Fault::bad_config, "listen", "none of the configured addresses is one of this machine's",
                "Configure one that it has (`ip address` shows them), or 0.0.0.0 or [::] for all.");
  for (const auto& listening : s.listenings) s.accept(listening);
  for (const auto& loop : s.loops) {
    s.sweep(*loop);
    loop->thread = std::jthread([&context = loop->context] { context.run(); });
  }
  return {};
}

const std::vector<Endpoint>& FileStream::endpoints() const noexcept { return impl_->bound; }

void FileStream::reload(FileSnapshot snapshot) {
  const auto now = std::make_shared<const FileSnapshot>(std::move(snapshot));
  impl_->shared.snapshot.set(now);
  impl_->on_each([now](FileConnection& connection) { connection.verify_again(*now); });
}

void FileStream::trust(std::shared_ptr<const pki::TrustStore> clients) {
  FileSnapshot snapshot = *impl_->shared.snapshot.get();
  snapshot.clients = std::move(clients);
  reload(std::move(snapshot));
}

void FileStream::share_nothing(std::shared_ptr<const pki::TrustStore> clients) {
  FileSnapshot snapshot = *impl_->shared.snapshot.get();
  snapshot.clients = std::move(clients);
  snapshot.shares = FileShares::none();
  reload(std::move(snapshot));
}

void FileStream::drain() {
  Impl& s = *impl_;
  asio::post(s.loops.front()->context, [&s] {
    for (const auto& listening : s.listenings) {
      boost::system::error_code ignored;
      ignored = listening->socket.close(ignored);
      listening->pause.cancel();
    }
    s.on_each([](FileConnection& connection) { connection.close_if_idle(); });
  });
}

bool FileStream::drained() const { return impl_->shared.open == 0; }

void FileStream::stop() {
  Impl& s = *impl_;
  if (std::exchange(s.stopped, true)) return;
  s.shared.workers.stop();
  s.shared.signers.stop();  // waits for running calls of the token
  for (const auto& loop : s.loops) {
    loop->context.stop();
    if (loop->thread.joinable()) loop->thread.join();
  }
  for (const auto& loop : s.loops) loop->connections.clear();
}

}  // namespace usher::server
