#include "media/merkle.h"

#include <rapidcheck.h>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "fixtures.h"

namespace usher::media {
namespace {

using test::expect_fault;

// The leaves and roots that Certificate Transparency's implementations check each other with.
constexpr const char* kLeaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
constexpr const char* kRoots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::vector<Hash256> leaves_of(std::uint64_t count) {
  std::vector<Hash256> out;
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(leaf_hash(view_of(std::to_string(i))));
  return out;
}

MerkleTree tree_of(const std::vector<Hash256>& leaves) {
  MerkleTree tree;
  for (const Hash256& leaf : leaves) tree.add(leaf);
  return tree;
}

/// RFC 6962 §2.1, word for word.
Hash256 root_by_definition(std::span<const Hash256> leaves) {
  if (leaves.size() == 1) return leaves[0];
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return node_hash(root_by_definition(leaves.first(k)), root_by_definition(leaves.subspan(k)));
}

/// RFC 6962 §2.1.1, word for word.
Proof path_by_definition(std::size_t m, std::span<const Hash256> leaves) {
  if (leaves.size() == 1) return {};
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  Proof path = m < k ? path_by_definition(m, leaves.first(k)) : path_by_definition(m - k, leaves.subspan(k));
  path.push_back(root_by_definition(m < k ? leaves.subspan(k) : leaves.first(k)));
  return path;
}

TEST(Merkle, RootsAreThoseOfCertificateTransparency) {
  TreeBuilder tree;
  for (std::size_t i = 0; i < std::size(kLeaves); ++i) {
    tree.add(leaf_hash(*from_hex(kLeaves[i])));
    EXPECT_EQ(to_hex(tree.root()), kRoots[i]) << i + 1 << " leaves";
  }
}

TEST(Merkle, RootOfNothingIsTheHashOfNothing) { EXPECT_EQ(TreeBuilder().root(), crypto::sha256(View{})); }

TEST(Merkle, NodesAreKeptWhereTheirPlaceIsComputed) {
  for (std::uint64_t count = 1; count <= 70; ++count) {
    TreeBuilder builder;
    std::vector<Hash256> nodes;
    const auto leaves = leaves_of(count);
    for (const Hash256& leaf : leaves) builder.add(leaf, &nodes);
    ASSERT_EQ(nodes.size(), node_count(count));
    for (std::uint64_t i = 0; i < count; ++i) EXPECT_EQ(nodes[node_position(0, i)], leaves[i]);
    EXPECT_EQ(*tree_root(count, [&](std::uint64_t at) -> Result<Hash256> { return nodes.at(at); }), builder.root());
  }
}

TEST(Merkle, ProofsAreThoseOfTheDefinition) {
  for (std::uint64_t count = 1; count <= 40; ++count) {
    const auto leaves = leaves_of(count);
    const MerkleTree tree = tree_of(leaves);
    ASSERT_EQ(tree.root(), root_by_definition(leaves));
    for (std::uint64_t i = 0; i < count; ++i) {
      const Proof proof = *tree.proof(i);
      EXPECT_EQ(proof, path_by_definition(i, leaves));
      EXPECT_EQ(proof.size(), proof_length(i, count));
      EXPECT_TRUE(verify_inclusion(leaves[i], i, count, proof, tree.root()));
    }
  }
}

TEST(Merkle, ProofHoldsForNoOtherPlaceLeafOrSibling) {
  EXPECT_TRUE(rc::check("any tree", [] {
    const auto count = *rc::gen::inRange<std::uint64_t>(2, 300);
    const auto index = *rc::gen::inRange<std::uint64_t>(0, count);
    const auto other = *rc::gen::inRange<std::uint64_t>(0, count);
    const auto leaves = leaves_of(count);
    const MerkleTree tree = tree_of(leaves);
    Proof proof = *tree.proof(index);
    RC_ASSERT(verify_inclusion(leaves[index], index, count, proof, tree.root()));
    if (other != index) {
      RC_ASSERT(!verify_inclusion(leaves[other], index, count, proof, tree.root()));
      RC_ASSERT(!verify_inclusion(leaves[index], other, count, proof, tree.root()));
    }
    RC_ASSERT(!verify_inclusion(leaves[index], index, index, proof, tree.root()));
    const auto level = *rc::gen::inRange<std::size_t>(0, proof.size());
    const auto bit = *rc::gen::inRange<unsigned>(0, 256);
    Proof changed = proof;
    changed[level][bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    RC_ASSERT(!verify_inclusion(leaves[index], index, count, changed, tree.root()));
    Proof longer = proof;
    longer.push_back({});
    RC_ASSERT(!verify_inclusion(leaves[index], index, count, longer, tree.root()));
    proof.pop_back();
    RC_ASSERT(!verify_inclusion(leaves[index], index, count, proof, tree.root()));
  }));
}

TEST(Merkle, NodeIsNeverTakenForALeaf) {
  // The prefixes' purpose: a chunk that consists of two hashes does not hash to their parent.
  const auto leaves = leaves_of(2);
  EXPECT_NE(leaf_hash(concat({leaves[0], leaves[1]})), node_hash(leaves[0], leaves[1]));
}

TEST(Merkle, ProofsAreAtMostTheFixedDepthLong) {
  EXPECT_EQ(proof_length(0, kMaxChunks), kProofDepth);
  EXPECT_EQ(proof_length(kMaxChunks - 1, kMaxChunks), kProofDepth);
  EXPECT_EQ(proof_length(0, 1), 0U);
  EXPECT_FALSE(verify_inclusion({}, 0, kMaxChunks + 1, {}, {}));
}

TEST(Merkle, LeafBeyondTheLastHasNoProof) { expect_fault(tree_of(leaves_of(5)).proof(5), Fault::unknown_chunk); }

TEST(Merkle, ReadersErrorIsHandedOn) {
  expect_fault(inclusion_proof(0, 2, [](std::uint64_t) -> Result<Hash256> { return fail(Fault::io, "test"); }),
               Fault::io);
}

}  // namespace
}  // namespace usher::media
