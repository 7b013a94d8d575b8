#pragma once
// Gradients summed over all processes while the backward pass is still going on (as in Li et al.
// 2020, "PyTorch Distributed", 3.2).
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "nn/torch_network.hpp"
#include "training/distributed/communicator.hpp"

namespace yolov7::training {

/// Parameters in buckets, the last layers' first, because their gradients arrive first. A bucket
/// goes out as soon as it and all before it are complete. What is in which bucket never changes
/// (c10d::Reducer re-groups them after the first step): so the sums are the same bits in a run that
/// was resumed. Where parameters have no gradient in a pass the others' zeros are added. The sum is
/// not divided: the loss is that of this process's pictures, the step that of all (training 6).
class GradientSums {
 public:
  static constexpr std::size_t usual_bucket_bytes = std::size_t{4} << 20;
  /// Both outlive this object. `bucket_bytes`: a bucket is closed when it has that many. `beside`:
  /// parameters that are not the network's; they go first.
  GradientSums(const nn::TorchNetwork& network, Communicator& group,
               std::size_t bucket_bytes = usual_bucket_bytes,
               const std::vector<at::Tensor>& beside = {});
  ~GradientSums();

  /// The next backward pass is the last one before a step: its gradients, with what they were added
  /// to, are summed.
  void arm();
  /// After that pass: waits, and the gradients are those of all processes.
  void finish();

 private:
  struct Bucket {
    std::vector<std::size_t> parameters;
    std::size_t missing = 0;  ///< gradients that have not arrived
    at::Tensor values;
    std::optional<Communicator::Pending>
        sum;  ///< none: nothing of it trains, or it was not sent yet
  };
  struct Parameter {
    at::Tensor tensor;
    std::size_t bucket = 0;
    std::shared_ptr<torch::autograd::Node> accumulator;
    std::uintptr_t hook = 0;
    bool trains = false, arrived = false;
  };
  void add(const at::Tensor& tensor, std::size_t bucket_bytes);
  void arrived(std::size_t parameter);
  void send_complete(bool all);
  void send(Bucket& bucket);

  Communicator& group_;
  std::vector<Parameter> parameters_;
  std::vector<Bucket> buckets_;
  std::size_t filled_ = 0;  ///< bytes of the last bucket
  std::size_t next_ = 0;    ///< bucket to go out
  bool armed_ = false;
};

}  // namespace yolov7::training
