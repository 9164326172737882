// pki/role: what a certificate is for.  Spec: identity.md §1.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace usher::pki {

class Certificate;

enum class Role : std::uint8_t { server, client, distributor, person, release_recipient };

inline constexpr std::array kRoles{Role::server, Role::client, Role::distributor, Role::person,
                                   Role::release_recipient};

// usher's arc, from one UUID (a3dd11f1-64e6-41fb-880a-e310c695ca2b); .1.n are the roles' extended key usages.
#define USHER_OID_ARC "2.25.217812024844854777719731275472630565419"
inline constexpr std::string_view kOidArc = USHER_OID_ARC;
inline constexpr std::string_view kOidServer = USHER_OID_ARC ".1.1";
inline constexpr std::string_view kOidClient = USHER_OID_ARC ".1.2";
inline constexpr std::string_view kOidDistributor = USHER_OID_ARC ".1.3";
inline constexpr std::string_view kOidPerson = USHER_OID_ARC ".1.4";
inline constexpr std::string_view kOidReleaseRecipient = USHER_OID_ARC ".1.5";
#undef USHER_OID_ARC
inline constexpr std::string_view kOidServerAuth = "1.3.6.1.5.5.7.3.1";
inline constexpr std::string_view kOidClientAuth = "1.3.6.1.5.5.7.3.2";

/// The role's own extended key usage, dotted.
[[nodiscard]] std::string_view oid_of(Role role) noexcept;
/// "server", "client", "distributor", "person", "release-recipient": as in configuration and messages.
[[nodiscard]] std::string_view name_of(Role role) noexcept;
[[nodiscard]] std::optional<Role> role_of_name(std::string_view name) noexcept;

/// Lets one trust store accept certificates of other authorities (§1.3). A certificate with one of our role OIDs is
/// never mapped: it already has its role.
struct RoleMapping {
  std::vector<std::string> any_eku{};  // dotted OIDs: one must be among the certificate's extended key usages
  bool accept_without_eku = false;     // accepts a certificate without that extension; for profiles that check more
};

/// Whether `certificate` may act as `role`: extended key usage and key usage (§1.2, §1.3).
/// Errors: wrong_role; bad_certificate (a CA's certificate).
[[nodiscard]] Result<> check_role(const Certificate& certificate, Role role, const RoleMapping* mapping);

}  // namespace usher::pki
