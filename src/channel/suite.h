// channel/suite: cipher suites and groups, and their orders of preference.  Spec: channel.md §3.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/cipher.h"
#include "crypto/digest.h"
#include "crypto/group.h"

namespace usher::channel {

enum class Exchange : std::uint8_t { ecdhe, dhe };

/// One row of the only table of suites. Rows live as long as the program. A pointer to its row identifies a suite.
struct Suite {
  std::uint16_t number;
  std::string_view name;
  Exchange exchange;
  crypto::Cipher cipher;
  crypto::Digest digest;  // H

  [[nodiscard]] bool aead() const noexcept { return crypto::traits_of(cipher).tag_size != 0; }
  /// Whether nonces are the write IV XOR the sequence; otherwise each record carries 16 random bytes (§6.1).
  [[nodiscard]] bool counts_nonces() const noexcept { return aead() || cipher == crypto::Cipher::chacha20; }
  [[nodiscard]] std::size_t key_size() const noexcept { return crypto::traits_of(cipher).key_size; }
  [[nodiscard]] std::size_t digest_size() const noexcept { return crypto::size_of(digest); }
  /// Bytes after the ciphertext: the AEAD's tag or the MAC.
  [[nodiscard]] std::size_t tag_size() const noexcept { return aead() ? crypto::kAeadTagSize : digest_size(); }
};

/// All suites, in the default order of preference.
[[nodiscard]] std::span<const Suite> suites() noexcept;
/// nullptr if there is no such suite. The whole name must match.
[[nodiscard]] const Suite* suite_of(std::uint16_t number) noexcept;
[[nodiscard]] const Suite* suite_of_name(std::string_view name) noexcept;

/// The channel's groups, in the default order of preference. P-256 is not one of them.
[[nodiscard]] std::span<const crypto::Group> groups() noexcept;
[[nodiscard]] std::optional<crypto::Group> channel_group_of(std::uint16_t number) noexcept;
[[nodiscard]] std::optional<crypto::Group> channel_group_of_name(std::string_view name) noexcept;
/// Whether a suite's key exchange can use the group.
[[nodiscard]] bool fits(const Suite& suite, crypto::Group group) noexcept;

using SuiteOrder = std::vector<const Suite*>;
using GroupOrder = std::vector<crypto::Group>;

[[nodiscard]] SuiteOrder default_suites();
[[nodiscard]] GroupOrder default_groups();
/// A configured order. Errors: bad_config (an empty list, an unknown name, a name twice); `about` contains the name.
[[nodiscard]] Result<SuiteOrder> suite_order(std::span<const std::string> names);
[[nodiscard]] Result<GroupOrder> group_order(std::span<const std::string> names);

struct Choice {
  const Suite* suite;
  crypto::Group group;
};
/// The server's choice (§3.1, §3.2): the first suite of its order that was offered and for which both have a group.
/// Errors: no_common_suite; no_common_group, when only a common group is missing.
[[nodiscard]] Result<Choice> choose(const SuiteOrder& suites, const GroupOrder& groups,
                                    std::span<const std::uint16_t> offered_suites,
                                    std::span<const std::uint16_t> offered_groups);

/// Checks the size of a public value, and 1 < Y < p-1 (§3.2) unless the group is a curve. Errors: bad_key_share.
[[nodiscard]] Result<> check_share(crypto::Group group, View value);

}  // namespace usher::channel
