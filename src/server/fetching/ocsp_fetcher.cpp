#include "server/fetching/ocsp_fetcher.h"

#include <charconv>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "pki/certificate_urls.h"
#include "server/fetching/fetched_file.h"

namespace usher::server {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxAnswers = 4'096;
constexpr Milliseconds kUnwanted = std::chrono::hours(12);  // without use; sessions are not longer (§6.1)
constexpr Milliseconds kForget = std::chrono::days(7);      // files with older answers are deleted
constexpr std::size_t kMaxRevoked = 64;                     // bytes of a file with a revocation
constexpr const char* kAnswer = ".ocsp";
constexpr const char* kRevoked = ".revoked";

std::string name_of(const Hash256& certificate, const Hash256& issuer) {
  return to_hex(crypto::sha256({certificate, issuer}));
}

/// Deletes old files with answers: their certificates were not used again.
void remove_old(const fs::path& directory, Time now) {
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const auto written = at->last_write_time(ignored);
    const bool is_old = !ignored && std::chrono::file_clock::to_sys(written) + kForget < now;
    if (is_old && at->path().extension() == kAnswer) fs::remove(at->path(), ignored);
  }
}

/// Whether `answer` may replace `before`: its thisUpdate is later; or it is the same, and no revocation is undone.
bool is_later(const pki::StatusAnswer& answer, const std::optional<pki::StatusAnswer>& before) {
  if (!before || answer.this_update > before->this_update) return true;
  return answer.this_update == before->this_update && (answer.revoked || !before->revoked);
}

bool is_lacking(const std::optional<pki::StatusAnswer>& answer, Time now) { return !answer || !answer->in_force(now); }

}  // namespace

/// Parses "<thisUpdate> <the certificate's end>", in Unix seconds. A damaged file still counts as a revocation.
OcspFetcher::Revoked OcspFetcher::revoked_of(const Result<Bytes>& content) {
  std::array<std::int64_t, 2> seconds{};
  const std::string_view text = content ? text_of(*content) : std::string_view();
  const char* at = text.data();
  for (std::int64_t& one : seconds) {
    const auto [stop, error] = std::from_chars(at, text.data() + text.size(), one);
    if (error != std::errc{} || stop == text.data() + text.size()) return {.this_update = {}, .until = Time::max()};
    at = stop + 1;
  }
  return {.this_update = from_unix_seconds(seconds[0]), .until = from_unix_seconds(seconds[1])};
}

std::string OcspFetcher::text_of_revoked(const Revoked& revoked) {
  return std::to_string(unix_seconds(revoked.this_update)) + " " + std::to_string(unix_seconds(revoked.until)) + "\n";
}

OcspFetcher::OcspFetcher(StatusOptions options, Parts parts)
    : options_(std::move(options)), p_(parts), refresher_(options_.refreshing, p_.clock, p_.random) {
  const Time now = p_.clock.now();
  remove_old(options_.directory, now);
  std::error_code error;
  for (fs::directory_iterator at(options_.directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != kRevoked) continue;
    const Revoked revoked = revoked_of(read_fetched(at->path(), kMaxRevoked));
    if (revoked.until > now) {
      revoked_.emplace(at->path().stem().string(), revoked);
    } else {
      std::error_code ignored;
      fs::remove(at->path(), ignored);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    p_.log.error("revocations not read", {{"directory", options_.directory.string()}, {"reason", error.message()}});
  }
}

fs::path OcspFetcher::file_of(const std::string& name, const char* extension) const {
  return options_.directory / (name + extension);
}

/// mutex_ is held.
std::optional<pki::StatusAnswer> OcspFetcher::at_hand(const std::string& name) const {
  const auto source = sources_.find(name);
  if (source != sources_.end() && source->second.answer) return source->second.answer;
  const auto revoked = revoked_.find(name);
  if (revoked == revoked_.end()) return std::nullopt;
  const Time then = revoked->second.this_update;
  return pki::StatusAnswer{.revoked = true, .this_update = then, .next_update = then};
}

std::optional<pki::StatusAnswer> OcspFetcher::answer(const Hash256& certificate, const Hash256& issuer) {
  const std::string name = name_of(certificate, issuer);
  const std::scoped_lock lock(mutex_);
  if (const auto source = sources_.find(name); source != sources_.end()) {
    const Time now = p_.clock.now();
    if (source->second.wanted + kUnwanted < now) refresher_.hasten(name);
    source->second.wanted = now;
  }
  return at_hand(name);
}

/// Removes the sources that were not needed for kUnwanted. mutex_ is held.
void OcspFetcher::make_room() {
  const Time now = p_.clock.now();
  std::erase_if(sources_,
                [&](const auto& one) { return one.second.wanted + kUnwanted < now && refresher_.forget(one.first); });
}

/// Finds or adds a source. For a new one, an answer that an earlier process kept is used if it still verifies. nullptr:
/// there are too many sources. mutex_ is held.
OcspFetcher::Source* OcspFetcher::source_of(const std::string& name, const pki::Certificate& certificate,
                                            const pki::Certificate& issuer) {
  if (const auto known = sources_.find(name); known != sources_.end()) return &known->second;
  if (sources_.size() >= kMaxAnswers) make_room();
  if (sources_.size() >= kMaxAnswers) {
    p_.log.warning("status not asked for", {{"reason", "there are too many"}});
    return nullptr;
  }
  const auto before = at_hand(name);
  Source& source = sources_.emplace(name, Source{.certificate = certificate, .issuer = issuer}).first->second;
  const Time now = p_.clock.now();
  if (const auto kept = read_fetched(file_of(name, kAnswer), pki::kMaxAnswer)) {
    const auto answer = pki::read_answer(*kept, certificate, issuer, now);
    if (answer && is_later(*answer, before)) source.answer = *answer;
  }
  refresher_.add(name, source.answer ? source.answer->next_update : now);
  return &source;
}

OcspFetcher::Wanted OcspFetcher::want(const pki::Chain& path) {
  const std::scoped_lock lock(mutex_);
  const Time now = p_.clock.now();
  Wanted wanted;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const std::string name = name_of(path[i].fingerprint(), path[i + 1].fingerprint());
    Source* source = pki::responder_urls(path[i]).empty() ? nullptr : source_of(name, path[i], path[i + 1]);
    if (source == nullptr) {
      wanted.lacking = true;
      continue;
    }
    // An answer that was just loaded from disk counts as one that has just arrived.
    const bool from_disk = source->wanted == Time{} && !is_lacking(source->answer, now);
    source->wanted = now;
    const bool is_coming = refresher_.want(name, is_lacking(source->answer, now)) || from_disk;
    wanted.coming = wanted.coming || is_coming;
    wanted.lacking = wanted.lacking || (!is_coming && is_lacking(source->answer, now));
  }
  return wanted;
}

