#include "channel/session.h"

namespace usher::channel {
namespace {

constexpr std::size_t kMaxChunkSize = 1 << 20;  // bytes
constexpr std::array<std::uint8_t, wire::kProofDepth * 32> kNoProof{};

}  // namespace

Traffic::Traffic(const Suite& suite, const Id128& session, Side own, TrafficKeys& keys, Random& random)
    : sealer(suite, session, own == Side::client ? wire::Direction::to_server : wire::Direction::to_client,
             std::move(own == Side::client ? keys.client_write : keys.server_write), random),
      opener(suite, session, own == Side::client ? wire::Direction::to_client : wire::Direction::to_server,
             std::move(own == Side::client ? keys.server_write : keys.client_write)),
      chunk_keys(suite, keys.chunk_secret) {
  keys.chunk_secret.clear();
}

Session::Session(Established parts)
    : suite_(parts.suite),
      session_(parts.session),
      peer_(std::move(parts.peer)),
      opened_(parts.opened),
      traffic_(std::move(parts.traffic)),
      exporter_secret_(std::move(parts.exporter_secret)) {}

Result<std::shared_ptr<Traffic>> Session::traffic() const {
  const std::lock_guard lock(mutex_);
  if (!traffic_) return fail(Fault::session_over, "session");
  return traffic_;
}

Result<Hash256> Session::exporter(std::string_view label) const {
  const std::lock_guard lock(mutex_);
  if (!traffic_) return fail(Fault::session_over, "exporter");
  return exported(suite_, exporter_secret_, label);
}

std::uint64_t Session::sealed() const noexcept {
  const std::lock_guard lock(mutex_);
  return traffic_ ? traffic_->sealer.count() : 0;
}

std::uint64_t Session::opened_records() const noexcept {
  const std::lock_guard lock(mutex_);
  return traffic_ ? traffic_->opener.count() : 0;
}

void Session::close() noexcept {
  const std::lock_guard lock(mutex_);
  traffic_.reset();
  exporter_secret_.clear();
}

bool Session::closed() const noexcept {
  const std::lock_guard lock(mutex_);
  return traffic_ == nullptr;
}

Result<IncomingRequest> ServerSession::open_request(Bytes record) {
  USHER_TRY(const auto keys, traffic());
  USHER_TRY(OpenedRecord opened, keys->opener.open(record, wire::Padding::any_request));
  IncomingRequest incoming{opened.header.sequence, std::nullopt, false, fail(Fault::malformed, "request")};
  if (opened.content) incoming.request = wire::Request::decode(*opened.content);
  const std::size_t usual = opened.content ? wire::padded_request(opened.content->size()) : 0;
  crypto::wipe(record);
  if (!incoming.request) return incoming;
  incoming.auth = incoming.request->path == wire::kPathAuth;
  const bool right_size = opened.total == (incoming.auth ? wire::kAuthRequest : usual);
  if (incoming.request->path == wire::kPathFinished) {
    incoming.request = fail(Fault::unexpected_message, "request: a second Finished");
  } else if (incoming.request->path == wire::kPathDownload) {
    incoming.chunk = ChunkIds::of_body(incoming.request->body);
  }
  if (!right_size) incoming.request = fail(Fault::malformed, "request: padding");
  return incoming;
}

Result<> ServerSession::seal_response(Bytes& out, std::uint64_t request, wire::Status status, View body,
                                      std::size_t least) {
  USHER_TRY(const auto keys, traffic());
  if (body.size() > wire::kMaxPlaintext) return fail(Fault::too_long, "response");
  const bool plain = status != wire::Status::ok || body.empty();
  const View sent = plain ? View{} : body;
  const auto head = wire::ResponseHead{static_cast<std::uint16_t>(status),
                                       plain ? wire::ResponseType::empty : wire::ResponseType::structure,
                                       static_cast<std::uint32_t>(sent.size())}
                        .encode();
  USHER_CHECK(keys->sealer.seal(out, {head, sent}, wire::padded_response(head.size() + sent.size(), least), request));
  return {};
}

Result<> ServerSession::seal_chunk(Bytes& out, std::uint64_t request, const ChunkIds& ids, std::size_t chunk_size,
                                   std::span<const Hash256> proof, View chunk) {
  USHER_TRY(const auto keys, traffic());
  if (chunk_size > kMaxChunkSize || chunk.size() > chunk_size || proof.size() > wire::kProofDepth) {
    return fail(Fault::too_long, "chunk response");
  }
  const auto depth = static_cast<std::uint8_t>(proof.size());
  // An array of arrays of bytes is contiguous: the cipher reads it without a copy.
  const View hashes{reinterpret_cast<const std::uint8_t*>(proof.data()), proof.size_bytes()};
  const View no_more = View{kNoProof}.subspan(hashes.size());
  std::array<std::uint8_t, 4> length{};
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::uint8_t>(chunk.size() >> (8 * (length.size() - 1 - i)));
  }
  const std::size_t body = 1 + kNoProof.size() + length.size() + chunk.size();
  const auto head = wire::ResponseHead{0, wire::ResponseType::chunk, static_cast<std::uint32_t>(body)}.encode();
  const ChunkUse use{keys->chunk_keys, ids};
  USHER_CHECK(keys->sealer.seal(out, {head, View{&depth, 1}, hashes, no_more, length, chunk},
                                wire::padded_chunk(chunk_size), request, &use));
  return {};
}

