#include "channel/handshake_client.h"

#include <algorithm>
#include <array>

#include "wire/handshake.h"

namespace usher::channel {
namespace {

using wire::Message;
using wire::MessageType;

// The events, as types, so that the overloads of Steps::on are the table of legal steps.
struct Hello {
  Message hello;
  Message proof;
};
struct Accepted {
  Message message;
};
struct Retry {
  Message message;
};
struct Other {};
using Event = std::variant<Other, Hello, Accepted, Retry>;

Result<Event> event_of(View body) {
  if (body.size() > wire::kMaxServerHello) return fail(Fault::too_long, "handshake: body");
  USHER_TRY(const Message first, wire::take_message(body));
  Event event;
  if (first.type == MessageType::server_hello) {
    USHER_TRY(const Message second, wire::take_message(body));
    if (second.type != MessageType::server_proof) return fail(Fault::unexpected_message, "server proof");
    event = Hello{first, second};
  } else if (first.type == MessageType::keys_accepted) {
    if (!first.body.empty()) return fail(Fault::malformed, "keys accepted");
    event = Accepted{first};
  } else if (first.type == MessageType::retry) {
    event = Retry{first};
  } else {
    return Other{};  // the rest of the body does not matter
  }
  if (!body.empty()) return fail(Fault::malformed, "handshake: more follows");
  return event;
}

/// Marks an error of a certificate as the server's. Otherwise the reader would look for it in this installation.
std::unexpected<Error> of_server(Error error) {
  constexpr std::array kOfCertificates{Fault::untrusted,       Fault::revoked, Fault::certificate_expired,
                                       Fault::bad_certificate, Fault::bad_key, Fault::certificate_not_yet_valid,
                                       Fault::wrong_role};
  if (std::ranges::find(kOfCertificates, error.fault) != kOfCertificates.end()) {
    error.about = "the server's" + (error.about.empty() ? "" : ": " + error.about);
    if (error.advice.empty()) {
      error.advice = error.fault == Fault::untrusted
                         ? "See that trust.server.anchors names the root that the server's operator gave you."
                         : "Tell the server's operator.";
    }
  }
  return std::unexpected(std::move(error));
}

/// Checks the server's choice against the client's offer (§3.2, §4.3). Errors: unsupported, no_common_suite,
/// bad_group, bad_key_share.
Result<Choice> check_choice(const ClientSettings& settings, const wire::ServerHello& hello) {
  if (!hello.extensions.empty()) return fail(Fault::unsupported, "server hello: an extension that was not offered");
  const Suite* const suite = suite_of(hello.suite);
  if (suite == nullptr || std::ranges::find(settings.suites, suite) == settings.suites.end()) {
    return fail(Fault::no_common_suite, "server hello: a suite that was not offered");
  }
  const auto group = channel_group_of(hello.group);
  if (!group || std::ranges::find(settings.groups, *group) == settings.groups.end() || !fits(*suite, *group)) {
    return fail(Fault::bad_group, "server hello: a group that was not offered, or does not fit");
  }
  const crypto::GroupParameters& named = crypto::parameters_of(*group);
  if (hello.p != named.p || hello.g != named.g) return fail(Fault::bad_group, "server hello: p or g");
  USHER_CHECK(check_share(*group, hello.share));
  return Choice{suite, *group};
}

}  // namespace

struct ClientHandshake::AwaitHello {
  wire::ClientHello offer;
  Bytes hello;  // T(1)
};

struct ClientHandshake::AwaitAccepted {
  const Suite& suite;
  Id128 session{};
  crypto::Hasher transcript;  // T(6)
  KeySchedule schedule;
  PeerVerified peer;
  TrafficKeys keys;
};

struct ClientHandshake::AwaitFinished {
  const Suite& suite;
  Id128 session{};
  Bytes hash;  // H(T(8))
  KeySchedule schedule;
  PeerVerified peer;
  crypto::Secret server_finished_key;
  std::shared_ptr<Traffic> traffic;
  std::uint64_t request = 0;  // api/finished
};

/// The context of one call. `self.state_` is Closed until a step assigns the next state.
struct ClientHandshake::Steps {
  ClientHandshake& self;
  Time now;

