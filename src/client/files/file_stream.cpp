#include "client/files/file_stream.h"

#include <optional>

#include <openssl/err.h>
#include <poll.h>

#include "base/encoding.h"
#include "base/no_broken_pipe.h"
#include "tls/context.h"

namespace usher::client {
namespace {

constexpr std::size_t kBuffer = 256 << 10;   // bytes of an answer that are written to the sink at once
constexpr unsigned long kAlertBase = 1'000;  // OpenSSL's reason for a received alert is this plus its number

enum class Phase : std::uint8_t { handshake, answer };

/// The fault for an alert from the server: it is about this installation's certificate (§2.2) or about the protocol.
Fault fault_of_alert(int alert) noexcept {
  switch (alert) {
    case SSL_AD_CERTIFICATE_EXPIRED:
      return Fault::certificate_expired;
    case SSL_AD_CERTIFICATE_REVOKED:
      return Fault::revoked;
    case SSL_AD_UNKNOWN_CA:
      return Fault::untrusted;
    case SSL_AD_CERTIFICATE_UNKNOWN:
      return Fault::revocation_unknown;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REQUIRED:
    case SSL_AD_ACCESS_DENIED:
      return Fault::bad_certificate;
    case SSL_AD_DECRYPT_ERROR:
      return Fault::bad_signature;
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_INSUFFICIENT_SECURITY:
      return Fault::no_common_suite;
    case SSL_AD_PROTOCOL_VERSION:
      return Fault::unsupported;
    case SSL_AD_BAD_RECORD_MAC:
      return Fault::record_refused;
    case SSL_AD_INTERNAL_ERROR:
    case SSL_AD_USER_CANCELLED:
      return Fault::interrupted;
    default:
      return Fault::not_usher;
  }
}

bool is_about_certificates(Fault fault) noexcept { return exit_class_of(fault) == ExitClass::identity; }

}  // namespace

struct FileStream::State {
  State(FileStreamOptions given, const Clock& the_clock) : options(std::move(given)), clock(&the_clock) {}

  [[nodiscard]] Result<> judge(const tls::PeerCertificates& peer);
  [[nodiscard]] Result<tls::ConnectionPtr> connect(int socket, const Stop& stop);
  [[nodiscard]] Result<> send(SSL* connection, std::string_view line, const Stop& stop) const;
  [[nodiscard]] Result<> receive(SSL* connection, media::Sink& sink, const Stop& stop) const;
  [[nodiscard]] Result<> wait(SSL* connection, int error, const Patience& patience, Phase phase) const;
  [[nodiscard]] std::unexpected<Error> broken(int error, Phase phase, std::uint64_t bytes) const;
  [[nodiscard]] std::unexpected<Error> alerted(int alert) const;
  [[nodiscard]] std::string at() const { return "the server at " + options.server.text(); }

