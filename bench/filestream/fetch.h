// filestream/fetch: one connection of the load: connect, full mutual handshake, one request, the whole answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "crypto/digest.h"
#include "tls.h"

namespace usher::bench {

using Steady = std::chrono::steady_clock;

enum class Protocol : std::uint8_t { usher, http };  // `GET name`, or HTTP/1.1 with its head skipped

/// The request, and the expected answer.
struct Request {
  Protocol protocol = Protocol::usher;
  std::uint16_t port = 0;  // of 127.0.0.1
  std::string name;
  std::uint64_t bytes = 0;
  std::string sha256;  // hex; empty: only the length is compared
};

/// A socket that closes itself.
class Socket {
 public:
  explicit Socket(int descriptor) noexcept : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket& operator=(Socket&&) = delete;
  ~Socket();
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

/// Never blocks. Its socket is watched edge-triggered: step() continues until the socket is not ready.
class Fetch {
 public:
  enum class State : std::uint8_t { handshaking, ready, answering, complete, failed };

  /// `request` must outlive it. With `hold`, it stops at `ready` and sends no request.
  /// Errors: io (no socket, no connection), local.
  [[nodiscard]] static Result<std::unique_ptr<Fetch>> start(SslPtr ssl, const Request& request, bool hold);

  State step();
  void give_up(std::string reason) { fail_because(std::move(reason)); }

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] bool ended() const noexcept { return state_ == State::complete || state_ == State::failed; }
  [[nodiscard]] int socket() const noexcept { return socket_.get(); }
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }  // without the HTTP head
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  [[nodiscard]] Steady::duration handshake_time() const noexcept { return handshaken_ - begun_; }
  [[nodiscard]] Steady::duration whole_time() const noexcept { return ended_ - begun_; }

 private:
  Fetch(Socket socket, SslPtr ssl, const Request& request, bool hold);
  void shake_hands();
  void send_request();
  void read_answer();
  void take(View bytes);
  [[nodiscard]] View skip_head(View bytes);
  void finish();
  void fail_because(std::string reason);
  /// OpenSSL waits for the socket, or the fetch has failed.
  void waits_or_fails(int result, std::string_view step);

  const Request& request_;
  Socket socket_;
  SslPtr ssl_;
  bool hold_;
  bool certificate_asked_ = false;
  State state_ = State::handshaking;
  std::string head_;
  bool head_over_;
  std::uint64_t received_ = 0;
  std::optional<crypto::Hasher> hasher_;
  std::string reason_;
  Steady::time_point begun_ = Steady::now();
  Steady::time_point handshaken_{};
  Steady::time_point ended_{};
};

}  // namespace usher::bench
