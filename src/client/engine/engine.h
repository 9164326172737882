// client/engine/engine: the listener's requests to the server; reconnects after lost connections.  Spec: channel.md §9.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "client/engine/catalogue.h"
#include "client/engine/channel_link.h"
#include "person/statement.h"

namespace usher::client {

/// Asks the person for the card. Called once per login, at the first connection to a server. May ask for a PIN.
using Login = std::function<Result<std::shared_ptr<const person::PersonLogin>>(const person::LoginTerms& terms)>;
/// A sentence for the listener. Called from any thread.
using Note = std::function<void(std::string_view sentence)>;

struct EngineOptions {
  std::shared_ptr<const channel::ClientSettings> settings{};
  std::shared_ptr<const pki::TrustStore> distributors{};
  Login login{};
  Note note = [](std::string_view) {};
  Milliseconds patience{120'000};  // how long to retry after a lost connection
  Milliseconds first_pause{250};   // between attempts; doubles each time, up to last_pause
  Milliseconds last_pause{5'000};
  /// While it is true, every call that waits for the server gives up with `cancelled`, except close() and exit().
  const std::atomic<bool>* cancelled = nullptr;
};

/// A play that this client has open. Shared by the threads that fetch chunks.
class OpenPlay {
 public:
  OpenPlay(wire::Opened opened, VerifiedMedium medium, std::uint64_t generation);
  [[nodiscard]] const VerifiedMedium& medium() const noexcept { return medium_; }
  [[nodiscard]] const Id128& id() const noexcept { return opened_.play; }
  [[nodiscard]] const Id128& licence() const noexcept { return opened_.licence; }
  [[nodiscard]] std::uint32_t plays_left() const noexcept { return opened_.plays_left; }
  [[nodiscard]] std::uint64_t deadline() const noexcept { return opened_.deadline; }
  /// The server's response when the listener opened or resumed the play.
  [[nodiscard]] const wire::Opened& opened() const noexcept { return opened_; }
  /// `resumed` is called with the server's response each time the engine itself resumes the play after a lost
  /// connection. Called from any thread.
  void on_resumed(std::function<void(const wire::Opened&)> resumed) {
    const std::scoped_lock lock(mutex_);
    resumed_ = std::move(resumed);
  }

 private:
  friend class Engine;
  wire::Opened opened_;
  VerifiedMedium medium_;
  std::mutex mutex_;
  std::function<void(const wire::Opened&)> resumed_;  // under mutex_, like the next two members
  std::uint64_t epoch_;
  std::uint64_t generation_;  // of the connection that last opened or resumed it
};

/// Thread-safe after connect(). Borrows transport, random and clock. If the response to a request is lost, the engine
/// repeats the request on a new connection with the same operation number, so that nothing is bought, opened or counted
/// twice.
class Engine {
 public:
  Engine(Transport& transport, EngineOptions options, Random& random, const Clock& clock);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Handshake and login. Retries a busy server, but not an unreachable one.
  /// Errors: those of ChannelLink::open, of the login and of api/auth.
  [[nodiscard]] Result<> connect();
  /// The authenticated person. Precondition: connect() succeeded.
  [[nodiscard]] wire::Authenticated person() const;
  [[nodiscard]] std::string suite() const;
  /// How many requests so far failed because the server was unreachable or busy.
  [[nodiscard]] std::uint64_t troubles() const noexcept { return troubles_; }

  /// The whole catalogue. Errors, here and for every call below: the server's; the transport's after `patience`;
  /// malformed.
  [[nodiscard]] Result<std::vector<CatalogueItem>> catalogue();
  [[nodiscard]] Result<std::vector<wire::LicenceEntry>> licences();
  [[nodiscard]] Result<wire::LicenceEntry> acquire(const wire::Acquire& wanted);
  [[nodiscard]] Result<wire::Plays> plays();

  /// Errors: also release_mismatch, when the server opens another medium; those of verify_manifest.
  [[nodiscard]] Result<std::shared_ptr<OpenPlay>> open(const wire::Open& wanted);
  /// Resumes a play that was not closed. Errors: play_over, play_expired, unknown_play, …
  [[nodiscard]] Result<std::shared_ptr<OpenPlay>> resume(const Id128& play);
  [[nodiscard]] Result<wire::Closed> close(OpenPlay& play);
  /// Does not check the chunk: see checked_chunk. After a lost connection the play is resumed, without PIN and without
  /// charge.
  [[nodiscard]] Result<wire::ChunkBody> chunk(OpenPlay& play, std::uint32_t number, const std::atomic<bool>& stop);

  /// Ends the session; its keys are destroyed on both sides. Never waits for long.
  void exit() noexcept;

 private:
  struct Connection {
    std::shared_ptr<ChannelLink> link;  // empty: to be opened
    std::uint64_t generation = 0;       // of the current link, or of the last one
  };
  struct Call {
    std::string_view path;
    std::optional<Id128> operation{};
    Bytes body{};
    const std::atomic<bool>* stop = nullptr;
    Milliseconds patience{};
    bool to_the_end = false;  // EngineOptions::cancelled does not stop it
  };
  [[nodiscard]] Result<channel::Response> call(const Call& request);
  [[nodiscard]] Answer attempt(const Call& request);
  [[nodiscard]] Result<Connection> connection(const Call& request);
  [[nodiscard]] Result<std::shared_ptr<ChannelLink>> make_link(const Call& request, bool may_ask);
  [[nodiscard]] Result<wire::Authenticated> authenticate(ChannelLink& link, bool may_ask);
  void install(std::shared_ptr<ChannelLink> link, wire::Authenticated person);
  void abandon(std::uint64_t generation);
  void tell_trouble(const Error& error);
  void tell_recovery();
  [[nodiscard]] bool given_up(const Call& request) const;
  [[nodiscard]] bool pause(Milliseconds time, const Call& request) const;
  [[nodiscard]] Call changing(std::string_view path, Bytes body);
  [[nodiscard]] Result<std::uint64_t> epoch_of(OpenPlay& play, const std::atomic<bool>& stop);
  [[nodiscard]] Result<std::shared_ptr<OpenPlay>> opened(const channel::Response& response,
                                                         const std::optional<Id128>& opened_now);

  Transport* transport_;
  EngineOptions options_;
  Random* random_;
  const Clock* clock_;
  std::mutex connecting_;                             // one thread at a time makes a new connection
  std::shared_ptr<const person::PersonLogin> login_;  // under connecting_
  mutable std::mutex mutex_;                          // guards the members below
  Connection connection_;
  wire::Authenticated person_;
  std::uint64_t failed_attempts_ = 0;  // at making a connection
  std::optional<Error> last_failure_;
  bool troubled_ = false;  // the listener was notified
  std::atomic<std::uint64_t> troubles_{0};
};

}  // namespace usher::client
