#pragma once
// Whether a narrow type computes what float32 computes, on the first real batch (training 11.1).
#include <span>
#include <string>

#include "nn/torch_network.hpp"
#include "training/loss/assignment.hpp"
#include "training/loss/loss.hpp"

namespace yolov7::training {

/// The processor multiplies bfloat16 (AVX512-BF16, with or without AMX); elsewhere it would be
/// emulated, slower than float32.
bool processor_computes_bfloat16();

/// "float32", "bfloat16", "float16" as LibTorch's type.
at::ScalarType compute_type(const std::string& precision);

struct PrecisionCheck {
  double loss = 0, narrow_loss = 0;  ///< total of the batch in float32 and in the narrow type
  double gradient_cosine = 0;        ///< between all gradients as one vector; 1 = same direction
  double gradient_ratio = 0;         ///< of their lengths, narrow over float32
  double rounding_cosine =
      0;  ///< the same cosine for float32 with picture and weights rounded to the narrow type
  bool accepted = false;
  bool aligned =
      false;  ///< accepted, and the gradients point the same way: gradient_cosine at least 0.8
  bool undecided = false;  ///< not aligned, all finite, and float32 itself turns its gradient when
                           ///< weights are rounded: ask again later
  std::string text() const;  ///< one line of numbers
};

/// Loss and gradients of one batch in the network's own type and in `narrow`. Accepted where all is
/// finite, the losses differ by at most 5 %, the gradients' lengths by at most a factor of 2, and
/// the cosine is at least 0.8 (`aligned`) wherever it says something of the type. It does not where
/// float32 itself turns its gradient when the weights are rounded (rounding_cosine below 0.9): a
/// deep network with batch-norms is chaotic at random initial values, perturbations grow layer by
/// layer (Yang et al., "A mean field theory of batch normalization", 2019), and the directions of
/// two roundings have nothing to do with each other. A few epochs later they have. Leaves network,
/// statistics, loss balance and gradients as they were; the compute type is the network's own
/// afterwards.
PrecisionCheck check_precision(nn::TorchNetwork& network, Loss& loss, const at::Tensor& images,
                               std::span<const Target> targets, at::ScalarType narrow);

}  // namespace yolov7::training
