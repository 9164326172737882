#include "pki/path.h"

#include <algorithm>

#include <fmt/chrono.h>
#include <openssl/err.h>

#include "pki/name_constraints.h"
#include "pki/x509.h"

namespace usher::pki {
namespace {

Fault fault_of(int code) {
  switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // another authority with the configured one's name
      return Fault::untrusted;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Fault::certificate_not_yet_valid;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Fault::certificate_expired;
    case X509_V_ERR_CERT_REVOKED:
      return Fault::revoked;
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return Fault::crl_expired;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
      return Fault::revocation_unknown;
    case X509_V_ERR_OUT_OF_MEM:
    case X509_V_ERR_UNSPECIFIED:
      return Fault::local;
    default:
      return Fault::bad_certificate;
  }
}

/// It has no names: a person's subject holds the civil number, and errors are logged.
std::string which(int depth) {
  return depth == 0 ? "the certificate itself" : "the authority " + std::to_string(depth) + " above the certificate";
}

/// For an error that depends on the time: the time of the check, because the clock may be wrong.
std::string time_of(int code, Time at) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return fmt::format(" at {:%Y-%m-%d %H:%M:%S} UTC", std::chrono::floor<Seconds>(at));
    default:
      return {};
  }
}

Hash256 fingerprint_of(const X509* certificate) {
  Hash256 digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  return digest;
}

/// The state of one verification, for OpenSSL's callbacks.
struct Verification {
  const PathOptions& options;
  std::vector<int> without_list{};  // depths that passed because a responder has an answer
};

/// Whether a responder has an answer about the certificate for which OpenSSL has no usable list. check_answers judges
/// the answer. True for a root: no responder answers for a root.
bool is_answered(X509_STORE_CTX* context, Verification& verification) {
  const PathOptions& options = verification.options;
  if (options.answers == nullptr) return false;
  const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context);
  const int depth = X509_STORE_CTX_get_error_depth(context);
  if (depth + 1 >= sk_X509_num(path)) return true;
  const auto answer =
      (*options.answers)(fingerprint_of(sk_X509_value(path, depth)), fingerprint_of(sk_X509_value(path, depth + 1)));
  if (!answer || !(answer->revoked || answer->in_force(options.at))) return false;
  verification.without_list.push_back(depth);
  return true;
}

/// Clears the errors that the options tolerate.
int tolerate(int ok, X509_STORE_CTX* context) {
  // OpenSSL verifies the path of a list's signer in its own context, whose parent is the certificate's context.
  X509_STORE_CTX* own = context;
  while (X509_STORE_CTX* above = X509_STORE_CTX_get0_parent_ctx(own)) own = above;
  auto& verification = *static_cast<Verification*>(X509_STORE_CTX_get_app_data(own));
  const PathOptions& options = verification.options;
  const int code = X509_STORE_CTX_get_error(context);
  const bool tolerated = (options.tolerate_expiry && code == X509_V_ERR_CERT_HAS_EXPIRED) ||
                         (options.tolerance.expired_list && code == X509_V_ERR_CRL_HAS_EXPIRED);
  const bool lacks_list = code == X509_V_ERR_UNABLE_TO_GET_CRL || code == X509_V_ERR_CRL_HAS_EXPIRED;
  if (ok != 0 || !(tolerated || (lacks_list && own == context && is_answered(context, verification)))) return ok;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

/// OpenSSL's own check of a list that it found.
X509_STORE_CTX_check_crl_fn usual_check() {
  static const X509_STORE_CTX_check_crl_fn kUsual = [] {
    const StoreCtxPtr plain(X509_STORE_CTX_new());
    const bool made = plain && X509_STORE_CTX_init(plain.get(), nullptr, nullptr, nullptr) == 1;
    return made ? X509_STORE_CTX_get_check_crl(plain.get()) : nullptr;
  }();
  return kUsual;
}

/// Makes an expired complete list an error. OpenSSL accepts it if a delta is in force (§4.2).
int check_list(X509_STORE_CTX* context, X509_CRL* list) {
  const auto usual = usual_check();
  if (usual == nullptr) return 0;
  const ASN1_TIME* end = X509_CRL_get0_nextUpdate(list);
  std::time_t at = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(context));
  const bool complete = X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) < 0;
  if (complete && end != nullptr && X509_cmp_time(end, &at) < 0) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_CRL_HAS_EXPIRED);
    if (X509_STORE_CTX_get_verify_cb(context)(0, context) == 0) return 0;
  }
  return usual(context, list);
}

