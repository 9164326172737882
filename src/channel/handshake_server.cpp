#include "channel/handshake_server.h"

#include "wire/handshake.h"

namespace usher::channel {
namespace {

using wire::Message;
using wire::MessageType;

// The events, as types, so that the overloads of Steps::on are the table of legal steps.
struct Hello {
  Message message;
};
struct Keys {
  Message message;
  View record;
};
struct Other {};
using Event = std::variant<Hello, Keys, Other>;

Result<Event> event_of(View body) {
  if (body.size() > wire::kMaxClientKeys) return fail(Fault::too_long, "handshake: body");
  const std::size_t size = body.size();
  USHER_TRY(const Message message, wire::take_message(body));
  switch (message.type) {
    case MessageType::client_hello:
      if (size > wire::kMaxClientHello) return fail(Fault::too_long, "client hello");
      if (!body.empty()) return fail(Fault::malformed, "client hello: more follows");
      return Hello{message};
    case MessageType::client_keys:
      return Keys{message, body};
    default:
      return Other{};
  }
}

std::vector<Bytes> der_of(const pki::Chain& chain) {
  std::vector<Bytes> certificates;
  for (const pki::Certificate& certificate : chain) certificates.push_back(certificate.der());
  return certificates;
}

/// The content of direction 2: ClientCertificate ‖ ClientProof.
struct Identity {
  Message certificate_message;
  Message proof_message;
  wire::ClientCertificate certificate;
  wire::Proof proof;
};

Result<Identity> identity_of(View content) {
  USHER_TRY(const Message first, wire::take_message(content));
  if (first.type != MessageType::client_certificate) return fail(Fault::unexpected_message, "client certificate");
  USHER_TRY(const Message second, wire::take_message(content));
  if (second.type != MessageType::client_proof) return fail(Fault::unexpected_message, "client proof");
  if (!content.empty()) return fail(Fault::malformed, "client proof: more follows");
  USHER_TRY(auto certificate, wire::ClientCertificate::decode(first.body));
  USHER_TRY(auto proof, wire::Proof::decode(second.body));
  return Identity{first, second, std::move(certificate), std::move(proof)};
}

/// The fingerprint of the key in the client's certificate; empty if that cannot be parsed.
std::optional<Hash256> key_of(const wire::ClientCertificate& message) {
  if (message.certificates.empty()) return std::nullopt;
  const auto leaf = pki::Certificate::from_der(message.certificates.front());
  if (!leaf) return std::nullopt;
  return leaf->key_fingerprint();
}

}  // namespace

struct ServerHandshake::AwaitKeys {
  crypto::Hasher transcript;  // T(3)
  crypto::EphemeralKey key;
  wire::ChannelRandom client_random{};
  wire::ChannelRandom server_random{};
};

struct ServerHandshake::AwaitFinished {
  crypto::Hasher transcript;  // T(7)
  KeySchedule schedule;
  PeerVerified peer;
  crypto::Secret client_finished_key;
  crypto::Secret server_finished_key;
  std::shared_ptr<Traffic> traffic;
};

/// The context of one call. `self.state_` is Closed until a step assigns the next state.
struct ServerHandshake::Steps {
  ServerHandshake& self;
  Time now;

  Result<Bytes> on(AwaitHello&& /*state*/, const Hello& event) const;
  Result<Bytes> on(std::unique_ptr<AwaitKeys>&& state, const Keys& event) const;
  /// Every other pair of state and event.
  template <class State, class Any>
  Result<Bytes> on(State&& /*state*/, const Any& /*event*/) const {
    return fail(Fault::unexpected_message, "server handshake");
  }

