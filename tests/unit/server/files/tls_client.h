// A TLS client that the tests of the file stream can make misbehave.
#pragma once

#include <cerrno>
#include <csignal>
#include <functional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/endpoint.h"
#include "support/pki.h"
#include "tls/context.h"

namespace usher::server::test {

class TlsClient {
 public:
  using Bend = std::function<void(SSL_CTX*)>;

  TlsClient(const Endpoint& to, const usher::test::Identity& own, const Bend& bend = {}) {
    ::signal(SIGPIPE, SIG_IGN);  // a server that refuses has closed before everything was sent
    context_ = usher::test::must(
        tls::make_context(tls::Side::client, [](SSL*, const tls::PeerCertificates&) { return Result<>(); }));
    usher::test::must(tls::add_identity(context_.get(), {own.certificate}, own.key.ossl()));
    if (bend) bend(context_.get());
    socket_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{.tv_sec = 60, .tv_usec = 0};  // only so that a test that has failed ends
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), socket_.get());
  }

  bool shake_hands() {
    ERR_clear_error();
    return SSL_connect(tls_.get()) == 1;
  }
  /// Sends the first flight of the handshake, and does not wait for the answer; shake_hands() continues.
  void begin() {
    const int flags = ::fcntl(socket_.get(), F_GETFL);
    ::fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK);
    EXPECT_FALSE(shake_hands());
    ::fcntl(socket_.get(), F_SETFL, flags);
  }
  void send(std::string_view text) {
    std::size_t written = 0;
    SSL_write_ex(tls_.get(), text.data(), text.size(), &written);
  }
  /// While it is on, the kernel keeps what would not fill a segment for a moment, so that it arrives in one.
  void gather(int on) const { ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_CORK, &on, sizeof on); }
  struct Answer {
    std::string bytes;
    bool whole = false;  // close_notify arrived
  };
  Answer rest() {
    Answer answer;
    std::string buffer(1 << 16, '\0');
    for (;;) {
      ERR_clear_error();
      std::size_t got = 0;
      errno = 0;
      if (SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &got) != 1) {
        EXPECT_NE(errno, EAGAIN) << "the connection has not ended";
        break;
      }
      answer.bytes.append(buffer, 0, got);
    }
    answer.whole = (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0 && ERR_peek_error() == 0;
    return answer;
  }
  /// At least one byte of the answer.
  std::string some() {
    std::string buffer(1 << 14, '\0');
    std::size_t got = 0;
    if (SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &got) != 1) return {};
    return buffer.substr(0, got);
  }
  /// The alert with which the server ends: in the handshake, or (TLS 1.3) when one reads. 0: none came.
  int alert() {
    if (shake_hands()) static_cast<void>(some());
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    return reason > SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET : 0;
  }
  /// Everything: handshake, line, answer.
  Answer ask(const std::string& line) {
    if (!shake_hands()) return {};
    send(line + "\n");
    return rest();
  }
  /// Waits until the server ends the connection, without reading TLS. Returns whether it did.
  [[nodiscard]] bool ended() const {
    char byte = 0;
    const ssize_t got = ::recv(socket_.get(), &byte, 1, 0);
    return got == 0 || (got < 0 && errno != EAGAIN);
  }
  void resume(const TlsClient& earlier) {
    const tls::SessionPtr session(SSL_get1_session(earlier.tls_.get()));
    SSL_set_session(tls_.get(), session.get());
  }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(tls_.get()) == 1; }
  [[nodiscard]] std::string suite() const { return SSL_get_cipher_name(tls_.get()); }
  [[nodiscard]] pki::Certificate server() const {
    return usher::test::must(pki::Certificate::from_x509(SSL_get0_peer_certificate(tls_.get())));
  }

 private:
  tls::ContextPtr context_;
  Descriptor socket_;
  tls::ConnectionPtr tls_;
};

}  // namespace usher::server::test
