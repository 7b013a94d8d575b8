#pragma once
// What single convolutions take on this machine: the table by which pruning chooses widths.
#include <memory>
#include <stop_token>

#include "network/transform/width_choice.hpp"
#include "runtime/detector.hpp"

namespace yolov7::runtime {

class ConvolutionTimes {
 public:
  virtual ~ConvolutionTimes() = default;
  /// Seconds of the convolution with its bias and activation, one picture, in the detector's
  /// precision and on its threads: the least of several runs, as OpenVINO's own account of the
  /// operation tells it, so without bringing tensors into another layout and back. Measured once
  /// for each shape. Errors: stopped_error(), what OpenVINO reports.
  virtual double operator()(const network::TimedConvolution& convolution) = 0;
  virtual std::size_t measured() const = 0;  ///< shapes so far
};

/// Errors: a precision that is unknown or that this processor lacks, a build without OpenVINO.
std::unique_ptr<ConvolutionTimes> convolution_times(const DetectorOptions& options,
                                                    std::stop_token stop);

}  // namespace yolov7::runtime
