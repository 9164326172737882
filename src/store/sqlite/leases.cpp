#include "store/sqlite/leases.h"

#include <algorithm>

namespace usher::store::sqlite {
namespace {

struct LeaseRow {
  Span chunks;
  Id128 node{};
};
std::optional<LeaseRow> load_lease(Connection& connection, std::int64_t play) {
  Query q = connection.query("SELECT first, last, node FROM leases WHERE play = ?");
  if (!q.put(play).step()) return std::nullopt;
  return LeaseRow{.chunks = {.first = q.number32(0), .last = q.number32(1)}, .node = q.array<16>(2)};
}

std::uint32_t bit_of(const Span& chunks, std::uint32_t chunk) noexcept { return 1U << (chunk - chunks.first); }

}  // namespace

bool LeaseBook::take(const Id128& play, std::uint32_t chunk) {
  const std::scoped_lock lock(mutex_);
  Lease* lease = leases_.find(play);
  if (lease == nullptr || !lease->chunks.holds(chunk)) return false;
  const std::uint32_t bit = bit_of(lease->chunks, chunk);
  const bool unasked = (lease->unasked & bit) != 0;
  lease->unasked &= ~bit;
  return unasked;
}

void LeaseBook::put_back(const Id128& play, std::uint32_t chunk) {
  const std::scoped_lock lock(mutex_);
  Lease* lease = leases_.find(play);
  if (lease != nullptr && lease->chunks.holds(chunk)) lease->unasked |= bit_of(lease->chunks, chunk);
}

void LeaseBook::add(const Id128& play, const Span& chunks) {
  const std::scoped_lock lock(mutex_);
  const std::uint32_t all = (1U << chunks.size()) - 1;  // at most 31
  leases_.put(play, {.chunks = chunks, .unasked = all});
}

void LeaseBook::drop(const Id128& play) {
  const std::scoped_lock lock(mutex_);
  leases_.erase(play);
}

std::optional<Span> LeaseBook::find(const Id128& play) {
  const std::scoped_lock lock(mutex_);
  const Lease* lease = leases_.find(play);
  if (lease == nullptr) return std::nullopt;
  return lease->chunks;
}

std::vector<std::uint32_t> LeaseBook::end(const Id128& play) {
  const std::scoped_lock lock(mutex_);
  std::vector<std::uint32_t> chunks;
  const Lease* lease = leases_.find(play);
  if (lease == nullptr) return chunks;
  for (std::uint32_t i = 0; i < lease->chunks.size(); ++i) {
    if ((lease->unasked >> i & 1) != 0) chunks.push_back(lease->chunks.first + i);
  }
  leases_.erase(play);
  return chunks;
}

std::vector<Id128> LeaseBook::plays() const {
  const std::scoped_lock lock(mutex_);
  return leases_.keys();
}

std::optional<Span> valid_lease(Connection& connection, const PlayRow& play, LeaseBook& book) {
  const auto row = load_lease(connection, play.n);
  if (!row || row->node != book.node() || book.find(play.id) != row->chunks) return std::nullopt;
  return row->chunks;
}

void settle_lease(Connection& connection, const PlayRow& play, LeaseBook& book) {
  if (valid_lease(connection, play, book)) return;
  book.drop(play.id);
  const auto row = load_lease(connection, play.n);
  if (!row) return;
  forgive(connection, play.n, row->chunks);
  drop_lease(connection, play.n);
}

void give_back(Connection& connection, const PlayRow& play, LeaseBook& book) {
  take_back(connection, play.n, book.end(play.id));
  drop_lease(connection, play.n);
}

void lease_ahead(Connection& connection, const PlayRow& play, const licence::Extent& medium, LeaseBook& book,
                 std::uint32_t first, std::uint32_t room) {
  const auto leased = grant_ahead(connection, play.n, medium, first, std::min(room, licence::kMaxLease));
  if (!leased) return;
  connection.run("INSERT INTO leases (play, first, last, node) VALUES (?, ?, ?, ?)", play.n,
                 std::int64_t{leased->first}, std::int64_t{leased->last}, book.node());
  // Add it now, inside the transaction: the play's next transaction must see it. If this transaction fails, its row
  // does not exist, and valid_lease ignores the book's entry. If the rollback restores an older row, that lease is
  // forgiven as after a crash.
  book.add(play.id, *leased);
}

void drop_lease(Connection& connection, std::int64_t play) {
  connection.run("DELETE FROM leases WHERE play = ?", play);
}

}  // namespace usher::store::sqlite
