// A TCP client that can misbehave.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "server/http/http_server.h"

namespace usher::server::test {

class RawClient {
 public:
  explicit RawClient(const Endpoint& to, int receive_buffer = 0) {
    const bool six = to.host.find(':') != std::string::npos;
    socket_ = ::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Only so that a test that has failed ends.
    const timeval patience{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    int done = -1;
    if (six) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(to.port);
      ::inet_pton(AF_INET6, to.host.c_str(), &address.sin6_addr);
      done = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(to.port);
      ::inet_pton(AF_INET, to.host.c_str(), &address.sin_addr);
      done = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    EXPECT_EQ(done, 0) << to.text() << ": " << std::strerror(errno);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  RawClient& send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;  // the server may have closed already: only its answer counts
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return *this;
  }
  /// Everything up to the end of the connection. If the server never ends the connection, the test fails.
  std::string rest() {
    std::string all;
    char buffer[4096];
    for (;;) {
      const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
      EXPECT_FALSE(got < 0 && errno == EAGAIN) << "the connection has not ended";
      if (got <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(got));
    }
  }
  /// One response: head and a body of its Content-Length.
  std::string response() {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      if (!more(text)) return text;
    }
    const std::size_t head = text.find("\r\n\r\n") + 4;
    const std::size_t field = text.find("Content-Length: ");
    const std::size_t size = field < head ? std::stoul(text.substr(field + 16)) : 0;
    while (text.size() < head + size && more(text)) {}
    return text;
  }

 private:
  bool more(std::string& text) const {
    char byte = 0;
    const ssize_t got = ::recv(socket_, &byte, 1, 0);
    EXPECT_FALSE(got < 0 && errno == EAGAIN) << "no answer, and no end either";
    if (got != 1) return false;
    text += byte;
    return true;
  }
  int socket_ = -1;
};

}  // namespace usher::server::test
