#pragma once
// What layers need of other processes: batch statistics over the pictures of all of them.
#include "kernels/torch.hpp"

namespace yolov7::kernels {

/// Every process makes the same calls in the same order; each waits for all. Results are the same
/// bits everywhere.
class JointStatistics {
 public:
  virtual ~JointStatistics() = default;
  virtual int processes() const = 0;
  /// `values` [n] of every process, in the order of the ranks: [processes, n].
  virtual at::Tensor gather(const at::Tensor& values) = 0;
  /// `values` becomes the sum over all processes.
  virtual void sum(at::Tensor& values) = 0;
};

}  // namespace yolov7::kernels
