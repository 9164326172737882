#include "media/merkle.h"

#include <bit>

#include "crypto/digest.h"

namespace usher::media {
namespace {

constexpr std::uint8_t kLeaf[] = {0};
constexpr std::uint8_t kNode[] = {1};

/// The root over leaves [first, first + count). Precondition: RFC 6962's splitting makes this range, so that each of
/// its subtrees whose number of leaves is a power of two is a stored node.
Result<Hash256> range_root(std::uint64_t first, std::uint64_t count, const NodeReader& node) {
  if (std::has_single_bit(count)) {
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    return node(node_position(level, first >> level));
  }
  const std::uint64_t left = std::bit_floor(count);
  USHER_TRY(const Hash256 left_root, range_root(first, left, node));
  USHER_TRY(const Hash256 right_root, range_root(first + left, count - left, node));
  return node_hash(left_root, right_root);
}

/// The largest power of two below `count`. Precondition: count > 1.
std::uint64_t split_of(std::uint64_t count) noexcept { return std::bit_floor(count - 1); }

}  // namespace

Hash256 leaf_hash(View chunk) { return crypto::sha256({kLeaf, chunk}); }

Hash256 node_hash(const Hash256& left, const Hash256& right) { return crypto::sha256({kNode, left, right}); }

std::size_t proof_length(std::uint64_t index, std::uint64_t leaves) noexcept {
  std::size_t length = 0;
  while (leaves > 1) {
    const std::uint64_t left = split_of(leaves);
    if (index < left) {
      leaves = left;
    } else {
      index -= left;
      leaves -= left;
    }
    ++length;
  }
  return length;
}

bool verify_inclusion(const Hash256& leaf, std::uint64_t index, std::uint64_t leaves, std::span<const Hash256> proof,
                      const Hash256& root) {
  if (index >= leaves || leaves > kMaxChunks || proof.size() != proof_length(index, leaves)) return false;
  // RFC 9162 §2.1.3.2: `at` and `last` move up the levels. If `at` is the last node of its level and has no sibling
  // there, it moves up without a hash.
  Hash256 hash = leaf;
  std::uint64_t at = index;
  std::uint64_t last = leaves - 1;
  for (const Hash256& sibling : proof) {
    if ((at & 1) != 0 || at == last) {
      hash = node_hash(sibling, hash);
      while ((at & 1) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

std::uint64_t node_count(std::uint64_t leaves) noexcept {
  return 2 * leaves - static_cast<std::uint64_t>(std::popcount(leaves));
}

std::uint64_t node_position(unsigned level, std::uint64_t index) noexcept {
  // The last leaf below a node completes it. The node is stored after that leaf and after the parents on lower levels.
  const std::uint64_t last_leaf = ((index + 1) << level) - 1;
  return node_count(last_leaf) + level;
}

void TreeBuilder::add(const Hash256& leaf, std::vector<Hash256>* nodes) {
  if (nodes != nullptr) nodes->push_back(leaf);
  Hash256 hash = leaf;
  // Each trailing 1 bit of the count is a complete subtree on the left. This leaf completes it to a larger subtree.
  for (std::uint64_t count = leaves_; (count & 1) != 0; count >>= 1) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
    if (nodes != nullptr) nodes->push_back(hash);
  }
  peaks_.push_back(hash);
  ++leaves_;
}

Hash256 TreeBuilder::root() const {
  if (peaks_.empty()) return crypto::sha256(View{});
  Hash256 hash = peaks_.back();
  for (auto peak = peaks_.rbegin() + 1; peak != peaks_.rend(); ++peak) hash = node_hash(*peak, hash);
  return hash;
}

Result<Hash256> tree_root(std::uint64_t leaves, const NodeReader& node) { return range_root(0, leaves, node); }

Result<Proof> inclusion_proof(std::uint64_t index, std::uint64_t leaves, const NodeReader& node) {
  if (index >= leaves) return fail(Fault::unknown_chunk, "merkle: proof", "chunk " + std::to_string(index));
  Proof proof;
  std::uint64_t first = 0;
  for (std::uint64_t count = leaves; count > 1;) {
    const std::uint64_t left = split_of(count);
    const bool in_left = index - first < left;
    USHER_TRY(const Hash256 sibling,
              in_left ? range_root(first + left, count - left, node) : range_root(first, left, node));
    proof.push_back(sibling);
    if (!in_left) first += left;
    count = in_left ? left : count - left;
  }
  std::ranges::reverse(proof);  // the loop went from the root down
  return proof;
}

Result<Proof> MerkleTree::proof(std::uint64_t index) const {
  return inclusion_proof(index, leaves(), [this](std::uint64_t position) -> Result<Hash256> {
    return nodes_[static_cast<std::size_t>(position)];
  });
}

}  // namespace usher::media
