// A server in this process, behind Transport: real handshake, real records, a few lines of licence policy.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>

#include "channel/handshake_server.h"
#include "client/engine/engine.h"
#include "medium.h"
#include "person/profile.h"
#include "support/pki.h"

namespace usher::test {

/// Authorities, certificates and one medium, made once for all tests.
struct FakeWorld {
  Authority root = Authority::root();
  Identity server = root.leaf(pki::Role::server);
  Identity client = root.leaf(pki::Role::client);
  Identity distributor = root.leaf(pki::Role::distributor);
  Identity person = root.leaf(
      pki::LeafRequest{.role = pki::Role::person, .name = {.common_name = "Ana Silva", .serial_number = "A1"}});
  crypto::PrivateKey licence_key = new_key();
  ManualClock clock{kNow};
  TestMedium medium{pattern(20 * 4096 + 11)};
  Bytes signed_manifest;

  FakeWorld() {
    medium.manifest.object = {9};
    medium.manifest.pressed_at = unix_seconds(kNow) - 1000;
    signed_manifest =
        must(media::SignedManifest::sign(medium.manifest, distributor.key, {distributor.certificate.der()})).encode();
  }
  static FakeWorld& get() {
    static FakeWorld world;
    return world;
  }
  [[nodiscard]] std::shared_ptr<const pki::TrustStore> trust_in(pki::Role role) const {
    return trust(role, root, {root.crl()});
  }
};

class FakeServer final : public client::Transport {
 public:
  explicit FakeServer(FakeWorld& world) : world_(world) {
    auto settings = std::make_shared<channel::ServerSettings>();
    settings->chain = {world.server.certificate};
    settings->signer = std::make_shared<crypto::PrivateKey>(world.server.key);
    settings->clients = world.trust_in(pki::Role::client);
    settings_ = settings;
  }

  // What goes wrong, and how often.
  int down = 0;             // exchanges that find no server
  int busy = 0;             // handshakes that are put off
  int lose_answers_to = 0;  // of `lose_path`: done, but the answer is lost
  std::string_view lose_path;
  bool tamper_manifest = false;
  std::uint32_t refuse_chunks_from = ~std::uint32_t{0};
  wire::Status refusal = wire::Status::budget_spent;

  // What happened.
  int handshakes = 0;
  int authentications = 0;
  int acquired = 0;
  int opened = 0;
  int resumed = 0;
  int closed = 0;
  std::atomic<std::uint64_t> epoch = 0;  // tests change it while a fetcher asks
  bool chunks_only_for_newest_epoch = true;

  /// As after a restart: sessions are gone, the store is not.
  void forget_sessions() {
    const std::scoped_lock lock(mutex_);
    sessions_.clear();
    half_open_.clear();
  }

  Result<Bytes> post(std::string_view path, std::string_view, View body, const client::Stop&) override {
    const std::scoped_lock lock(mutex_);
    if (down > 0) {
      --down;
      return fail(Fault::unreachable, "fake");
    }
    if (path == "/api/protocols") {
      ++handshakes;
      if (busy > 0) {
        --busy;
        return fail(Fault::server_busy, "fake");
      }
      auto handshake = std::make_unique<channel::ServerHandshake>(settings_, randomness());
      auto answer = handshake->on_messages(body, world_.clock.now());
      if (answer) half_open_[handshake->session()] = std::move(handshake);
      return answer;
    }
    if (path == "/api/keys") {
      const Id128 id = array_of<16>(body.subspan(4));
      if (!half_open_.contains(id)) return fail(Fault::unknown_session, "fake");
      return half_open_[id]->on_messages(body, world_.clock.now());
    }
    return on_record(body);
  }

