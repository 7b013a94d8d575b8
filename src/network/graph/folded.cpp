#include "network/graph/folded.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "network/graph/links.hpp"

namespace yolov7::network {
namespace {

using Role = TensorSpec::Role;

class Folder {
 public:
  Folder(const Network& network, const Weights& weights)
      : source_(network), links_(network), weights_(weights) {}

  bool is_folded(const Operation& op) const {
    const Convolution* conv = op.as<Convolution>();
    if (conv == nullptr || conv->branch != RepBranch::none) return false;
    const Operation* norm = links_.only_reader<BatchNorm>(op.output);
    return norm != nullptr && has(conv->tensor + ".bias") &&
           !has(norm->as<BatchNorm>()->tensor + ".weight");
  }

  /// Whether the operation is a RepConv's sum of branches that is stored merged.
  bool is_merged(const Operation& op) const {
    const Add* add = op.as<Add>();
    if (add == nullptr || add->merged.empty()) return false;
    const Operation* dense = rep_dense(links_, op);
    return has(add->merged + ".weight") && !has(dense->as<Convolution>()->tensor + ".weight");
  }

  bool anything() const {
    return std::any_of(source_.operations.begin(), source_.operations.end(),
                       [&](const Operation& op) { return is_folded(op) || is_merged(op); });
  }

  Network run() {
    out_ = source_;
    keeps_head_ = whole_head_beside_norms();
    if (!keeps_head_) out_.head = HeadKind::detect;
    out_.operations.clear();
    out_.tensors.clear();
    out_.levels.clear();
    for (const Level& level : source_.levels)
      if (keeps_head_ || !level.auxiliary) out_.levels.push_back(level);
    const std::vector<char> needed = needed_values(source_, keeps_head_);
    const auto is_needed = [&](const Operation& op) {
      return needed[static_cast<std::size_t>(op.output)] != 0;
    };
    for (const Operation& op : source_.operations)
      if (is_needed(op) && is_merged(op)) skip_branches(op);
    for (const Operation& op : source_.operations)
      if (is_needed(op) && skipped_.count(&op) == 0) emit(op);
    place_tensors();
    out_.layers.back().block = name(out_.head);
    count_layer_parameters(out_);
    return std::move(out_);
  }

 private:
  bool has(const std::string& name) const { return weights_.find(name) != nullptr; }

  /// Partly folded: some batch-norm is left, and the head has all of its tensors.
  bool whole_head_beside_norms() const {
    const std::string prefix = "model." + std::to_string(source_.head_layer) + ".";
    const bool head = std::all_of(
        source_.tensors.begin(), source_.tensors.end(),
        [&](const TensorSpec& spec) { return spec.name.rfind(prefix, 0) != 0 || has(spec.name); });
    const auto left = [&](const Operation& op) {
      const BatchNorm* norm = op.as<BatchNorm>();
      return norm != nullptr && has(norm->tensor + ".weight");
    };
    return head && std::any_of(source_.operations.begin(), source_.operations.end(), left);
  }

  void skip_branches(const Operation& sum) {
    const std::string& merged = sum.as<Add>()->merged;
    for (const int input : sum.inputs) {
      const Operation* from = links_.producer(input);
      skipped_.insert(from);
      merged_into_[from->as<BatchNorm>()->tensor] = merged;
      const Operation* before = links_.producer(from->inputs[0]);
      const Convolution* conv = before == nullptr ? nullptr : before->as<Convolution>();
      if (conv == nullptr || conv->branch == RepBranch::none) continue;  // an identity branch
      skipped_.insert(before);
      merged_into_[conv->tensor] = merged;
    }
  }

  void emit(const Operation& op) {
    if (!keeps_head_ && (op.is<ImplicitAdd>() || op.is<ImplicitMultiply>())) return;
    if (is_merged(op)) {
      const Operation* dense = rep_dense(links_, op);
      out_.operations.push_back({merged_convolution(*dense->as<Convolution>(), *op.as<Add>()),
                                 dense->inputs, op.output, op.layer});
      return;
    }
    Operation made = op;
    if (op.is<Convolution>()) take_neighbours(op, made);
    out_.operations.push_back(made);
  }

  /// The batch-norm or the implicit vectors that a convolution has taken in.
  void take_neighbours(const Operation& op, Operation& made) {
    const Operation* before = links_.producer(op.inputs[0]);
    if (!keeps_head_ && before != nullptr && before->is<ImplicitAdd>())
      made.inputs = before->inputs;
    if (const Operation* scale = links_.only_reader<ImplicitMultiply>(op.output);
        scale != nullptr && !keeps_head_)
      made.output = scale->output;
    if (!is_folded(op)) return;
    const Operation* norm = links_.only_reader<BatchNorm>(op.output);
    skipped_.insert(norm);
    std::get<Convolution>(made.primitive).bias = true;
    made.output = norm->output;
  }

  /// In checkpoint order: what is merged stands where its first part stood.
  void place_tensors() {
    std::map<std::string, const Convolution*> convs;
    std::set<std::string> norms;
    for (const Operation& op : out_.operations) {
      if (const Convolution* conv = op.as<Convolution>()) convs[conv->tensor] = conv;
      if (const BatchNorm* norm = op.as<BatchNorm>()) norms.insert(norm->tensor);
    }
    for (const TensorSpec& spec : source_.tensors) {
      const bool implicit = spec.role == Role::implicit_add || spec.role == Role::implicit_mul;
      const bool anchors = spec.role == Role::anchors || spec.role == Role::anchor_grid;
      std::string stem = spec.name.substr(0, spec.name.rfind('.'));
      if (const auto merged = merged_into_.find(stem); merged != merged_into_.end())
        stem = merged->second;
      if (anchors || (implicit && keeps_head_) || norms.count(stem) != 0)
        out_.tensors.push_back(spec);
      else if (convs.count(stem) != 0)
        put(*convs[stem], convs);
    }
  }

  /// Once per convolution: `convs` forgets it.
  void put(const Convolution& conv, std::map<std::string, const Convolution*>& convs) {
    out_.tensors.push_back(
        {conv.tensor + ".weight",
         Role::weight,
         {conv.out_channels, conv.in_channels / conv.groups, conv.kernel_h, conv.kernel_w}});
    if (conv.bias) out_.tensors.push_back({conv.tensor + ".bias", Role::bias, {conv.out_channels}});
    convs.erase(conv.tensor);
  }

  const Network& source_;
  Links links_;
  const Weights& weights_;
  Network out_;
  bool keeps_head_ = false;
  std::set<const Operation*> skipped_;
  std::map<std::string, std::string> merged_into_;  ///< by the tensor of a RepConv's branch
};

}  // namespace

bool holds_folded(const Network& network, const Weights& weights) {
  return Folder(network, weights).anything();
}

Network as_stored(const Network& network, const Weights& weights) {
  Folder folder(network, weights);
  return folder.anything() ? folder.run() : network;
}

}  // namespace yolov7::network
