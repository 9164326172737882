#include "net/status_keeper.h"

#include "base/encoding.h"
#include "crypto/digest.h"
#include "identity/pointers.h"
#include "net/fetched_file.h"

namespace usher::net {
namespace {

constexpr std::size_t kMaxAnswers = 4'096;
constexpr Milliseconds kUnwanted = std::chrono::hours(12);  // a person's session is not longer (§6.1)

std::string name_of(const Hash256& certificate, const Hash256& issuer) {
  return to_hex(crypto::sha256({certificate, issuer}));
}

bool is_lacking(const std::optional<identity::StatusAnswer>& answer, Time now) {
  return !answer || !answer->in_force(now);
}

}  // namespace

StatusKeeper::StatusKeeper(StatusOptions options, Parts parts)
    : options_(std::move(options)), p_(parts), refresher_(options_.refreshing, p_.clock, p_.random) {}

std::filesystem::path StatusKeeper::file_of(const std::string& name) const {
  return options_.directory / (name + ".ocsp");
}

std::optional<identity::StatusAnswer> StatusKeeper::answer(const Hash256& certificate, const Hash256& issuer) const {
  const std::scoped_lock lock(mutex_);
  const auto source = sources_.find(name_of(certificate, issuer));
  return source == sources_.end() ? std::nullopt : source->second.answer;
}

/// Those that nobody has asked for lately. mutex_ is held.
void StatusKeeper::make_room() {
  const Time now = p_.clock.now();
  for (auto at = sources_.begin(); at != sources_.end();) {
    const auto& [name, source] = *at;
    const bool idle = is_lacking(source.answer, now) && !(source.answer && source.answer->revoked) &&
                      source.wanted + kUnwanted < now && refresher_.forget(name);
    if (idle) {
      std::error_code ignored;
      std::filesystem::remove(file_of(name), ignored);
    }
    at = idle ? sources_.erase(at) : std::next(at);
  }
}

/// What an earlier process kept of a new one counts if it still verifies. mutex_ is held.
StatusKeeper::Source* StatusKeeper::source_of(const std::string& name, const identity::Certificate& certificate,
                                              const identity::Certificate& issuer) {
  if (const auto known = sources_.find(name); known != sources_.end()) return &known->second;
  if (sources_.size() >= kMaxAnswers) make_room();
  if (sources_.size() >= kMaxAnswers) {
    p_.log.warning("status not asked for", {{"reason", "there are too many"}});
    return nullptr;
  }
  Source& source = sources_.emplace(name, Source{.certificate = certificate, .issuer = issuer}).first->second;
  const Time now = p_.clock.now();
  if (const auto kept = read_fetched(file_of(name), identity::kMaxAnswer)) {
    if (auto answer = identity::read_answer(*kept, certificate, issuer, now)) source.answer = *answer;
  }
  refresher_.add(name, source.answer ? source.answer->next_update : now);
  return &source;
}

StatusKeeper::Wanted StatusKeeper::want(const identity::Chain& path) {
  const std::scoped_lock lock(mutex_);
  const Time now = p_.clock.now();
  Wanted wanted;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const std::string name = name_of(path[i].fingerprint(), path[i + 1].fingerprint());
    Source* source = identity::responder_urls(path[i]).empty() ? nullptr : source_of(name, path[i], path[i + 1]);
    if (source == nullptr) {
      wanted.lacking = true;
      continue;
    }
    // An answer that was kept on the disk is at hand from now on, as if it had just come.
    const bool from_disk = source->wanted == Time{} && !is_lacking(source->answer, now);
    source->wanted = now;
    const bool is_coming = refresher_.want(name, is_lacking(source->answer, now)) || from_disk;
    wanted.coming = wanted.coming || is_coming;
    wanted.lacking = wanted.lacking || (!is_coming && is_lacking(source->answer, now));
  }
  return wanted;
}

void StatusKeeper::start(std::function<void()> changed, Metrics& metrics) {
  changed_ = std::move(changed);
  metrics_ = &metrics;
  refresher_.start([this](const std::string& name, const std::stop_token& stop) { return refresh(name, stop); });
}

Result<Time> StatusKeeper::refresh(const std::string& name, const std::stop_token& stop) {
  std::optional<Source> source;
  {
    const std::scoped_lock lock(mutex_);
    source = sources_.at(name);
  }
  const bool was_revoked = source->answer && source->answer->revoked;
  if (!was_revoked && source->wanted + kUnwanted < p_.clock.now()) return Time::max();
  const auto answer = ask(*source, name, stop);
  metrics_->fetched(answer ? "ok" : code_of(answer.error().fault));
  if (!answer) {
    if (answer.error().fault != Fault::cancelled) {
      p_.log.warning("status not fetched", {{"code", code_of(answer.error().fault)}, {"reason", answer.error().about}});
    }
    return std::unexpected(answer.error());
  }
  {
    const std::scoped_lock lock(mutex_);
    sources_.at(name).answer = *answer;
  }
  p_.log.debug("status fetched", {{"revoked", answer->revoked ? "yes" : "no"}});
  if (answer->revoked && !was_revoked) changed_();
  return answer->next_update;
}

/// Of the first of its responders that has one.
Result<identity::StatusAnswer> StatusKeeper::ask(const Source& source, const std::string& name,
                                                 const std::stop_token& stop) const {
  Result<identity::StatusAnswer> answer = fail(Fault::unreachable, "status");
  for (const std::string& url : identity::responder_urls(source.certificate)) {
    answer = ask_one(source, name, url, stop);
    if (answer || answer.error().fault == Fault::cancelled) return answer;
    answer.error().about = url + ": " + answer.error().about;
  }
  return answer;
}

Result<identity::StatusAnswer> StatusKeeper::ask_one(const Source& source, const std::string& name,
                                                     const std::string& url, const std::stop_token& stop) const {
  USHER_TRY(const Bytes request, identity::status_request(source.certificate, source.issuer));
  FetchLimits limits = options_.limits;
  limits.bytes = identity::kMaxAnswer;
  const FetchBody body{.content = request, .type = "application/ocsp-request"};
  USHER_TRY(const Bytes response, fetch(url, limits, [&] { return stop.stop_requested(); }, &body));
  USHER_TRY(const identity::StatusAnswer answer,
            identity::read_answer(response, source.certificate, source.issuer, p_.clock.now()));
  if (source.answer && answer.this_update < source.answer->this_update) {
    return fail(Fault::crl_rollback, "status", "the answer is older than the one in use");
  }
  // One that cannot be kept is used all the same.
  if (const auto kept = write_fetched(file_of(name), response); !kept) {
    p_.log.error("status not kept", {{"code", code_of(kept.error().fault)}});
  }
  return answer;
}

}  // namespace usher::net
