#pragma once
// The running statistics of all batch-norms, taken before a forward pass whose result may have to
// be thrown away.
#include <vector>

#include "nn/torch_network.hpp"

namespace yolov7::nn {

class BatchNormSnapshot {
 public:
  /// `network` must outlive this object.
  explicit BatchNormSnapshot(const TorchNetwork& network);
  void take();           ///< means, variances and counters as they are now
  void restore() const;  ///< … as they were at the last take()

 private:
  std::vector<at::Tensor> live_, kept_;
};

}  // namespace yolov7::nn
