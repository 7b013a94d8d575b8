#pragma once
// Weights and biases of a quantized network fitted to the float32 network's outputs, convolution by
// convolution in order of execution, so that each makes good what those before it changed.
#include <memory>
#include <string>
#include <vector>

#include "compression/plan/calibration.hpp"
#include "compression/plan/least_squares.hpp"

namespace yolov7::compression {

struct ReconstructionOptions {
  network::ActivationNumbers numbers = network::ActivationNumbers::asymmetric;
  std::size_t images = 64;     ///< at most; spread over all
  std::size_t every = 4;       ///< each so many-th of these is held out: it judges each convolution
                               ///< and is not fitted to
  std::size_t samples = 8192;  ///< output pixels of each convolution that are fitted to
  std::stop_token stop = {};
};

/// Mean squared error of a convolution's outputs on the held-out images.
struct FittedLayer {
  std::string tensor;
  double before = 0, after = 0;
  bool kept() const { return after < before; }  ///< else it stays as it was
};

/// The images that are taken, ascending; each `every`-th of these is held out. Where less than
/// `every` others would be left, one of `every` is not taken.
std::vector<std::size_t> images_of_fit(std::size_t count, const ReconstructionOptions& options);
/// Which of `count` images can judge the outcome: those that are not taken, which took no part in
/// any choice. Of less than `every` images in all there are none such: those that are held out.
std::vector<std::size_t> judging_images(std::size_t count, const ReconstructionOptions& options);

/// Convolutions of one group, all but `plan.convolutions` left out. A fit that does not help on the
/// held-out images is not taken. The same for the same images. Errors: fewer than two images; what
/// running reports; stopped_error().
std::vector<FittedLayer> reconstruct(const std::shared_ptr<const network::NetworkAndWeights>& fused,
                                     network::Quantization& plan, const CalibrationImages& images,
                                     const ReconstructionOptions& options);

/// By Convolution::tensor: how many convolutions lie before it on the longest way, those of one
/// number being independent of each other.
std::vector<std::vector<const network::Operation*>> waves(const network::Network& network);

/// Inputs under the window at `count` of the output pixels, spread over all: inputs × count,
/// ordered as the weights are. Padding is zero.
std::vector<float> window_samples(const network::Convolution& conv,
                                  const runtime::StreamedValue& value, std::size_t count);

}  // namespace yolov7::compression
