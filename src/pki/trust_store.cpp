#include "pki/trust_store.h"

#include <algorithm>

#include "pki/x509.h"

namespace usher::pki {
namespace {

constexpr Milliseconds kSigningSkew = std::chrono::minutes(5);
constexpr std::string_view kAnyExtendedKeyUsage = "2.5.29.37.0";

/// An authority whose certificate restricts what it may certify must be allowed this role (§1.4).
Result<> check_authorities(const Chain& path, Role role, const RoleMapping* mapping, int* depth) {
  if (path.size() < 2) return {};
  const auto leaf_usages = path.front().extended_key_usages().value_or(std::vector<std::string>{});
  for (std::size_t i = 1; i + 1 < path.size(); ++i) {
    const auto usages = path[i].extended_key_usages();
    if (!usages) continue;
    const bool allowed = std::ranges::any_of(*usages, [&](const std::string& usage) {
      if (usage == kAnyExtendedKeyUsage || usage == oid_of(role)) return true;
      return mapping != nullptr && std::ranges::find(mapping->any_eku, usage) != mapping->any_eku.end() &&
             std::ranges::find(leaf_usages, usage) != leaf_usages.end();
    });
    if (!allowed && depth != nullptr) *depth = static_cast<int>(i);
    if (!allowed) return fail(Fault::wrong_role, "authority", "an authority of the chain may not certify this role");
  }
  return {};
}

}  // namespace

Time VerifiedPeer::valid_until() const noexcept {
  Time until = Time::max();
  for (const Certificate& certificate : path_) until = std::min(until, certificate.not_after());
  return until;
}

Result<std::shared_ptr<const TrustStore>> TrustStore::make(TrustConfig config, const RevocationFloor& floor) {
  std::vector<Crl> crls = config.crls;
  crls.insert(crls.end(), config.fetched.begin(), config.fetched.end());
  if (config.revocation != RevocationMode::none) USHER_CHECK(floor.check(crls));
  USHER_TRY(PathTrust trust, PathTrust::make(config.anchors, config.intermediates, std::move(crls)));
  return std::shared_ptr<const TrustStore>(new TrustStore(std::move(config), std::move(trust)));
}

Result<std::shared_ptr<const TrustStore>> TrustStore::with_fetched(std::vector<Crl> lists) const {
  TrustConfig config = config_;
  config.fetched = std::move(lists);
  return make(std::move(config));
}

PathOptions TrustStore::options_at(Time at) const {
  // Certificates of other authorities often do not follow RFC 5280 strictly.
  return PathOptions{.at = at,
                     .revocation = config_.revocation,
                     .strict = !config_.mapping.has_value(),
                     .policy = config_.policy,
                     .tolerance = config_.tolerance,
                     .answers = config_.answers ? &config_.answers : nullptr};
}

Result<VerifiedPeer> TrustStore::finish(VerifiedPath path, int* depth) const {
  const RoleMapping* mapping = config_.mapping ? &*config_.mapping : nullptr;
  USHER_CHECK(check_role(path.chain.front(), config_.role, mapping));
  USHER_CHECK(check_authorities(path.chain, config_.role, mapping, depth));
  USHER_TRY(crypto::PublicKey key, path.chain.front().public_key());
  return VerifiedPeer(config_.role, std::move(key), std::move(path));
}

Result<Chain> TrustStore::complete(std::span<const Certificate> chain) const {
  Chain known = config_.anchors;
  known.insert(known.end(), config_.intermediates.begin(), config_.intermediates.end());
  Chain more(chain.begin(), chain.end());
  for (std::size_t i = 0; i < kMaxLacking; ++i) {
    const Certificate* top = top_of(more, known);
    if (top == nullptr) break;
    const FoundIssuers found = config_.issuers_of(*top);
    if (found.coming) return fail(Fault::server_busy, "chain: issuer", "an authority's certificate is being fetched");
    if (found.certificates.empty()) break;
    // If there are several, takes one that leads to a configured authority.
    const auto leads = std::ranges::find_if(found.certificates, [&](const Certificate& one) {
      return std::ranges::any_of(known, [&](const Certificate& above) { return has_issued(above, one); });
    });
    more.push_back(leads == found.certificates.end() ? found.certificates.front() : *leads);
  }
  return more;
}

Result<VerifiedPath> TrustStore::path_of(std::span<const Certificate> chain, Time at, int* depth) const {
  PathOptions options = options_at(at);
  auto path = verify_path(chain, trust_, options, depth);
  Chain completed;
  if (!path && path.error().fault == Fault::untrusted && config_.issuers_of) {
    USHER_TRY(completed, complete(chain));
    if (completed.size() > chain.size()) {
      chain = completed;
      path = verify_path(chain, trust_, options, depth);
    }
  }
  const bool missing =
      !path && (path.error().fault == Fault::revocation_unknown || path.error().fault == Fault::crl_expired);
  // A responder may take a revocation back. So StatusMissing is called for a revoked path too.
  const bool revoked = !path && path.error().fault == Fault::revoked && config_.answers;
  if ((missing || revoked) && config_.missing) {
    options.revocation = RevocationMode::none;
    const auto found = verify_path(chain, trust_, options);
    if (found && config_.missing(found->chain) && missing) {
      return fail(Fault::server_busy, "chain: status", "a certificate's revocation status is being fetched");
    }
  }
  return path;
}

Result<VerifiedPeer> TrustStore::verify(std::span<const Certificate> chain, Time at, const ServerName* name,
                                        int* depth) const {
  if (chain.empty() || chain.size() > kMaxChain)
    return fail(Fault::bad_certificate, "chain", "1 to 4 certificates are taken");
  USHER_TRY(VerifiedPath path, path_of(chain, at, depth));
  if (depth != nullptr) *depth = 0;
  USHER_TRY(VerifiedPeer peer, finish(std::move(path), depth));
  if (config_.role == Role::server) {
    if (name == nullptr) return fail(Fault::wrong_name, "server name", "no name to look for");
    USHER_CHECK(name->check(peer.certificate()));
  }
  return peer;
}

Result<VerifiedPeer> TrustStore::verify_signed_at(std::span<const Certificate> chain, Time signing_time,
                                                  Time now) const {
  if (chain.empty() || chain.size() > kMaxChain)
    return fail(Fault::bad_certificate, "chain", "1 to 4 certificates are taken");
  if (signing_time > now + kSigningSkew) {
    return fail(Fault::certificate_not_yet_valid, "signing time", "the time of signing lies in the future");
  }
  PathOptions then = options_at(signing_time);
  then.revocation = RevocationMode::none;
  USHER_TRY(const VerifiedPath path, verify_path(chain, trust_, then));

  PathOptions today = options_at(std::max(now, signing_time));
  today.tolerate_expiry = true;
  USHER_TRY(VerifiedPath same_path, verify_path(chain, trust_, today));
  // If there were two different paths to a root, each would be checked only in part.
  if (same_path.chain != path.chain) return fail(Fault::bad_certificate, "chain", "it leads to a root in two ways");
  return finish(std::move(same_path));
}

Result<> TrustStore::verify_again(const VerifiedPeer& peer, Time at) const {
  if (peer.role() != config_.role) return fail(Fault::wrong_role, "verify again");
  USHER_TRY(VerifiedPath path,
            path_of(std::span(peer.path()).first(std::max<std::size_t>(1, peer.path().size() - 1)), at));
  USHER_TRY(const VerifiedPeer again, finish(std::move(path)));
  static_cast<void>(again);
  return {};
}

/// Checks the authority's own path, and that a present list can cover the certificates below it.
Result<> TrustStore::check_authority(const Certificate& authority, const CrlSelection& lists, Time at) const {
  PathOptions options = options_at(at);
  // The authority's status does not count if only the leaves' status does. A responder is not called before a peer
  // connects.
  if (options.revocation == RevocationMode::leaf || config_.answers) options.revocation = RevocationMode::none;
  USHER_CHECK(verify_path({&authority, 1}, trust_, options));
  if (config_.revocation == RevocationMode::none || config_.answers) return {};
  const auto is_of = [](const Crl& list, const Certificate& one) {
    return X509_NAME_cmp(X509_CRL_get_issuer(list.ossl()), X509_get_subject_name(one.x509())) == 0;
  };
  bool ended = false;
  for (const Crl& list : lists.complete) {
    if (!may_cover_leaves(list)) continue;
    const bool usable = config_.tolerance.expired_list || list.in_force(at);
    // A peer may send an authority below this one, and the list may be that authority's.
    const bool others = std::ranges::none_of(config_.anchors, [&](const auto& one) { return is_of(list, one); }) &&
                        std::ranges::none_of(config_.intermediates, [&](const auto& one) { return is_of(list, one); });
    const bool below = std::ranges::any_of(config_.intermediates, [&](const auto& one) {
      return is_of(list, one) && has_issued(authority, one) && list.verify(one);
    });
    if (!others && !below && !(is_of(list, authority) && list.verify(authority))) continue;
    if (usable) return {};
    ended = true;
  }
  if (ended) return fail(Fault::crl_expired, "trust", "the revocation list for the certificates below it has ended");
  return fail(Fault::revocation_unknown, "trust", "no available revocation list covers the certificates below it");
}

std::vector<TrustGap> TrustStore::gaps(Time at) const {
  std::vector<TrustGap> out;
  const CrlSelection lists = select_crls(trust_.crls(), at);
  for (const Chain* chain : {&config_.anchors, &config_.intermediates}) {
    for (const Certificate& authority : *chain) {
      if (auto usable = check_authority(authority, lists, at); !usable) {
        out.push_back({authority, std::move(usable).error()});
      }
    }
  }
  return out;
}

RevocationFloor TrustStore::raised(RevocationFloor floor) const {
  for (const Crl& crl : trust_.crls()) {
    for (const Chain* chain : {&config_.anchors, &config_.intermediates}) {
      const bool proven =
          std::ranges::any_of(*chain, [&](const Certificate& issuer) { return crl.verify(issuer).has_value(); });
      if (!proven) continue;
      floor.raise(crl);
      break;
    }
  }
  return floor;
}

}  // namespace usher::pki
