// media/merkle: the Merkle tree over a medium's chunks (RFC 6962 §2.1, SHA-256).  Spec: release.md §3.
//
// The nodes of complete subtrees are stored in the order in which they become complete: a leaf, then the parents that
// it completes. So a tree is written in one pass, with memory for one node per level, and the position of node
// (level, index) can be computed.
#pragma once

#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace usher::media {

/// Depth to which the channel pads proofs: a medium has at most 2^24 chunks.
inline constexpr std::size_t kProofDepth = 24;
inline constexpr std::uint64_t kMaxChunks = std::uint64_t{1} << kProofDepth;

/// SHA-256(0x00 ‖ chunk), SHA-256(0x01 ‖ left ‖ right).
[[nodiscard]] Hash256 leaf_hash(View chunk);
[[nodiscard]] Hash256 node_hash(const Hash256& left, const Hash256& right);

/// Siblings from the leaf upwards, as RFC 6962 §2.1.1 orders them.
using Proof = std::vector<Hash256>;

/// How many siblings the proof for leaf `index` of `leaves` has. Precondition: index < leaves.
[[nodiscard]] std::size_t proof_length(std::uint64_t index, std::uint64_t leaves) noexcept;
/// Whether `leaf` is number `index` of the `leaves` under `root`. Also false if a number is out of range.
[[nodiscard]] bool verify_inclusion(const Hash256& leaf, std::uint64_t index, std::uint64_t leaves,
                                    std::span<const Hash256> proof, const Hash256& root);

/// The number of stored nodes of a tree of `leaves`, and the position of node `index` of `level` (0: the leaves).
[[nodiscard]] std::uint64_t node_count(std::uint64_t leaves) noexcept;
[[nodiscard]] std::uint64_t node_position(unsigned level, std::uint64_t index) noexcept;

/// Takes leaves one by one, and returns the nodes to store, in their order. Memory: one node per level.
class TreeBuilder {
 public:
  /// Appends to `nodes` the leaf and the parents that it completes. `nodes` is null if only the root is needed.
  void add(const Hash256& leaf, std::vector<Hash256>* nodes = nullptr);
  [[nodiscard]] std::uint64_t leaves() const noexcept { return leaves_; }
  /// The root of the leaves so far; without leaves, SHA-256 of the empty string.
  [[nodiscard]] Hash256 root() const;

 private:
  std::uint64_t leaves_ = 0;
  std::vector<Hash256> peaks_;  // complete subtrees, the largest first
};

/// Reads a stored node by its position.
using NodeReader = std::function<Result<Hash256>(std::uint64_t position)>;
/// Errors: the reader's. Precondition: leaves > 0.
[[nodiscard]] Result<Hash256> tree_root(std::uint64_t leaves, const NodeReader& node);
/// Errors: unknown_chunk, no such leaf; the reader's.
[[nodiscard]] Result<Proof> inclusion_proof(std::uint64_t index, std::uint64_t leaves, const NodeReader& node);

/// A whole tree in memory: about 64 bytes per leaf.
class MerkleTree {
 public:
  void add(const Hash256& leaf) { builder_.add(leaf, &nodes_); }
  [[nodiscard]] std::uint64_t leaves() const noexcept { return builder_.leaves(); }
  [[nodiscard]] Hash256 root() const { return builder_.root(); }
  /// Errors: unknown_chunk.
  [[nodiscard]] Result<Proof> proof(std::uint64_t index) const;

 private:
  TreeBuilder builder_;
  std::vector<Hash256> nodes_;
};

}  // namespace usher::media
