#pragma once
// Finds out which process of a training is gone or stuck, so that an error names it.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

namespace yolov7::training {

/// Every process writes a sign of life and how many collective calls it entered to the common store twice a second, and reads those of the others. When a
/// collective call fails, verdict() tells why: the first process to find out writes it down, the others repeat it.
class PeerWatch {
 public:
  PeerWatch(c10::intrusive_ptr<c10d::Store> store, int rank, int size);
  ~PeerWatch();

  void progress() { ++calls_; }           ///< this process enters a collective call
  /// "rank 2 of 4 is gone: …", found within some seconds; `what` where nothing tells who it is.
  std::string verdict(const std::string& what);
  /// The verdict, from the process that ends.
  void announce(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;
  struct Peer {
    std::string last;            ///< its last sign
    Clock::time_point changed;   ///< when that was new
    long calls = 0;
  };
  void watch(std::stop_token stop);
  void look();
  std::string silent_peer();     ///< "" = all show signs of life
  std::string slowest_peer();

  c10::intrusive_ptr<c10d::Store> store_;
  const int rank_, size_;
  std::atomic<long> calls_{0}, beats_{0};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Peer> peers_;      ///< guarded by mutex_
  std::string verdict_;          ///< guarded by mutex_
  bool store_lost_ = false;      ///< guarded by mutex_
  std::jthread thread_;
};

}  // namespace yolov7::training
