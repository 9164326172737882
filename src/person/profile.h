// person/profile: what a person's card and its chain must look like.  Spec: identity.md §5.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pki/role.h"

namespace usher::pki {
class VerifiedPeer;
}

namespace usher::person {

/// Labels of the objects on a card. Empty: any (§9.3).
struct CardLabels {
  std::string certificate{};
  std::string key{};
  std::string sub_ca{};
  std::string root{};
};

/// The identity of a person by a profile. The subject id is personal data (a civil number): it goes into the pseudonym
/// and nowhere else.
struct PersonId {
  std::string subject_id;
  std::string display_name;  // the common name: clean UTF-8, at most 128 bytes, may be empty
};

inline constexpr std::size_t kMaxSubjectId = 64;     // bytes, §5.1
inline constexpr std::size_t kMaxDisplayName = 128;  // bytes, §5.1

enum class SubjectIdForm : std::uint8_t {
  any,           // 1..kMaxSubjectId bytes of clean UTF-8, used unchanged
  civil_number,  // §5.2: "BI" and 6 to 9 digits; the digits are the id
};

/// Plain data, made by the functions below and changed by configuration. A name or an organisation alone never gives
/// trust: a profile is applied after TrustStore has verified the chain to a configured root.
struct Profile {
  std::string name{};  // "cartao-de-cidadao", "generic"
  CardLabels labels{};
  std::vector<std::string> modules{};          // tried in this order if no module is given
  std::string subject_field = "serialNumber";  // as Certificate::subject_field takes it
  SubjectIdForm subject_id_form = SubjectIdForm::any;
  std::vector<std::string> organisations{};         // the subject's O is one of these; empty: any
  std::vector<std::string> issuer_organisations{};  // the issuer's O is one of these; empty: any
  bool require_person_eku = false;                  // requires usher's own EKU, even if the trust store maps roles
  /// With it the trust store accepts this profile's certificates (TrustConfig::mapping); not set: only person EKU.
  std::optional<pki::RoleMapping> mapping{};

  /// Requires: key usage digitalSignature, RSA of 2048 to 4096 bits or P-256, organisations, the subject id's form.
  /// Errors: wrong_role (the peer is not a person, key usage, EKU); bad_certificate (the rest).
  [[nodiscard]] Result<PersonId> identify(const pki::VerifiedPeer& peer) const;
};

/// §5.2: labels, organisation and civil number of Portugal's citizen card, v1 (RSA) and v2 (P-256).
[[nodiscard]] Profile citizen_card_profile();
/// §5.3: person EKU, and the id in a subject field, by default serialNumber.
[[nodiscard]] Profile generic_profile(std::string subject_field = "serialNumber");
/// By name. Errors: bad_config.
[[nodiscard]] Result<Profile> profile_of_name(std::string_view name);

}  // namespace usher::person
