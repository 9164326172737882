// The rules about sets of CRLs that OpenSSL lacks.  Spec: identity.md §4.2 to §4.4.
#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/x509.h"

namespace usher::pki {
namespace {

constexpr std::size_t kMaxFloorText = 1 << 20;  // bytes

/// Whether `a` is newer: by number if both have one and the numbers differ, else by thisUpdate.
bool is_newer(const Crl& a, const Crl& b) {
  if (a.number() && b.number() && *a.number() != *b.number()) return *a.number() > *b.number();
  return a.this_update() > b.this_update();
}

/// The newest of each scope, in a fixed order.
template <class Wanted>
std::map<Hash256, Crl> newest_by_scope(std::span<const Crl> crls, Wanted wanted) {
  std::map<Hash256, Crl> out;
  for (const Crl& crl : crls) {
    if (!wanted(crl)) continue;
    const auto [at, inserted] = out.emplace(crl.scope(), crl);
    if (!inserted && is_newer(crl, at->second)) at->second = crl;
  }
  return out;
}

/// Whether the list can cover an authority's certificate (`authority`), or another one, by its issuing distribution
/// point.
bool may_cover(const Crl& crl, bool authority) {
  using PointPtr = Ossl<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free>;
  const PointPtr point(static_cast<ISSUING_DIST_POINT*>(
      X509_CRL_get_ext_d2i(crl.ossl(), NID_issuing_distribution_point, nullptr, nullptr)));
  if (!point) return true;
  return !(point->onlyattr > 0 || (point->onlyuser > 0 && authority) || (point->onlyCA > 0 && !authority));
}
bool may_cover(const Crl& crl, const Certificate& certificate) { return may_cover(crl, certificate.has_ca_flag()); }

const Crl* base_of(const Crl& delta, const CrlSelection& crls) {
  const auto found = std::ranges::find_if(crls.complete, [&](const Crl& crl) { return crl.scope() == delta.scope(); });
  return found == crls.complete.end() ? nullptr : &*found;
}

/// Checks one delta against one certificate and its issuer (§4.3): whether it revokes, and whether it is usable.
Result<> check_delta(const Crl& delta, const Certificate& certificate, const Certificate& issuer,
                     const CrlSelection& crls, Time at) {
  const Crl* base = base_of(delta, crls);
  const auto signature = delta.verify(issuer);
  // The list belongs to another key with the same name: it does not concern this issuer.
  if (base == nullptr && !signature) return {};
  if (!signature) return fail(Fault::revocation_unknown, "delta crl: signature", signature.error().about);
  if (delta.revokes(certificate)) return fail(Fault::revoked, "delta crl");
  if (delta.has_unknown_critical()) {
    return fail(Fault::revocation_unknown, "delta crl: extension", "a delta list has a critical extension of its own");
  }
  if (base == nullptr) return fail(Fault::revocation_unknown, "delta crl: base", "a delta list has no complete list");
  if (at > delta.next_update()) return fail(Fault::crl_expired, "delta crl", "the newest delta list has expired");
  if (!base->number() || *delta.base_number() > *base->number()) {
    return fail(Fault::revocation_unknown, "delta crl: base",
                "the newest delta list (" + delta.number()->hex() + ") starts from a newer complete list (" +
                    delta.base_number()->hex() + ") than the available one");
  }
  return {};
}

template <class Extensions>
bool points_to_delta(const Extensions* extensions) {
  return X509v3_get_ext_by_NID(extensions, NID_freshest_crl, -1) >= 0;
}

bool is_of_issuer(const Crl& crl, const Certificate& certificate) {
  return X509_NAME_cmp(X509_CRL_get_issuer(crl.ossl()), X509_get_issuer_name(certificate.x509())) == 0;
}

/// §4.3 (7): if the certificate or its complete list points to a delta, the delta must be checked.
Result<> check_delta_is_there(const Certificate& certificate, const Certificate& issuer, const CrlSelection& crls,
                              Time at) {
  const auto is_about = [&](const Crl& crl) { return is_of_issuer(crl, certificate) && may_cover(crl, certificate); };
  const bool wanted = points_to_delta(X509_get0_extensions(certificate.x509())) ||
                      std::ranges::any_of(crls.complete, [&](const Crl& crl) {
                        return is_about(crl) && points_to_delta(X509_CRL_get0_extensions(crl.ossl()));
                      });
  if (!wanted) return {};
  for (const auto* deltas : {&crls.deltas, &crls.superseded}) {
    for (const Crl& delta : *deltas) {
      if (is_about(delta) && delta.in_force(at) && delta.verify(issuer)) return {};
    }
  }
  return fail(Fault::revocation_unknown, "delta crl",
              "the certificate or its list points to a delta list, but no delta list in force is available");
}

bool is_older(const Crl& crl, const RevocationFloor::Mark& mark) {
  if (mark.number && crl.number() && *crl.number() != *mark.number) return *crl.number() < *mark.number;
  if (mark.number && !crl.number()) return true;
  return crl.this_update() < mark.this_update;
}

Error rollback(const Crl& crl, const RevocationFloor::Mark& mark) {
  std::string about = "the list of " + crl.issuer_text();
  if (crl.number() && mark.number)
    about += ": number " + crl.number()->hex() + " after " + mark.number->hex() + " (hexadecimal)";
  return Error{Fault::crl_rollback, "crl", std::move(about)};
}

std::string line_of(std::string_view kind, const Hash256& scope, const RevocationFloor::Mark& mark) {
  return std::string(kind) + " " + to_hex(scope) + " " + (mark.number ? mark.number->hex() : "-") + " " +
         std::to_string(unix_seconds(mark.this_update)) + "\n";
}

}  // namespace

bool may_cover_leaves(const Crl& crl) { return may_cover(crl, false); }

CrlSelection select_crls(std::span<const Crl> crls, Time at) {
  const auto complete =
      newest_by_scope(crls, [&](const Crl& crl) { return !crl.is_delta() && crl.this_update() <= at; });
  const auto future = newest_by_scope(crls, [&](const Crl& crl) { return !crl.is_delta() && crl.this_update() > at; });
  const auto deltas = newest_by_scope(crls, [&](const Crl& crl) { return crl.is_delta() && crl.this_update() <= at; });
  CrlSelection out;
  for (const auto& [scope, crl] : complete) out.complete.push_back(crl);
  // So that the error is "not yet valid" and not "there is no list".
  for (const auto& [scope, crl] : future) {
    if (!complete.contains(scope)) out.complete.push_back(crl);
  }
  for (const auto& [scope, crl] : deltas) {
    const auto base = complete.find(scope);
    // A delta that is not beyond the complete list is superseded: the complete list has its content.
    const bool beyond = base == complete.end() || !base->second.number() || *crl.number() > *base->second.number();
    (beyond ? out.deltas : out.superseded).push_back(crl);
  }
  return out;
}

Result<> check_deltas(std::span<const Certificate> path, const CrlSelection& crls, Time at, bool leaf_only,
                      const RevocationTolerance& tolerance, const std::vector<bool>& answered, int* depth) {
  const std::size_t count = leaf_only ? std::min<std::size_t>(1, path.size()) : path.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Certificate& issuer = path[std::min(i + 1, path.size() - 1)];
    if (depth != nullptr) *depth = static_cast<int>(i);
    for (const Crl& delta : crls.deltas) {
      if (!is_of_issuer(delta, path[i]) || !may_cover(delta, path[i])) continue;
      auto checked = check_delta(delta, path[i], issuer, crls, at);
      const bool tolerated =
          (tolerance.unusable_delta || answered[i]) && !checked && checked.error().fault != Fault::revoked;
      if (!checked && !tolerated) return checked;
    }
    // The root is trusted by configuration. No authority above it points to a delta.
    const bool is_root = i + 1 == path.size();
    if (!is_root && !tolerance.missing_delta && !answered[i])
      USHER_CHECK(check_delta_is_there(path[i], issuer, crls, at));
  }
  return {};
}

