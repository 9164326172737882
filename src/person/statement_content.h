// person/statement_content: the exact bytes that are signed.  Spec: identity.md §6.3, §7.1.
#pragma once

#include <initializer_list>

#include "base/bytes.h"

namespace usher::person {

inline constexpr std::string_view kStatementContext = "usher/1 statement";
inline constexpr std::string_view kHolderContext = "usher/1 statement holder";
inline constexpr std::string_view kBindingContext = "usher/1 channel binding";

/// 64 spaces ‖ context ‖ 0 ‖ parts.
[[nodiscard]] Bytes signed_content(std::string_view context, std::initializer_list<View> parts);

}  // namespace usher::person
