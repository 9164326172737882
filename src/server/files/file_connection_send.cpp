// The last part of file_connection: answers, refusals and closing.
#include <algorithm>
#include <cerrno>

#include <linux/sockios.h>
#include <openssl/err.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <boost/asio/post.hpp>

#include "base/encoding.h"
#include "server/files/file_connection.h"
#include "server/files/file_listing.h"

namespace usher::server {
namespace asio = boost::asio;
namespace {

constexpr Milliseconds kRefusalStep{100};   // §4.2
constexpr Milliseconds kLingerTime{5'000};  // wait for the peer to end
constexpr std::size_t kLingerBytes = 256 << 10;
constexpr std::size_t kKeyDigits = 16;  // of a key's fingerprint, in the log

/// Bytes in the socket's send queue: the peer has not acknowledged them.
int queued_at(int socket) {
  int bytes = 0;
  return ::ioctl(socket, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

media::Suite suite_of(const wire::GetSealedFile& request) {
  return request.ctr ? media::Suite::aes256_ctr_hmac_sha256 : media::Suite::aes256_gcm;
}

}  // namespace

// --- answers that workers prepare

void FileConnection::ask_for_digest(const OpenedFilePtr& file) {
  // A worker must not hold the last reference: the connection would be destroyed on the wrong thread.
  const auto done = [weak = weak_from_this(), &loop = loop_, file](const Result<Hash256>& digest) {
    asio::post(loop.context, [weak, file, digest] {
      const auto self = weak.lock();
      if (!self || self->state_ != State::working) return;
      if (digest) {
        self->continue_with(self->answer_with_digest(file, *digest));
      } else {
        self->continue_with(std::unexpected(digest.error()));
      }
    });
  };
  shared_.digests.ask(file, {.client = owner_of_jobs(), .alive = working_, .done = done});
}

FileConnection::Step FileConnection::ask_for_list(const std::string& prefix) {
  auto done = [weak = weak_from_this(), &loop = loop_](Result<std::string> text) {
    asio::post(loop.context, [weak, text = std::move(text)]() mutable {
      const auto self = weak.lock();
      if (!self || self->state_ != State::working) return;
      if (text) {
        self->continue_with(answer_with_text(*std::move(text)));
      } else {
        self->continue_with(std::unexpected(std::move(text).error()));
      }
    });
  };
  auto listing = std::make_shared<FileListing>(snapshot()->shares, prefix, client_.peer->certificate());
  const auto queued = make_list(shared_.workers, std::move(listing),
                                {.client = owner_of_jobs(), .alive = working_, .done = std::move(done)});
  return queued ? Step::stop : refuse(queued.error());
}

void FileConnection::begin_working() {
  state_ = State::working;
  working_ = std::make_shared<const bool>(true);
  watch_for_end();
}

void FileConnection::watch_for_end() {
  socket_.async_wait(asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (!error && self->state_ == State::working) self->look_for_end();
                     });
}

void FileConnection::look_for_end() {
  std::array<std::uint8_t, 4096> rest{};  // bytes after LF are ignored (§3.1)
  while (lingered_ < kLingerBytes) {
    const ssize_t got = ::recv(socket_.native_handle(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return watch_for_end();
    if (got <= 0) {
      report(code_of(Fault::interrupted));
      return close();
    }
    lingered_ += static_cast<std::size_t>(got);
  }
  // Without reading further, the peer's end could not be detected. Close instead.
  report(code_of(Fault::too_long));
  close();
}

Result<FileAnswerPtr> FileConnection::answer_with_digest(const OpenedFilePtr& file, const Hash256& digest) {
  if (const auto* sealed = std::get_if<wire::GetSealedFile>(request_.get())) {
    return answer_sealed(file, digest, suite_of(*sealed), client_.peer->public_key(), shared_.random);
  }
  return answer_with_text(to_hex(digest) + "  " + wire::argument_of(*request_) + "\n");
}

void FileConnection::continue_with(Result<FileAnswerPtr> answer) {
  working_.reset();
  if (answer) {
    answer_ = *std::move(answer);
    state_ = State::answering;
    deadline_ = in_time(shared_.limits.stall_time);
  } else {
    static_cast<void>(refuse(answer.error()));
  }
  run();
}

// --- refusals

FileConnection::Step FileConnection::refuse(const Error& error) {
  report(code_of(error.fault));
  state_ = State::refusing;
  deadline_ = Steady::time_point::max();
  // Refuse at the next multiple of kRefusalStep, so that the time reveals nothing about the cause.
  const auto steps = (Steady::now() - begun_) / kRefusalStep + 1;
  pause_ = std::make_unique<asio::steady_timer>(loop_.context, begun_ + steps * kRefusalStep);
  pause_->async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
    if (stopped || self->state_ != State::refusing) return;
    self->state_ = State::closing;
    self->run();
  });
  return Step::stop;
}

FileConnection::Step FileConnection::break_off(const Error& error) {
  if (request_) report(code_of(error.fault));
  answer_.reset();
  unsent_.clear();
  loop_.out_size = 0;
  state_ = State::closing;
  return Step::again;
}

// --- the answer

FileConnection::Step FileConnection::send_answer() {
  if (by_kernel_) return send_by_kernel();
  const MutableView room = loop_.plain.expose_for_writing();
  for (std::size_t turn = 0; turn < kFileTurn;) {
    if (!answer_->ended()) {
      const auto got = answer_->read(room);
      if (!got) return break_off(got.error());
      ERR_clear_error();
      std::size_t written = 0;
      if (SSL_write_ex(tls_.get(), room.data(), *got, &written) != 1 || written != *got) {
        ERR_clear_error();
        return break_off({Fault::local, "file stream: write"});
      }
      bytes_ += written;
      turn += written;
    }
    if (answer_->ended()) return finish_answer();
    const Sent sent = flush();
    if (sent == Sent::broken) return break_off({Fault::interrupted, "file stream: send"});
    deadline_ = in_time(shared_.limits.stall_time);
    if (sent == Sent::some) return Step::wait_write;
  }
  return Step::later;
}

FileConnection::Step FileConnection::send_by_kernel() {
  for (std::size_t turn = 0; turn < kFileTurn && (!answer_->ended() || !piece_.empty());) {
    const auto sent = send_piece();
    if (!sent) return break_off(sent.error());
    if (*sent == 0) {
      queued_ = queued_at(socket_.native_handle());
      return Step::wait_write;
    }
    turn += *sent;
    bytes_ += *sent;
    deadline_ = in_time(shared_.limits.stall_time);
  }
  return answer_->ended() && piece_.empty() ? finish_answer() : Step::later;
}

Result<std::size_t> FileConnection::send_piece() {
  ERR_clear_error();
  ossl_ssize_t sent = 0;
  if (const auto range = answer_->range()) {
    sent = SSL_sendfile(tls_.get(), range->descriptor, static_cast<off_t>(range->offset),
                        static_cast<std::size_t>(std::min<std::uint64_t>(range->size, kFileTurn)), 0);
    if (sent == 0) return fail(Fault::interrupted, "file: shorter than it was");
    if (sent > 0) answer_->skip(static_cast<std::uint64_t>(sent));
  } else {
    if (piece_.empty()) {
      piece_.resize(SSL3_RT_MAX_PLAIN_LENGTH);
      USHER_TRY(const std::size_t got, answer_->read(piece_));
      piece_.resize(got);
    }
    sent = SSL_write(tls_.get(), piece_.data(), static_cast<int>(piece_.size()));
    if (sent > 0) piece_.clear();
  }
  if (sent > 0) return static_cast<std::size_t>(sent);
  const int code = SSL_get_error(tls_.get(), static_cast<int>(sent));
  ERR_clear_error();
  if (code == SSL_ERROR_WANT_WRITE) return 0;
  return fail(Fault::interrupted, "file stream: send");
}

/// §4.1: checks once more that the file has not changed, and sends close_notify in the same flight as the last bytes.
FileConnection::Step FileConnection::finish_answer() {
  if (const auto unchanged = answer_->check(); !unchanged) return break_off(unchanged.error());
  ERR_clear_error();
  if (const int done = SSL_shutdown(tls_.get()); done < 0) {
    const int code = SSL_get_error(tls_.get(), done);
    ERR_clear_error();
    if (code == SSL_ERROR_WANT_WRITE) return Step::wait_write;
    return break_off({Fault::local, "file stream: close_notify"});
  }
  state_ = State::closing;
  deadline_ = in_time(shared_.limits.stall_time);
  return Step::again;
}

bool FileConnection::send_from(View& bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

FileConnection::Sent FileConnection::flush() {
  View kept = View(unsent_).subspan(unsent_from_);
  View gathered = View(loop_.out).first(std::exchange(loop_.out_size, 0));
  if (kept.empty() && gathered.empty()) return Sent::all;
  if (!send_from(kept)) return Sent::broken;
  if (kept.empty() && !send_from(gathered)) return Sent::broken;
  if (kept.empty()) {
    unsent_ = to_bytes(gathered);
    unsent_from_ = 0;
  } else {
    unsent_from_ = unsent_.size() - kept.size();
    append(unsent_, gathered);
  }
  if (unsent_.empty()) return Sent::all;
  queued_ = queued_at(socket_.native_handle());
  return Sent::some;
}

// --- closing

FileConnection::Step FileConnection::end_gently() {
  const Sent sent = flush();
  if (sent == Sent::some) return Step::wait_write;
  if (answer_) report(sent == Sent::all ? "ok" : code_of(Fault::interrupted));
  answer_.reset();
  if (tls_) SSL_set_shutdown(tls_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  tls_.reset();
  ::shutdown(socket_.native_handle(), SHUT_WR);
  state_ = State::lingering;
  deadline_ = in_time(kLingerTime);
  return Step::again;
}

/// Reads and drops the peer's remaining bytes. Closing with unread bytes would make the system discard data that has
/// not reached the peer yet.
FileConnection::Step FileConnection::linger() {
  const MutableView room = loop_.plain.expose_for_writing();
  while (lingered_ < kLingerBytes) {
    const ssize_t got = ::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Step::wait_read;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    lingered_ += static_cast<std::size_t>(got);
  }
  close();
  return Step::stop;
}

void FileConnection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  auto holder = Holder::queue;
  const bool away = !holder_.compare_exchange_strong(holder, Holder::loop) && holder == Holder::worker;
  if (away) {
    // The descriptor must stay open: its number must not be reused before the worker is back.
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
  } else {
    release();
  }
  if (place_ != loop_.connections.end()) loop_.connections.erase(std::exchange(place_, loop_.connections.end()));
}

void FileConnection::release() {
  loop_.out_size = 0;
  if (tls_) SSL_set_shutdown(tls_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  tls_.reset();
  answer_.reset();
  working_.reset();
  pause_.reset();
  boost::system::error_code ignored;
  ignored = socket_.close(ignored);
}

void FileConnection::look_at_time(Steady::time_point now) {
  if (now < deadline_ || state_ == State::closed) return;
  if (!unsent_.empty() || by_kernel_) {
    // A slow peer is not a stalled one: continue if it has acknowledged bytes since the last look.
    const int queued = queued_at(socket_.native_handle());
    if (queued < queued_) {
      queued_ = queued;
      deadline_ = now + shared_.limits.stall_time;
      return;
    }
  }
  if (state_ == State::handshake || state_ == State::shaking) shared_.metrics.file_handshake("timeout");
  if (state_ == State::line) {
    begun_ = now;
    report("timeout");
  }
  if (request_) report("stalled");
  if (state_ != State::lingering) {
    // Drop the bytes that the peer does not take, so that they do not stay in the system's memory.
    const ::linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  close();
}

void FileConnection::verify_again(const FileSnapshot& now) {
  if (state_ == State::shaking || !client_.peer || !tls_) return;
  const auto& path = client_.peer->path();
  const auto verified = shared_.verdicts.verify(
      now.clients, client_.digest, [&] { return Result<pki::Chain>(without_root(path)); }, shared_.clock.now());
  if (verified) {
    judged_by_ = now.clients;
    return;
  }
  shared_.log.info("file client no longer trusted", {{"peer", address_}, {"code", code_of(verified.error().fault)}});
  if (request_) report(code_of(verified.error().fault));
  close();
}

void FileConnection::close_if_idle() {
  constexpr State kIdle[] = {State::handshake, State::shaking, State::line, State::lingering};
  if (std::ranges::find(kIdle, state_) != std::end(kIdle)) close();
}

void FileConnection::report(std::string_view code) {
  const auto took = Steady::now() - begun_;
  const std::string_view verb = request_ ? wire::verb_of(*request_) : "none";
  shared_.metrics.file_request(verb, code, bytes_, took);
  const pki::Certificate& client = client_.peer->certificate();
  if (!shared_.log.enabled(Level::info)) return request_.reset();
  shared_.log.info("file request", {{"peer", address_},
                                    {"key", to_hex(client.key_fingerprint()).substr(0, kKeyDigits)},
                                    {"verb", verb},
                                    {"name", request_ ? wire::argument_of(*request_) : std::string()},
                                    {"bytes", bytes_},
                                    {"code", code},
                                    {"ms", std::chrono::duration_cast<Milliseconds>(took).count()}});
  request_.reset();
}

}  // namespace usher::server
