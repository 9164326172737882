#include "server/http/channel_driver.h"

#include "wire/handshake.h"
#include "wire/record.h"

namespace usher::server {
namespace {

std::string_view suite_name(const channel::Suite* suite) { return suite == nullptr ? std::string_view() : suite->name; }

}  // namespace

HttpError http_error_of(Fault fault) noexcept {
  switch (fault) {
    case Fault::malformed:
    case Fault::unsupported:
    case Fault::no_common_suite:
    case Fault::no_common_group:
    case Fault::bad_key_share:
    case Fault::bad_signature:
    case Fault::unexpected_message:
    case Fault::record_refused:
      return {400, code_of(fault)};
    case Fault::too_long:
      return {413, "too-long"};
    case Fault::bad_certificate:
    case Fault::untrusted:
    case Fault::wrong_role:
    case Fault::wrong_name:
    case Fault::certificate_expired:
    case Fault::certificate_not_yet_valid:
    case Fault::revoked:
    case Fault::revocation_unknown:
    case Fault::crl_expired:
    case Fault::crl_rollback:
    case Fault::bad_key:
      return {400, "bad-certificate"};
    case Fault::unknown_session:
    case Fault::session_over:
      return {404, "unknown-session"};
    default:
      return {503, "server-busy"};
  }
}

void ChannelDriver::note_failure(const Error& error, const channel::ServerHandshake* machine, std::uint64_t number) {
  const std::string_view suite = suite_name(machine == nullptr ? nullptr : machine->suite());
  p_.metrics.handshake_ended(code_of(error.fault), suite);
  const auto dropped = refused_.take(p_.clock.now());
  if (!dropped) return;
  // A machine that goes on has refused a message that may come from anyone, not from the client (§6.3).
  const bool of_client = machine != nullptr && machine->closed() && machine->client_key();
  // Errors about certificates name no subject, so that no person's name enters the log.
  p_.log.info("handshake refused", {{"request", number},
                                    {"code", code_of(error.fault)},
                                    {"step", error.where},
                                    {"about", error.about},
                                    {"suite", suite},
                                    {"dropped", *dropped},
                                    {"installation", of_client ? fingerprint_prefix(*machine->client_key()) : ""}});
}

Result<std::optional<Bytes>> ChannelDriver::retry_for(View body, const std::string& network, Time now) {
  if (!p_.sessions.has_its_share(network)) return std::nullopt;
  USHER_TRY(const wire::Message message, wire::take_message(body));
  if (message.type != wire::MessageType::client_hello) return fail(Fault::unexpected_message, "client hello");
  if (!body.empty()) return fail(Fault::malformed, "client hello: bytes behind it");
  USHER_TRY(const auto hello, wire::ClientHello::decode(message.body));
  if (cookies_.accepts(hello, network, now)) return std::nullopt;
  p_.metrics.handshake_ended("retry", {});
  return cookies_.retry(hello, network, now).encode();
}

Result<Bytes> ChannelDriver::protocols(View body, const std::string& network, std::uint64_t number) {
  if (body.size() > wire::kMaxClientHello) return fail(Fault::too_long, "client hello");
  const Time now = p_.clock.now();
  auto retry = retry_for(body, network, now);
  if (!retry) {
    note_failure(retry.error(), nullptr, number);
    return std::unexpected(std::move(retry).error());
  }
  if (*retry) return **std::move(retry);
  auto place = p_.sessions.reserve(now, network);
  if (!place) {
    note_failure(place.error(), nullptr, number);
    return std::unexpected(std::move(place).error());
  }
  const std::uint64_t generation = p_.sessions.trust_generation();
  auto half_open = std::make_shared<HalfOpen>(p_.settings.get(), generation, p_.random);
  auto answer = half_open->machine.on_messages(body, now);
  if (!answer) {
    note_failure(answer.error(), &half_open->machine, number);
    return answer;
  }
  const Id128 session = half_open->machine.session();
  half_open->deadline = half_open->machine.deadline();
  p_.metrics.handshake_begun();
  if (p_.log.enabled(Level::debug)) {
    p_.log.debug(
        "handshake begun",
        {{"request", number}, {"session", session_prefix(session)}, {"suite", suite_name(half_open->machine.suite())}});
  }
  p_.sessions.add_half_open(std::move(*place), session, std::move(half_open));
  return answer;
}

Result<Bytes> ChannelDriver::keys(View body, std::uint64_t number) {
  if (body.size() > wire::kMaxClientKeys) return fail(Fault::too_long, "client keys");
  USHER_TRY(const Id128 session, wire::session_of_keys(body));
  const HalfOpenPtr half_open = p_.sessions.find_half_open(session);
  if (!half_open) return fail(Fault::unknown_session, "client keys");
  const std::scoped_lock lock(half_open->mutex);
  auto answer = half_open->machine.on_messages(body, p_.clock.now());
  if (half_open->machine.closed()) p_.sessions.remove_half_open(session);
  if (!answer) note_failure(answer.error(), &half_open->machine, number);
  return answer;
}

Result<Bytes> ChannelDriver::record(Bytes record, std::uint64_t number) {
  USHER_TRY(const Id128 id, wire::session_of_record(record));
  const SessionPtr session = p_.sessions.find(id, p_.clock.now());
  if (!session) {
    const HalfOpenPtr half_open = p_.sessions.find_half_open(id);
    if (half_open) return finish(id, half_open, std::move(record), number);
    return fail(Fault::unknown_session, "record");
  }
  USHER_TRY(const channel::IncomingRequest request, session->channel().open_request(std::move(record)));
  Bytes out;
  USHER_CHECK(p_.router.answer(*session, request, number, out));
  return out;
}

Result<SessionPtr> ChannelDriver::admit(std::unique_ptr<channel::ServerSession> session, std::uint64_t judged_by,
                                        Time now) {
  for (;;) {  // again after each reload that happens meanwhile
    const std::uint64_t generation = p_.sessions.trust_generation();
    if (generation != judged_by) USHER_CHECK(p_.settings.get()->clients->verify_again(session->peer(), now));
    if (SessionPtr open = p_.sessions.open(session, now, generation)) return open;
  }
}

Result<Bytes> ChannelDriver::finish(const Id128& session, const HalfOpenPtr& half_open, Bytes record,
                                    std::uint64_t number) {
  const Time now = p_.clock.now();
  const std::scoped_lock lock(half_open->mutex);
  USHER_TRY(channel::FinishStep step, half_open->machine.on_record(std::move(record), now));
  if (!step.session) {
    p_.sessions.remove_half_open(session);
    if (step.refused) note_failure(*step.refused, &half_open->machine, number);
    return std::move(step.answer);
  }
  auto admitted = admit(std::move(step.session), half_open->generation, now);
  if (!admitted) {
    p_.sessions.remove_half_open(session);
    note_failure(admitted.error(), &half_open->machine, number);
    return std::unexpected(std::move(admitted).error());
  }
  const SessionPtr& open = *admitted;
  const std::string_view suite = suite_name(half_open->machine.suite());
  p_.metrics.handshake_ended("ok", suite);
  p_.log.info("session open", {{"request", number},
                               {"session", session_prefix(session)},
                               {"suite", suite},
                               {"installation", fingerprint_prefix(open->installation())}});
  return std::move(step.answer);
}

}  // namespace usher::server