unsigned long flags_of(const PathOptions& options) {
  unsigned long flags = X509_V_FLAG_POLICY_CHECK;
  if (options.revocation != RevocationMode::none) {
    // USE_DELTAS without EXTENDED_CRL_SUPPORT would take a delta for a complete list.
    flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_USE_DELTAS | X509_V_FLAG_EXTENDED_CRL_SUPPORT;
  }
  if (options.revocation == RevocationMode::chain) flags |= X509_V_FLAG_CRL_CHECK_ALL;
  if (options.strict) flags |= X509_V_FLAG_X509_STRICT;
  if (options.policy.require_explicit) flags |= X509_V_FLAG_EXPLICIT_POLICY;
  if (options.policy.inhibit_mapping) flags |= X509_V_FLAG_INHIBIT_MAP;
  if (options.policy.inhibit_any) flags |= X509_V_FLAG_INHIBIT_ANY;
  return flags;
}

bool configure(X509_STORE_CTX* context, Verification& verification) {
  const PathOptions& options = verification.options;
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  if (X509_VERIFY_PARAM_set_flags(parameters, flags_of(options)) != 1) return false;
  X509_VERIFY_PARAM_set_time(parameters, unix_seconds(options.at));
  X509_VERIFY_PARAM_set_depth(parameters, options.max_intermediates);
  X509_VERIFY_PARAM_set_auth_level(parameters, options.security_level);
  for (const std::string& policy : options.policy.initial_policies) {
    ObjectPtr object(OBJ_txt2obj(policy.c_str(), 1));
    if (!object || X509_VERIFY_PARAM_add0_policy(parameters, object.get()) != 1) return false;
    [[maybe_unused]] const auto* const taken = object.release();  // the parameters own it now
  }
  X509_STORE_CTX_set_app_data(context, &verification);
  X509_STORE_CTX_set_verify_cb(context, tolerate);
  return true;
}

X509Stack untrusted_of(std::span<const Certificate> chain, const PathTrust& trust) {
  X509Stack stack(sk_X509_new_null());
  if (!stack) return stack;
  for (const Certificate& certificate : chain.subspan(1)) sk_X509_push(stack.get(), certificate.x509());
  for (const Certificate& certificate : trust.intermediates()) sk_X509_push(stack.get(), certificate.x509());
  return stack;
}

/// The lists for OpenSSL. An expired delta is left out: §4.3 (5) refuses it, and if that is tolerated, the delta must
/// not remove a hold.
CrlStack stack_of(const CrlSelection& selection, Time at, int security_level) {
  CrlStack stack(sk_X509_CRL_new_null());
  if (!stack) return stack;
  for (const auto* list : {&selection.complete, &selection.deltas}) {
    for (const Crl& crl : *list) {
      if (crl.is_delta() && !crl.in_force(at)) continue;
      const X509_ALGOR* algorithm = nullptr;
      X509_CRL_get0_signature(crl.ossl(), nullptr, &algorithm);
      // OpenSSL's security level does not look at the signatures of CRLs.
      const bool usable = security_level < 2 ? !is_broken_signature(algorithm) : is_strong_signature(algorithm);
      if (usable) sk_X509_CRL_push(stack.get(), crl.ossl());
    }
  }
  return stack;
}

/// Our Certificate of this object. Parsing it again would cost more than verifying its signature.
Result<Certificate> ours(X509* found, std::span<const Certificate> sent, const PathTrust& trust) {
  for (const std::span<const Certificate> some :
       {sent, std::span<const Certificate>(trust.anchors()), std::span<const Certificate>(trust.intermediates())}) {
    const auto at = std::ranges::find_if(some, [&](const Certificate& one) { return one.x509() == found; });
    if (at != some.end()) return *at;
  }
  return Certificate::from_x509(found);
}

/// The path that OpenSSL found. Errors: untrusted, if the last certificate is not an anchor.
Result<Chain> found_path(X509_STORE_CTX* context, std::span<const Certificate> sent, const PathTrust& trust) {
  const STACK_OF(X509)* found = X509_STORE_CTX_get0_chain(context);
  Chain path;
  for (int i = 0; i < sk_X509_num(found); ++i) {
    USHER_TRY(Certificate certificate, ours(sk_X509_value(found, i), sent, trust));
    path.push_back(std::move(certificate));
  }
  if (path.empty() || std::ranges::find(trust.anchors(), path.back()) == trust.anchors().end()) {
    return fail(Fault::untrusted, "path: anchor");
  }
  return path;
}

/// For security levels at which OpenSSL accepts every digest.
bool has_broken_signature(const Certificate& certificate) {
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, certificate.x509());
  return is_broken_signature(algorithm);
}

Result<> check_below_anchor(const Chain& path, int& depth) {
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    depth = static_cast<int>(i);
    if (has_misplaced_constraints(path[i])) {
      return fail(Fault::bad_certificate, "path", which(depth) + ": name constraints out of place");
    }
    if (has_broken_signature(path[i])) {
      return fail(Fault::bad_certificate, "path", which(depth) + ": signed with a broken digest");
    }
  }
  depth = 0;
  const bool excluded = std::ranges::any_of(std::span(path).subspan(1), [&](const Certificate& authority) {
    return has_excluded_wildcard(path.front(), authority);
  });
  if (excluded) return fail(Fault::bad_certificate, "path", which(0) + ": a wildcard stands for an excluded name");
  return {};
}

