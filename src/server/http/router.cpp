#include "server/http/router.h"

#include <array>
#include <chrono>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "wire/record.h"

namespace usher::server {
namespace {

constexpr std::string_view kExporterLabel = "person";  // channel.md §5, identity.md §7

/// SHA-256 of path and body, to check that a repeated operation is the same one.
Hash256 content_of(const wire::Request& request) {
  const std::array<std::uint8_t, 1> length{static_cast<std::uint8_t>(request.path.size())};
  return crypto::sha256({length, view_of(request.path), request.body});
}

}  // namespace

struct Router::Row {
  std::string_view path;
  bool person;     // §9.2 "needs a person"
  bool operation;  // §9.2 "op"
  Verb verb;       // nullptr: answered elsewhere (chunks)
};

std::span<const Router::Row> Router::rows() noexcept {
  static constexpr std::array kRows{
      Row{wire::kPathAuth, false, false, &Router::auth},        Row{wire::kPathList, true, false, &Router::list},
      Row{wire::kPathLicences, true, false, &Router::licences}, Row{wire::kPathLicense, true, true, &Router::license},
      Row{wire::kPathPlays, true, false, &Router::plays},       Row{wire::kPathOpen, true, true, &Router::open},
      Row{wire::kPathResume, true, true, &Router::resume},      Row{wire::kPathClose, true, true, &Router::close},
      Row{wire::kPathDownload, true, false, nullptr},           Row{wire::kPathExit, false, false, &Router::exit},
  };
  return kRows;
}

Router::Router(const Parts& parts) : p_(parts) {
  wire::Authenticated own;
  own.server_id = p_.media.issuer().server_id;
  own.licence_keys = p_.media.issuer().public_keys;
  auth_answer_ = channel::auth_answer_size(own);
}

const Router::Row* Router::row_of(std::string_view path) noexcept {
  for (const Row& row : rows()) {
    if (row.path == path) return &row;
  }
  return nullptr;
}

Result<Router::Call> Router::prepare(const Row& row, LiveSession& session, const wire::Request& request,
                                     std::uint64_t number) const {
  const std::size_t expected = row.operation ? 1 : 0;
  if (request.parameters.size() != expected) return fail(Fault::malformed, "request: parameters");
  Call call{.session = session,
            .person = session.person(),
            .operation = {},
            .body = request.body,
            .now = p_.clock.now(),
            .number = number};
  if (row.operation) {
    const Bytes* id = request.parameter(wire::kParameterOperation);
    if (id == nullptr || id->size() != call.operation.id.size()) return fail(Fault::malformed, "request: operation");
    call.operation = {.id = array_of<16>(*id), .content = content_of(request)};
  }
  if (row.person && !call.person) return fail(Fault::not_authenticated, "request");
  return call;
}

Result<Bytes> Router::run(LiveSession& session, const Result<wire::Request>& request, std::uint64_t number) {
  if (!request) return std::unexpected(request.error());
  const Row* row = row_of(request->path);
  if (row == nullptr || row->verb == nullptr) return fail(Fault::unknown_path, "request");
  USHER_TRY(const Call call, prepare(*row, session, *request, number));
  return (this->*row->verb)(call);
}

Result<> Router::answer(LiveSession& session, const channel::IncomingRequest& request, std::uint64_t number,
                        Bytes& out) {
  if (request.chunk) return answer_chunk(session, request, number, out);
  const auto begin = std::chrono::steady_clock::now();
  const auto body = run(session, request.request, number);
  const wire::Status status = body ? wire::Status::ok : wire::status_of(body.error().fault);
  const Result<> sealed = session.channel().seal_response(out, request.sequence, status, body ? View(*body) : View(),
                                                          request.auth ? auth_answer_ : 512);
  const Row* row = request.request ? row_of(request.request->path) : nullptr;
  const std::string_view path = row == nullptr ? "other" : row->path;
  if (path == wire::kPathExit && body) p_.sessions.end(session.channel().id(), "exit");
  note(session, number, path, body ? nullptr : &body.error());
  p_.metrics.request(path, body ? "ok" : code_of(body.error().fault), std::chrono::steady_clock::now() - begin);
  return sealed;
}

Result<service::GrantedChunk> Router::granted(LiveSession& session, const Result<wire::Request>& request,
                                              std::uint64_t number, wire::Chunk& wanted) {
  if (!request) return std::unexpected(request.error());
  USHER_TRY(const Call call, prepare(*row_of(wire::kPathDownload), session, *request, number));
  USHER_TRY(wanted, wire::Chunk::decode(request->body));
  return p_.media.chunk(call.caller(), wanted, call.now);
}

Result<> Router::answer_chunk(LiveSession& session, const channel::IncomingRequest& request, std::uint64_t number,
                              Bytes& out) {
  const auto begin = std::chrono::steady_clock::now();
  wire::Chunk wanted;
  const auto chunk = granted(session, request.request, number, wanted);
  Result<> sealed;
  if (chunk) {
    const View bytes = chunk->chunk.plaintext.expose();
    sealed = session.channel().seal_chunk(out, request.sequence, *request.chunk, chunk->chunk_size, chunk->chunk.proof,
                                          bytes);
    if (sealed) p_.metrics.chunk_sent(bytes.size());
  } else {
    const Fault fault = chunk.error().fault;
    const std::size_t size = session.person() ? p_.media.refusal_size(wanted, fault) : wire::kNoChunkSize;
    sealed = session.channel().seal_chunk_refusal(out, request.sequence, *request.chunk, size, wire::status_of(fault));
    note(session, number, wire::kPathDownload, &chunk.error());
  }
  p_.metrics.request(wire::kPathDownload, chunk ? "ok" : code_of(chunk.error().fault),
                     std::chrono::steady_clock::now() - begin);
  return sealed;
}

namespace {

/// True if the operator must do something about the fault.
bool is_ours(Fault fault) {
  const wire::Status status = wire::status_of(fault);
  return status == wire::Status::internal || status == wire::Status::server_full ||
         status == wire::Status::medium_unavailable;
}

}  // namespace

void Router::note(const LiveSession& session, std::uint64_t number, std::string_view path, const Error* error) const {
  const bool ours = error != nullptr && is_ours(error->fault);
  const Level level = ours ? Level::error : error != nullptr ? Level::info : Level::debug;
  if (!p_.log.enabled(level)) return;
  // Log `about` only for the server's own errors: for errors of a person's certificate it may name the person.
  const std::string prefix = session_prefix(session.channel().id());
  if (error == nullptr) {
    p_.log.write(level, "request", {{"request", number}, {"session", prefix}, {"path", path}});
  } else {
    p_.log.write(level, ours ? "request failed" : "request refused",
                 {{"request", number},
                  {"session", prefix},
                  {"path", path},
                  {"code", code_of(error->fault)},
                  {"step", error->where},
                  {"about", ours ? std::string_view(error->about) : std::string_view()}});
  }
}

Result<std::shared_ptr<const Person>> Router::admit_person(const Call& call, const person::AuthRequest& request) {
  channel::ServerSession& channel = call.session.channel();
  USHER_TRY(const Hash256 exporter, channel.exporter(kExporterLabel));
  for (;;) {  // again after each reload that happens meanwhile
    const std::uint64_t generation = p_.sessions.trust_generation();
    const auto authorities = p_.authorities.get();
    const person::AuthContext context{.server_key = authorities->channel->chain.front().key_fingerprint(),
                                      .installation = channel.peer().certificate().fingerprint(),
                                      .exporter = exporter,
                                      .now = call.now};
    USHER_TRY(auto verified, authenticate(request, context, authorities->persons));
    const Hash256 pseudonym = p_.pseudonyms.of(verified);
    USHER_CHECK(p_.store.note_person({.pseudonym = pseudonym, .installation = call.session.installation()}, call.now));
    auto person = std::make_shared<const Person>(Person{pseudonym, std::move(verified)});
    if (p_.sessions.set_person(call.session, person, generation)) return person;
  }
}

Result<Bytes> Router::auth(const Call& call) {
  USHER_TRY(const auto request, person::AuthRequest::decode(call.body));
  const auto lock = call.session.lock_for_auth();
  if (call.session.person()) return fail(Fault::already_authenticated, "auth");
  USHER_TRY(const auto person, admit_person(call, request));
  p_.log.info("person authenticated", {{"request", call.number},
                                       {"session", session_prefix(call.session.channel().id())},
                                       {"pseudonym", fingerprint_prefix(person->pseudonym)},
                                       {"profile", person->verified.profile()}});
  wire::Authenticated answer;
  answer.pseudonym = person->pseudonym;
  answer.name = person->verified.display_name();
  answer.session_end = static_cast<std::uint64_t>(unix_seconds(call.session.ends()));
  answer.server_id = p_.media.issuer().server_id;
  answer.licence_keys = p_.media.issuer().public_keys;
  return answer.encode();
}

Result<Bytes> Router::list(const Call& call) {
  USHER_TRY(const auto page, wire::Page::decode(call.body));
  USHER_TRY(const auto catalogue, p_.media.list(page));
  return catalogue.encode();
}

Result<Bytes> Router::licences(const Call& call) {
  USHER_TRY(const auto page, wire::Page::decode(call.body));
  USHER_TRY(const auto licences, p_.media.licences(call.caller(), page, call.now));
  return licences.encode();
}

Result<Bytes> Router::license(const Call& call) {
  USHER_TRY(const auto wanted, wire::Acquire::decode(call.body));
  USHER_TRY(const auto licence, p_.media.acquire(call.caller(), call.operation, wanted, call.now));
  if (!licence.repeated) {
    p_.metrics.licence_issued("listener");
    p_.log.info("licence issued", {{"request", call.number},
                                   {"pseudonym", fingerprint_prefix(call.person->pseudonym)},
                                   {"licence", to_hex(licence.terms.id)},
                                   {"medium", to_hex(licence.terms.medium)}});
  }
  return service::entry_of(licence, call.now).encode();
}

Result<Bytes> Router::plays(const Call& call) {
  if (!call.body.empty()) return fail(Fault::malformed, "plays");
  USHER_TRY(const auto plays, p_.media.plays(call.caller(), call.now));
  return plays.encode();
}

Result<Bytes> Router::open(const Call& call) {
  USHER_TRY(const auto wanted, wire::Open::decode(call.body));
  USHER_TRY(const auto opened, p_.media.open(call.caller(), call.operation, wanted, call.now));
  if (!opened.repeated) {
    p_.metrics.play("opened");
    p_.log.info("play opened", {{"request", call.number},
                                {"pseudonym", fingerprint_prefix(call.person->pseudonym)},
                                {"play", to_hex(opened.answer.play)},
                                {"licence", to_hex(opened.answer.licence)},
                                {"medium", to_hex(opened.answer.medium)}});
  }
  return opened.answer.encode();
}

Result<Bytes> Router::resume(const Call& call) {
  USHER_TRY(const auto wanted, wire::Resume::decode(call.body));
  USHER_TRY(const auto opened, p_.media.resume(call.caller(), call.operation, wanted.play, call.now));
  if (!opened.repeated) {
    p_.metrics.play("resumed");
    p_.log.info("play resumed",
                {{"request", call.number}, {"play", to_hex(opened.answer.play)}, {"epoch", opened.answer.epoch}});
  }
  return opened.answer.encode();
}

Result<Bytes> Router::close(const Call& call) {
  USHER_TRY(const auto wanted, wire::Close::decode(call.body));
  USHER_TRY(const auto closed, p_.media.close(call.caller(), call.operation, wanted, call.now));
  if (!closed.repeated) {
    const bool refunded = closed.answer.refunded;
    p_.metrics.play(refunded ? "refunded" : "ended");
    p_.log.info("play closed",
                {{"request", call.number}, {"play", to_hex(wanted.play)}, {"refunded", refunded ? "yes" : "no"}});
  }
  return closed.answer.encode();
}

Result<Bytes> Router::exit(const Call& call) {
  if (!call.body.empty()) return fail(Fault::malformed, "exit");
  return Bytes{};
}

}  // namespace usher::server
