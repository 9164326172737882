// channel/session: an open channel, which carries requests and responses.  Spec: channel.md §5 (exporter), §6, §7.
//
// Both ends are thread-safe: many requests of one session are handled at once, over several connections.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "channel/record.h"
#include "wire/api.h"

namespace usher::channel {

/// The keys of both directions. Running calls share them, so that close() never destroys a key that a call still uses.
struct Traffic {
  /// `own`: our side. Takes ownership of the keys, except the Finished keys.
  Traffic(const Suite& suite, const Id128& session, Side own, TrafficKeys& keys, Random& random);
  Sealer sealer;
  Opener opener;
  ChunkKeys chunk_keys;
};

/// The parts of a session. Its proofs exist only if the checks succeeded.
struct Established {
  const Suite& suite;
  Id128 session;
  PeerVerified peer;
  FinishVerified finish;
  crypto::Secret exporter_secret;
  std::shared_ptr<Traffic> traffic;
  Time opened{};
};

/// The common part of both ends.
class Session {
 public:
  [[nodiscard]] const Id128& id() const noexcept { return session_; }
  [[nodiscard]] const Suite& suite() const noexcept { return suite_; }
  /// The other side: chain and role were verified by the caller's trust store.
  [[nodiscard]] const pki::VerifiedPeer& peer() const noexcept { return peer_.peer(); }
  [[nodiscard]] Time opened() const noexcept { return opened_; }
  /// exporter(label), 32 bytes, the same on both sides. Errors: session_over.
  [[nodiscard]] Result<Hash256> exporter(std::string_view label) const;
  /// Records sealed and accepted so far. A session that has sealed kMaxRecords is over.
  [[nodiscard]] std::uint64_t sealed() const noexcept;
  [[nodiscard]] std::uint64_t opened_records() const noexcept;
  /// Destroys the keys as soon as the last running call has returned. New calls fail with session_over. It may be
  /// called again.
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

/// A request whose record has been verified. It always gets an answer inside a record.
struct IncomingRequest {
  std::uint64_t sequence = 0;
  /// For `api/download`. Answer it with seal_chunk or seal_chunk_refusal, and these ids.
  std::optional<ChunkIds> chunk;
  /// True for `api/auth`: the plaintext of its answer has at least wire::kAuthAnswer bytes.
  bool auth = false;
  /// malformed; unexpected_message: a second `api/finished`. Answer with status_of(error.fault).
  Result<wire::Request> request;
};

class ServerSession final : public Session {
 public:
  explicit ServerSession(Established parts) : Session(std::move(parts)) {}

  /// Consumes the record. Errors: record_refused, malformed, unsupported, too_long: no state has changed, and there can
  /// be no answer inside a record; session_over.
  [[nodiscard]] Result<IncomingRequest> open_request(Bytes record);

  /// Replaces the content of `out` with the record that answers `request`. With a status other than ok, `body` is not
  /// sent. `least`: least bytes of the plaintext, a power of two; for answers to `api/auth` see auth_answer_size().
  /// Errors: too_long (above 1,048,564 bytes), session_over.
  [[nodiscard]] Result<> seal_response(Bytes& out, std::uint64_t request, wire::Status status, View body = {},
                                       std::size_t least = 512);
  /// The answer to `api/download`: P(chunk_size) bytes of plaintext, with its own key. chunk_size: the release's.
  /// Errors: too_long (proof above 24 hashes, chunk above chunk_size, chunk_size above 1 MiB), session_over.
  [[nodiscard]] Result<> seal_chunk(Bytes& out, std::uint64_t request, const ChunkIds& ids, std::size_t chunk_size,
                                    std::span<const Hash256> proof, View chunk);
  /// The same size and key for a refusal. chunk_size: wire::kNoChunkSize if the request names no play of this person.
  [[nodiscard]] Result<> seal_chunk_refusal(Bytes& out, std::uint64_t request, const ChunkIds& ids,
                                            std::size_t chunk_size, wire::Status status);
};

/// Bytes of plaintext of every answer to `api/auth` from a server with this id and these keys (channel.md §6.4). Does
/// not depend on the person's name.
[[nodiscard]] std::size_t auth_answer_size(const wire::Authenticated& server);

struct SealedRequest {
  Bytes record;
  std::uint64_t sequence = 0;
};

/// A response that was verified. It owns the record's buffer, which holds the body. It wipes the buffer, because a
/// chunk may be in it.
class Response {
 public:
  Response(std::uint64_t request, wire::ResponseHead head, Bytes buffer, std::size_t at)
      : request_(request), head_(head), buffer_(crypto::Secret::take(std::move(buffer))), at_(at) {}
  [[nodiscard]] std::uint64_t request() const noexcept { return request_; }
  [[nodiscard]] wire::Status status() const noexcept { return static_cast<wire::Status>(head_.status); }
  [[nodiscard]] bool ok() const noexcept { return head_.status == 0; }
  [[nodiscard]] wire::ResponseType type() const noexcept { return head_.type; }
  /// Valid as long as this object exists and is not moved.
  [[nodiscard]] View body() const noexcept { return buffer_.expose().subspan(at_, head_.body_size); }

 private:
  std::uint64_t request_;
  wire::ResponseHead head_;
  crypto::Secret buffer_;
  std::size_t at_;
};

class ClientSession final : public Session {
 public:
  static constexpr std::size_t kMaxOutstanding = 1024;  // requests; a server's window may be no larger

  explicit ClientSession(Established parts) : Session(std::move(parts)) {}

  /// Seals a request, which is outstanding from then on. Parameters: names strictly ascending.
  /// Errors: too_long (body above 49,152 bytes; of `api/auth`, more than wire::kAuthRequest holds), busy
  /// (kMaxOutstanding), session_over.
  [[nodiscard]] Result<SealedRequest> seal_request(std::string_view path, std::vector<wire::Parameter> parameters,
                                                   View body);
  /// Consumes the record. Accepts one response for each outstanding request. Opens a chunk response with its own key.
  /// Errors: record_refused (also a response without an outstanding request, or a second response), malformed,
  /// unsupported, too_long, session_over. If a verified response is malformed, its request is no longer outstanding.
  [[nodiscard]] Result<Response> open_response(Bytes record);
  /// Removes an outstanding request, because its connection broke. A later response is refused.
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