  Result<Bytes> on(std::unique_ptr<AwaitHello>&& state, const Hello& event) const;
  Result<Bytes> on(std::unique_ptr<AwaitHello>&& state, const Retry& event) const;
  Result<Bytes> on(std::unique_ptr<AwaitAccepted>&& state, const Accepted& event) const;
  /// Every other pair of state and event.
  template <class State, class Any>
  Result<Bytes> on(State&& /*state*/, const Any& /*event*/) const {
    return fail(Fault::unexpected_message, "client handshake");
  }

  /// Returns ClientCertificate ‖ ClientProof, the content of the record of step 2. Adds both to the transcript.
  Result<Bytes> prove_identity(crypto::Hasher& transcript) const;
  Result<std::unique_ptr<ClientSession>> finish(AwaitFinished&& state, const OpenedRecord& record) const;
};

Result<Bytes> ClientHandshake::Steps::prove_identity(crypto::Hasher& transcript) const {
  wire::ClientCertificate certificate;
  for (const pki::Certificate& each : self.settings_->chain) certificate.certificates.push_back(each.der());
  Bytes content = certificate.encode();
  transcript.update(content);
  USHER_TRY(const wire::Proof proof, prove(*self.settings_->signer, Side::client, transcript.value()));
  const Bytes message = proof.encode(MessageType::client_proof);
  transcript.update(message);
  append(content, message);
  return content;
}

Result<Bytes> ClientHandshake::Steps::on(std::unique_ptr<AwaitHello>&& state, const Retry& event) const {
  auto was = std::move(state);
  if (!was->offer.extensions.empty()) return fail(Fault::server_busy, "client handshake: a second retry");
  USHER_TRY(auto retry, wire::Retry::decode(event.message.body));
  was->offer.extensions.push_back({.type = wire::kExtensionCookie, .data = std::move(retry.cookie)});
  was->hello = was->offer.encode();
  Bytes again = was->hello;
  self.state_ = std::move(was);
  return again;
}

Result<Bytes> ClientHandshake::Steps::on(std::unique_ptr<AwaitHello>&& state, const Hello& event) const {
  const auto was = std::move(state);
  USHER_TRY(const auto hello, wire::ServerHello::decode(event.hello.body));
  USHER_TRY(const auto proof, wire::Proof::decode(event.proof.body));
  USHER_TRY(const Choice choice, check_choice(*self.settings_, hello));
  const Suite& suite = *choice.suite;

  crypto::Hasher transcript(suite.digest);
  transcript.update(was->hello);
  transcript.update(event.hello.whole);
  auto judged = verify_peer(*self.settings_->servers, Side::server, hello.certificates, proof, transcript.value(), now,
                            &self.settings_->name);
  if (!judged) return of_server(std::move(judged).error());
  PeerVerified peer = *std::move(judged);
  transcript.update(event.proof.whole);

  USHER_TRY(crypto::EphemeralKey key, crypto::EphemeralKey::generate(choice.group, *self.random_));
  Bytes answer = wire::ClientKeys{hello.session, key.public_value()}.encode();
  transcript.update(answer);
  USHER_TRY(crypto::Secret shared, std::move(key).agree(hello.share));
  KeySchedule schedule(suite, was->offer.client_random, hello.server_random, std::move(shared));
  Sealer sealer(suite, hello.session, wire::Direction::identity, schedule.handshake(transcript.value()), *self.random_);
  USHER_TRY(const Bytes content, prove_identity(transcript));
  Bytes record;
  USHER_CHECK(sealer.seal(record, {content}, wire::padded_request(content.size())));
  append(answer, record);
  if (answer.size() > wire::kMaxClientKeys) return fail(Fault::too_long, "client keys");

  TrafficKeys keys = schedule.traffic(peer, transcript.value());
  self.state_ = std::make_unique<AwaitAccepted>(AwaitAccepted{suite, hello.session, std::move(transcript),
                                                              std::move(schedule), std::move(peer), std::move(keys)});
  return answer;
}

Result<Bytes> ClientHandshake::Steps::on(std::unique_ptr<AwaitAccepted>&& state, const Accepted& event) const {
  const auto was = std::move(state);
  was->transcript.update(event.message.whole);
  const Bytes finished =
      wire::Finished{finished_data(was->suite, was->keys.client_finished_key, was->transcript.value())}.encode(
          MessageType::client_finished);
  was->transcript.update(finished);
  const Bytes content = wire::Request{std::string(wire::kPathFinished), {}, finished}.encode();
  const auto traffic = std::make_shared<Traffic>(was->suite, was->session, Side::client, was->keys, *self.random_);
  Bytes record;
  USHER_TRY(const std::uint64_t sequence,
            traffic->sealer.seal(record, {content}, wire::padded_request(content.size())));
  self.state_ = std::make_unique<AwaitFinished>(
      AwaitFinished{was->suite, was->session, was->transcript.value(), std::move(was->schedule), std::move(was->peer),
                    std::move(was->keys.server_finished_key), traffic, sequence});
  return record;
}

Result<std::unique_ptr<ClientSession>> ClientHandshake::Steps::finish(AwaitFinished&& state,
                                                                      const OpenedRecord& record) const {
  if (!record.content) return std::unexpected(record.content.error());
  USHER_TRY(const auto head, wire::ResponseHead::decode(*record.content));
  if (head.status != 0) return fail(wire::fault_of(static_cast<wire::Status>(head.status)), "server finished: refused");
  if (head.type != wire::ResponseType::structure) return fail(Fault::malformed, "server finished");
  View body = record.content->subspan(wire::kResponseHead);
  USHER_TRY(const Message message, wire::take_message(body));
  if (message.type != MessageType::server_finished) return fail(Fault::unexpected_message, "server finished");
  if (!body.empty()) return fail(Fault::malformed, "server finished: more follows");
  USHER_TRY(const FinishVerified verified,
            verify_finished(state.suite, state.server_finished_key, state.hash, message.body));
  auto exporter = std::move(state.schedule).exporter_secret(verified, state.hash);
  return std::make_unique<ClientSession>(Established{state.suite, state.session, std::move(state.peer), verified,
                                                     std::move(exporter), std::move(state.traffic), now});
}

ClientHandshake::ClientHandshake(std::shared_ptr<const ClientSettings> settings, Random& random)
    : settings_(std::move(settings)), random_(&random), state_(Ready{}) {}
ClientHandshake::~ClientHandshake() = default;
ClientHandshake::ClientHandshake(ClientHandshake&&) noexcept = default;
ClientHandshake& ClientHandshake::operator=(ClientHandshake&&) noexcept = default;

bool ClientHandshake::closed() const noexcept { return std::holds_alternative<Closed>(state_); }
bool ClientHandshake::awaits_hello() const noexcept {
  return std::holds_alternative<std::unique_ptr<AwaitHello>>(state_);
}

Result<Bytes> ClientHandshake::start() {
  if (!std::holds_alternative<Ready>(std::exchange(state_, Closed{}))) {
    return fail(Fault::unexpected_message, "client handshake: started twice");
  }
  wire::ClientHello hello;
  hello.client_random = random_->array<wire::kRandomSize>();
  for (const Suite* const suite : settings_->suites) hello.suites.push_back(suite->number);
  for (const crypto::Group group : settings_->groups) hello.groups.push_back(static_cast<std::uint16_t>(group));
  Bytes message = hello.encode();
  state_ = std::make_unique<AwaitHello>(AwaitHello{std::move(hello), message});
  return message;
}

Result<Bytes> ClientHandshake::on_messages(View body, Time now) {
  // §6.3: this message is not authenticated, and the session is almost open. So it must not close the machine.
  if (std::holds_alternative<std::unique_ptr<AwaitFinished>>(state_)) {
    return fail(Fault::unexpected_message, "client handshake: after KeysAccepted");
  }
  State before = std::exchange(state_, Closed{});
  USHER_TRY(const Event event, event_of(body));
  const Steps steps{*this, now};
  return std::visit(
      [&](auto&& state, const auto& what) { return steps.on(std::forward<decltype(state)>(state), what); },
      std::move(before), event);
}

Result<std::unique_ptr<ClientSession>> ClientHandshake::on_record(Bytes record, Time now) {
  auto* const waiting = std::get_if<std::unique_ptr<AwaitFinished>>(&state_);
  if (waiting == nullptr) return fail(Fault::unexpected_message, "client handshake: a record");
  USHER_TRY(const auto header, wire::RecordHeader::decode(record));
  if (header.request != (*waiting)->request) return fail(Fault::record_refused, "server finished: request");
  USHER_TRY(const OpenedRecord opened, (*waiting)->traffic->opener.open(record, wire::Padding::response));
  // The record is verified, so it is the server's. Whatever it contains, the state is used up.
  const auto state = std::move(*waiting);
  state_ = Closed{};
  return Steps{*this, now}.finish(std::move(*state), opened);
}

}  // namespace usher::channel
