// store/sqlite/leases: chunks that are counted in the store already and were not asked for yet.  Spec: licence.md §8.3.
//
// The rows say which chunks of a play are leased; the book, in memory, which of them were not asked for. A row that the
// book of this process does not know was left by a crash: its chunks are forgiven.
#pragma once

#include <mutex>

#include "base/lru.h"
#include "store/sqlite/tally.h"

namespace usher::store::sqlite {

/// Thread-safe. Where it forgets a lease (too many plays at once), the row stays, and all of it is forgiven.
class LeaseBook {
 public:
  /// `node`: names this opening of the store.
  explicit LeaseBook(const Id128& node) : node_(node) {}
  [[nodiscard]] const Id128& node() const noexcept { return node_; }

  /// Those of `chunks` that are leased and were not asked for; they are asked for now.
  [[nodiscard]] std::vector<std::uint32_t> take(const Id128& play, std::span<const std::uint32_t> chunks);
  /// What was taken and then not sent, if the play still has that lease.
  void put_back(const Id128& play, std::span<const std::uint32_t> chunks);

  void add(const Id128& play, const Span& chunks);
  void drop(const Id128& play);
  /// No value: this process knows of no lease.
  [[nodiscard]] std::optional<Span> find(const Id128& play);
  /// The lease ends; what of it was not asked for. In one step: nothing can be taken in between.
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

/// The play's lease; no value if it has ended, or belongs to another process.
[[nodiscard]] std::optional<Span> valid_lease(Connection& connection, const PlayRow& play, LeaseBook& book);

/// A lease that a crash has left, or that the book has forgotten, ends, and its chunks are forgiven.
void settle_lease(Connection& connection, const PlayRow& play, LeaseBook& book);

/// Takes back what was not asked for; the lease ends.
void give_back(Connection& connection, const PlayRow& play, LeaseBook& book);

/// Leases up to `room` chunks from `first` on. Precondition: the play has no lease.
void lease_ahead(Connection& connection, const PlayRow& play, const licence::Extent& medium, LeaseBook& book,
                 std::uint32_t first, std::uint32_t room);

/// The lease ends, and nothing is taken back.
void drop_lease(Connection& connection, std::int64_t play);

}  // namespace usher::store::sqlite
