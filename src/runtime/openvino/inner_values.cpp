#include "runtime/openvino/inner_values.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

#ifdef YOLOV7_WITH_OPENVINO

#include <map>
#include <openvino/frontend/manager.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/runtime/core.hpp>
#include <utility>

#include "core/threads.hpp"
#include "runtime/openvino/byte_input.hpp"
#include "runtime/openvino/cpu_properties.hpp"
#include "runtime/openvino/openvino_error.hpp"
#include "runtime/openvino/openvino_model.hpp"
#include "runtime/openvino/read_model.hpp"

namespace yolov7::runtime {
namespace {

using Outputs = std::map<std::string, ov::Output<ov::Node>>;

/// TensorFlow's readers know values as "node:0", others by the node alone.
Outputs named_outputs(const ov::Model& model) {
  Outputs all;
  for (const std::shared_ptr<ov::Node>& node : model.get_ordered_ops()) {
    if (ov::is_type<ov::op::v0::Result>(node)) continue;
    for (const ov::Output<ov::Node>& output : node->outputs())
      for (const std::string& name : output.get_names()) {
        all.insert_or_assign(name, output);
        if (name.ends_with(":0")) all.emplace(name.substr(0, name.size() - 2), output);
      }
    if (node->get_output_size() == 1) all.emplace(node->get_friendly_name(), node->output(0));
  }
  return all;
}

/// A model whose results are values that were asked for, and the places of their names.
struct Part {
  std::shared_ptr<ov::Model> model;  // none: there is no such value
  std::vector<std::size_t> places;
};

Part part_of(const ov::Model& model, std::span<const std::string> names) {
  const auto copy = model.clone();
  const Outputs outputs = named_outputs(*copy);
  ov::ResultVector results;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = outputs.find(names[i]);
    if (names[i].empty() || found == outputs.end()) continue;
    results.push_back(std::make_shared<ov::op::v0::Result>(found->second));
    places.push_back(i);
  }
  if (results.empty()) return {nullptr, places};
  return {std::make_shared<ov::Model>(results, copy->get_parameters()), places};
}

/// Readers of TensorFlow's formats turn the layout of the model's values, and lose names on the
/// way, but for outputs.
Part part_of_tensorflow(const std::filesystem::path& path, std::span<const std::string> names) {
  ov::frontend::FrontEndManager manager;
  const auto reader = manager.load_by_model(path.string());
  if (!reader) throw Error(fmt::format("{}: OpenVINO cannot read it", path.string()));
  const auto input = reader->load(path.string());
  std::vector<ov::frontend::Place::Ptr> outputs;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    auto place = input->get_place_by_tensor_name(names[i]);
    if (!place) place = input->get_place_by_tensor_name(names[i] + ":0");
    if (!place) continue;
    outputs.push_back(place);
    places.push_back(i);
  }
  if (outputs.empty()) return {nullptr, {}};
  input->override_all_outputs(outputs);
  return {reader->convert(input), places};
}

bool by_tensorflow(const std::filesystem::path& path) {
  return path.extension() == ".tflite" || path.extension() == ".pb" ||
         std::filesystem::exists(path / "saved_model.pb");
}

class OfModel : public InnerValues {
 public:
  std::vector<std::optional<InnerValue>> of(std::span<const std::string> names,
                                            const PixelBatch& images) override {
    return guarded("run a part of the model", [&] { return run(names, images); });
  }

 protected:
  virtual Part part(std::span<const std::string> names, const PixelBatch& images) = 0;
  ov::Core core_;

 private:
  std::vector<std::optional<InnerValue>> run(std::span<const std::string> names,
                                             const PixelBatch& images) {
    std::vector<std::optional<InnerValue>> found(names.size());
    const auto [model, places] = part(names, images);
    if (!model) return found;
    const ov::PartialShape input = model->input().get_partial_shape();
    const bool channels_last = input[3] == 3 && input[1] != 3;
    const ov::Dimension batch = input[0];
    const int count =
        batch.is_static() ? static_cast<int>(batch.get_length()) : std::max(images.count, 1);
    std::vector<std::uint8_t> pixels(images.pixels.begin(), images.pixels.end());
    pixels.resize(static_cast<std::size_t>(count) * 3 * side(images.height) * side(images.width));
    ov::InferRequest request =
        core_
            .compile_model(with_bytes(*model, channels_last, count, images.height, images.width),
                           "CPU", cpu_properties({}, usable_cores()))
            .create_infer_request();
    request.set_input_tensor(ov::Tensor(
        ov::element::u8, {side(count), 3, side(images.height), side(images.width)}, pixels.data()));
    request.infer();
    for (std::size_t i = 0; i < places.size(); ++i) {
      const ov::Tensor tensor = request.get_output_tensor(i);
      const float* values = tensor.data<float>();
      found[places[i]] = {tensor.get_shape(), {values, values + tensor.get_size()}};
    }
    return found;
  }
  static std::size_t side(int length) { return static_cast<std::size_t>(length); }
};

class OfFile final : public OfModel {
 public:
  explicit OfFile(std::filesystem::path path) : path_(std::move(path)) {
    if (!by_tensorflow(path_)) model_ = read_model_file(core_, path_);
  }

 private:
  Part part(std::span<const std::string> names, const PixelBatch&) override {
    return model_ ? part_of(*model_, names) : part_of_tensorflow(path_, names);
  }
  std::filesystem::path path_;
  std::shared_ptr<ov::Model> model_;
};

class OfNetwork final : public OfModel {
 public:
  explicit OfNetwork(std::shared_ptr<const network::NetworkAndWeights> network)
      : network_(std::move(network)) {}

 private:
  Part part(std::span<const std::string> names, const PixelBatch& images) override {
    OpenvinoModelOptions options;
    options.batch = images.count, options.height = images.height, options.width = images.width;
    options.float_input = options.name_values = true;
    return part_of(*make_openvino_model(network_, options), names);
  }
  std::shared_ptr<const network::NetworkAndWeights> network_;
};

}  // namespace

std::unique_ptr<InnerValues> inner_values(const std::filesystem::path& file) {
  return std::make_unique<OfFile>(file);
}

std::unique_ptr<InnerValues> inner_values(std::shared_ptr<const network::NetworkAndWeights> model) {
  return std::make_unique<OfNetwork>(std::move(model));
}

}  // namespace yolov7::runtime

#else

namespace yolov7::runtime {

std::unique_ptr<InnerValues> inner_values(const std::filesystem::path&) {
  throw Error("this build has no OpenVINO, which runs parts of models");
}

std::unique_ptr<InnerValues> inner_values(std::shared_ptr<const network::NetworkAndWeights>) {
  throw Error("this build has no OpenVINO, which runs parts of models");
}

}  // namespace yolov7::runtime

#endif
