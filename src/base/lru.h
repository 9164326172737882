// base/lru: a bounded map that evicts the least recently used entry.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <utility>
#include <vector>

namespace usher {

/// Not thread-safe.
template <class Key, class Value>
class LruMap {
 public:
  /// `max`: the number of entries, at least 1.
  explicit LruMap(std::size_t max) : max_(max) {}

  /// The value, which becomes the most recently used; nullptr if the key is absent. Valid until the map is changed.
  [[nodiscard]] Value* find(const Key& key) {
    const auto at = index_.find(key);
    if (at == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, at->second);
    return &at->second->second;
  }
  /// Adds or replaces the value of this key. Evicts the least recently used entry if there are more than `max`.
  void put(const Key& key, Value value) {
    erase(key);
    entries_.emplace_front(key, std::move(value));
    index_[key] = entries_.begin();
    if (entries_.size() > max_) erase(Key(entries_.back().first));
  }
  void erase(const Key& key) {
    const auto at = index_.find(key);
    if (at == index_.end()) return;
    entries_.erase(at->second);
    index_.erase(at);
  }
  void clear() {
    index_.clear();
    entries_.clear();
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::vector<Key> keys() const {
    std::vector<Key> keys;
    keys.reserve(index_.size());
    for (const auto& [key, at] : index_) keys.push_back(key);
    return keys;
  }

 private:
  using Entries = std::list<std::pair<Key, Value>>;  // most recently used first
  std::size_t max_;
  Entries entries_;
  std::map<Key, typename Entries::iterator> index_;
};

}  // namespace usher
