// net/session_table: the sessions of a server, half open and open, and when they end.  Spec: channel.md §4.3, §6.2.
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
#include "identity/statement.h"

namespace usher::net {

struct SessionLimits {
  std::size_t half_open = 1'024;
  std::size_t open = 10'000;
  std::size_t open_per_installation = 64;  // the oldest ends when there is one more
  Seconds life{12 * 3600};
  std::uint64_t records = channel::kMaxRecords;
};

/// Who was authenticated in a session. Never changes.
struct Person {
  Hash256 pseudonym{};
  identity::VerifiedPerson verified;
};

/// An open session. Thread-safe: requests of one session are worked on at once.
class LiveSession {
 public:
  LiveSession(std::unique_ptr<channel::ServerSession> channel, Hash256 installation, Time ends)
      : channel_(std::move(channel)), installation_(installation), channel_ends_(ends) {}

  [[nodiscard]] channel::ServerSession& channel() const noexcept { return *channel_; }
  /// SHA-256 of the client certificate's SubjectPublicKeyInfo.
  [[nodiscard]] const Hash256& installation() const noexcept { return installation_; }
  /// nullptr before `api/auth`.
  [[nodiscard]] std::shared_ptr<const Person> person() const;
  /// Held while somebody is being authenticated, so that one of two wins.
  [[nodiscard]] std::unique_lock<std::mutex> lock_for_auth() { return std::unique_lock(auth_); }
  void set_person(std::shared_ptr<const Person> person);
  /// The earliest of the session's life, the certificates' end and the person's statement's.
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

/// A handshake that has begun. `mutex` is held while the machine works.
struct HalfOpen {
  HalfOpen(std::shared_ptr<const channel::ServerSettings> settings, std::uint64_t judged_by, Random& random)
      : machine(std::move(settings), random), generation(judged_by) {}
  std::mutex mutex;
  channel::ServerHandshake machine;
  const std::uint64_t generation;  // of the trust in the machine's settings
  Time deadline{};                 // set before it is shared, as the next one
  std::string network;             // where its ClientHello came from: an IPv4 address, an IPv6 /64
};
using HalfOpenPtr = std::shared_ptr<HalfOpen>;

/// Why sessions ended, for logs and metrics: "exit", "expired", "records", "revoked", "displaced".
using SessionEnded = std::function<void(const LiveSession&, std::string_view reason)>;

/// Thread-safe.
class SessionTable {
 public:
  SessionTable(SessionLimits limits, SessionEnded ended) : limits_(limits), ended_(std::move(ended)) {}

  /// A place among the half-open sessions, before any work is done for one; given back when it is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept : table_(std::exchange(other.table_, nullptr)), network_(std::move(other.network_)) {}
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    friend class SessionTable;
    Place(SessionTable* table, std::string network) : table_(table), network_(std::move(network)) {}
    SessionTable* table_;
    std::string network_;
  };
  /// Whether a network has its share of the half-open sessions already: a quarter of all.
  [[nodiscard]] bool has_its_share(const std::string& network) const;
  /// Where all places are taken, the network that has most of them loses its oldest one to one that has fewer.
  /// Errors: server_busy.
  [[nodiscard]] Result<Place> reserve(Time now, const std::string& network);
  void add_half_open(Place place, const Id128& session, HalfOpenPtr half_open);
  /// nullptr: there is none.
  [[nodiscard]] HalfOpenPtr find_half_open(const Id128& session) const;
  void remove_half_open(const Id128& session);

  // Peers are judged by trust that a reload or a new list replaces meanwhile (identity.md §3.3). Whoever judges reads the
  // generation first and the trust then, and takes both along: what an earlier generation accepted changes nothing here.
  [[nodiscard]] std::uint64_t trust_generation() const;
  /// Other trust is in force. The caller then looks at the sessions there are: end_where().
  void renew_trust();

  /// Takes the session out of the half-open ones. nullptr: its peer was judged by an earlier generation than the one in
  /// force; `channel` is left as it was.
  [[nodiscard]] SessionPtr open(std::unique_ptr<channel::ServerSession>& channel, Time now, std::uint64_t generation);
  /// False: `person` was judged by an earlier generation than the one in force, and is not in the session.
  [[nodiscard]] bool set_person(LiveSession& session, std::shared_ptr<const Person> person, std::uint64_t generation);
  /// nullptr: there is none, or it has ended.
  [[nodiscard]] SessionPtr find(const Id128& session, Time now);
  /// Destroys its keys. No session of that number, no effect.
  void end(const Id128& session, std::string_view reason);
  /// Ends what is over.
  void sweep(Time now);
  /// Ends the sessions for which `gone` says so.
  void end_where(const std::function<bool(const LiveSession&)>& gone, std::string_view reason);

  [[nodiscard]] std::size_t half_open() const;
  [[nodiscard]] std::size_t open_sessions() const;

 private:
  struct IdHash {
    std::size_t operator()(const Id128& id) const noexcept;
  };
  /// What one network holds of the places of half-open sessions.
  struct Share {
    std::size_t reserved = 0;
    std::list<Id128> sessions;  // the oldest first
    [[nodiscard]] std::size_t places() const noexcept { return reserved + sessions.size(); }
  };
  struct Waiting {
    HalfOpenPtr half_open;
    std::list<Id128>::iterator place;  // in its network's share
  };
  using HalfOpens = std::unordered_map<Id128, Waiting, IdHash>;

  [[nodiscard]] bool is_full_locked() const { return half_open_.size() + reserved_ >= limits_.half_open; }
  /// The half-open session goes. Its keys are to be destroyed without the lock.
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
  std::map<Hash256, std::vector<Id128>> by_installation_;  // the oldest first
};

}  // namespace usher::net