Result<> ServerSession::seal_chunk_refusal(Bytes& out, std::uint64_t request, const ChunkIds& ids,
                                           std::size_t chunk_size, wire::Status status) {
  USHER_TRY(const auto keys, traffic());
  if (chunk_size > kMaxChunkSize) return fail(Fault::too_long, "chunk response");
  const auto head = wire::ResponseHead{static_cast<std::uint16_t>(status), wire::ResponseType::empty, 0}.encode();
  const ChunkUse use{keys->chunk_keys, ids};
  USHER_CHECK(keys->sealer.seal(out, {head}, wire::padded_chunk(chunk_size), request, &use));
  return {};
}

std::size_t auth_answer_size(const wire::Authenticated& server) {
  wire::Authenticated longest = server;
  longest.name.assign(wire::kMaxPersonName, ' ');
  return wire::padded_response(wire::kResponseHead + longest.encode().size(), wire::kAuthAnswer);
}

Result<SealedRequest> ClientSession::seal_request(std::string_view path, std::vector<wire::Parameter> parameters,
                                                  View body) {
  USHER_TRY(const auto keys, traffic());
  if (path.size() > wire::kMaxPath || body.size() > wire::kMaxRequestBody) return fail(Fault::too_long, "request");
  const Bytes content = wire::Request{std::string(path), std::move(parameters), to_bytes(body)}.encode();
  Waiting waiting{.chunk = std::nullopt, .auth = path == wire::kPathAuth};
  if (path == wire::kPathDownload) waiting.chunk = ChunkIds::of_body(body);
  if (waiting.auth && wire::kLengthSize + content.size() > wire::kAuthRequest) return fail(Fault::too_long, "request");
  const std::size_t total = waiting.auth ? wire::kAuthRequest : wire::padded_request(content.size());

  // Held while sealing: an answer must not arrive before its request is known to be outstanding.
  const std::lock_guard lock(mutex_);
  if (outstanding_.size() >= kMaxOutstanding) return fail(Fault::busy, "request: too many are waiting");
  SealedRequest sealed;
  USHER_TRY(sealed.sequence, keys->sealer.seal(sealed.record, {content}, total));
  outstanding_.emplace(sealed.sequence, waiting);
  return sealed;
}

Result<Response> ClientSession::open_response(Bytes record) {
  USHER_TRY(const auto keys, traffic());
  USHER_TRY(const wire::RecordHeader header, wire::RecordHeader::decode(record));
  Waiting waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = outstanding_.find(header.request);
    if (found == outstanding_.end()) return fail(Fault::record_refused, "response: no request waits for it");
    waiting = found->second;
  }
  const std::optional<ChunkIds>& ids = waiting.chunk;
  const ChunkUse use{keys->chunk_keys, ids.value_or(ChunkIds{})};
  const wire::Padding padding = ids            ? wire::Padding::chunk
                                : waiting.auth ? wire::Padding::auth_response
                                               : wire::Padding::response;
  USHER_TRY(OpenedRecord opened, keys->opener.open(record, padding, ids ? &use : nullptr));
  {
    const std::lock_guard lock(mutex_);
    if (outstanding_.erase(header.request) == 0) return fail(Fault::record_refused, "response: a second one");
  }
  if (!opened.content) return std::unexpected(opened.content.error());
  USHER_TRY(const wire::ResponseHead head, wire::ResponseHead::decode(*opened.content));
  const auto expected = ids ? wire::ResponseType::chunk : wire::ResponseType::structure;
  if (head.type != wire::ResponseType::empty && head.type != expected) return fail(Fault::malformed, "response: type");
  const auto at = static_cast<std::size_t>(opened.content->data() - record.data()) + wire::kResponseHead;
  return Response(header.request, head, std::move(record), at);
}

void ClientSession::forget(std::uint64_t request) noexcept {
  const std::lock_guard lock(mutex_);
  outstanding_.erase(request);
}

std::size_t ClientSession::outstanding() const noexcept {
  const std::lock_guard lock(mutex_);
  return outstanding_.size();
}

}  // namespace usher::channel
