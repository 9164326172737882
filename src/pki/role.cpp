#include "pki/role.h"

#include <algorithm>

#include <openssl/x509v3.h>

#include "pki/certificate.h"

namespace usher::pki {
namespace {

/// The certificate needs one of these key usages, if it restricts its key (§1.2).
std::uint32_t needed_usage(Role role) {
  return role == Role::release_recipient ? KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT : KU_DIGITAL_SIGNATURE;
}

Result<> check_own_oid(const std::vector<std::string>& usages, Role role) {
  for (const Role other : kRoles) {
    const bool present = std::ranges::find(usages, oid_of(other)) != usages.end();
    // With two roles in one certificate, one role could pass for the other.
    if (present != (other == role))
      return fail(Fault::wrong_role, "role", std::string(name_of(role)) + " was expected");
  }
  return {};
}

}  // namespace

std::string_view oid_of(Role role) noexcept {
  switch (role) {
    case Role::server:
      return kOidServer;
    case Role::client:
      return kOidClient;
    case Role::distributor:
      return kOidDistributor;
    case Role::person:
      return kOidPerson;
    case Role::release_recipient:
      return kOidReleaseRecipient;
  }
  return {};
}

std::string_view name_of(Role role) noexcept {
  switch (role) {
    case Role::server:
      return "server";
    case Role::client:
      return "client";
    case Role::distributor:
      return "distributor";
    case Role::person:
      return "person";
    case Role::release_recipient:
      return "release-recipient";
  }
  return {};
}

std::optional<Role> role_of_name(std::string_view name) noexcept {
  for (const Role role : kRoles) {
    if (name_of(role) == name) return role;
  }
  return std::nullopt;
}

Result<> check_role(const Certificate& certificate, Role role, const RoleMapping* mapping) {
  if (certificate.is_ca())
    return fail(Fault::bad_certificate, "role", "an authority's certificate cannot act in a role");
  if ((certificate.key_usage() & needed_usage(role)) == 0) {
    return fail(Fault::wrong_role, "key usage",
                "the certificate's key usage does not permit the role " + std::string(name_of(role)));
  }
  const auto usages = certificate.extended_key_usages();
  const bool has_our_role =
      usages && std::ranges::any_of(*usages, [](const std::string& usage) {
        return usage.starts_with(kOidArc) && usage.size() > kOidArc.size() && usage[kOidArc.size()] == '.';
      });
  if (has_our_role || mapping == nullptr) return check_own_oid(usages.value_or(std::vector<std::string>{}), role);
  const bool mapped = usages ? std::ranges::any_of(mapping->any_eku,
                                                   [&](const std::string& oid) {
                                                     return std::ranges::find(*usages, oid) != usages->end();
                                                   })
                             : mapping->accept_without_eku;
  if (!mapped) return fail(Fault::wrong_role, "role mapping", std::string(name_of(role)) + " was expected");
  return {};
}

}  // namespace usher::pki
