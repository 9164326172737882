#include "server/http/session_table.h"

#include <algorithm>
#include <cstring>

#include "base/encoding.h"

namespace usher::server {

std::shared_ptr<const Person> LiveSession::person() const {
  const std::scoped_lock lock(mutex_);
  return person_;
}

void LiveSession::set_person(std::shared_ptr<const Person> person) {
  const std::scoped_lock lock(mutex_);
  person_ = std::move(person);
}

Time LiveSession::ends() const {
  const std::scoped_lock lock(mutex_);
  return person_ ? std::min(channel_ends_, person_->verified.not_after()) : channel_ends_;
}

// Session ids are random, so their first bytes can serve as a hash.
std::size_t SessionTable::IdHash::operator()(const Id128& id) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, id.data(), sizeof hash);
  return hash;
}

SessionTable::Reservation::~Reservation() {
  if (table_ == nullptr) return;
  const std::scoped_lock lock(table_->mutex_);
  table_->release_locked(network_);
}

void SessionTable::release_locked(const std::string& network) {
  --reserved_;
  const auto share = shares_.find(network);
  --share->second.reserved;
  if (share->second.places() == 0) shares_.erase(share);
}

HalfOpenPtr SessionTable::take_locked(HalfOpens::iterator at) {
  HalfOpenPtr taken = std::move(at->second.half_open);
  const auto share = shares_.find(taken->network);
  share->second.sessions.erase(at->second.place);
  if (share->second.places() == 0) shares_.erase(share);
  half_open_.erase(at);
  return taken;
}

/// Makes room for a network that has `places` places: removes the oldest half-open session of the network with most
/// sessions. nullptr: no network has more than `places` + 1 sessions.
HalfOpenPtr SessionTable::displace_locked(std::size_t places) {
  const auto most =
      std::ranges::max_element(shares_, {}, [](const auto& entry) { return entry.second.sessions.size(); });
  if (most == shares_.end() || most->second.sessions.size() <= places + 1) return nullptr;
  return take_locked(half_open_.find(most->second.sessions.front()));
}

bool SessionTable::has_its_share(const std::string& network) const {
  const std::scoped_lock lock(mutex_);
  const auto share = shares_.find(network);
  return share != shares_.end() && share->second.places() >= std::max<std::size_t>(limits_.half_open / 4, 1);
}

Result<SessionTable::Reservation> SessionTable::reserve(Time now, const std::string& network) {
  std::vector<HalfOpenPtr> gone;  // destroyed after the lock is released
  const std::scoped_lock lock(mutex_);
  if (open_.size() + reserved_ >= limits_.open) return fail(Fault::server_busy, "session: open");
  if (is_full_locked()) gone = take_late_locked(now);
  if (is_full_locked()) {
    const auto share = shares_.find(network);
    gone.push_back(displace_locked(share == shares_.end() ? 0 : share->second.places()));
    if (!gone.back()) return fail(Fault::server_busy, "session: half open");
  }
  ++reserved_;
  ++shares_[network].reserved;
  return Reservation(this, network);
}

void SessionTable::add_half_open(Reservation place, const Id128& session, HalfOpenPtr half_open) {
  const std::scoped_lock lock(mutex_);
  half_open->network = place.network_;
  Share& share = shares_[place.network_];
  const auto at = share.sessions.insert(share.sessions.end(), session);
  half_open_.emplace(session, Waiting{std::move(half_open), at});
  release_locked(place.network_);
  place.table_ = nullptr;
}

HalfOpenPtr SessionTable::find_half_open(const Id128& session) const {
  const std::scoped_lock lock(mutex_);
  const auto found = half_open_.find(session);
  return found == half_open_.end() ? nullptr : found->second.half_open;
}

void SessionTable::remove_half_open(const Id128& session) {
  HalfOpenPtr gone;  // destroyed after the lock is released
  const std::scoped_lock lock(mutex_);
  const auto found = half_open_.find(session);
  if (found != half_open_.end()) gone = take_locked(found);
}

std::uint64_t SessionTable::trust_generation() const {
  const std::scoped_lock lock(mutex_);
  return generation_;
}

void SessionTable::renew_trust() {
  const std::scoped_lock lock(mutex_);
  ++generation_;
}

