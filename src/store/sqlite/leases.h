// store/sqlite/leases: chunks that are counted in the store already and were not asked for yet.  Spec: licence.md §8.3.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "base/bytes.h"

namespace usher::store::sqlite {

/// In memory alone: a lease that is lost was counted and is not sent, so nobody ever hears more than is counted.
/// Thread-safe.
class Leases {
 public:
  /// Takes those of `chunks` that are leased to the play.
  [[nodiscard]] std::vector<std::uint32_t> take(const Id128& play, const std::vector<std::uint32_t>& chunks) {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint32_t> taken;
    const auto found = leases_.find(play);
    if (found == leases_.end()) return taken;
    for (const std::uint32_t chunk : chunks) {
      if (found->second.erase(chunk) != 0) taken.push_back(chunk);
    }
    return taken;
  }

  /// Adds leases, or gives back what was taken and not used.
  void add(const Id128& play, const std::vector<std::uint32_t>& chunks) {
    if (chunks.empty()) return;
    const std::lock_guard lock(mutex_);
    if (leases_.size() >= kMaxPlays && !leases_.contains(play)) leases_.erase(leases_.begin());
    leases_[play].insert(chunks.begin(), chunks.end());
  }

  void drop(const Id128& play) {
    const std::lock_guard lock(mutex_);
    leases_.erase(play);
  }

  [[nodiscard]] std::uint32_t count(const Id128& play) {
    const std::lock_guard lock(mutex_);
    const auto found = leases_.find(play);
    return found == leases_.end() ? 0 : static_cast<std::uint32_t>(found->second.size());
  }

 private:
  static constexpr std::size_t kMaxPlays = 4'096;  // beyond it one loses its lease: some of its budget, nothing else

  std::mutex mutex_;
  std::map<Id128, std::set<std::uint32_t>> leases_;
};

}  // namespace usher::store::sqlite
