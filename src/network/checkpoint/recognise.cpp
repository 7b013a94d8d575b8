#include "network/checkpoint/recognise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/builtin.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "network/checkpoint/module_records.hpp"
#include "network/checkpoint/pickled_config.hpp"
#include "network/checkpoint/record_check.hpp"
#include "network/config/builder.hpp"
#include "network/graph/folded.hpp"
#include "network/graph/variants.hpp"

namespace yolov7::network {
namespace {

/// The detection head, as its tensors show it. `prefix` is "model.105." if layer 105 is the head.
struct Head {
  std::string prefix;
  int layer = -1, classes = 0;
  bool implicit = false;
};

Head find_head(const Weights& weights, const std::string& source) {
  Head head;
  head.layer = head_layer(weights);
  if (head.layer < 0)
    throw Error(
        fmt::format("{}: expected the weights of a YOLOv7 detector, found none of its heads (no "
                    "tensor 'model.<layer>.m.0.weight')",
                    source));
  head.prefix = fmt::format("model.{}.", head.layer);
  const Tensor *anchors = weights.find(head.prefix + "anchors"),
               *weight = weights.find(head.prefix + "m.0.weight");
  if (anchors == nullptr || anchors->shape.size() != 3)
    throw Error(fmt::format(
        "{}: unsupported head: expected {}anchors of shape [levels, anchors, 2], found none",
        source, head.prefix));
  const std::int64_t na = anchors->shape[1], rows = weight->shape.empty() ? 0 : weight->shape[0];
  if (na < 1 || na > 100 || rows % na != 0 || rows / na < 6 || rows / na > 100'005)
    throw Error(
        fmt::format("{}: unsupported head: expected anchors · (5 + classes) channels, found {} "
                    "channels and {} anchors",
                    source, rows, na));
  head.classes = static_cast<int>(rows / na - 5);
  head.implicit = weights.find(head.prefix + "ia.0.implicit") != nullptr;
  return head;
}

void check_head_class(const PickleValue& model, const Head& head, const std::string& source) {
  const PickleValue* record = find_module(model, head.prefix.substr(0, head.prefix.size() - 1));
  if (record == nullptr) return;
  const std::string_view name = class_name(*record);
  if (name != "Detect" && name != "IDetect" && name != "IAuxDetect")
    throw Error(fmt::format("{}: unsupported head '{}': expected Detect, IDetect or IAuxDetect",
                            source, text::printable(record->text)));
}

Network built_as_stored(const std::string& config, const std::string& config_source, int classes,
                        const Weights& weights) {
  Overrides overrides;
  overrides.class_count = classes;
  return as_stored(build(config, config_source, overrides), weights);
}

/// Says which tensors of `weights` do not fit `network`; "" if all fit. Batch-norm counters may be
/// missing. With `folded`, tensors that the network does not have are accepted.
std::string misfit(const Network& network, const Weights& weights, bool folded) {
  std::vector<std::string> problems;
  std::set<std::string_view> expected;
  for (const TensorSpec& spec : network.tensors) {
    expected.insert(spec.name);
    const Tensor* tensor = weights.find(spec.name);
    if (tensor == nullptr && spec.role != TensorSpec::Role::bn_count)
      problems.push_back(spec.name + " is missing");
    if (tensor != nullptr && tensor->shape != spec.shape)
      problems.push_back(fmt::format("{} has shape [{}], where [{}] is expected", spec.name,
                                     fmt::join(tensor->shape, ", "), fmt::join(spec.shape, ", ")));
  }
  for (const auto& entry : weights.entries())
    if (!folded && expected.count(entry.first) == 0)
      problems.push_back(
          fmt::format("{} is not part of the network", text::printable(entry.first)));
  if (problems.empty()) return {};
  const std::size_t count = problems.size(), shown = std::min<std::size_t>(count, 3);
  problems.resize(shown);
  return fmt::format("{} of its tensors: {}{}", count, text::join(problems, "; "),
                     count > shown ? "; …" : "");
}

/// Whether the unfolded network `whole` has a tensor of this name. A folded network may still carry
/// such tensors, though it does not use them (architecture 5.3, 5.4): implicit vectors and the
/// auxiliary head.
bool may_stay_unused(const Network& whole, const std::string& name) {
  return std::any_of(whole.tensors.begin(), whole.tensors.end(),
                     [&](const TensorSpec& spec) { return spec.name == name; });
}

class Search {
 public:
  Search(const Weights& weights, const Evidence& evidence, const Head& head,
         const std::string& source)
      : weights_(weights), evidence_(evidence), head_(head), source_(source) {}

  Recognised run() {
    if (!evidence_.config.empty() && fits(evidence_.config, evidence_.config_source)) return found_;
    if (!evidence_.config_problem.empty()) reasons_.push_back(evidence_.config_problem);
    if (const Variant* variant = find_variant(head_.layer + 1)) {
      // In three-level networks the training and the deploy graph have the same number of layers.
      // Only the training graph has implicit vectors. Where they were folded away, the two graphs
      // are the same.
      const bool training = variant->training_layers == variant->deploy_layers
                                ? head_.implicit
                                : head_.layer + 1 == variant->training_layers;
      const std::string folder = training ? "training/" : "deploy/", name(variant->name);
      if (fits_builtin(folder + name + ".yaml")) return found_with_note(name == "yolov7-tiny");
      if (name == "yolov7-tiny" && evidence_.model != nullptr &&
          fits_builtin(folder + name + "-silu.yaml"))
        return found_with_note(false);
    } else if (evidence_.config.empty()) {
      reasons_.push_back(
          fmt::format("{} layers, which is none of the published networks, and no usable "
                      "configuration in the file",
                      head_.layer + 1));
    }
    throw Error(fmt::format("{}: its network was not recognised: {}", source_,
                            text::join(reasons_, "; or ")));
  }

 private:
  Recognised found_with_note(bool activation_unknown) {
    if (activation_unknown && evidence_.model == nullptr)
      found_.notes.push_back(
          "the tensors do not tell the activation of yolov7-tiny; the published LeakyReLU(0.1) is "
          "assumed");
    return found_;
  }

  /// Whether the tensors, and the pickled modules if there are any, fit this configuration. If they
  /// do, it becomes found_; if not, the reason goes to reasons_.
  bool fits(const std::string& config, const std::string& config_source) {
    try {
      const Network network = built_as_stored(config, config_source, head_.classes, weights_);
      Overrides overrides;
      overrides.class_count = head_.classes;
      const bool folded = holds_folded(build(config, config_source, overrides), weights_);
      std::string reason = misfit(network, weights_, folded);
      if (reason.empty() && evidence_.model != nullptr)
        reason = difference(network, *evidence_.model);
      if (reason.empty()) {
        found_ = {config, config_source, head_.classes, {}};
        return true;
      }
      reasons_.push_back(config_source + ": " + reason);
    } catch (const Error& error) {
      reasons_.push_back(error.what());
    }
    return false;
  }

  /// Whether the built-in network at `path` fits, at the width that the tensors have.
  bool fits_builtin(const std::string& path) {
    const auto text = builtin_file(path);
    if (!text) return false;
    const std::string config(*text);
    const double width = width_multiple(config, path);
    return fits(width == 1 ? config : with_number(config, "width_multiple", width), path);
  }

  /// Compares the widest convolution outside the head with the published one: its output channels
  /// divided by the published number. 1 where the quotient is not in (0, 16].
  double width_multiple(const std::string& config, const std::string& path) const {
    const Network published = build(config, path);
    double width = 1;
    std::int64_t widest = 0;
    for (const TensorSpec& spec : published.tensors) {
      if (spec.role != TensorSpec::Role::weight || spec.name.rfind(head_.prefix, 0) == 0 ||
          spec.shape[0] <= widest)
        continue;
      const Tensor* tensor = weights_.find(spec.name);
      if (tensor == nullptr || tensor->shape.size() != 4) continue;
      widest = spec.shape[0];
      width = static_cast<double>(tensor->shape[0]) / static_cast<double>(widest);
    }
    return width > 0 && width <= 16 ? width : 1;
  }

  const Weights& weights_;
  const Evidence& evidence_;
  const Head& head_;
  const std::string& source_;
  Recognised found_;
  std::vector<std::string> reasons_;
};

}  // namespace

Recognised recognise(const Weights& weights, const Evidence& evidence, const std::string& source) {
  const Head head = find_head(weights, source);
  if (evidence.model != nullptr) check_head_class(*evidence.model, head, source);
  return Search(weights, evidence, head, source).run();
}

Weights arranged(Weights weights, const Recognised& network, const std::string& source,
                 std::vector<std::string>& notes) {
  Overrides overrides;
  overrides.class_count = network.class_count;
  const Network whole = build(network.config, network.config_source, overrides),
                stored = as_stored(whole, weights);
  const bool folded = holds_folded(whole, weights);
  const std::string reason = misfit(stored, weights, folded);
  if (!reason.empty())
    throw Error(
        fmt::format("{}: the weights do not fit {}: {}", source, network.config_source, reason));
  Weights out;
  std::size_t counters = 0, unused = 0;
  std::map<std::string, Tensor> given;
  for (auto& [name, tensor] : weights.release()) given.emplace(name, std::move(tensor));
  for (const TensorSpec& spec : stored.tensors) {
    // misfit() lets nothing but counters of batch-norms be missing.
    const auto found = given.find(spec.name);
    Tensor zero;
    zero.type = DataType::int64;
    zero.bytes.resize(8);
    counters += found == given.end();
    out.set(spec.name, found == given.end() ? zero : std::move(found->second));
    if (found != given.end()) given.erase(found);
  }
  for (const auto& entry : given) {
    if (!may_stay_unused(whole, entry.first))
      throw Error(fmt::format("{}: {} is not part of {}", source, text::printable(entry.first),
                              network.config_source));
    ++unused;
  }
  if (folded)
    notes.push_back(
        "the weights are folded: convolutions hold their batch-norms; such a network can be "
        "evaluated, not trained");
  if (unused > 0)
    notes.push_back(
        fmt::format("{} tensors of a folded network that its head no longer uses (implicit "
                    "vectors, auxiliary head) were left out",
                    unused));
  if (counters > 0)
    notes.push_back(
        fmt::format("{} counters of batch-norms were not in the file and start at 0", counters));
  return out;
}

}  // namespace yolov7::network
