#include "exporting/ncnn_layers.hpp"

#include <fmt/format.h>

#include <map>

#include "core/text.hpp"

namespace yolov7::exporting {
namespace {

constexpr int magic = 7767517;
constexpr std::uint32_t float32_mark = 0, float16_mark = 0x01306B47;

}  // namespace

std::vector<std::string> NcnnLayers::layer_of_several(std::string_view type,
                                                      const std::vector<std::string>& inputs,
                                                      std::size_t outputs,
                                                      const NcnnParameters& parameters) {
  Layer layer{
      std::string(type), fmt::format("{}_{}", type, layers_.size()), inputs, {}, parameters};
  for (std::size_t i = 0; i < outputs; ++i)
    layer.outputs.push_back(fmt::format("b{}_{}", layers_.size(), i));
  layers_.push_back(std::move(layer));
  return layers_.back().outputs;
}

std::string NcnnLayers::layer(std::string_view type, const std::vector<std::string>& inputs,
                              const NcnnParameters& parameters, std::string output) {
  layer_of_several(type, inputs, 1, parameters);
  std::string& name = layers_.back().outputs.front();
  name = output.empty() ? fmt::format("b{}", layers_.size() - 1) : std::move(output);
  return name;
}

void NcnnLayers::write(const void* bytes, std::size_t count) {
  weights_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
}

/// Readers expect multiples of four bytes.
void NcnnLayers::marked(const network::Tensor& tensor, bool half) {
  const std::uint32_t mark = half ? float16_mark : float32_mark;
  write(&mark, sizeof mark);
  const network::Tensor values =
      tensor.converted(half ? network::DataType::float16 : network::DataType::float32);
  write(values.bytes.data(), values.bytes.size());
  constexpr char zeros[4] = {};
  write(zeros, (4 - values.bytes.size() % 4) % 4);
}

void NcnnLayers::plain(const std::vector<float>& values) {
  write(values.data(), values.size() * sizeof(float));
}

std::string NcnnLayers::constant(int width, int height, int channels,
                                 const std::vector<float>& values) {
  std::string blob = layer("MemoryData", {},
                           {{0, fmt::format("{}", width)},
                            {1, fmt::format("{}", height)},
                            {2, fmt::format("{}", channels)}});
  plain(values);
  return blob;
}

std::vector<NcnnLayers::Layer> NcnnLayers::with_splits() const {
  std::map<std::string, int> readers, taken;
  for (const Layer& layer : layers_)
    for (const std::string& input : layer.inputs) ++readers[input];
  const auto copy = [](const std::string& blob, int number) {
    return fmt::format("{}_split{}", blob, number);
  };
  std::vector<Layer> all;
  for (const Layer& layer : layers_) {
    all.push_back(layer);
    for (std::string& input : all.back().inputs)
      if (readers.at(input) > 1) input = copy(input, taken[input]++);
    for (const std::string& output : layer.outputs) {
      if (const auto found = readers.find(output); found != readers.end() && found->second > 1) {
        Layer split{"Split", "split_" + output, {output}, {}, {}};
        for (int i = 0; i < found->second; ++i) split.outputs.push_back(copy(output, i));
        all.push_back(std::move(split));
      }
    }
  }
  return all;
}

std::string NcnnLayers::text() const {
  const std::vector<Layer> all = with_splits();
  std::size_t blobs = 0;
  for (const Layer& layer : all) blobs += layer.outputs.size();
  std::string text = fmt::format("{}\n{} {}\n", magic, all.size(), blobs);
  for (const Layer& layer : all) {
    text += fmt::format("{} {} {} {}", layer.type, layer.name, layer.inputs.size(),
                        layer.outputs.size());
    for (const auto* blobs_of : {&layer.inputs, &layer.outputs})
      for (const std::string& blob : *blobs_of) text += " " + blob;
    for (const auto& [number, value] : layer.parameters)
      text += fmt::format(" {}={}", number, value);
    text += '\n';
  }
  return text;
}

}  // namespace yolov7::exporting
