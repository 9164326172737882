#include "store/sqlite/tally.h"

#include <bit>
#include <limits>
#include <map>

#include "store/sqlite/schema.h"

namespace usher::store::sqlite {
namespace {

using Times = std::array<std::uint8_t, kBlock>;

constexpr std::int64_t block_of(std::uint32_t chunk) noexcept { return chunk / kBlock; }
constexpr std::uint64_t bit_of(std::uint32_t chunk) noexcept { return std::uint64_t{1} << (chunk % kBlock); }

Times load_times(Connection& connection, std::int64_t play, std::int64_t block) {
  Query q = connection.query("SELECT times FROM grants WHERE play = ? AND block = ?");
  q.put(play).put(block);
  return q.step() ? q.array<kBlock>(0) : Times{};
}

std::uint64_t load_heard(Connection& connection, std::int64_t licence, std::int64_t block) {
  Query q = connection.query("SELECT bits FROM heard WHERE licence = ? AND block = ?");
  q.put(licence).put(block);
  return q.step() ? static_cast<std::uint64_t>(q.number(0)) : 0;
}

void add_heard(Connection& connection, std::int64_t licence, std::int64_t block, std::uint64_t bits) {
  connection.run(
      "INSERT INTO heard (licence, block, bits) VALUES (?, ?, ?) "
      "ON CONFLICT (licence, block) DO UPDATE SET bits = bits | excluded.bits",
      licence, block, static_cast<std::int64_t>(bits));
}

}  // namespace

std::vector<licence::ChunkUse> chunk_uses(Connection& connection, std::int64_t play, std::int64_t licence,
                                          std::span<const std::uint32_t> chunks) {
  struct Block {
    Times times;
    std::uint64_t heard;
  };
  std::map<std::int64_t, Block> blocks;
  std::vector<licence::ChunkUse> uses;
  uses.reserve(chunks.size());
  for (const std::uint32_t chunk : chunks) {
    const std::int64_t block = block_of(chunk);
    auto found = blocks.find(block);
    if (found == blocks.end()) {
      const Block loaded{.times = load_times(connection, play, block), .heard = load_heard(connection, licence, block)};
      found = blocks.emplace(block, loaded).first;
    }
    uses.push_back({.number = chunk,
                    .times = found->second.times[chunk % kBlock],
                    .heard = (found->second.heard & bit_of(chunk)) != 0});
  }
  return uses;
}

void count_grants(Connection& connection, std::int64_t play, std::span<const licence::ChunkUse> chunks) {
  std::map<std::int64_t, Times> blocks;
  for (const licence::ChunkUse& chunk : chunks) {
    const std::int64_t block = block_of(chunk.number);
    auto found = blocks.find(block);
    if (found == blocks.end()) found = blocks.emplace(block, load_times(connection, play, block)).first;
    std::uint8_t& times = found->second[chunk.number % kBlock];
    if (times < std::numeric_limits<std::uint8_t>::max()) ++times;
  }
  for (const auto& [block, times] : blocks) {
    connection.run(
        "INSERT INTO grants (play, block, times) VALUES (?, ?, ?) "
        "ON CONFLICT (play, block) DO UPDATE SET times = excluded.times",
        play, block, times);
  }
}

void mark_heard(Connection& connection, std::int64_t licence, std::span<const licence::ChunkUse> chunks) {
  std::map<std::int64_t, std::uint64_t> blocks;
  std::int64_t added = 0;
  for (const licence::ChunkUse& chunk : chunks) {
    if (chunk.heard) continue;
    blocks[block_of(chunk.number)] |= bit_of(chunk.number);
    ++added;
  }
  if (added == 0) return;
  for (const auto& [block, bits] : blocks) add_heard(connection, licence, block, bits);
  connection.run("UPDATE licences SET heard = heard + ? WHERE n = ?", added, licence);
}

void restart_heard(Connection& connection, std::int64_t licence, std::int64_t committed_play) {
  std::map<std::int64_t, std::uint64_t> blocks;
  {
    Query q = connection.query(
        "SELECT block, times FROM plays JOIN grants ON grants.play = plays.n "
        "WHERE plays.licence = ? AND plays.state = 0 AND plays.n <> ?");
    q.put(licence).put(committed_play);
    while (q.step()) {
      const auto times = q.array<kBlock>(1);
      for (std::uint32_t i = 0; i < kBlock; ++i) {
        if (times[i] != 0) blocks[q.number(0)] |= bit_of(i);
      }
    }
  }
  connection.run("DELETE FROM heard WHERE licence = ?", licence);
  std::int64_t count = 0;
  for (const auto& [block, bits] : blocks) {
    add_heard(connection, licence, block, bits);
    count += std::popcount(bits);
  }
  connection.run("UPDATE licences SET heard = ? WHERE n = ?", count, licence);
}

void drop_grants(Connection& connection, std::int64_t play) {
  connection.run("DELETE FROM grants WHERE play = ?", play);
}

}  // namespace usher::store::sqlite
