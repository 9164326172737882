#include "client/engine/engine.h"

#include <thread>

namespace usher::client {
namespace {

using Steady = std::chrono::steady_clock;

// For the first connection, with pauses that double: 32 s in total, longer than a server takes to fetch a list
// (identity.md §11.2).
constexpr int kBusyTries = 8;
constexpr Milliseconds kExitPatience{3'000};
constexpr Milliseconds kTick{50};  // between checks for cancellation

/// Whether a retry later, or on a new connection, may succeed.
bool may_pass(Fault fault) {
  switch (fault) {
    case Fault::unreachable:
    case Fault::interrupted:
    case Fault::server_busy:
    case Fault::unknown_session:
    case Fault::session_over:
    case Fault::record_refused:
      return true;
    default:
      return false;
  }
}

/// Whether the fault means that the session is unusable, not only that the connection failed.
bool ends_session(Fault fault) {
  return fault == Fault::unknown_session || fault == Fault::session_over || fault == Fault::record_refused;
}

/// When the server refuses a login, the fault is about the card, and the server decided by its own lists and clock.
Error of_card(Error error) {
  switch (error.fault) {
    case Fault::bad_certificate:
      error.advice = "Ask the server's operator which cards it takes.";
      break;
    case Fault::revocation_unknown:
      error.advice = "Nothing is known against the card: tell the server's operator, who has to provide the lists.";
      break;
    case Fault::certificate_expired:
      error.advice = "Have it renewed by the authority that issued it.";
      break;
    case Fault::bad_statement:
      error.advice = "Check this machine's clock, and log in again.";
      break;
    case Fault::revoked:
      break;
    default:
      return error;
  }
  if (error.about.empty()) error.about = "the card's, says the server";
  return error;
}

}  // namespace

Engine::Engine(Transport& transport, EngineOptions options, Random& random, const Clock& clock)
    : transport_(&transport), options_(std::move(options)), random_(&random), clock_(&clock) {}
Engine::~Engine() = default;

wire::Authenticated Engine::person() const {
  const std::scoped_lock lock(mutex_);
  return person_;
}

std::string Engine::suite() const {
  const std::scoped_lock lock(mutex_);
  return connection_.link ? std::string(connection_.link->session().suite().name) : std::string{};
}

Result<> Engine::connect() {
  const std::scoped_lock connecting(connecting_);
  Milliseconds wait = options_.first_pause;
  for (int tries = 1;; ++tries) {
    auto link = make_link({}, true);
    if (link) return {};
    if (link.error().fault != Fault::server_busy || tries == kBusyTries) return std::unexpected(link.error());
    if (!pause(wait, {})) return fail(Fault::cancelled, "engine: connect");
    wait *= 2;
  }
}

/// connecting_ is held.
Result<std::shared_ptr<ChannelLink>> Engine::make_link(const Call& request, bool may_ask) {
  auto opened = ChannelLink::open(*transport_, options_.settings, *random_, *clock_, [&] { return given_up(request); });
  if (!opened) return std::unexpected(std::move(opened).error());
  std::shared_ptr<ChannelLink> link = *std::move(opened);
  USHER_TRY(wire::Authenticated person, authenticate(*link, may_ask));
  install(link, std::move(person));
  return link;
}

/// connecting_ is held.
Result<wire::Authenticated> Engine::authenticate(ChannelLink& link, bool may_ask) {
  const person::LoginTerms terms{.server_key = link.session().peer().certificate().key_fingerprint(),
                                 .installation = options_.settings->chain.front().fingerprint(),
                                 .now = clock_->now()};
  if (!login_ || !login_->usable(terms.server_key, terms.installation, terms.now)) {
    // The user does not expect a PIN prompt in the middle of a play.
    if (!may_ask) return fail(Fault::bad_statement, "engine: the login has ended", "the login has ended");
    USHER_TRY(login_, options_.login(terms));
  }
  USHER_TRY(const Hash256 exporter, link.session().exporter("person"));
  USHER_TRY(const person::AuthRequest request, login_->bind(exporter));
  auto answer = link.request(wire::kPathAuth, std::nullopt, request.encode());
  if (!answer) return std::unexpected(of_card(std::move(answer.error().error)));
  return wire::Authenticated::decode(answer->body());
}

void Engine::install(std::shared_ptr<ChannelLink> link, wire::Authenticated person) {
  const std::scoped_lock lock(mutex_);
  connection_.link = std::move(link);
  ++connection_.generation;
  person_ = std::move(person);
}

void Engine::abandon(std::uint64_t generation) {
  const std::scoped_lock lock(mutex_);
  if (connection_.generation != generation || !connection_.link) return;
  connection_.link->close();
  connection_.link.reset();
}

Result<Engine::Connection> Engine::connection(const Call& request) {
  std::uint64_t failed_before = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (connection_.link) return connection_;
    failed_before = failed_attempts_;
  }
  const std::scoped_lock connecting(connecting_);
  {
    const std::scoped_lock lock(mutex_);
    if (connection_.link) return connection_;
    // Another thread has tried and failed while this one waited. Another attempt now would take as long and fail too.
    if (failed_attempts_ != failed_before) return std::unexpected(*last_failure_);
  }
  auto link = make_link(request, false);
  const std::scoped_lock lock(mutex_);
  if (link) return connection_;
  ++failed_attempts_;
  last_failure_ = link.error();
  return std::unexpected(std::move(link).error());
}

Answer Engine::attempt(const Call& request) {
  auto now = connection(request);
  if (!now) return std::unexpected(Failure{.error = std::move(now).error(), .lost = true});
  auto answer = now->link->request(request.path, request.operation, request.body, [&] { return given_up(request); });
  if (!answer && answer.error().lost && ends_session(answer.error().error.fault)) abandon(now->generation);
  return answer;
}

Result<channel::Response> Engine::call(const Call& request) {
  const auto patience = request.patience.count() != 0 ? request.patience : options_.patience;
  const auto until = Steady::now() + patience;
  Milliseconds wait = options_.first_pause;
  for (;;) {
    if (given_up(request)) return fail(Fault::cancelled, "engine");
    auto answer = attempt(request);
    if (answer) {
      tell_recovery();
      return *std::move(answer);
    }
    Error error = std::move(answer.error().error);
    if (given_up(request)) return fail(Fault::cancelled, "engine");
    if (!may_pass(error.fault) || Steady::now() + wait > until) return std::unexpected(std::move(error));
    tell_trouble(error);
    if (!pause(wait, request)) return fail(Fault::cancelled, "engine");
    wait = std::min(wait * 2, options_.last_pause);
  }
}

void Engine::tell_trouble(const Error& error) {
  ++troubles_;
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(troubled_, true)) return;
  }
  options_.note("The connection to the server is lost (" + std::string(code_of(error.fault)) + "); trying again …");
}

void Engine::tell_recovery() {
  {
    const std::scoped_lock lock(mutex_);
    if (!std::exchange(troubled_, false)) return;
  }
  options_.note("The server answers again.");
}

bool Engine::given_up(const Call& request) const {
  return (request.stop != nullptr && *request.stop) ||
         (options_.cancelled != nullptr && *options_.cancelled && !request.to_the_end);
}

bool Engine::pause(Milliseconds time, const Call& request) const {
  const auto until = Steady::now() + time;
  while (Steady::now() < until) {
    if (given_up(request)) return false;
    std::this_thread::sleep_for(std::min<Steady::duration>(kTick, until - Steady::now()));
  }
  return !given_up(request);
}

void Engine::exit() noexcept {
  std::shared_ptr<ChannelLink> last;
  {
    const std::scoped_lock lock(mutex_);
    last = std::exchange(connection_.link, nullptr);
  }
  if (!last) return;
  // The response does not matter: if the server does not receive this request, the session expires by itself.
  const auto until = Steady::now() + kExitPatience;
  [[maybe_unused]] const auto ignored =
      last->request(wire::kPathExit, std::nullopt, {}, [until] { return Steady::now() > until; });
  last->close();
}

}  // namespace usher::client
