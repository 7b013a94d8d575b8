#pragma once
// What a model computes on the way to its outputs, by the names that values have in it: for finding
// the operation at which two models part.
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "network/graph/weights.hpp"
#include "runtime/detector.hpp"
#include "runtime/openvino/value_name.hpp"

namespace yolov7::runtime {

struct InnerValue {
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

class InnerValues {
 public:
  virtual ~InnerValues() = default;
  /// Nothing where the model has no value of that name. Computes what leads to the asked values
  /// alone. Errors: what running the model reports.
  virtual std::vector<std::optional<InnerValue>> of(std::span<const std::string> names,
                                                    const PixelBatch& images) = 0;
};

/// Of a file that open_model_file() reads.
std::unique_ptr<InnerValues> inner_values(const std::filesystem::path& file);
/// Of a network as it is, not folded first. Names: value_name().
std::unique_ptr<InnerValues> inner_values(std::shared_ptr<const network::NetworkAndWeights> model);

}  // namespace yolov7::runtime
