#include "licence/terms.h"

#include <algorithm>

namespace usher::licence {
namespace {

bool is_time(std::int64_t seconds) noexcept { return seconds >= 0 && seconds <= kMaxSeconds; }

}  // namespace

bool is_server_id(std::string_view text) noexcept {
  const auto fits = [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '\\'; };
  return !text.empty() && text.size() <= kMaxServerId && std::ranges::all_of(text, fits);
}

Result<> check_terms(const LicenceTerms& terms) {
  if (!is_server_id(terms.server)) return fail(Fault::malformed, "licence: server");
  if (terms.plays && (*terms.plays == 0 || *terms.plays > kMaxPlays)) return fail(Fault::malformed, "licence: plays");
  if (!is_time(terms.not_before)) return fail(Fault::malformed, "licence: not before");
  if (!is_time(terms.issued_at)) return fail(Fault::malformed, "licence: issued at");
  if (terms.expires && (!is_time(*terms.expires) || *terms.expires <= terms.not_before)) {
    return fail(Fault::malformed, "licence: expires");
  }
  const auto& window = terms.window_after_first_play;
  if (window && (*window < 1 || *window > kMaxWindow)) return fail(Fault::malformed, "licence: window");
  const bool ends = terms.plays || terms.expires || window;
  if (!ends) return fail(Fault::malformed, "licence: without an end");
  return {};
}

std::optional<std::int64_t> usable_until(const LicenceTerms& terms, const Standing& standing) noexcept {
  std::optional<std::int64_t> until = terms.expires;
  if (terms.window_after_first_play && standing.first_play) {
    const std::int64_t window_end = *standing.first_play + *terms.window_after_first_play;
    until = until ? std::min(*until, window_end) : window_end;
  }
  return until;
}

Result<> check_not_revoked(const Standing& standing) {
  if (standing.revoked_at) return fail(Fault::licence_revoked, "licence");
  return {};
}

Result<> check_usable(const LicenceTerms& terms, const Standing& standing, Time now) {
  const std::int64_t second = unix_seconds(now);
  USHER_CHECK(check_not_revoked(standing));
  if (second < terms.not_before) return fail(Fault::licence_not_yet_valid, "licence");
  const auto until = usable_until(terms, standing);
  if (until && second >= *until) return fail(Fault::licence_expired, "licence");
  return {};
}

Result<> check_holder(const LicenceTerms& terms, const Hash256& pseudonym, const Hash256& installation) {
  if (terms.pseudonym != pseudonym) return fail(Fault::unknown_licence, "licence: holder");
  if (terms.installation && *terms.installation != installation) {
    return fail(Fault::wrong_installation, "licence: installation");
  }
  return {};
}

}  // namespace usher::licence
