// server/http/session_table: a server's half-open and open sessions, with limits and expiry.
// Spec: channel.md §4.3, §6.2.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "channel/handshake_server.h"
#include "person/statement.h"
#include "server/trust/authorities.h"

namespace usher::server {

struct SessionLimits {
  std::size_t half_open = 1'024;
  std::size_t open = 10'000;
  std::size_t open_per_installation = 64;  // one more ends the oldest
  Seconds life{12 * 3600};
  std::uint64_t records = channel::kMaxRecords;
};

/// The person who was authenticated in a session. Never changes.
struct Person {
  Hash256 pseudonym{};
  person::VerifiedPerson verified;
};

/// An open session. Thread-safe: several requests of one session may run at the same time.
class LiveSession {
 public:
  LiveSession(std::unique_ptr<channel::ServerSession> channel, Hash256 installation, Time ends)
      : channel_(std::move(channel)), installation_(installation), channel_ends_(ends) {}

  [[nodiscard]] channel::ServerSession& channel() const noexcept { return *channel_; }
  /// SHA-256 of the client certificate's SubjectPublicKeyInfo.
  [[nodiscard]] const Hash256& installation() const noexcept { return installation_; }
  /// nullptr before `api/auth`.
  [[nodiscard]] std::shared_ptr<const Person> person() const;
  /// To hold while authenticating a person, so that only one of two concurrent attempts succeeds.
  [[nodiscard]] std::unique_lock<std::mutex> lock_for_auth() { return std::unique_lock(auth_); }
  void set_person(std::shared_ptr<const Person> person);
  /// The earliest of these ends: the session's life, the certificates, the person's statement.
  [[nodiscard]] Time ends() const;

 private:
  std::unique_ptr<channel::ServerSession> channel_;
  Hash256 installation_;
  Time channel_ends_;
  std::mutex auth_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Person> person_;
};
using SessionPtr = std::shared_ptr<LiveSession>;

/// A handshake in progress. Hold `mutex` while using the machine.
struct HalfOpen {
  HalfOpen(std::shared_ptr<const channel::ServerSettings> settings, std::uint64_t judged_by, Random& random)
      : machine(std::move(settings), random), generation(judged_by) {}
  std::mutex mutex;
  channel::ServerHandshake machine;
  const std::uint64_t generation;  // of the trust in the machine's settings
  Time deadline{};                 // set before other threads see this object; so is `network`
  std::string network;             // the source of its ClientHello: an IPv4 address or an IPv6 /64
};
using HalfOpenPtr = std::shared_ptr<HalfOpen>;

/// Called when a session has ended, for logs and metrics. `reason`: "exit", "expired", "records", "revoked",
/// "displaced".
using SessionEnded = std::function<void(const LiveSession&, std::string_view reason)>;

/// Thread-safe.
class SessionTable {
 public:
  SessionTable(SessionLimits limits, SessionEnded ended) : limits_(limits), ended_(std::move(ended)) {}

  /// A place among the half-open sessions, reserved before any work is done for a session. The destructor frees it.
  class Reservation {
   public:
    Reservation(Reservation&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)), network_(std::move(other.network_)) {}
    Reservation& operator=(Reservation&&) = delete;
    ~Reservation();

   private:
    friend class SessionTable;
    Reservation(SessionTable* table, std::string network) : table_(table), network_(std::move(network)) {}
    SessionTable* table_;
    std::string network_;
  };
  /// True if the network already has its share of the half-open sessions: a quarter of all places.
  [[nodiscard]] bool has_its_share(const std::string& network) const;
  /// Reserves a place. If all are taken, sessions past their deadline are removed. If that frees no place, the network
  /// with the most half-open sessions loses its oldest one, provided that `network` has at least two places fewer.
  /// Errors: server_busy.
  [[nodiscard]] Result<Reservation> reserve(Time now, const std::string& network);
  void add_half_open(Reservation place, const Id128& session, HalfOpenPtr half_open);
  /// nullptr: there is no such half-open session.
  [[nodiscard]] HalfOpenPtr find_half_open(const Id128& session) const;
  void remove_half_open(const Id128& session);

  // A reload or a new list may replace the trust while a peer is being verified (identity.md §3.3). The verifying code
  // reads the generation first and the trust second, and passes the generation to open() or set_person(). They refuse a
  // peer that an earlier generation has accepted.
  [[nodiscard]] std::uint64_t trust_generation() const;
  /// To call after new trust was put in force. The caller then checks the existing sessions with end_where().
  void renew_trust();

  /// Turns a half-open session into an open one. nullptr: its peer was judged by an earlier generation than the current
  /// one; `channel` is unchanged.
  [[nodiscard]] SessionPtr open(std::unique_ptr<channel::ServerSession>& channel, Time now, std::uint64_t generation);
  /// False: `person` was judged by an earlier generation than the current one, and the session is unchanged.
  [[nodiscard]] bool set_person(LiveSession& session, std::shared_ptr<const Person> person, std::uint64_t generation);
  /// nullptr: there is no such session, or it has ended.
  [[nodiscard]] SessionPtr find(const Id128& session, Time now);
  /// Ends a session and destroys its keys. No effect if there is no such session.
  void end(const Id128& session, std::string_view reason);
  /// Ends all sessions that have expired, half-open ones included.
  void sweep(Time now);
  /// Ends the sessions for which `gone` returns true.
  void end_where(const std::function<bool(const LiveSession&)>& gone, std::string_view reason);

  [[nodiscard]] std::size_t half_open() const;
  [[nodiscard]] std::size_t open_sessions() const;

 private:
  struct IdHash {
    std::size_t operator()(const Id128& id) const noexcept;
  };
  /// The places for half-open sessions that one network has taken.
  struct Share {
    std::size_t reserved = 0;
    std::list<Id128> sessions;  // oldest first
    [[nodiscard]] std::size_t places() const noexcept { return reserved + sessions.size(); }
  };
  struct Waiting {
    HalfOpenPtr half_open;
    std::list<Id128>::iterator place;  // in its network's share
  };
  using HalfOpens = std::unordered_map<Id128, Waiting, IdHash>;

  [[nodiscard]] bool is_full_locked() const { return half_open_.size() + reserved_ >= limits_.half_open; }
  /// Removes the half-open session. The caller must destroy it, with its keys, without the lock.
  HalfOpenPtr take_locked(HalfOpens::iterator at);
  std::vector<HalfOpenPtr> take_late_locked(Time now);
  HalfOpenPtr displace_locked(std::size_t places);
  void release_locked(const std::string& network);
  SessionPtr take_locked(const Id128& session);
  void finish(const std::vector<SessionPtr>& over, std::string_view reason);

  SessionLimits limits_;
  SessionEnded ended_;
  mutable std::mutex mutex_;
  std::uint64_t generation_ = 0;
  std::size_t reserved_ = 0;
  HalfOpens half_open_;
  std::map<std::string, Share, std::less<>> shares_;
  std::unordered_map<Id128, SessionPtr, IdHash> open_;
  std::map<Hash256, std::vector<Id128>> by_installation_;  // oldest first
};

/// Succeeds if the session's installation, and its person if it has one, would still be accepted.
[[nodiscard]] Result<> still_trusted(const LiveSession& session, const Authorities& authorities, Time now);

/// The first 8 hexadecimal digits: enough to find a session in the log, too few to use as its id.
[[nodiscard]] std::string session_prefix(const Id128& session);
/// How the log names an installation or a person: 16 digits of a key's fingerprint or of a pseudonym.
[[nodiscard]] std::string fingerprint_prefix(const Hash256& fingerprint);

}  // namespace usher::server
