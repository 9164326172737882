// server/http/router: checks and answers the requests of all paths in channel.md §9.2.
#pragma once

#include "person/pseudonym.h"
#include "server/http/session_table.h"
#include "server/runtime/log.h"
#include "server/runtime/metrics.h"
#include "server/trust/authorities.h"
#include "service/media_service.h"

namespace usher::server {

/// Thread-safe. All references are borrowed.
class Router {
 public:
  struct Parts {
    service::MediaService& media;
    store::Store& store;
    SessionTable& sessions;
    const Guarded<Authorities>& authorities;
    const person::PseudonymKey& pseudonyms;
    const Clock& clock;
    Log& log;
    Metrics& metrics;
  };
  explicit Router(const Parts& parts);

  /// Answers a request whose record was verified: writes the record with the answer to `out`. `number`: the HTTP
  /// request's, for the log. Errors: session_over, too_long; in both cases there is no answer.
  [[nodiscard]] Result<> answer(LiveSession& session, const channel::IncomingRequest& request, std::uint64_t number,
                                Bytes& out);

 private:
  /// One request, already checked against the table of paths.
  struct Call {
    LiveSession& session;
    std::shared_ptr<const Person> person;  // set where the path needs one
    store::Operation operation{};          // set where the path has one
    View body;
    Time now;
    std::uint64_t number;
    [[nodiscard]] store::Caller caller() const {
      return {.pseudonym = person->pseudonym, .installation = session.installation()};
    }
  };
  using Verb = Result<Bytes> (Router::*)(const Call&);
  struct Row;
  static const Row* row_of(std::string_view path) noexcept;
  static std::span<const Row> rows() noexcept;

  [[nodiscard]] Result<Call> prepare(const Row& row, LiveSession& session, const wire::Request& request,
                                     std::uint64_t number) const;
  [[nodiscard]] Result<Bytes> run(LiveSession& session, const Result<wire::Request>& request, std::uint64_t number);
  [[nodiscard]] Result<> answer_chunk(LiveSession& session, const channel::IncomingRequest& request,
                                      std::uint64_t number, Bytes& out);
  [[nodiscard]] Result<service::GrantedChunk> granted(LiveSession& session, const Result<wire::Request>& request,
                                                      std::uint64_t number, wire::Chunk& wanted);
  void note(const LiveSession& session, std::uint64_t number, std::string_view path, const Error* error) const;

  Result<Bytes> auth(const Call& call);
  /// Authenticates by the current trust; starts again if a reload replaces it meanwhile.
  Result<std::shared_ptr<const Person>> admit_person(const Call& call, const person::AuthRequest& request);
  Result<Bytes> list(const Call& call);
  Result<Bytes> licences(const Call& call);
  Result<Bytes> license(const Call& call);
  Result<Bytes> plays(const Call& call);
  Result<Bytes> open(const Call& call);
  Result<Bytes> resume(const Call& call);
  Result<Bytes> close(const Call& call);
  Result<Bytes> exit(const Call& call);

  Parts p_;
  std::size_t auth_answer_;  // plaintext size in bytes of every answer to api/auth
};

}  // namespace usher::server
