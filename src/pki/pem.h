// pki/pem: reads the blocks of a PEM text (RFC 7468).  Spec: identity.md §2.1.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::pki {

/// The decoded content of each block, in their order; text around the blocks is ignored. Errors: malformed (no block, a
/// damaged one, or one whose label is not among `labels`); too_long (more than `max` blocks).
[[nodiscard]] Result<std::vector<Bytes>> pem_blocks(std::string_view text,
                                                    std::initializer_list<std::string_view> labels, std::size_t max);

/// Like pem_blocks, for a file that may also be one object in DER, which begins with a SEQUENCE.
[[nodiscard]] Result<std::vector<Bytes>> der_or_pem(View content, std::initializer_list<std::string_view> labels,
                                                    std::size_t max);

}  // namespace usher::pki
