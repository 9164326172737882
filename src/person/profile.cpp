#include "person/profile.h"

#include <algorithm>

#include <openssl/x509v3.h>

#include "base/encoding.h"
#include "pki/trust_store.h"

namespace usher::person {
namespace {

constexpr std::string_view kCitizenOrganisation = "Cart\xc3\xa3o de Cidad\xc3\xa3o";
constexpr std::string_view kCivilPrefix = "BI";
constexpr std::size_t kMinCivilDigits = 6;
constexpr std::size_t kMaxCivilDigits = 9;

bool is_one_of(const std::vector<std::string>& allowed, const std::optional<std::string>& value) {
  return allowed.empty() || (value && std::ranges::find(allowed, *value) != allowed.end());
}

/// §5.2. The text itself is never part of an error: it is a person's number.
Result<std::string> civil_number(std::string_view text) {
  if (!text.starts_with(kCivilPrefix)) return fail(Fault::bad_certificate, "profile: civil number's form");
  text.remove_prefix(kCivilPrefix.size());
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.size() < kMinCivilDigits || text.size() > kMaxCivilDigits) {
    return fail(Fault::bad_certificate, "profile: civil number's form",
                "its civil number does not have the form BI and 6 to 9 digits");
  }
  return std::string(text);
}

Result<std::string> subject_id(const Profile& profile, const pki::Certificate& certificate) {
  const auto value = certificate.subject_field(profile.subject_field);
  if (!value || value->empty()) {
    return fail(Fault::bad_certificate, "profile: subject id", "its subject has no " + profile.subject_field);
  }
  if (profile.subject_id_form == SubjectIdForm::civil_number) return civil_number(*value);
  if (value->size() > kMaxSubjectId || !is_clean_utf8(*value)) {
    return fail(Fault::bad_certificate, "profile: subject id",
                "its subject's " + profile.subject_field + " is too long");
  }
  return *value;
}

/// The common name, cut at the end of a character.
std::string display_name(const pki::Certificate& certificate) {
  std::string name = certificate.common_name();
  std::size_t end = std::min(name.size(), kMaxDisplayName);
  while (end > 0 && end < name.size() && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  name.resize(end);
  return name;
}

}  // namespace

Result<PersonId> Profile::identify(const pki::VerifiedPeer& peer) const {
  const pki::Certificate& certificate = peer.certificate();
  if (peer.role() != pki::Role::person) return fail(Fault::wrong_role, "profile: role");
  if ((certificate.key_usage() & KU_DIGITAL_SIGNATURE) == 0) {
    return fail(Fault::wrong_role, "profile: key usage", "its key is not for digital signatures");
  }
  if (require_person_eku && !certificate.has_eku(pki::kOidPerson)) {
    return fail(Fault::wrong_role, "profile: extended key usage", "it is not a person's certificate");
  }
  if (!is_one_of(organisations, certificate.subject_field("O"))) {
    return fail(Fault::bad_certificate, "profile: organisation", "its organisation is not one of the profile's");
  }
  if (!is_one_of(issuer_organisations, certificate.issuer_field("O"))) {
    return fail(Fault::bad_certificate, "profile: issuer's organisation",
                "its issuer's organisation is not one of the profile's");
  }
  USHER_TRY(std::string id, subject_id(*this, certificate));
  return PersonId{std::move(id), display_name(certificate)};
}

Profile citizen_card_profile() {
  return Profile{
      .name = "cartao-de-cidadao",
      .labels = {.certificate = "CITIZEN AUTHENTICATION CERTIFICATE",
                 .key = "CITIZEN AUTHENTICATION KEY",
                 .sub_ca = "AUTHENTICATION SUB CA",
                 .root = "ROOT CA"},
      .modules = {"libpteidpkcs11.so", "opensc-pkcs11.so"},
      .subject_field = "serialNumber",
      .subject_id_form = SubjectIdForm::civil_number,
      .organisations = {std::string(kCitizenOrganisation)},
      .issuer_organisations = {},
      .require_person_eku = false,
      // The state's authority does not use our arc. Its authentication certificates have the extended key usage TLS
      // client authentication, or no such restriction.
      .mapping = pki::RoleMapping{.any_eku = {std::string(pki::kOidClientAuth)}, .accept_without_eku = true},
  };
}

Profile generic_profile(std::string subject_field) {
  return Profile{
      .name = "generic",
      .labels = {},
      .modules = {"opensc-pkcs11.so"},
      .subject_field = std::move(subject_field),
      .subject_id_form = SubjectIdForm::any,
      .organisations = {},
      .issuer_organisations = {},
      .require_person_eku = true,
      .mapping = std::nullopt,
  };
}

Result<Profile> profile_of_name(std::string_view name) {
  if (name == "cartao-de-cidadao") return citizen_card_profile();
  if (name == "generic") return generic_profile();
  return fail(Fault::bad_config, "profile", "the profile is neither cartao-de-cidadao nor generic",
              "Use one of the two.");
}

}  // namespace usher::person
