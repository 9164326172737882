#include "usherd/verbs/chain_check.h"

#include <algorithm>

#include "base/file.h"
#include "pki/pem.h"

namespace usher::usherd {
namespace {

using pki::Certificate;
using pki::Chain;

constexpr std::size_t kMaxCertificates = 4 << 20;  // bytes of a file
constexpr std::size_t kMaxObjects = 256;           // in one file
// Limits for a path that is verified by RFC 5280 only (§10): wider than any server accepts.
constexpr int kMaxAuthorities = 20;
constexpr int kSecurityLevel = 0;

/// The DER of each object: the whole file, or its PEM blocks.
Result<std::vector<Bytes>> objects_of(const std::filesystem::path& file, std::size_t max_size,
                                      std::initializer_list<std::string_view> labels) {
  USHER_TRY(const std::string content, read_file(file, max_size));
  auto objects = pki::der_or_pem(view_of(content), labels, kMaxObjects);
  if (!objects) return fail(objects.error().fault, objects.error().where, file.string());
  return objects;
}

Result<std::vector<Bytes>> certificates_of(const std::filesystem::path& file) {
  return objects_of(file, kMaxCertificates, {"CERTIFICATE", "X509 CERTIFICATE"});
}

struct Material {
  Chain anchors{};
  Chain untrusted{};
  std::vector<pki::Crl> crls{};
  std::string note{};

  void leave_out(const std::filesystem::path& file, std::string_view why) {
    note.append(note.empty() ? "" : " ")
        .append("Left out, from ")
        .append(file.string())
        .append(": ")
        .append(why)
        .append(".");
  }
};

Result<> add_certificates(Material& material, const std::filesystem::path& file, bool as_anchors) {
  USHER_TRY(const auto ders, certificates_of(file));
  for (const Bytes& der : ders) {
    auto certificate = Certificate::from_der(der);
    if (!certificate) {
      material.leave_out(file, "a certificate that does not decode");
    } else if (as_anchors && !certificate->is_self_issued()) {
      material.leave_out(file, "a certificate that is not a root");
    } else {
      (as_anchors ? material.anchors : material.untrusted).push_back(*std::move(certificate));
    }
  }
  return {};
}

Result<Material> load(const ChainQuestion& question) {
  Material material;
  for (const auto& file : question.trust) USHER_CHECK(add_certificates(material, file, true));
  for (const auto& file : question.untrusted) USHER_CHECK(add_certificates(material, file, false));
  for (const auto& file : question.crls) {
    USHER_TRY(const auto ders, objects_of(file, pki::kMaxCrlFile, {"X509 CRL"}));
    for (const Bytes& der : ders) {
      auto crl = pki::Crl::from_der(der);
      if (crl) {
        material.crls.push_back(*std::move(crl));
      } else {
        material.leave_out(file, "a revocation list that does not decode");
      }
    }
  }
  return material;
}

/// Verifies by RFC 5280 only, without usher's own requirements for peers.
Result<> judge_path(const Chain& sent, const Material& material, const ChainQuestion& question, int& depth) {
  USHER_TRY(const auto trust, pki::PathTrust::make(material.anchors, material.untrusted, material.crls));
  const pki::PathOptions options{.at = question.at,
                                 .revocation = question.revocation,
                                 .max_intermediates = kMaxAuthorities,
                                 .security_level = kSecurityLevel,
                                 .policy = question.policy};
  USHER_TRY(const auto path, pki::verify_path(sent, trust, options, &depth));
  depth = 0;
  return question.name ? question.name->check(path.chain.front()) : Result<>{};
}

/// Whether the certificate has an extended key usage under usher's own arc.
bool has_role_of_ours(const Certificate& certificate) {
  return std::ranges::any_of(pki::kRoles, [&](pki::Role role) { return certificate.has_eku(oid_of(role)); });
}

std::optional<pki::RoleMapping> mapping_of(const ChainQuestion& question, const Certificate& certificate) {
  if (question.profile) return question.profile->mapping;
  if (has_role_of_ours(certificate)) return std::nullopt;
  const auto usage = *question.role == pki::Role::server ? pki::kOidServerAuth : pki::kOidClientAuth;
  return pki::RoleMapping{.any_eku = {std::string(usage)}, .accept_without_eku = true};
}

/// Verifies as the server does for a peer of this role.
Result<> judge_peer(const Chain& sent, Material material, const ChainQuestion& question, int& depth) {
  pki::TrustConfig config{.role = *question.role,
                          .anchors = std::move(material.anchors),
                          .intermediates = std::move(material.untrusted),
                          .crls = std::move(material.crls),
                          .revocation = question.revocation,
                          .mapping = mapping_of(question, sent.front()),
                          .policy = question.policy};
  USHER_TRY(const auto store, pki::TrustStore::make(std::move(config)));
  // There is no client that dialled a name: without --name every name is accepted.
  const pki::ServerName name = question.name.value_or(pki::ServerName::own());
  USHER_TRY(const auto peer, store->verify(sent, question.at, &name, &depth));
  if (!question.profile) return {};
  const auto person = question.profile->identify(peer);
  return person ? Result<>{} : std::unexpected(person.error());
}

}  // namespace

Result<ChainVerdict> check_chain(const ChainQuestion& question) {
  USHER_TRY(const auto ders, certificates_of(question.certificate));
  USHER_TRY(Material material, load(question));
  ChainVerdict verdict{.note = std::move(material.note)};
  Chain sent;
  for (const Bytes& der : ders) {
    auto certificate = Certificate::from_der(der);
    if (!certificate) {
      verdict.refusal = std::move(certificate).error();
      verdict.depth = static_cast<int>(sent.size());
      return verdict;
    }
    sent.push_back(*std::move(certificate));
  }
  const bool foreign = question.role && !has_role_of_ours(sent.front());
  auto judged = material.anchors.empty() ? Result<>(fail(Fault::untrusted, "trust", "there is no root certificate",
                                                         "Name one with --trust, in PEM or DER."))
                : question.role          ? judge_peer(sent, std::move(material), question, verdict.depth)
                                         : judge_path(sent, material, question, verdict.depth);
  if (!judged) {
    verdict.refusal = std::move(judged).error();
    return verdict;
  }
  verdict.depth = 0;
  if (foreign && !question.profile) {
    verdict.note.append(verdict.note.empty() ? "" : " ")
        .append("It has no role of usher's own: the server takes it where its configuration maps one.");
  }
  return verdict;
}

}  // namespace usher::usherd
