#pragma once
// Layers of ncnn, put together one by one, and their weights.
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/graph/weights.hpp"

namespace yolov7::exporting {

/// Number of a parameter, and its value as the file has it.
using NcnnParameters = std::vector<std::pair<int, std::string>>;

class NcnnLayers {
 public:
  /// Weights go to `weights` in the order of the calls.
  explicit NcnnLayers(std::ostream& weights) : weights_(weights) {}

  /// Appends a layer with one output; returns that blob's name, which is made up where `output` is
  /// empty.
  std::string layer(std::string_view type, const std::vector<std::string>& inputs,
                    const NcnnParameters& parameters = {}, std::string output = {});
  std::vector<std::string> layer_of_several(std::string_view type,
                                            const std::vector<std::string>& inputs,
                                            std::size_t outputs, const NcnnParameters& parameters);

  /// Weights of the layer that was appended last: with a mark of their type, or plain float32.
  void marked(const network::Tensor& tensor, bool half);
  void plain(const std::vector<float>& values);
  /// A blob of constant numbers, [channels, height, width].
  std::string constant(int width, int height, int channels, const std::vector<float>& values);

  /// The .param file. A blob that several layers read gets a layer that gives each its own.
  std::string text() const;

 private:
  struct Layer {
    std::string type, name;
    std::vector<std::string> inputs, outputs;
    NcnnParameters parameters;
  };
  void write(const void* bytes, std::size_t count);
  std::vector<Layer> with_splits() const;

  std::ostream& weights_;
  std::vector<Layer> layers_;
};

}  // namespace yolov7::exporting
