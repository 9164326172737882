// channel/session: an open channel: requests one way, responses the other.  Spec: channel.md §5 (exporter), §6, §7.
//
// Both ends are thread-safe: many requests of one session are worked on at once, over several connections.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "channel/record.h"
#include "wire/api.h"

namespace usher::channel {

/// Both directions' keys. Shared by the calls that are under way, so that close() never pulls a key from under one.
struct Traffic {
  /// `own`: which side we are. Takes the keys over, but for the Finished keys.
  Traffic(const Suite& suite, const Id128& session, Side own, TrafficKeys& keys, Random& random);
  Sealer sealer;
  Opener opener;
  ChunkKeys chunk_keys;
};

/// What a session is made of; its proofs cannot be had without the checks.
struct Established {
  const Suite& suite;
  Id128 session;
  PeerVerified peer;
  FinishVerified finish;
  crypto::Secret exporter_secret;
  std::shared_ptr<Traffic> traffic;
  Time opened{};
};

/// What both ends have in common.
class Session {
 public:
  [[nodiscard]] const Id128& id() const noexcept { return session_; }
  [[nodiscard]] const Suite& suite() const noexcept { return suite_; }
  /// The other side: chain and role were verified by the caller's trust store.
  [[nodiscard]] const identity::VerifiedPeer& peer() const noexcept { return peer_.peer(); }
  [[nodiscard]] Time opened() const noexcept { return opened_; }
  /// exporter(label), 32 bytes, the same on both sides. Errors: session_over.
  [[nodiscard]] Result<Hash256> exporter(std::string_view label) const;
  /// Records sealed and accepted so far. A session that has sealed kMaxRecords is over.
  [[nodiscard]] std::uint64_t sealed() const noexcept;
  [[nodiscard]] std::uint64_t opened_records() const noexcept;
  /// Destroys the keys, as soon as the last call that is under way has returned. Everything fails with session_over
  /// from then on. Repeatable.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;

 protected:
  explicit Session(Established parts);
  ~Session() = default;
  [[nodiscard]] Result<std::shared_ptr<Traffic>> traffic() const;

 private:
  const Suite& suite_;
  Id128 session_;
  PeerVerified peer_;
  Time opened_;
  mutable std::mutex mutex_;
  std::shared_ptr<Traffic> traffic_;  // empty once closed
  crypto::Secret exporter_secret_;
};

/// A request whose record has been verified: it always gets an answer inside a record.
struct IncomingRequest {
  std::uint64_t sequence = 0;
  /// For `api/download`: it is answered with seal_chunk or seal_chunk_refusal, and these ids.
  std::optional<ChunkIds> chunk;
  /// It is one to `api/auth`: the plaintext of its answer has wire::kAuthAnswer bytes at least.
  bool auth = false;
  /// malformed; unexpected_message: a second `api/finished`. Answer with status_of(error.fault).
  Result<wire::Request> request;
};

class ServerSession final : public Session {
 public:
  explicit ServerSession(Established parts) : Session(std::move(parts)) {}

  /// Consumes the record. Errors: record_refused, malformed, unsupported, too_long: no state has changed, there is no
  /// answer inside a record; session_over.
  [[nodiscard]] Result<IncomingRequest> open_request(Bytes record);

  /// Writes the record that answers `request` to `out` (in place of what is there). A status other than ok takes no
  /// body. `least`: bytes of the plaintext, a power of two: of answers to `api/auth`, see auth_answer_size().
  /// Errors: too_long (above 1,048,564 bytes), session_over.
  [[nodiscard]] Result<> seal_response(Bytes& out, std::uint64_t request, wire::Status status, View body = {},
                                       std::size_t least = 512);
  /// The answer to `api/download`, as large as P(chunk_size) says, with a key of its own. chunk_size: the release's.
  /// Errors: too_long (proof above 24 hashes, chunk above chunk_size, chunk_size above 1 MiB), session_over.
  [[nodiscard]] Result<> seal_chunk(Bytes& out, std::uint64_t request, const ChunkIds& ids, std::size_t chunk_size,
                                    std::span<const Hash256> proof, View chunk);
  /// The same size and key for a refusal. chunk_size: wire::kNoChunkSize where no play of this person is named.
  [[nodiscard]] Result<> seal_chunk_refusal(Bytes& out, std::uint64_t request, const ChunkIds& ids,
                                            std::size_t chunk_size, wire::Status status);
};

/// The plaintext of every answer to `api/auth` of a server with this id and these keys (channel.md §6.4): whatever the name.
[[nodiscard]] std::size_t auth_answer_size(const wire::Authenticated& server);

struct SealedRequest {
  Bytes record;
  std::uint64_t sequence = 0;
};

/// A response that was verified. The body lies in the record's own buffer, which it owns and wipes: a chunk is in it.
class Response {
 public:
  Response(std::uint64_t request, wire::ResponseHead head, Bytes buffer, std::size_t at)
      : request_(request), head_(head), buffer_(crypto::Secret::take(std::move(buffer))), at_(at) {}
  [[nodiscard]] std::uint64_t request() const noexcept { return request_; }
  [[nodiscard]] wire::Status status() const noexcept { return static_cast<wire::Status>(head_.status); }
  [[nodiscard]] bool ok() const noexcept { return head_.status == 0; }
  [[nodiscard]] wire::ResponseType type() const noexcept { return head_.type; }
  /// Lives as long as this object stands where it is.
  [[nodiscard]] View body() const noexcept { return buffer_.expose().subspan(at_, head_.body_size); }

 private:
  std::uint64_t request_;
  wire::ResponseHead head_;
  crypto::Secret buffer_;
  std::size_t at_;
};

class ClientSession final : public Session {
 public:
  static constexpr std::size_t kMaxOutstanding = 1024;  // requests; the server's window is no larger

  explicit ClientSession(Established parts) : Session(std::move(parts)) {}

  /// The request is outstanding from now on. Parameters: names strictly ascending.
  /// Errors: too_long (body above 49,152 bytes; of `api/auth`, more than wire::kAuthRequest holds), busy (kMaxOutstanding), session_over.
  [[nodiscard]] Result<SealedRequest> seal_request(std::string_view path, std::vector<wire::Parameter> parameters,
                                                   View body);
  /// Consumes the record. One response is accepted for each outstanding request; a chunk's is opened with its own key.
  /// Errors: record_refused (also: a response that nobody waits for, or a second one), malformed, unsupported,
  /// too_long, session_over. When a verified response is malformed its request is no longer outstanding.
  [[nodiscard]] Result<Response> open_response(Bytes record);
  /// Nobody waits for the response any more: the connection broke. A later response is refused.
  void forget(std::uint64_t request) noexcept;
  [[nodiscard]] std::size_t outstanding() const noexcept;

 private:
  struct Waiting {
    std::optional<ChunkIds> chunk;
    bool auth = false;
  };
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Waiting> outstanding_;
};

}  // namespace usher::channel
