#pragma once
// The processes of one training and what they tell each other, over c10d inside LibTorch: Gloo for
// host memory, NCCL for GPUs.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "kernels/joint_statistics.hpp"
#include "run/world.hpp"

namespace yolov7::training {

/// Calls are collective: every process makes the same ones in the same order, and each waits for
/// all. Results are the same bits on every process, and in every run with as many processes. A
/// process that is gone or stuck makes the call of every other one throw an Error that names its
/// rank, within the deadline. With one process (alone()) every call returns at once.
class Communicator : public kernels::JointStatistics {
 public:
  ~Communicator() override;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  static std::unique_ptr<Communicator> alone();
  /// Meets the other processes at the address of rank 0, whose process listens there. `deadline`:
  /// of the meeting and of every later call. Errors: some did not come in time (named); this build
  /// has no Gloo.
  static std::unique_ptr<Communicator> join(const run::World& world, std::chrono::seconds deadline);

  /// Tensors on this GPU go over NCCL from here on, those in host memory over Gloo as before.
  /// Error: this build has no NCCL.
  void use(at::Device device);

  const run::World& world() const { return world_; }
  int rank() const { return world_.rank; }
  int size() const { return world_.size; }
  bool writes() const { return world_.writes(); }

  int processes() const override { return size(); }
  at::Tensor gather(const at::Tensor& values) override;
  void sum(at::Tensor& values) override;
  std::vector<double> sum(std::vector<double> values);
  bool any(bool one) { return size() > 1 ? sum(std::vector<double>{one ? 1.0 : 0.0})[0] > 0 : one; }
  double least(double value);
  /// The bytes of every process, in the order of the ranks.
  std::vector<std::string> gather(const std::string& bytes);
  /// What rank 0 has, in place of what was there. Shapes and types are the same everywhere.
  void copy_from_first(const std::vector<at::Tensor>& tensors);
  std::string from_first(const std::string& bytes);

  /// A sum that is under way while the caller goes on; wait() before the tensor is read or written.
  class Pending {
   public:
    struct Impl;
    explicit Pending(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    void wait();

   private:
    std::shared_ptr<Impl> impl_;
  };
  Pending sum_later(const at::Tensor& values);

  /// This process ends by an error; the others are told why, so that they do not have to guess.
  void fail(const std::string& message) noexcept;

 private:
  struct Impl;
  explicit Communicator(const run::World& world);
  run::World world_;
  std::unique_ptr<Impl> impl_;  ///< none: alone
};

}  // namespace yolov7::training