 private:
  Result<Bytes> on_record(View record) {
    const Id128 id = must(wire::session_of_record(record));
    if (const auto half = half_open_.find(id); half != half_open_.end()) {
      auto step = half->second->on_record(to_bytes(record), world_.clock.now());
      if (!step) return std::unexpected(step.error());
      if (step->session) sessions_[id] = std::move(step->session);
      half_open_.erase(half);
      return step->answer;
    }
    const auto session = sessions_.find(id);
    if (session == sessions_.end()) return fail(Fault::unknown_session, "fake");
    auto incoming = session->second->open_request(to_bytes(record));
    if (!incoming) return std::unexpected(incoming.error());
    const wire::Request request = must(std::move(incoming->request));
    Bytes out;
    if (incoming->chunk) {
      answer_chunk(out, *session->second, *incoming, request);
    } else {
      const auto answer = handle(request);
      must(session->second->seal_response(out, incoming->sequence,
                                          answer ? wire::Status::ok : wire::status_of(answer.error().fault),
                                          answer ? View(*answer) : View{}, incoming->auth ? wire::kAuthAnswer : 512));
    }
    if (lose_answers_to > 0 && request.path == lose_path) {
      --lose_answers_to;
      return fail(Fault::interrupted, "fake");
    }
    return out;
  }

  void answer_chunk(Bytes& out, channel::ServerSession& session, const channel::IncomingRequest& incoming,
                    const wire::Request& request) {
    const auto wanted = must(wire::Chunk::decode(request.body));
    if (wanted.epoch == epoch && wanted.chunk >= refuse_chunks_from) {
      must(session.seal_chunk_refusal(out, incoming.sequence, *incoming.chunk, 4096, refusal));
      return;
    }
    if (wanted.epoch != epoch) {
      must(session.seal_chunk_refusal(out, incoming.sequence, *incoming.chunk, 4096, wire::Status::stale_epoch));
      return;
    }
    const auto body = world_.medium.body(wanted.chunk);
    must(session.seal_chunk(out, incoming.sequence, *incoming.chunk, 4096, body.proof, body.chunk));
  }

  /// A repeat gets the stored result.
  Result<Bytes> handle(const wire::Request& request) {
    const Bytes* operation = request.parameter(wire::kParameterOperation);
    if (operation != nullptr && results_.contains(*operation)) return results_[*operation];
    auto answer = act(request);
    if (answer && operation != nullptr) results_[*operation] = *answer;
    return answer;
  }

  Result<Bytes> act(const wire::Request& request) {
    if (request.path == wire::kPathAuth) {
      ++authentications;
      must(person::AuthRequest::decode(request.body));
      return wire::Authenticated{.pseudonym = {1},
                                 .name = "Ana Silva",
                                 .session_end = 0,
                                 .server_id = "fake",
                                 .licence_keys = {world_.licence_key.public_key().spki()}}
          .encode();
    }
    if (request.path == wire::kPathList) {
      return wire::Catalogue{.total = 1,
                             .entries = {{.medium = world_.medium.manifest.medium, .signed_manifest = manifest()}}}
          .encode();
    }
    if (request.path == wire::kPathLicense) {
      ++acquired;
      return wire::LicenceEntry{.licence = "a.b.c", .plays_left = 1}.encode();
    }
    if (request.path == wire::kPathOpen) {
      ++opened;
      return opened_body();
    }
    if (request.path == wire::kPathResume) {
      ++resumed;
      return opened_body();
    }
    if (request.path == wire::kPathClose) {
      if (must(wire::Close::decode(request.body)).epoch != epoch) return fail(Fault::stale_epoch, "fake");
      ++closed;
      return wire::Closed{.refunded = true, .plays_left = 1}.encode();
    }
    if (request.path == wire::kPathExit) return Bytes{};
    return fail(Fault::unknown_path, "fake");
  }
  Bytes opened_body() {
    ++epoch;
    return wire::Opened{.play = {3},
                        .epoch = epoch,
                        .licence = {4},
                        .medium = world_.medium.manifest.medium,
                        .plays_left = 0,
                        .deadline = 1'900'000'000,
                        .commit_after = 30,
                        .free_left = 9,
                        .repeats_left = 100,
                        .heard = {},
                        .signed_manifest = manifest()}
        .encode();
  }
  Bytes manifest() const {
    Bytes out = world_.signed_manifest;
    if (tamper_manifest) out[40] ^= 1;
    return out;
  }

  FakeWorld& world_;
  std::shared_ptr<const channel::ServerSettings> settings_;
  std::mutex mutex_;
  std::map<Id128, std::unique_ptr<channel::ServerHandshake>> half_open_;
  std::map<Id128, std::unique_ptr<channel::ServerSession>> sessions_;
  std::map<Bytes, Bytes> results_;
};

}  // namespace usher::test