void OcspFetcher::start(std::function<void()> changed, Metrics& metrics) {
  changed_ = std::move(changed);
  metrics_ = &metrics;
  refresher_.start([this](const std::string& name, const std::stop_token& stop) { return refresh(name, stop); });
}

Result<Time> OcspFetcher::refresh(const std::string& name, const std::stop_token& stop) {
  std::optional<Source> source;
  {
    const std::scoped_lock lock(mutex_);
    source = sources_.at(name);
  }
  if (source->wanted + kUnwanted < p_.clock.now()) return Time::max();
  const auto answer = ask(*source, name, stop);
  metrics_->fetched(answer ? "ok" : code_of(answer.error().fault));
  if (!answer) {
    if (answer.error().fault != Fault::cancelled) {
      p_.log.warning("status not fetched", {{"code", code_of(answer.error().fault)}, {"reason", answer.error().about}});
    }
    return std::unexpected(answer.error());
  }
  p_.log.debug("status fetched", {{"revoked", answer->revoked ? "yes" : "no"}});
  if (settle(name, *answer)) changed_();
  return answer->next_update;
}

bool OcspFetcher::settle(const std::string& name, const pki::StatusAnswer& answer) {
  const std::scoped_lock lock(mutex_);
  Source& source = sources_.at(name);
  source.answer = answer;
  const fs::path file = file_of(name, kRevoked);
  if (!answer.revoked) {
    std::error_code ignored;
    if (revoked_.erase(name) > 0) fs::remove(file, ignored);
    return false;
  }
  const Revoked revoked{.this_update = answer.this_update, .until = source.certificate.not_after()};
  const bool is_new = revoked_.insert_or_assign(name, revoked).second;
  if (const auto kept = write_fetched(file, view_of(text_of_revoked(revoked))); !kept) {
    p_.log.error("revocation not kept", {{"code", code_of(kept.error().fault)}});
  }
  return is_new;
}

/// Fetches an answer from the certificate's responders, in their order, until one has an answer.
Result<pki::StatusAnswer> OcspFetcher::ask(const Source& source, const std::string& name, const std::stop_token& stop) {
  Result<pki::StatusAnswer> answer = fail(Fault::unreachable, "status");
  for (const std::string& url : pki::responder_urls(source.certificate)) {
    answer = ask_one(source, name, url, stop);
    if (answer || answer.error().fault == Fault::cancelled) return answer;
    answer.error().about = url + ": " + answer.error().about;
  }
  return answer;
}

Result<pki::StatusAnswer> OcspFetcher::ask_one(const Source& source, const std::string& name, const std::string& url,
                                               const std::stop_token& stop) {
  USHER_TRY(const Bytes request, pki::status_request(source.certificate, source.issuer));
  FetchLimits limits = options_.limits;
  limits.bytes = pki::kMaxAnswer;
  const FetchBody body{.content = request, .type = "application/ocsp-request"};
  USHER_TRY(const Bytes response, options_.fetch(url, limits, [&] { return stop.stop_requested(); }, &body));
  USHER_TRY(const pki::StatusAnswer answer,
            pki::read_answer(response, source.certificate, source.issuer, p_.clock.now()));
  {
    const std::scoped_lock lock(mutex_);
    if (!is_later(answer, at_hand(name))) {
      return fail(Fault::crl_rollback, "status", "the answer is older than the one in use");
    }
  }
  // An answer that cannot be written to disk is used nevertheless.
  if (const auto kept = write_fetched(file_of(name, kAnswer), response); !kept) {
    p_.log.error("status not kept", {{"code", code_of(kept.error().fault)}});
  }
  return answer;
}

}  // namespace usher::server
