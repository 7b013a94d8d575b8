#pragma once
// A few values by key, of which the one that was not asked for the longest makes room for a new
// one.
#include <algorithm>
#include <cstddef>
#include <list>
#include <utility>

namespace yolov7 {

/// For a handful of entries (it looks at each). Not thread-safe.
template <class Key, class Value>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(int capacity)
      : capacity_(static_cast<std::size_t>(std::max(capacity, 1))) {}

  /// The value of the key, kept or from make(). The oldest entry goes before make() is called, so
  /// that it and the new one never take memory at once; where make() throws, nothing is added. The
  /// reference holds until the next call.
  template <class Make>
  Value& get(const Key& key, Make make) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& entry) { return entry.first == key; });
    if (found != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, found);
    } else {
      if (entries_.size() >= capacity_) entries_.pop_back();
      entries_.emplace_front(key, make());
    }
    return entries_.front().second;
  }

 private:
  std::size_t capacity_;
  std::list<std::pair<Key, Value>> entries_;  // most recently used first
};

}  // namespace yolov7