  FileStreamOptions options;
  const Clock* clock;
  tls::ContextPtr context;
  tls::SessionPtr session;       // of the last connection; used once
  pki::Chain shown;              // the server's chain in the last full handshake
  std::optional<Error> refusal;  // why the server's certificate was refused
};

namespace {

/// OpenSSL calls this for every new session; the newest is kept.
int on_session(SSL* connection, SSL_SESSION* session) {
  static_cast<tls::SessionPtr*>(SSL_get_app_data(connection))->reset(session);
  return 1;
}

}  // namespace

Result<> FileStream::State::judge(const tls::PeerCertificates& peer) {
  refusal.reset();
  auto chain = peer.chain();
  Result<> verdict;
  if (chain) {
    auto verified = options.trust->verify(*chain, clock->now(), &options.name);
    if (!verified) verdict = std::unexpected(verified.error());
  } else {
    verdict = std::unexpected(chain.error());
  }
  if (verdict) {
    shown = *std::move(chain);
  } else {
    refusal = verdict.error();
  }
  return verdict;
}

std::unexpected<Error> FileStream::State::alerted(int alert) const {
  const Fault fault = fault_of_alert(alert);
  const std::string says = SSL_alert_desc_string_long(alert);
  return fail(fault, "file stream: alert",
              is_about_certificates(fault) ? "this installation's, " + at() + " says (" + says + ")"
                                           : at() + " ended the connection (" + says + ")");
}

/// `error`: from SSL_get_error. `bytes`: of the answer that arrived so far.
std::unexpected<Error> FileStream::State::broken(int error, Phase phase, std::uint64_t bytes) const {
  const unsigned long code = ERR_peek_error();
  const int library = ERR_GET_LIB(code);
  const auto reason = static_cast<unsigned long>(ERR_GET_REASON(code));
  ERR_clear_error();
  if (library == ERR_LIB_SSL && reason > kAlertBase && reason < kAlertBase + 256) {
    return alerted(static_cast<int>(reason - kAlertBase));
  }
  if (refusal) return std::unexpected(*refusal);
  const bool ended = library == ERR_LIB_SSL && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  const bool lost = error == SSL_ERROR_SYSCALL;
  if (phase == Phase::handshake) {
    if (ended || lost) return fail(Fault::interrupted, "file stream: handshake", at() + " closed it in the handshake");
    // An error from a user library: the signing token.
    if (library >= ERR_LIB_USER)
      return fail(Fault::module_failed, "file stream: token", "the key would not sign",
                  "See that the token with this installation's key is connected.");
    return fail(Fault::not_usher, "file stream: handshake", at());
  }
  // §4.2: if anything is wrong with a request, the server closes without an answer.
  if (ended && bytes == 0) return fail(Fault::file_refused, "file stream: answer");
  if (ended || lost) {
    return fail(Fault::interrupted, "file stream: answer",
                "the answer was cut after " + std::to_string(bytes) + " bytes",
                "Fetch it again; with --continue what came already is kept.");
  }
  return fail(Fault::record_refused, "file stream: answer", "after " + std::to_string(bytes) + " bytes");
}

Result<> FileStream::State::wait(SSL* connection, int error, const Patience& patience, Phase phase) const {
  const auto events = static_cast<short>(error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN);
  USHER_TRY(const bool ready, patience.wait(SSL_get_fd(connection), events));
  if (ready) return {};
  return phase == Phase::handshake
             ? fail(Fault::unreachable, "file stream: handshake", at() + " does not carry on with the handshake")
             : fail(Fault::interrupted, "file stream: stall", at() + " has stopped to send");
}

Result<tls::ConnectionPtr> FileStream::State::connect(int socket, const Stop& stop) {
  tls::ConnectionPtr connection(SSL_new(context.get()));
  if (!connection || SSL_set_fd(connection.get(), socket) != 1 || SSL_set_app_data(connection.get(), &session) != 1) {
    return crypto::ossl_fail(Fault::local, "file stream: connection");
  }
  if (!pki::IpAddress::from_text(options.server.host)) {
    // The macro for this call uses an old-style cast.
    SSL_ctrl(connection.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(options.server.host.c_str()));
  }
  if (const tls::SessionPtr known = std::move(session); known) {
    // A resumed handshake has no certificate: verify the earlier chain again.
    USHER_CHECK(options.trust->verify(shown, clock->now(), &options.name));
    SSL_set_session(connection.get(), known.get());
  }
  refusal.reset();
  const Patience patience(options.handshake_deadline, stop);
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(connection.get());
    if (done == 1) break;
    const int error = SSL_get_error(connection.get(), done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return broken(error, Phase::handshake, 0);
    USHER_CHECK(wait(connection.get(), error, patience, Phase::handshake));
  }
  if (auto good = tls::check_established(connection.get()); !good) return fail(good.error().fault, "tls", at());
  return connection;
}

Result<> FileStream::State::send(SSL* connection, std::string_view line, const Stop& stop) const {
  const Patience patience(options.stall_deadline, stop);
  for (;;) {
    ERR_clear_error();
    std::size_t sent = 0;
    const int done = SSL_write_ex(connection, line.data(), line.size(), &sent);
    if (done == 1) return {};
    const int error = SSL_get_error(connection, done);
    // In TLS 1.3 the server may have refused the certificate by now. Its alert can still be read.
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return {};
    USHER_CHECK(wait(connection, error, patience, Phase::answer));
  }
}

Result<> FileStream::State::receive(SSL* connection, media::Sink& sink, const Stop& stop) const {
  Bytes buffer(kBuffer);
  std::size_t filled = 0;
  std::uint64_t total = 0;
  const auto flush = [&]() -> Result<> {
    if (stop && stop()) return fail(Fault::cancelled, "file stream");
    const View full = View(buffer).first(std::exchange(filled, 0));
    return full.empty() ? Result<>{} : sink.write(full);
  };
  for (;;) {
    ERR_clear_error();
    std::size_t got = 0;
    const int done = SSL_read_ex(connection, buffer.data() + filled, buffer.size() - filled, &got);
    filled += got;
    total += got;
    if (done == 1 && filled < buffer.size()) continue;
    const int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(connection, done);
    // Keep what has arrived, even after an error: an interrupted transfer can be continued.
    const auto failed = error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL
                            ? std::optional(broken(error, Phase::answer, total))
                            : std::nullopt;
    USHER_CHECK(flush());
    if (failed) return *failed;
    if (error == SSL_ERROR_ZERO_RETURN) return {};  // close_notify, §4.1
    if (error == SSL_ERROR_NONE) continue;
    const Patience patience(total == 0 ? options.first_deadline : options.stall_deadline, stop);
    USHER_CHECK(wait(connection, error, patience, Phase::answer));
  }
}

FileStream::FileStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileStream::FileStream(FileStream&&) noexcept = default;
FileStream& FileStream::operator=(FileStream&&) noexcept = default;
FileStream::~FileStream() = default;

Result<FileStream> FileStream::create(FileStreamOptions options, const Clock& clock) {
  auto state = std::make_unique<State>(std::move(options), clock);
  State* const borrowed = state.get();
  USHER_TRY(state->context,
            tls::make_context(tls::Side::client, [borrowed](SSL* /*connection*/, const tls::PeerCertificates& peer) {
              return borrowed->judge(peer);
            }));
  SSL_CTX* const context = state->context.get();
  USHER_CHECK(tls::add_identity(context, state->options.chain, state->options.key->ossl()));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_session);
  SSL_CTX_set_read_ahead(context, 1);
  return FileStream(std::move(state));
}

Result<> FileStream::ask(const wire::FileRequest& request, media::Sink& sink, const Stop& stop) {
  const auto line = wire::encode_file_request(request);
  if (!line) {
    return fail(Fault::bad_usage, "file stream: request",
                "no file of a server is called '" + printable(wire::argument_of(request)) + "'");
  }
  USHER_TRY(const Descriptor socket, dial(state_->options.server, state_->options.connect_deadline, stop));
  const NoBrokenPipe quiet;
  USHER_TRY(const tls::ConnectionPtr connection, state_->connect(socket.get(), stop));
  USHER_CHECK(state_->send(connection.get(), *line, stop));
  USHER_CHECK(state_->receive(connection.get(), sink, stop));
  // TLS 1.3 gives a new session each time. The session of TLS 1.2 can be used again.
  if (!state_->session && SSL_version(connection.get()) == TLS1_2_VERSION) {
    state_->session.reset(SSL_get1_session(connection.get()));
  }
  SSL_shutdown(connection.get());  // sends our close_notify too; its result does not matter
  ERR_clear_error();
  return {};
}

const FileStreamOptions& FileStream::options() const noexcept { return state_->options; }

}  // namespace usher::client
