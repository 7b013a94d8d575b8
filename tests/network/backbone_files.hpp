#pragma once
// Files of pre-trained backbones as torchvision and EfficientNet-PyTorch name their tensors, with
// made-up values and classifiers of ten classes.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "network/graph/weights.hpp"
#include "tests/network/official_fixture.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::network {

/// A state file in the making; each tensor has values of its own.
class BackboneFile {
 public:
  void put(const std::string& name, const std::vector<std::int64_t>& shape) {
    std::size_t count = 1;
    for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
    std::vector<float> values(count);
    // Up to 0.5, and above zero: variances among them.
    for (float& value : values) value = static_cast<float>(++next_ % 4096 + 1) / 8192;
    tensors.emplace_back(name, Tensor::from(values, shape));
  }
  void convolution(const std::string& name, int out, int in, int kernel) {
    put(name + ".weight", {out, in, kernel, kernel});
  }
  void norm(const std::string& name, int channels) {
    for (const char* part : {"weight", "bias", "running_mean", "running_var"})
      put(name + "." + part, {channels});
    Tensor count;
    count.type = DataType::int64;
    count.bytes.resize(8);
    tensors.emplace_back(name + ".num_batches_tracked", count);
  }
  Tensor& at(const std::string& name) { return find(name)->second; }
  void remove(const std::string& name) { tensors.erase(find(name)); }
  /// In the container that the real ones have.
  std::string write(const test::ScratchFolder& folder) const {
    Weights weights;
    for (const auto& [name, tensor] : tensors) weights.set(name, tensor);
    hostile::OfficialOptions options;
    options.legacy = true;
    hostile::OfficialFile file(options);
    return folder.write("foreign.pth", file.bytes(file.tensors(weights))).string();
  }

  std::vector<std::pair<std::string, Tensor>> tensors;

 private:
  std::vector<std::pair<std::string, Tensor>>::iterator find(const std::string& name) {
    const auto found =
        std::ranges::find_if(tensors, [&](const auto& one) { return one.first == name; });
    if (found == tensors.end()) throw std::runtime_error("no " + name);
    return found;
  }
  unsigned next_ = 0;
};

inline BackboneFile mobilenet_file() {
  BackboneFile file;
  file.convolution("features.0.0", 32, 3, 3);
  file.norm("features.0.1", 32);
  const int rows[][3] = {{1, 16, 1}, {6, 24, 2},  {6, 32, 3}, {6, 64, 4},
                         {6, 96, 3}, {6, 160, 3}, {6, 320, 1}};
  int number = 1, in = 32;
  for (const auto& [expansion, out, repeats] : rows)
    for (int i = 0; i < repeats; ++i, ++number, in = out) {
      const std::string at = fmt::format("features.{}.conv.", number);
      const int hidden = in * expansion;
      int part = 0;
      if (expansion > 1) {
        file.convolution(at + "0.0", hidden, in, 1);
        file.norm(at + "0.1", hidden);
        ++part;
      }
      file.convolution(fmt::format("{}{}.0", at, part), hidden, 1, 3);
      file.norm(fmt::format("{}{}.1", at, part), hidden);
      file.convolution(fmt::format("{}{}", at, part + 1), out, hidden, 1);
      file.norm(fmt::format("{}{}", at, part + 2), out);
    }
  file.convolution("features.18.0", 1280, 320, 1);
  file.norm("features.18.1", 1280);
  file.put("classifier.1.weight", {10, 1280});
  file.put("classifier.1.bias", {10});
  return file;
}

inline BackboneFile efficientnet_file() {
  BackboneFile file;
  file.convolution("_conv_stem", 32, 3, 3);
  file.norm("_bn0", 32);
  const int rows[][4] = {{1, 16, 1, 3},  {6, 24, 2, 3},  {6, 40, 2, 5}, {6, 80, 3, 3},
                         {6, 112, 3, 5}, {6, 192, 4, 5}, {6, 320, 1, 3}};
  int number = 0, in = 32;
  for (const auto& [expansion, out, repeats, kernel] : rows)
    for (int i = 0; i < repeats; ++i, ++number, in = out) {
      const std::string at = fmt::format("_blocks.{}.", number);
      const int hidden = in * expansion;
      if (expansion > 1) {
        file.convolution(at + "_expand_conv", hidden, in, 1);
        file.norm(at + "_bn0", hidden);
      }
      file.convolution(at + "_depthwise_conv", hidden, 1, kernel);
      file.norm(at + "_bn1", hidden);
      file.convolution(at + "_project_conv", out, hidden, 1);
      file.norm(at + "_bn2", out);
    }
  file.convolution("_conv_head", 1280, 320, 1);
  file.norm("_bn1", 1280);
  file.put("_fc.weight", {10, 1280});
  file.put("_fc.bias", {10});
  return file;
}

}  // namespace yolov7::network
