// channel/handshake_client: the client's side of the handshake, without I/O.  Spec: channel.md §1, §4, §5.
//
//   start ─→ AwaitHello ─ServerHello, ServerProof→ AwaitAccepted ─KeysAccepted→ AwaitFinished
//         ─record: ServerFinished→ a ClientSession
//   AwaitHello ─Retry→ AwaitHello, once
//
// A step that fails closes the machine, with the exceptions named below. One thread at a time.
#pragma once

#include <memory>
#include <variant>

#include "base/random.h"
#include "channel/session.h"

namespace usher::channel {

struct ClientSettings {
  SuiteOrder suites = default_suites();  // offered, in this order
  GroupOrder groups = default_groups();
  pki::Chain chain;                                // the installation's own, leaf first
  std::shared_ptr<const crypto::Signer> signer;    // the leaf's key
  std::shared_ptr<const pki::TrustStore> servers;  // role server
  pki::ServerName name;                            // the name that was dialled, or pinned
};

class ClientHandshake {
 public:
  /// `random` is borrowed by the machine and by the session that it makes.
  ClientHandshake(std::shared_ptr<const ClientSettings> settings, Random& random);
  ~ClientHandshake();
  ClientHandshake(ClientHandshake&&) noexcept;
  ClientHandshake& operator=(ClientHandshake&&) noexcept;

  /// Step 1: the body of `POST /api/protocols`. Errors: unexpected_message, when it was called before.
  [[nodiscard]] Result<Bytes> start();

  /// Handles the answers to `POST /api/protocols` and `POST /api/keys`. Returns the next body to send: that of
  /// `POST /api/keys` (ClientKeys ‖ record), then the record of `api/finished` for `POST /`. After a Retry (then
  /// awaits_hello() is true) it is the body of a second `POST /api/protocols`.
  /// An error closes the machine, with one exception: after KeysAccepted every message is refused with
  /// unexpected_message, and nothing changes.
  /// Errors: unexpected_message, malformed, unsupported, too_long, no_common_suite, bad_group (not offered, not
  /// fitting, p or g changed), bad_key_share, bad_signature, server_busy (a second Retry), those of the server's chain
  /// or name, the signer's.
  [[nodiscard]] Result<Bytes> on_messages(View body, Time now);

  /// Handles the answer to `api/finished`. Errors: record_refused, malformed, unsupported, too_long for a record that
  /// does not verify (nothing has changed); bad_finished, unexpected_message, malformed (closed).
  [[nodiscard]] Result<std::unique_ptr<ClientSession>> on_record(Bytes record, Time now);

  [[nodiscard]] bool closed() const noexcept;
  /// Whether the machine waits for the answer to a ClientHello.
  [[nodiscard]] bool awaits_hello() const noexcept;

 private:
  struct Ready {};
  struct AwaitHello;
  struct AwaitAccepted;
  struct AwaitFinished;
  struct Closed {};
  using State = std::variant<Ready, std::unique_ptr<AwaitHello>, std::unique_ptr<AwaitAccepted>,
                             std::unique_ptr<AwaitFinished>, Closed>;
  struct Steps;

  std::shared_ptr<const ClientSettings> settings_;
  Random* random_;
  State state_;
};

}  // namespace usher::channel
