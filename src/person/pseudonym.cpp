#include "person/pseudonym.h"

#include "person/statement.h"

namespace usher::person {

Hash256 PseudonymKey::of(const VerifiedPerson& person) const {
  return of(person.profile(), person.anchor_key(), person.subject_id());
}

Hash256 PseudonymKey::of(std::string_view profile, const Hash256& anchor_key, std::string_view subject_id) const {
  constexpr std::uint8_t kZero = 0;
  const std::size_t size = subject_id.size();
  const std::array<std::uint8_t, 2> length{static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
  return array_of<32>(key_.of({view_of(profile), View(&kZero, 1), anchor_key, length, view_of(subject_id)}));
}

}  // namespace usher::person