Result<> RevocationFloor::check(std::span<const Crl> crls) const {
  const auto newest_complete = newest_by_scope(crls, [](const Crl& crl) { return !crl.is_delta(); });
  const auto newest_delta = newest_by_scope(crls, [](const Crl& crl) { return crl.is_delta(); });
  for (const auto& [scope, crl] : newest_complete) {
    if (const auto mark = complete.find(scope); mark != complete.end() && is_older(crl, mark->second)) {
      return std::unexpected(rollback(crl, mark->second));
    }
    // If a delta was seen, the newest delta or the newest complete list must be as new: no revocation may be lost.
    const auto mark = deltas.find(scope);
    if (mark == deltas.end()) continue;
    const auto delta = newest_delta.find(scope);
    if (is_older(crl, mark->second) && (delta == newest_delta.end() || is_older(delta->second, mark->second))) {
      return std::unexpected(rollback(delta == newest_delta.end() ? crl : delta->second, mark->second));
    }
  }
  return {};
}

void RevocationFloor::raise(const Crl& crl) {
  auto& marks = crl.is_delta() ? deltas : complete;
  const auto [at, inserted] = marks.try_emplace(crl.scope(), Mark{crl.number(), crl.this_update()});
  if (inserted || is_older(crl, at->second)) return;
  at->second = Mark{crl.number(), std::max(at->second.this_update, crl.this_update())};
}

std::string RevocationFloor::to_text() const {
  std::string out;
  for (const auto& [scope, mark] : complete) out += line_of("complete", scope, mark);
  for (const auto& [scope, mark] : deltas) out += line_of("delta", scope, mark);
  return out;
}

Result<RevocationFloor> RevocationFloor::from_text(std::string_view text) {
  constexpr std::string_view kWhere = "revocation floor";
  if (text.size() > kMaxFloorText) return fail(Fault::too_long, kWhere);
  RevocationFloor out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return fail(Fault::malformed, kWhere);
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    std::vector<std::string_view> fields;
    for (std::size_t space = line.find(' '); space != std::string_view::npos; space = line.find(' ')) {
      fields.push_back(line.substr(0, space));
      line.remove_prefix(space + 1);
    }
    fields.push_back(line);
    if (fields.size() != 4 || (fields[0] != "complete" && fields[0] != "delta")) return fail(Fault::malformed, kWhere);
    USHER_TRY(const Bytes scope, from_hex(fields[1]));
    std::int64_t seconds = 0;
    const auto [stop, error] = std::from_chars(fields[3].data(), fields[3].data() + fields[3].size(), seconds);
    constexpr std::int64_t kYear9999 = 253402300799;
    if (scope.size() != 32 || error != std::errc{} || stop != fields[3].data() + fields[3].size() || seconds < 0 ||
        seconds > kYear9999) {
      return fail(Fault::malformed, kWhere);
    }
    Mark mark{.number = {}, .this_update = from_unix_seconds(seconds)};
    if (fields[2] != "-") {
      USHER_TRY(const Bytes number, from_hex(fields[2] == "0" ? "" : fields[2]));
      mark.number = CrlNumber::from_bytes(number);
    }
    (fields[0] == "delta" ? out.deltas : out.complete).insert_or_assign(array_of<32>(scope), std::move(mark));
  }
  return out;
}

}  // namespace usher::pki
