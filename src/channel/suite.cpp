#include "channel/suite.h"

#include <algorithm>

namespace usher::channel {
namespace {

using crypto::Cipher;
using crypto::Digest;
using crypto::Group;

constexpr Suite kSuites[] = {
    {0x0101, "ECDHE_AES256_GCM_SHA384", Exchange::ecdhe, Cipher::aes256_gcm, Digest::sha384},
    {0x0102, "ECDHE_AES128_GCM_SHA256", Exchange::ecdhe, Cipher::aes128_gcm, Digest::sha256},
    {0x0103, "ECDHE_ChaCha20Poly1305_SHA256", Exchange::ecdhe, Cipher::chacha20_poly1305, Digest::sha256},
    {0x0001, "DHE_AES256_CBC_SHA384", Exchange::dhe, Cipher::aes256_cbc, Digest::sha384},
    {0x0002, "DHE_AES256_CFB_SHA384", Exchange::dhe, Cipher::aes256_cfb, Digest::sha384},
    {0x0003, "DHE_AES128_CBC_SHA256", Exchange::dhe, Cipher::aes128_cbc, Digest::sha256},
    {0x0004, "DHE_AES128_CBC_SHA384", Exchange::dhe, Cipher::aes128_cbc, Digest::sha384},
    {0x0005, "DHE_AES128_CFB_SHA256", Exchange::dhe, Cipher::aes128_cfb, Digest::sha256},
    {0x0006, "DHE_ChaCha20_SHA384", Exchange::dhe, Cipher::chacha20, Digest::sha384},
    {0x0007, "DHE_ChaCha20_SHA256", Exchange::dhe, Cipher::chacha20, Digest::sha256},
};

constexpr Group kGroups[] = {Group::x25519, Group::ffdhe2048, Group::ffdhe3072, Group::ffdhe4096};

/// Reads a configured list of names into an order; `find` returns a pointer or an optional.
template <class Order>
Result<Order> order_of(std::span<const std::string> names, auto find, std::string_view where) {
  Order order;
  for (const std::string& name : names) {
    const auto found = find(name);
    if (!found) return fail(Fault::bad_config, where, "unknown: " + name);
    typename Order::value_type value{};
    if constexpr (requires { found.value(); })
      value = *found;
    else
      value = found;
    if (std::ranges::find(order, value) != order.end()) return fail(Fault::bad_config, where, "named twice: " + name);
    order.push_back(value);
  }
  if (order.empty()) return fail(Fault::bad_config, where, "at least one is needed");
  return order;
}

bool contains(std::span<const std::uint16_t> numbers, std::uint16_t number) {
  return std::ranges::find(numbers, number) != numbers.end();
}

}  // namespace

std::span<const Suite> suites() noexcept { return kSuites; }

const Suite* suite_of(std::uint16_t number) noexcept {
  const auto* const found = std::ranges::find(kSuites, number, &Suite::number);
  return found == std::end(kSuites) ? nullptr : found;
}

const Suite* suite_of_name(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(kSuites, name, &Suite::name);
  return found == std::end(kSuites) ? nullptr : found;
}

std::span<const Group> groups() noexcept { return kGroups; }

std::optional<Group> channel_group_of(std::uint16_t number) noexcept {
  for (const Group group : kGroups) {
    if (static_cast<std::uint16_t>(group) == number) return group;
  }
  return std::nullopt;
}

std::optional<Group> channel_group_of_name(std::string_view name) noexcept {
  for (const Group group : kGroups) {
    if (crypto::name_of(group) == name) return group;
  }
  return std::nullopt;
}

bool fits(const Suite& suite, Group group) noexcept {
  return (suite.exchange == Exchange::ecdhe) == (group == Group::x25519);
}

SuiteOrder default_suites() {
  SuiteOrder order;
  for (const Suite& suite : kSuites) order.push_back(&suite);
  return order;
}

GroupOrder default_groups() { return {std::begin(kGroups), std::end(kGroups)}; }

Result<SuiteOrder> suite_order(std::span<const std::string> names) {
  return order_of<SuiteOrder>(names, suite_of_name, "cipher suites");
}

Result<GroupOrder> group_order(std::span<const std::string> names) {
  return order_of<GroupOrder>(names, channel_group_of_name, "groups");
}

Result<Choice> choose(const SuiteOrder& suites, const GroupOrder& groups, std::span<const std::uint16_t> offered_suites,
                      std::span<const std::uint16_t> offered_groups) {
  bool group_lacks = false;
  for (const Suite* const suite : suites) {
    if (!contains(offered_suites, suite->number)) continue;
    for (const Group group : groups) {
      if (fits(*suite, group) && contains(offered_groups, static_cast<std::uint16_t>(group)))
        return Choice{suite, group};
    }
    group_lacks = true;
  }
  if (group_lacks) return fail(Fault::no_common_group, "choice of a group");
  return fail(Fault::no_common_suite, "choice of a suite");
}

Result<> check_share(Group group, View value) {
  if (value.size() != crypto::public_size(group)) return fail(Fault::bad_key_share, "key share: size");
  if (group == Group::x25519) return {};
  // Both are big endian and have the same length, so they compare like their bytes. p is odd: p-1 differs in its last
  // bit.
  Bytes p_minus_1 = crypto::parameters_of(group).p;
  p_minus_1.back() &= 0xfe;
  Bytes one(value.size(), 0);
  one.back() = 1;
  if (!std::ranges::lexicographical_compare(one, value) || !std::ranges::lexicographical_compare(value, p_minus_1)) {
    return fail(Fault::bad_key_share, "key share: range");
  }
  return {};
}

}  // namespace usher::channel
