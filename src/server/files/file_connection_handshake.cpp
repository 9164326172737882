// The first part of file_connection: the handshake, driven by the loop or by a worker.
#include <openssl/err.h>
#include <sys/socket.h>
#include <boost/asio/post.hpp>

#include "server/files/file_connection.h"

namespace usher::server {
namespace asio = boost::asio;

// --- callbacks of the handshake: they run on the loop, or on the worker that drives it

Result<> FileConnection::judge(const tls::PeerCertificates& peer) {
  const Hash256 digest = peer.digest();
  const auto trust = snapshot()->clients;
  auto verified = shared_.verdicts.verify(trust, digest, [&] { return peer.chain(); }, shared_.clock.now());
  if (!verified) {
    judged_ = true;
    verdict_ = verified.error().fault;
    return std::unexpected(std::move(verified).error());
  }
  client_ = {.peer = *std::move(verified), .digest = digest};
  judged_by_ = trust;
  return {};
}

tls::SessionPtr FileConnection::find_session(View id) {
  const Time now = shared_.clock.now();
  auto found = shared_.sessions.find(id, now);
  if (!found) return nullptr;
  // §2.3: verify the path's certificates again by the current trust and lists.
  const auto& path = found->client.peer->path();
  const auto trust = snapshot()->clients;
  auto verified =
      shared_.verdicts.verify(trust, found->client.digest, [&] { return Result<pki::Chain>(without_root(path)); }, now);
  if (!verified) return nullptr;
  client_ = {.peer = *std::move(verified), .digest = found->client.digest};
  judged_by_ = trust;
  return std::move(found->session);
}

void FileConnection::keep_session(const SSL_SESSION& session) {
  shared_.sessions.keep(session, client_, shared_.clock.now());
}

// --- driving the handshake

/// Runs on a worker if the server's key may block. Reads OpenSSL's errors here, because OpenSSL keeps them per thread.
FileConnection::Shaken FileConnection::drive() {
  ERR_clear_error();
  Shaken shaken;
  if (const int done = SSL_do_handshake(tls_.get()); done != 1) shaken.code = SSL_get_error(tls_.get(), done);
  if (shaken.code == SSL_ERROR_SSL && !judged_) {
    shaken.reason = handshake_failure(ERR_peek_last_error());
    shaken.own = crypto::take_error();
    if (shaken.own) shaken.reason = "own-key";
  }
  ERR_clear_error();
  return shaken;
}

/// A token may block its caller forever: a worker waits for it, and the loop continues with other connections.
FileConnection::Step FileConnection::hand_over() {
  state_ = State::shaking;
  holder_ = Holder::queue;
  bios_.leave_loop();
  const auto drive = [weak = weak_from_this(), &loop = loop_] {
    auto self = weak.lock();
    if (!self) return false;
    std::optional<Shaken> shaken;
    auto expected = Holder::queue;
    if (self->holder_.compare_exchange_strong(expected, Holder::worker)) shaken = self->drive();
    // A worker must not hold the last reference: the connection would be destroyed on the wrong thread.
    asio::post(loop.context, [self = std::move(self), shaken = std::move(shaken)]() mutable {
      if (shaken) self->take_back(*std::move(shaken));
    });
    return false;
  };
  const auto queued = shared_.signers.run(counted_, drive);
  if (queued) return Step::stop;
  shared_.metrics.file_handshake(code_of(queued.error().fault));
  shared_.log.debug("file handshake failed", {{"peer", address_}, {"reason", code_of(queued.error().fault)}});
  close();
  return Step::stop;
}

void FileConnection::take_back(Shaken shaken) {
  holder_ = Holder::loop;
  if (state_ == State::closed) return release();
  unsent_ = bios_.back_to_loop();
  state_ = State::handshake;
  shaken_ = std::move(shaken);
  // A reload that happened meanwhile could not verify this connection's client.
  if (const auto now = snapshot(); now->clients != judged_by_) verify_again(*now);
  if (state_ != State::closed) run();
}

// --- progress of the handshake

FileConnection::Step FileConnection::shake_hands() {
  if (!shaken_ && contexts_->may_block()) return hand_over();
  const Shaken shaken = shaken_ ? *std::exchange(shaken_, std::nullopt) : drive();
  if (shaken.code == SSL_ERROR_WANT_READ) return Step::wait_read;
  if (shaken.code == SSL_ERROR_WANT_WRITE) return Step::wait_write;
  if (shaken.code != SSL_ERROR_NONE) return fail_handshake(shaken);
  if (const auto checked = tls::check_established(tls_.get()); !checked || !client_.peer) {
    shared_.metrics.file_handshake("extended-master-secret");
    state_ = State::closing;
    return Step::again;
  }
  const auto by_kernel = bios_.records_by_kernel(tls_.get());
  if (!by_kernel) return break_off(by_kernel.error());
  by_kernel_ = *by_kernel;
  shared_.metrics.file_handshake(SSL_session_reused(tls_.get()) == 1 ? "resumed" : "full");
  contexts_.reset();
  state_ = State::line;
  deadline_ = in_time(shared_.limits.line_time);
  return Step::again;
}

FileConnection::Step FileConnection::fail_handshake(const Shaken& shaken) {
  const std::string_view reason = judged_ ? code_of(verdict_) : shaken.reason;
  const auto& own = shaken.own;  // set if the server's key failed: it is on a token
  shared_.metrics.file_handshake(reason);
  const Level level = own ? Level::warning : judged_ ? Level::info : Level::debug;
  shared_.log.write(level, "file handshake failed",
                    {{"peer", address_}, {"reason", reason}, {"about", own ? std::string_view(own->about) : ""}});
  if (shaken.code != SSL_ERROR_SSL) {
    close();
    return Step::stop;
  }
  state_ = State::closing;  // closes after the alert was sent
  return Step::again;
}

}  // namespace usher::server
