#include "store/sqlite/granted_chunks.h"

#include <algorithm>
#include <bit>
#include <map>

#include "store/sqlite/schema.h"

namespace usher::store::sqlite {
namespace {

using Bits = std::uint64_t;
using Blocks = std::map<std::int64_t, Bits>;  // block: its bits

constexpr std::int64_t block_of(std::uint32_t chunk) noexcept { return chunk / kBlock; }
constexpr Bits bit_of(std::uint32_t chunk) noexcept { return Bits{1} << (chunk % kBlock); }
constexpr std::int64_t number_of(Bits bits) noexcept { return static_cast<std::int64_t>(bits); }
Bits bits_of(const Query& q, int column) { return static_cast<Bits>(q.number(column)); }

struct Granted64 {
  Bits granted = 0;
  Bits pending = 0;
};
Granted64 load_granted(Connection& connection, std::int64_t play, std::int64_t block) {
  Query q = connection.query("SELECT granted, pending FROM grants WHERE play = ? AND block = ?");
  q.put(play).put(block);
  if (!q.step()) return {};
  return {.granted = bits_of(q, 0), .pending = bits_of(q, 1)};
}

Bits load_heard_block(Connection& connection, const PlayRow& play, std::int64_t block) {
  Query q = connection.query("SELECT bits FROM heard WHERE pseudonym = ? AND medium = ? AND block = ?");
  q.put(play.pseudonym).put(play.medium).put(block);
  return q.step() ? bits_of(q, 0) : 0;
}

Blocks load_heard_blocks(Connection& connection, const Hash256& pseudonym, const Id128& medium) {
  Query q = connection.query("SELECT block, bits FROM heard WHERE pseudonym = ? AND medium = ? ORDER BY block");
  q.put(pseudonym).put(medium);
  Blocks blocks;
  while (q.step()) blocks.emplace(q.number(0), bits_of(q, 1));
  return blocks;
}

void add_heard(Connection& connection, const PlayRow& play, const Blocks& blocks) {
  for (const auto& [block, bits] : blocks) {
    connection.run(
        "INSERT INTO heard (pseudonym, medium, block, bits) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (pseudonym, medium, block) DO UPDATE SET bits = bits | excluded.bits",
        play.pseudonym, play.medium, block, number_of(bits));
  }
}

std::uint32_t header_times(Connection& connection, std::int64_t play, std::uint32_t chunk) {
  Query q = connection.query("SELECT times FROM header_grants WHERE play = ? AND chunk = ?");
  return q.put(play).put(std::int64_t{chunk}).step() ? q.number32(0) : 0;
}

void grant_bits(Connection& connection, std::int64_t play, std::int64_t block, Bits bits) {
  connection.run(
      "INSERT INTO grants (play, block, granted) VALUES (?, ?, ?) ON CONFLICT (play, block) DO UPDATE SET "
      "granted = granted | excluded.granted, forgiven = forgiven | (pending & excluded.granted), "
      "pending = pending & ~excluded.granted",
      play, block, number_of(bits));
}

}  // namespace

licence::ChunkUse chunk_use(Connection& connection, const PlayRow& play, const licence::Extent& medium,
                            std::uint32_t chunk) {
  licence::ChunkUse use{.number = chunk};
  if (medium.is_header(chunk)) use.times = header_times(connection, play.n, chunk);
  if (wire::contains(medium.structure, chunk)) return use;
  const Granted64 granted = load_granted(connection, play.n, block_of(chunk));
  if (!medium.is_header(chunk)) use.times = (granted.granted & bit_of(chunk)) != 0 ? 1 : 0;
  use.uncounted = (granted.pending & bit_of(chunk)) != 0;
  use.heard = (load_heard_block(connection, play, block_of(chunk)) & bit_of(chunk)) != 0;
  return use;
}

void count_grant(Connection& connection, std::int64_t play, const licence::Extent& medium, std::uint32_t chunk) {
  if (medium.is_header(chunk)) {
    connection.run(
        "INSERT INTO header_grants (play, chunk, times) VALUES (?, ?, 1) "
        "ON CONFLICT (play, chunk) DO UPDATE SET times = times + 1",
        play, std::int64_t{chunk});
  }
  if (!wire::contains(medium.structure, chunk)) grant_bits(connection, play, block_of(chunk), bit_of(chunk));
}

std::optional<Span> grant_ahead(Connection& connection, std::int64_t play, const licence::Extent& medium,
                                std::uint32_t first, std::uint32_t room) {
  const std::uint64_t end = std::min<std::uint64_t>(std::uint64_t{first} + room, medium.chunks);
  Blocks blocks;
  std::int64_t loaded = -1;
  Bits granted = 0;
  std::uint64_t next = first;
  for (; next < end; ++next) {
    const auto chunk = static_cast<std::uint32_t>(next);
    if (block_of(chunk) != loaded) {
      loaded = block_of(chunk);
      granted = load_granted(connection, play, loaded).granted;
    }
    if ((granted & bit_of(chunk)) != 0 || medium.is_header(chunk)) break;
    blocks[loaded] |= bit_of(chunk);
  }
  if (next == first) return std::nullopt;
  for (const auto& [block, bits] : blocks) grant_bits(connection, play, block, bits);
  return Span{.first = first, .last = static_cast<std::uint32_t>(next - 1)};
}

void take_back(Connection& connection, std::int64_t play, std::span<const std::uint32_t> chunks) {
  Blocks blocks;
  for (const std::uint32_t chunk : chunks) blocks[block_of(chunk)] |= bit_of(chunk);
  for (const auto& [block, bits] : blocks) {
    connection.run("UPDATE grants SET granted = granted & ~? WHERE play = ? AND block = ?", number_of(bits), play,
                   block);
  }
}

void forgive(Connection& connection, std::int64_t play, const Span& chunks) {
  Blocks blocks;
  for (std::uint64_t chunk = chunks.first; chunk <= chunks.last; ++chunk) {
    blocks[block_of(static_cast<std::uint32_t>(chunk))] |= bit_of(static_cast<std::uint32_t>(chunk));
  }
  for (const auto& [block, bits] : blocks) {
    connection.run("UPDATE grants SET pending = pending | (? & granted & ~forgiven) WHERE play = ? AND block = ?",
                   number_of(bits), play, block);
  }
}

void drop_grants(Connection& connection, std::int64_t play) {
  connection.run("DELETE FROM grants WHERE play = ?", play);
  connection.run("DELETE FROM header_grants WHERE play = ?", play);
}

wire::ChunkRanges load_heard(Connection& connection, const Hash256& pseudonym, const Id128& medium) {
  std::vector<std::uint32_t> chunks;
  for (const auto& [block, bits] : load_heard_blocks(connection, pseudonym, medium)) {
    for (std::uint32_t i = 0; i < kBlock; ++i) {
      if ((bits >> i & 1) != 0) chunks.push_back(static_cast<std::uint32_t>(block) * kBlock + i);
    }
  }
  return wire::ranges_of(chunks);
}

std::uint32_t count_heard(Connection& connection, const Hash256& pseudonym, const Id128& medium) {
  std::uint32_t count = 0;
  for (const auto& [block, bits] : load_heard_blocks(connection, pseudonym, medium)) {
    count += static_cast<std::uint32_t>(std::popcount(bits));
  }
  return count;
}

void mark_heard(Connection& connection, const PlayRow& play, const licence::Extent& medium,
                const licence::ChunkUse& chunk) {
  if (chunk.heard || wire::contains(medium.structure, chunk.number)) return;
  add_heard(connection, play, {{block_of(chunk.number), bit_of(chunk.number)}});
}

void restart_heard(Connection& connection, const PlayRow& committed) {
  Blocks blocks;
  {
    Query q = connection.query(
        "SELECT block, granted FROM plays JOIN grants ON grants.play = plays.n "
        "WHERE plays.pseudonym = ? AND plays.medium = ? AND plays.state = 0 AND plays.n <> ?");
    q.put(committed.pseudonym).put(committed.medium).put(committed.n);
    while (q.step()) blocks[q.number(0)] |= bits_of(q, 1);
  }
  connection.run("DELETE FROM heard WHERE pseudonym = ? AND medium = ?", committed.pseudonym, committed.medium);
  add_heard(connection, committed, blocks);
}

}  // namespace usher::store::sqlite
