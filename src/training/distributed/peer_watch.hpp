#pragma once
// Finds out which process of a training is gone or stuck, so that an error names it.
#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace yolov7::training {

/// Every process writes a sign of life and how many collective calls it entered to the common store
/// twice a second, and reads those of the others. When a collective call fails, verdict() tells
/// why: the first process to find out writes it down, the others repeat it.
class PeerWatch {
 public:
  PeerWatch(c10::intrusive_ptr<c10d::Store> store, int rank, int size);
  /// The thread is left behind where the network holds it: a read from a machine that was cut off
  /// may never return.
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

  void progress();  ///< this process enters a collective call
  /// "rank 2 of 4 is gone: …", found within some seconds; `what` where nothing tells who it is.
  std::string verdict(const std::string& what);
  /// A verdict for the others to repeat, from a process that ends; returns the first one. Takes two
  /// seconds, so that all have read it.
  std::string announce(const std::string& text);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace yolov7::training