SessionPtr SessionTable::open(std::unique_ptr<channel::ServerSession>& channel, Time now, std::uint64_t generation) {
  const Id128 id = channel->id();
  const Hash256 installation = channel->peer().certificate().key_fingerprint();
  const Time ends = std::min(now + limits_.life, channel->peer().valid_until());
  SessionPtr session;
  std::vector<SessionPtr> displaced;
  HalfOpenPtr half_opened;
  {
    const std::scoped_lock lock(mutex_);
    if (generation != generation_) return nullptr;
    session = std::make_shared<LiveSession>(std::move(channel), installation, ends);
    if (const auto was = half_open_.find(id); was != half_open_.end()) half_opened = take_locked(was);
    std::vector<Id128>& own = by_installation_[installation];
    own.push_back(id);
    open_.emplace(id, session);
    if (own.size() > limits_.open_per_installation) displaced.push_back(take_locked(Id128(own.front())));
  }
  finish(displaced, "displaced");
  return session;
}

bool SessionTable::set_person(LiveSession& session, std::shared_ptr<const Person> person, std::uint64_t generation) {
  const std::scoped_lock lock(mutex_);
  if (generation != generation_) return false;
  session.set_person(std::move(person));
  return true;
}

SessionPtr SessionTable::find(const Id128& session, Time now) {
  SessionPtr live;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = open_.find(session);
    if (found == open_.end()) return nullptr;
    live = found->second;
  }
  const channel::ServerSession& channel = live->channel();
  if (live->ends() <= now) {
    end(session, "expired");
    return nullptr;
  }
  if (channel.sealed() >= limits_.records || channel.opened_records() >= limits_.records) {
    end(session, "records");
    return nullptr;
  }
  return channel.closed() ? nullptr : live;
}

SessionPtr SessionTable::take_locked(const Id128& session) {
  const auto found = open_.find(session);
  if (found == open_.end()) return nullptr;
  SessionPtr taken = std::move(found->second);
  open_.erase(found);
  const auto own = by_installation_.find(taken->installation());
  std::erase(own->second, session);
  if (own->second.empty()) by_installation_.erase(own);
  return taken;
}

void SessionTable::end(const Id128& session, std::string_view reason) {
  std::vector<SessionPtr> over;
  {
    const std::scoped_lock lock(mutex_);
    SessionPtr found = take_locked(session);
    if (!found) return;
    over.push_back(std::move(found));
  }
  finish(over, reason);
}

std::vector<HalfOpenPtr> SessionTable::take_late_locked(Time now) {
  std::vector<HalfOpenPtr> late;
  for (auto at = half_open_.begin(); at != half_open_.end();) {
    const auto here = at++;
    if (here->second.half_open->deadline <= now) late.push_back(take_locked(here));
  }
  return late;
}

void SessionTable::sweep(Time now) {
  std::vector<HalfOpenPtr> late;
  {
    const std::scoped_lock lock(mutex_);
    late = take_late_locked(now);
  }
  end_where([&](const LiveSession& session) { return session.ends() <= now; }, "expired");
}

void SessionTable::end_where(const std::function<bool(const LiveSession&)>& gone, std::string_view reason) {
  // gone() may be slow, since it may verify a chain. Call it without the lock.
  std::vector<SessionPtr> all;
  {
    const std::scoped_lock lock(mutex_);
    all.reserve(open_.size());
    for (const auto& entry : open_) all.push_back(entry.second);
  }
  for (const SessionPtr& session : all) {
    if (gone(*session)) end(session->channel().id(), reason);
  }
}

void SessionTable::finish(const std::vector<SessionPtr>& over, std::string_view reason) {
  for (const SessionPtr& session : over) {
    session->channel().close();
    if (ended_) ended_(*session, reason);
  }
}

std::size_t SessionTable::half_open() const {
  const std::scoped_lock lock(mutex_);
  return half_open_.size() + reserved_;
}

std::size_t SessionTable::open_sessions() const {
  const std::scoped_lock lock(mutex_);
  return open_.size();
}

Result<> still_trusted(const LiveSession& session, const Authorities& authorities, Time now) {
  USHER_CHECK(authorities.channel->clients->verify_again(session.channel().peer(), now));
  const auto person = session.person();
  if (!person) return {};
  Result<> last = fail(Fault::untrusted, "auth: no profile");
  for (const PersonSource& source : authorities.persons) {
    if (source.profile.name != person->verified.profile()) continue;
    last = source.trust->verify_again(person->verified.peer(), now);
    if (last) return {};
  }
  return last;
}

std::string session_prefix(const Id128& session) { return to_hex(View(session).first(4)); }
std::string fingerprint_prefix(const Hash256& fingerprint) { return to_hex(View(fingerprint).first(8)); }

}  // namespace usher::server
