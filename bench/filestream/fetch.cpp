#include "fetch.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/encoding.h"
#include "base/os_error.h"

namespace usher::bench {
namespace {

constexpr std::size_t kMaxHead = 8 << 10;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

int note_certificate_request(SSL* /*ssl*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 1;
}

Result<Socket> connect_to(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return fail_errno("socket");
  const int on = 1;
  if (::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return fail_errno("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
    return fail_errno("connect");
  return socket;
}

std::string text_of_request(const Request& request) {
  if (request.protocol == Protocol::usher) return fmt::format("GET {}\r\n", request.name);
  return fmt::format("GET /{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", request.name);
}

}  // namespace

Socket::Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::unique_ptr<Fetch>> Fetch::start(SslPtr ssl, const Request& request, bool hold) {
  USHER_TRY(Socket socket, connect_to(request.port));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), socket.get()) != 1) return crypto::ossl_fail(Fault::local, "connection");
  SSL_set_connect_state(ssl.get());
  return std::unique_ptr<Fetch>(new Fetch(std::move(socket), std::move(ssl), request, hold));
}

Fetch::Fetch(Socket socket, SslPtr ssl, const Request& request, bool hold)
    : request_(request),
      socket_(std::move(socket)),
      ssl_(std::move(ssl)),
      hold_(hold),
      head_over_(request.protocol != Protocol::http) {
  SSL_set_cert_cb(ssl_.get(), note_certificate_request, &certificate_asked_);
  if (!request.sha256.empty()) hasher_.emplace(crypto::Digest::sha256);
}

Fetch::State Fetch::step() {
  ERR_clear_error();
  if (state_ == State::handshaking) shake_hands();
  if (state_ == State::ready && !hold_) send_request();
  if (state_ == State::answering || state_ == State::ready) read_answer();
  return state_;
}

void Fetch::shake_hands() {
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) {
    waits_or_fails(result, "handshake");
    return;
  }
  // The figures are valid for full mutual handshakes only.
  if (!certificate_asked_) return fail_because("handshake: the server asked for no certificate");
  if (SSL_session_reused(ssl_.get()) != 0) return fail_because("handshake: resumed");
  if (SSL_get_negotiated_group(ssl_.get()) != NID_X25519) return fail_because("handshake: another group than X25519");
  handshaken_ = Steady::now();
  state_ = State::ready;
}

void Fetch::send_request() {
  const std::string text = text_of_request(request_);
  const int result = SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  if (result > 0) {
    state_ = State::answering;
    return;
  }
  waits_or_fails(result, "request");
}

void Fetch::read_answer() {
  static std::array<std::uint8_t, std::size_t{16} * 1024> buffer;  // one record; the load has one thread
  for (;;) {
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
    if (result != 1) {
      if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) return finish();
      waits_or_fails(result, "answer");
      return;
    }
    take(View(buffer).first(size));
    if (state_ == State::failed) return;
  }
}

void Fetch::take(View bytes) {
  if (!head_over_) bytes = skip_head(bytes);
  received_ += bytes.size();
  if (received_ > request_.bytes) return fail_because("answer: longer than the file");
  if (hasher_) hasher_->update(bytes);
}

View Fetch::skip_head(View bytes) {
  const std::size_t before = head_.size();
  head_.append(text_of(bytes));
  const std::size_t end = head_.find(kEndOfHead);
  if (end == std::string::npos) {
    if (head_.size() > kMaxHead) fail_because("answer: head too long");
    return {};
  }
  if (!head_.starts_with("HTTP/1.1 200 ")) fail_because("answer: " + head_.substr(0, head_.find('\r')));
  head_over_ = true;
  const std::size_t used = end + kEndOfHead.size() - before;
  head_.clear();
  return bytes.subspan(used);
}

void Fetch::finish() {
  if (state_ != State::answering) return fail_because("closed while it was held");
  if (received_ != request_.bytes) return fail_because("answer: shorter than the file");
  if (hasher_ && to_hex(hasher_->value()) != request_.sha256) return fail_because("answer: another digest");
  ended_ = Steady::now();
  state_ = State::complete;
  static_cast<void>(SSL_shutdown(ssl_.get()));
}

void Fetch::waits_or_fails(int result, std::string_view step) {
  const int number = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      break;
    case SSL_ERROR_SYSCALL:
      fail_because(fmt::format("{}: {}", step, std::generic_category().message(number)));
      break;
    default:
      fail_because(fmt::format("{}: {}", step, last_reason()));
      break;
  }
}

void Fetch::fail_because(std::string reason) {
  if (ended()) return;
  reason_ = std::move(reason);
  ended_ = Steady::now();
  state_ = State::failed;
}

}  // namespace usher::bench
