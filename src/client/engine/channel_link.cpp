#include "client/engine/channel_link.h"

namespace usher::client {

Result<std::unique_ptr<ChannelLink>> ChannelLink::open(Transport& transport,
                                                       std::shared_ptr<const channel::ClientSettings> settings,
                                                       Random& random, const Clock& clock, const Stop& stop) {
  channel::ClientHandshake handshake(std::move(settings), random);
  USHER_TRY(Bytes next, handshake.start());
  while (handshake.awaits_hello()) {  // again after a Retry
    USHER_TRY(const Bytes server_hello, transport.post("/api/protocols", kHandshakeType, next, stop));
    USHER_TRY(next, handshake.on_messages(server_hello, clock.now()));
  }
  USHER_TRY(const Bytes accepted, transport.post("/api/keys", kHandshakeType, next, stop));
  USHER_TRY(const Bytes finished, handshake.on_messages(accepted, clock.now()));
  USHER_TRY(Bytes answer, transport.post("/", kRecordType, finished, stop));
  USHER_TRY(auto session, handshake.on_record(std::move(answer), clock.now()));
  return std::unique_ptr<ChannelLink>(new ChannelLink(transport, std::move(session)));
}

namespace {

/// The error for a status that the server answered. For a fault of the server, the advice is not about the listener.
Error told(wire::Status status) {
  Error error{.fault = wire::fault_of(status), .where = "link: answered"};
  switch (error.fault) {
    case Fault::local:
      error.about = "at the server";
      error.advice = "Tell its operator: its log says more.";
      break;
    case Fault::malformed:
    case Fault::unexpected_message:
    case Fault::bad_finished:
      error.about = "says the server";
      error.advice = "Use a release of usher that fits the server's.";
      break;
    default:
      break;
  }
  return error;
}

}  // namespace

Answer ChannelLink::request(std::string_view path, const std::optional<Id128>& operation, View body, const Stop& stop) {
  std::vector<wire::Parameter> parameters;
  if (operation) parameters.push_back({.name = std::string(wire::kParameterOperation), .value = to_bytes(*operation)});
  auto sealed = session_->seal_request(path, std::move(parameters), body);
  if (!sealed)
    return std::unexpected(Failure{.error = sealed.error(), .lost = sealed.error().fault == Fault::session_over});
  auto answer = transport_->post("/", kRecordType, sealed->record, stop);
  if (!answer) {
    session_->forget(sealed->sequence);
    return std::unexpected(Failure{.error = std::move(answer).error(), .lost = true});
  }
  auto response = session_->open_response(*std::move(answer));
  if (!response || response->request() != sealed->sequence) {
    // The answer is not from the server, or not for this request.
    session_->forget(sealed->sequence);
    const Error error = response ? Error{Fault::record_refused, "link: another answer"} : response.error();
    return std::unexpected(Failure{.error = error, .lost = true});
  }
  if (!response->ok()) {
    return std::unexpected(Failure{.error = told(response->status()), .lost = false});
  }
  return *std::move(response);
}

}  // namespace usher::client
