#pragma once
// What a student is to repeat of a teacher, as losses of one level
// (export 9.5). Every tensor is float32 or float64; gradients flow to the
// student's alone. No state, and the same bits each time on the CPU.
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kernels/torch.hpp"
#include "training/loss/assignment.hpp"

namespace yolov7::training {

/// Channel-wise distillation (Shu et al. 2021, arXiv 2011.13256, equations 3 and 4) of features
/// that are first brought to mean 0 and variance 1, channel by channel, over the pictures of the
/// pass (Cao et al. 2022, "PKD", arXiv 2207.02039, section 3.2). For each picture and channel the
/// softmax over the positions of x / τ says where it is active; the value is τ² · KL(teacher ‖
/// student), mean over pictures and channels. Both [B, C, H, W].
at::Tensor channel_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature);

/// ½ · Σ mask · (student − teacher)² / cells of the mask, summed over channels (Wang et al. 2019,
/// "Distilling object detectors with fine-grained feature imitation", equation 4). Features
/// [B, C, H, W]; mask [B, H, W] of 0 and 1. 0 where the mask is empty.
at::Tensor imitation_loss(const at::Tensor& student, const at::Tensor& teacher,
                          const at::Tensor& mask);

/// By level, [images · height · width] of 0 and 1: cells where some anchor's IoU with a target of
/// the picture is above half of the largest IoU that this target has with any anchor of any cell
/// and level (same paper, section 3.2, ψ = 0.5). An anchor stands at the centre of its cell.
std::vector<std::vector<std::uint8_t>> imitation_mask(std::span<const Target> targets, int images,
                                                      std::span<const LevelGrid> levels);

/// Classes of the student's and of the teacher's rows that go together.
using ClassColumns = std::vector<std::pair<int, int>>;

/// Means over all cells and anchors of raw maps [B, na, H, W, 5 + classes] (Mehta and Öztürk 2018,
/// arXiv 1805.06361, section 3): objectness against the teacher's probability o; o times the
/// binary cross-entropy of the classes that go together, their mean; o times 1 − CIoU of the boxes.
struct OutputTerms {
  at::Tensor objectness, classes, box;
};
/// Anchors in cells: width and height. Without columns `classes` is 0. `left_out` [B, na, H, W]: 1
/// at the cells whose objectness is not compared, 0 at those whose mean it is; undefined: none is
/// left out.
OutputTerms output_terms(const at::Tensor& student, const at::Tensor& teacher,
                         const ClassColumns& columns, std::span<const std::array<float, 2>> anchors,
                         std::span<const std::array<float, 2>> teacher_anchors,
                         const at::Tensor& left_out = {});

/// 1 at these cells of a raw map [B, na, H, W, …], 0 elsewhere: [B, na, H, W] of its type.
at::Tensor cell_mask(std::span<const Positive> cells, const at::Tensor& map);

/// τ² · o · BCE(σ(student / τ), σ(teacher / τ)) of the class logits that go together, o being the
/// teacher's objectness; mean over classes, cells and anchors (Hinton et al. 2015, arXiv
/// 1503.02531, with sigmoids for the softmax).
at::Tensor logit_loss(const at::Tensor& student, const at::Tensor& teacher,
                      const ClassColumns& columns, double temperature);

}  // namespace yolov7::training
