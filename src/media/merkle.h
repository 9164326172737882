// media/merkle: the Merkle tree over a medium's chunks (RFC 6962 §2.1, SHA-256).  Spec: release.md §3.
//
// The nodes of complete subtrees are kept in the order in which they become complete: a leaf, then the parents that
// it completes. So a tree is written in one pass, with memory for one node a level, and node (level, index) stands
// at a place that can be computed.
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
/// Whether `leaf` is number `index` of the `leaves` under `root`. False for every number out of range too.
[[nodiscard]] bool verify_inclusion(const Hash256& leaf, std::uint64_t index, std::uint64_t leaves,
                                    std::span<const Hash256> proof, const Hash256& root);

/// How many nodes a tree of `leaves` keeps, and where node `index` of `level` (0: the leaves) stands among them.
[[nodiscard]] std::uint64_t node_count(std::uint64_t leaves) noexcept;
[[nodiscard]] std::uint64_t node_position(unsigned level, std::uint64_t index) noexcept;

/// Takes leaves one by one, and gives the nodes to keep in their order. Memory: one node a level.
class TreeBuilder {
 public:
  /// Appends to `nodes` the leaf and the parents that it completes; null, where only the root is wanted.
  void add(const Hash256& leaf, std::vector<Hash256>* nodes = nullptr);
  [[nodiscard]] std::uint64_t leaves() const noexcept { return leaves_; }
  /// Of the leaves so far; SHA-256 of nothing for none.
  [[nodiscard]] Hash256 root() const;

 private:
  std::uint64_t leaves_ = 0;
  std::vector<Hash256> peaks_;  // complete subtrees, the largest first
};

/// Reads a kept node by its place.
using NodeReader = std::function<Result<Hash256>(std::uint64_t position)>;
/// Errors: the reader's. Precondition: leaves > 0.
[[nodiscard]] Result<Hash256> tree_root(std::uint64_t leaves, const NodeReader& node);
/// Errors: unknown_chunk, no such leaf; the reader's.
[[nodiscard]] Result<Proof> inclusion_proof(std::uint64_t index, std::uint64_t leaves, const NodeReader& node);

/// A whole tree in memory: about 64 bytes a leaf.
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
