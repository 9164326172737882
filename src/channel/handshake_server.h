// channel/handshake_server: the server's side of the handshake, without I/O.  Spec: channel.md §1, §4, §5.
//
//   AwaitHello ─ClientHello→ AwaitKeys ─ClientKeys, record→ AwaitFinished ─record: ClientFinished→ a ServerSession
//
// A step that fails closes the machine, with the exceptions named below. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "base/random.h"
#include "channel/session.h"

namespace usher::channel {

/// Immutable; shared by all handshakes that began since the last reload.
struct ServerSettings {
  SuiteOrder suites = default_suites();
  GroupOrder groups = default_groups();
  pki::Chain chain;                                // the server's own, leaf first
  std::shared_ptr<const crypto::Signer> signer;    // the leaf's key
  std::shared_ptr<const pki::TrustStore> clients;  // role client
  Milliseconds handshake_time{10'000};             // from ClientHello to ClientFinished, §4.3
};

/// The result of a verified record that arrived before the session was open.
struct FinishStep {
  Bytes answer;                            // a record, to be sent with HTTP 200
  std::unique_ptr<ServerSession> session;  // set: the client's Finished is right
  std::optional<Error> refused;            // set otherwise: the answer reports it, and the machine is closed
};

class ServerHandshake {
 public:
  /// `random` is borrowed by the machine and by the session that it makes.
  ServerHandshake(std::shared_ptr<const ServerSettings> settings, Random& random);
  ~ServerHandshake();
  ServerHandshake(ServerHandshake&&) noexcept;
  ServerHandshake& operator=(ServerHandshake&&) noexcept;

  /// Handles the body of `POST /api/protocols` or `POST /api/keys`. Returns the body of the answer: ServerHello ‖
  /// ServerProof, or KeysAccepted. An error closes the machine, with one exception: in AwaitFinished every handshake
  /// message is refused with unexpected_message and nothing changes, because the message may not be the client's.
  /// Errors: unexpected_message, malformed, unsupported, too_long, no_common_suite, no_common_group, bad_key_share,
  /// record_refused, bad_signature, unknown_session (too late), those of the client's chain, the signer's.
  [[nodiscard]] Result<Bytes> on_messages(View body, Time now);

  /// Handles a record of direction 0. In AwaitFinished it must be `api/finished`.
  /// Errors: record_refused, malformed, unsupported, too_long (nothing has changed); unexpected_message (before
  /// ClientKeys, or closed); unknown_session (too late).
  [[nodiscard]] Result<FinishStep> on_record(Bytes record, Time now);

  /// Chosen with ClientHello; zeros before.
  [[nodiscard]] const Id128& session() const noexcept { return session_; }
  /// nullptr before ClientHello.
  [[nodiscard]] const Suite* suite() const noexcept { return suite_; }
  [[nodiscard]] bool closed() const noexcept;
  /// For the log: the fingerprint of the key in the client's certificate. nullopt before ClientKeys, or if there is no
  /// such certificate. Proven to be the client's once ClientKeys was accepted.
  [[nodiscard]] const std::optional<Hash256>& client_key() const noexcept { return client_key_; }
  /// The time at which the half-open session ends. The caller removes it then.
  [[nodiscard]] Time deadline() const noexcept { return deadline_; }

 private:
  struct AwaitHello {};
  struct AwaitKeys;
  struct AwaitFinished;
  struct Closed {};
  using State = std::variant<AwaitHello, std::unique_ptr<AwaitKeys>, std::unique_ptr<AwaitFinished>, Closed>;
  struct Steps;

  std::shared_ptr<const ServerSettings> settings_;
  Random* random_;
  State state_;
  Id128 session_{};
  const Suite* suite_ = nullptr;
  std::optional<Hash256> client_key_;
  Time deadline_{};
};

}  // namespace usher::channel
