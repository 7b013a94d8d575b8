#pragma once
// Where a model file leaves the network that it was written from: the values of both are compared
// in the order of execution, until an operation makes a difference that its inputs do not have.
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "equivalence/proof.hpp"
#include "network/graph/detector_program.hpp"
#include "runtime/openvino/inner_values.hpp"

namespace yolov7::equivalence {

struct TwoPrograms {
  const network::Network& network;          ///< the parent's, folded
  const network::DetectorProgram& program;  ///< around it, for images in 0 … 1
  runtime::InnerValues &parent, &file;      ///< the parent's by value_name()
  std::span<const std::string> names;       ///< in the file, by value number; "" = not there
  double tolerance = 1e-5;  ///< share of a value's largest number that rounding may change
  std::stop_token stop = {};
};

struct FirstDifference {
  std::string operation;  ///< "convolution model.0.conv, layer 0"
  double share = 0;       ///< largest difference over the largest number
};

/// Nothing where no value of the file differs. Errors: what running the models reports,
/// stopped_error().
std::optional<FirstDifference> first_difference(const TwoPrograms& programs,
                                                const ProofPicture& picture);

/// Of one value in both models, as a share of the parent's largest number. The file may have
/// channels last, and more images; infinite where the values do not fit.
double value_difference(const runtime::InnerValue& parent, const runtime::InnerValue& file);

}  // namespace yolov7::equivalence
