// store/sqlite/leases: chunks that are already counted in the store but not yet requested.  Spec: licence.md §8.3.
//
// The rows record which chunks of a play are leased. The book, in memory, records which of them were not requested yet.
// A row that is not in this process's book was left by a crash: its chunks are forgiven.
#pragma once

#include <mutex>

#include "base/lru.h"
#include "store/sqlite/granted_chunks.h"

namespace usher::store::sqlite {

/// Thread-safe. If it evicts a lease (too many plays at once), the row stays, and all its chunks are forgiven.
class LeaseBook {
 public:
  /// `node`: the id of this opening of the store.
  explicit LeaseBook(const Id128& node) : node_(node) {}
  [[nodiscard]] const Id128& node() const noexcept { return node_; }

  /// Whether the chunk is leased and was not requested yet. Marks it as requested.
  [[nodiscard]] bool take(const Id128& play, std::uint32_t chunk);
  /// Undoes take() for a chunk that was not sent, if the play still has that lease.
  void put_back(const Id128& play, std::uint32_t chunk);

  void add(const Id128& play, const Span& chunks);
  void drop(const Id128& play);
  /// Empty: this process knows no lease of the play.
  [[nodiscard]] std::optional<Span> find(const Id128& play);
  /// Ends the lease. Returns its chunks that were not requested. This is one atomic step: take() cannot run in between.
  [[nodiscard]] std::vector<std::uint32_t> end(const Id128& play);
  [[nodiscard]] std::vector<Id128> plays() const;

 private:
  struct Lease {
    Span chunks;
    std::uint32_t unasked = 0;  // bit i: chunk chunks.first + i
  };
  static constexpr std::size_t kMaxPlays = 65'536;

  const Id128 node_;
  mutable std::mutex mutex_;
  LruMap<Id128, Lease> leases_{kMaxPlays};
};

/// The play's lease; empty if it has ended, or belongs to another process.
[[nodiscard]] std::optional<Span> valid_lease(Connection& connection, const PlayRow& play, LeaseBook& book);

/// Ends a lease that a crash has left or that the book has evicted, and forgives its chunks.
void settle_lease(Connection& connection, const PlayRow& play, LeaseBook& book);

/// Ends the lease, and takes back its chunks that were not requested.
void give_back(Connection& connection, const PlayRow& play, LeaseBook& book);

/// Leases up to `room` chunks from `first` on. Precondition: the play has no lease.
void lease_ahead(Connection& connection, const PlayRow& play, const licence::Extent& medium, LeaseBook& book,
                 std::uint32_t first, std::uint32_t room);

/// Ends the lease, and takes nothing back.
void drop_lease(Connection& connection, std::int64_t play);

}  // namespace usher::store::sqlite
