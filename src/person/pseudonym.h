// person/pseudonym: a person's pseudonym in tables, licences and logs.  Spec: identity.md §8.
#pragma once

#include "crypto/mac.h"
#include "crypto/secret.h"

namespace usher::person {

class VerifiedPerson;

/// The key of one server's pseudonyms. Use it for no other purpose, and never change it: with another key, every person
/// gets another pseudonym. Thread-safe.
class PseudonymKey {
 public:
  static constexpr std::size_t kSize = 32;  // bytes

  /// Precondition: kSize bytes.
  explicit PseudonymKey(const crypto::Secret& key) : key_(crypto::Digest::sha256, key) {}

  [[nodiscard]] Hash256 of(const VerifiedPerson& person) const;
  /// HMAC-SHA256(key, profile ‖ 0 ‖ anchor's key hash ‖ u16 length ‖ subject id). Precondition: 1..65535 bytes of id.
  [[nodiscard]] Hash256 of(std::string_view profile, const Hash256& anchor_key, std::string_view subject_id) const;

 private:
  crypto::HmacKey key_;
};

}  // namespace usher::person