/// The responders' answers about a path that OpenSSL accepted (§4.8): which certificates are good, and until when.
struct Answered {
  std::vector<bool> good;
  Time until = Time::max();
};

/// A revoked certificate stays revoked until a later answer reports another status. Errors: revoked;
/// revocation_unknown, if OpenSSL continued without a list because of an answer that is gone now.
Result<Answered> check_answers(const Chain& path, const Verification& verification, int& depth) {
  const PathOptions& options = verification.options;
  Answered answered{.good = std::vector<bool>(path.size())};
  if (options.answers == nullptr) return answered;
  const std::size_t count = options.revocation == RevocationMode::leaf ? 1 : path.size() - 1;
  for (std::size_t i = 0; i < count && i + 1 < path.size(); ++i) {
    depth = static_cast<int>(i);
    const auto answer = (*options.answers)(path[i].fingerprint(), path[i + 1].fingerprint());
    if (answer && answer->revoked) return fail(Fault::revoked, "path", which(depth) + ": a responder says so");
    answered.good[i] = answer && answer->in_force(options.at);
    if (answered.good[i]) answered.until = std::min(answered.until, answer->next_update);
    if (!answered.good[i] && std::ranges::find(verification.without_list, depth) != verification.without_list.end()) {
      return fail(Fault::revocation_unknown, "path", which(depth) + ": its responder's answer has ended");
    }
  }
  answered.good.back() = true;  // no responder answers for a root
  return answered;
}

}  // namespace

Result<PathTrust> PathTrust::make(Chain anchors, Chain intermediates, std::vector<Crl> crls) {
  if (anchors.empty())
    return fail(Fault::bad_config, "trust", "there is no root certificate", "Name the root's file under `anchors`.");
  PathTrust trust;
  trust.store_ = {X509_STORE_new(), [](X509_STORE* store) { X509_STORE_free(store); }};
  if (!trust.store_) return crypto::ossl_fail(Fault::local, "trust");
  X509_STORE_set_check_crl(trust.store_.get(), check_list);
  for (const Certificate& anchor : anchors) {
    if (!anchor.is_self_issued()) {
      return fail(Fault::bad_config, "trust", "a certificate among the roots is not a root: " + anchor.subject_text(),
                  "Name it under `intermediates`, and the root that issued it under `anchors`.");
    }
    if (X509_STORE_add_cert(trust.store_.get(), anchor.x509()) != 1) return crypto::ossl_fail(Fault::local, "trust");
  }
  trust.anchors_ = std::move(anchors);
  trust.intermediates_ = std::move(intermediates);
  trust.crls_ = std::move(crls);
  return trust;
}

Result<VerifiedPath> verify_path(std::span<const Certificate> chain, const PathTrust& trust, const PathOptions& options,
                                 int* depth) {
  int unused = 0;
  int& refused_at = depth == nullptr ? unused : *depth;
  refused_at = 0;
  if (chain.empty()) return fail(Fault::bad_certificate, "path", "no certificate was sent");
  ERR_clear_error();
  const CrlSelection selection =
      options.revocation == RevocationMode::none ? CrlSelection{} : select_crls(trust.crls(), options.at);
  const X509Stack untrusted = untrusted_of(chain, trust);
  const CrlStack crls = stack_of(selection, options.at, options.security_level);
  Verification verification{.options = options};
  const StoreCtxPtr context(X509_STORE_CTX_new());
  if (!untrusted || !crls || !context ||
      X509_STORE_CTX_init(context.get(), trust.store(), chain.front().x509(), untrusted.get()) != 1 ||
      !configure(context.get(), verification)) {
    return crypto::ossl_fail(Fault::local, "path");
  }
  X509_STORE_CTX_set0_crls(context.get(), crls.get());
  const int verified = X509_verify_cert(context.get());
  const int code = X509_STORE_CTX_get_error(context.get());
  if (verified != 1 || code != X509_V_OK) {
    if (code == X509_V_OK) return crypto::ossl_fail(Fault::local, "path");
    refused_at = X509_STORE_CTX_get_error_depth(context.get());
    return crypto::ossl_fail(
        fault_of(code), "path",
        which(refused_at) + ": " + X509_verify_cert_error_string(code) + time_of(code, options.at));
  }
  USHER_TRY(Chain path, found_path(context.get(), chain, trust));
  USHER_CHECK(check_below_anchor(path, refused_at));
  refused_at = 0;
  if (options.revocation == RevocationMode::none) return VerifiedPath{.chain = std::move(path)};
  USHER_TRY(const Answered answered, check_answers(path, verification, refused_at));
  const bool leaf_only = options.revocation == RevocationMode::leaf;
  USHER_CHECK(check_deltas(path, selection, options.at, leaf_only, options.tolerance, answered.good, &refused_at));
  return VerifiedPath{.chain = std::move(path), .answers_until = answered.until};
}

}  // namespace usher::pki
