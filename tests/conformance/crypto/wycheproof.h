// Wycheproof's files: groups of cases, each valid, acceptable or invalid.
#pragma once

#include <functional>
#include <string>

#include "base/bytes.h"
#include "support/conformance.h"

namespace boost::json {
class object;
}

namespace usher::test {

/// One case, together with the fields of its group.
class Case {
 public:
  Case(const boost::json::object& group, const boost::json::object& fields) : group_(group), fields_(fields) {}

  /// A field in hexadecimal.
  [[nodiscard]] Bytes hex(const char* name) const;
  [[nodiscard]] Bytes group_hex(const char* name) const;
  [[nodiscard]] std::int64_t number(const char* name) const;
  [[nodiscard]] std::int64_t group_number(const char* name) const;
  [[nodiscard]] std::string group_text(const char* name) const;
  [[nodiscard]] bool valid() const;
  /// Valid, or left to the implementer.
  [[nodiscard]] bool may_be_taken() const;
  /// "17: the comment", for messages.
  [[nodiscard]] std::string name() const;

 private:
  const boost::json::object& group_;
  const boost::json::object& fields_;
};

/// Calls `run` for every case of the file. `run` returns false for a case that usher's interface cannot express. Fails
/// if the file holds fewer cases than it states, or if `run` returned true for fewer than `least`.
void each_case(const std::string& file, std::size_t least, const std::function<bool(const Case&)>& run);

}  // namespace usher::test
