#pragma once
// Threads: how many, a bounded queue, and a parallel loop with exceptions carried to the caller.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

namespace yolov7 {

/// Cores that this process may use: the smallest of hardware threads, CPU affinity and the cgroup
/// quotas (versions 1 and 2, every level up to the root), at least 1.
int usable_cores();
/// `wanted`, or all usable cores where it is 0 or less.
inline int threads_or_all(int wanted) { return wanted > 0 ? wanted : usable_cores(); }

/// Runs body(i) for i in 0 … count − 1 on up to `threads` threads (the caller is one of them). The
/// first exception stops the loop and is thrown again here.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& body);

/// A queue of at most `capacity` values. push blocks while full, pop while empty; after close()
/// push returns false at once and pop returns what is left, then nothing. Any number of threads on
/// either side.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  bool push(T value) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [&] { return closed_ || values_.size() < capacity_; });
    if (closed_) return false;
    values_.push_back(std::move(value));
    not_empty_.notify_one();
    return true;
  }
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [&] { return closed_ || !values_.empty(); });
    if (values_.empty()) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    not_full_.notify_one();
    return value;
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    not_full_.notify_all();
    not_empty_.notify_all();
  }

 private:
  std::size_t capacity_;
  std::deque<T> values_;
  bool closed_ = false;
  std::mutex mutex_;
  std::condition_variable not_full_, not_empty_;
};

}  // namespace yolov7