  Result<FinishVerified> check_finished(const AwaitFinished& state, const OpenedRecord& record,
                                        Bytes& client_finished) const;
  Result<FinishStep> finish(AwaitFinished&& state, const OpenedRecord& record) const;
};

Result<Bytes> ServerHandshake::Steps::on(AwaitHello&& /*state*/, const Hello& event) const {
  const ServerSettings& settings = *self.settings_;
  USHER_TRY(const auto offer, wire::ClientHello::decode(event.message.body));
  USHER_TRY(const Choice choice, choose(settings.suites, settings.groups, offer.suites, offer.groups));

  wire::ServerHello hello;
  hello.session = self.random_->id();
  hello.suite = choice.suite->number;
  hello.server_random = self.random_->array<wire::kRandomSize>();
  hello.certificates = der_of(settings.chain);
  hello.group = static_cast<std::uint16_t>(choice.group);
  hello.p = crypto::parameters_of(choice.group).p;
  hello.g = crypto::parameters_of(choice.group).g;
  USHER_TRY(crypto::EphemeralKey key, crypto::EphemeralKey::generate(choice.group, *self.random_));
  hello.share = key.public_value();
  Bytes answer = hello.encode();

  crypto::Hasher transcript(choice.suite->digest);
  transcript.update(event.message.whole);
  transcript.update(answer);
  USHER_TRY(const wire::Proof proof, prove(*settings.signer, Side::server, transcript.value()));
  const Bytes proof_message = proof.encode(MessageType::server_proof);
  transcript.update(proof_message);

  self.session_ = hello.session;
  self.suite_ = choice.suite;
  self.deadline_ = now + settings.handshake_time;
  self.state_ = std::make_unique<AwaitKeys>(
      AwaitKeys{std::move(transcript), std::move(key), offer.client_random, hello.server_random});
  append(answer, proof_message);
  return answer;
}

Result<Bytes> ServerHandshake::Steps::on(std::unique_ptr<AwaitKeys>&& state, const Keys& event) const {
  const auto was = std::move(state);
  const Suite& suite = *self.suite_;
  if (now >= self.deadline_) return fail(Fault::unknown_session, "client keys: too late");
  USHER_TRY(const auto keys, wire::ClientKeys::decode(event.message.body));
  if (keys.session != self.session_) return fail(Fault::unknown_session, "client keys: session");
  USHER_CHECK(check_share(was->key.group(), keys.share));
  USHER_TRY(crypto::Secret shared, std::move(was->key).agree(keys.share));
  KeySchedule schedule(suite, was->client_random, was->server_random, std::move(shared));
  crypto::Hasher transcript = std::move(was->transcript);
  transcript.update(event.message.whole);

  Bytes record = to_bytes(event.record);
  Opener opener(suite, self.session_, wire::Direction::identity, schedule.handshake(transcript.value()));
  USHER_TRY(const OpenedRecord opened, opener.open(record, wire::Padding::request));
  if (!opened.content) return std::unexpected(opened.content.error());
  USHER_TRY(const Identity identity, identity_of(*opened.content));
  transcript.update(identity.certificate_message.whole);
  auto verified = verify_peer(*self.settings_->clients, Side::client, identity.certificate.certificates, identity.proof,
                              transcript.value(), now, nullptr);
  if (!verified) {
    self.client_key_ = key_of(identity.certificate);
    return std::unexpected(std::move(verified).error());
  }
  PeerVerified peer = *std::move(verified);
  self.client_key_ = peer.peer().certificate().key_fingerprint();
  transcript.update(identity.proof_message.whole);

  TrafficKeys traffic = schedule.traffic(peer, transcript.value());
  Bytes accepted = wire::encode_keys_accepted();
  transcript.update(accepted);
  self.state_ = std::make_unique<AwaitFinished>(
      AwaitFinished{std::move(transcript), std::move(schedule), std::move(peer), std::move(traffic.client_finished_key),
                    std::move(traffic.server_finished_key),
                    std::make_shared<Traffic>(suite, self.session_, Side::server, traffic, *self.random_)});
  return accepted;
}

Result<FinishVerified> ServerHandshake::Steps::check_finished(const AwaitFinished& state, const OpenedRecord& record,
                                                              Bytes& client_finished) const {
  if (!record.content) return std::unexpected(record.content.error());
  USHER_TRY(const auto request, wire::Request::decode(*record.content));
  if (request.path != wire::kPathFinished) return fail(Fault::unexpected_message, "request before Finished");
  if (record.total != wire::padded_request(record.content->size())) return fail(Fault::malformed, "request: padding");
  View body = request.body;
  USHER_TRY(const Message message, wire::take_message(body));
  if (message.type != MessageType::client_finished) return fail(Fault::unexpected_message, "client finished");
  if (!body.empty() || !request.parameters.empty()) return fail(Fault::malformed, "client finished");
  client_finished = to_bytes(message.whole);
  return verify_finished(*self.suite_, state.client_finished_key, state.transcript.value(), message.body);
}

Result<FinishStep> ServerHandshake::Steps::finish(AwaitFinished&& state, const OpenedRecord& record) const {
  const Suite& suite = *self.suite_;
  FinishStep step;
  wire::ResponseHead head;
  Bytes answer;
  Bytes client_finished;
  auto verified = check_finished(state, record, client_finished);
  if (verified) {
    state.transcript.update(client_finished);
    const Bytes hash = state.transcript.value();
    answer = wire::Finished{finished_data(suite, state.server_finished_key, hash)}.encode(MessageType::server_finished);
    head = {0, wire::ResponseType::structure, static_cast<std::uint32_t>(answer.size())};
    auto exporter = std::move(state.schedule).exporter_secret(*verified, hash);
    step.session = std::make_unique<ServerSession>(
        Established{suite, self.session_, std::move(state.peer), *verified, std::move(exporter), state.traffic, now});
  } else {
    head.status = static_cast<std::uint16_t>(wire::status_of(verified.error().fault));
    step.refused = std::move(verified).error();
  }
  const auto encoded = head.encode();
  USHER_CHECK(state.traffic->sealer.seal(
      step.answer, {encoded, answer}, wire::padded_response(encoded.size() + answer.size()), record.header.sequence));
  return step;
}

ServerHandshake::ServerHandshake(std::shared_ptr<const ServerSettings> settings, Random& random)
    : settings_(std::move(settings)), random_(&random), state_(AwaitHello{}) {}
ServerHandshake::~ServerHandshake() = default;
ServerHandshake::ServerHandshake(ServerHandshake&&) noexcept = default;
ServerHandshake& ServerHandshake::operator=(ServerHandshake&&) noexcept = default;

bool ServerHandshake::closed() const noexcept { return std::holds_alternative<Closed>(state_); }

Result<Bytes> ServerHandshake::on_messages(View body, Time now) {
  // §6.3: the sender has proven nothing, and the client's session is almost open. So it must not close the machine.
  if (std::holds_alternative<std::unique_ptr<AwaitFinished>>(state_)) {
    return fail(Fault::unexpected_message, "server handshake: after ClientKeys");
  }
  State before = std::exchange(state_, Closed{});
  USHER_TRY(const Event event, event_of(body));
  const Steps steps{*this, now};
  return std::visit(
      [&](auto&& state, const auto& what) { return steps.on(std::forward<decltype(state)>(state), what); },
      std::move(before), event);
}

Result<FinishStep> ServerHandshake::on_record(Bytes record, Time now) {
  auto* const waiting = std::get_if<std::unique_ptr<AwaitFinished>>(&state_);
  if (waiting == nullptr) return fail(Fault::unexpected_message, "server handshake: a record");
  if (now >= deadline_) {
    state_ = Closed{};
    return fail(Fault::unknown_session, "client finished: too late");
  }
  USHER_TRY(const OpenedRecord opened, (*waiting)->traffic->opener.open(record, wire::Padding::any_request));
  // The record is verified, so it is the client's. Whatever it contains, the state is used up.
  const auto state = std::move(*waiting);
  state_ = Closed{};
  return Steps{*this, now}.finish(std::move(*state), opened);
}

}  // namespace usher::channel
