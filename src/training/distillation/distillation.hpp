#pragma once
// A training with a teacher: which levels and classes of the two networks go together, the adapters
// between their widths, and the teacher's term of the loss (export 9.5).
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "network/graph/weights.hpp"
#include "nn/torch_network.hpp"
#include "run/distill_options.hpp"
#include "training/distillation/distill_loss.hpp"
#include "training/distillation/teacher.hpp"
#include "training/loss/loss.hpp"

namespace yolov7::training {

class Distillation {
 public:
  /// Levels go together where their strides are equal. Errors: no stride in common; for output and
  /// logit: another number of anchors per cell, no class in common; logit: a single class.
  Distillation(const run::DistillOptions& options, std::unique_ptr<Teacher> teacher,
               const network::Network& student, const std::vector<std::string>& names,
               std::uint64_t seed);

  /// For people: what goes together, and what does not.
  std::vector<std::string> lines() const;
  const Teacher& teacher() const { return *teacher_; }
  /// Sides of images have to be multiples of it.
  double stride() const { return teacher_->description().largest_stride(); }

  /// Off: loss_of() is the detection loss alone, and the adapters do not train.
  void set_active(bool active);
  bool active() const { return active_; }

  /// A 1×1 convolution [teacher's width, student's width, 1, 1] where a method compares features of
  /// two widths; named distill.adapter.<stride>.weight.
  struct Adapter {
    std::string name;
    at::Tensor weight;
  };
  const std::vector<Adapter>& adapters() const { return adapters_; }
  void clear_gradients() const;
  /// The adapters among the tensors of a checkpoint, and back. Error: one is missing or of another
  /// shape.
  void store(network::Weights& weights) const;
  void load(const network::Weights& weights) const;

  /// λ times the teacher's term of these images, sum over the levels.
  at::Tensor operator()(const nn::TorchNetwork::Outputs& teacher,
                        const nn::TorchNetwork::Outputs& student, const Loss& loss,
                        std::span<const Target> targets) const;

 private:
  friend LossValue loss_of(nn::TorchNetwork& network, Loss& loss, const Distillation* teacher,
                           const at::Tensor& images, std::span<const Target> targets,
                           const dataset::TargetMarks& marks);
  struct Pair {
    std::size_t own = 0, theirs = 0;  ///< lead levels of the student and of the teacher
    double stride = 8;
    int adapter = -1;
  };
  void pair_levels(const network::Network& student);
  void require_outputs_alike(const network::Network& student) const;
  void make_adapters(const network::Network& student, std::uint64_t seed);
  at::Tensor feature(const Pair& pair, const at::Tensor& value) const;
  at::Tensor output_term(const Pair& pair, const at::Tensor& own, const at::Tensor& theirs,
                         const Loss& loss, const at::Tensor& left_out) const;
  Positives cells_of_new_classes(std::span<const Target> targets,
                                 const std::vector<at::Tensor>& maps, const Loss& loss) const;
  std::vector<LevelGrid> grids(const std::vector<at::Tensor>& maps) const;

  run::DistillOptions options_;
  std::unique_ptr<Teacher> teacher_;
  ClassColumns columns_;
  std::vector<char> taught_;  ///< by the student's class: whether the teacher has it
  std::string classes_text_;
  std::vector<Pair> pairs_;
  std::vector<double> unpaired_;  ///< strides of the student without a level of the teacher
  std::vector<int> inputs_;       ///< the student's neck outputs, by lead level
  std::vector<Adapter> adapters_;
  std::vector<std::vector<std::array<float, 2>>> anchors_, teacher_anchors_;  ///< in cells, by pair
  bool active_ = true, reads_features_ = true;
};

/// The detection loss of these images and, with an active teacher, its term: the same images, in
/// the network's compute type. In `parts` the total holds both; `distilled` is the term alone.
/// `marks` are the detection loss's; the teacher's term knows none.
LossValue loss_of(nn::TorchNetwork& network, Loss& loss, const Distillation* teacher,
                  const at::Tensor& images, std::span<const Target> targets,
                  const dataset::TargetMarks& marks = {});

}  // namespace yolov7::training
