#include "network/graph/folded.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "network/graph/links.hpp"

namespace yolov7::network {
namespace {

using Kind = Operation::Kind;
using Role = TensorSpec::Role;

bool is_branch(const Operation& op) { return op.tensor.find(".rbr_") != std::string::npos; }

class Folder {
 public:
  Folder(const Network& network, const Weights& weights)
      : source_(network), links_(network), weights_(weights) {}

  bool is_folded(const Operation& conv) const {
    if (conv.kind != Kind::conv || is_branch(conv)) return false;
    const Operation* norm = links_.only_reader(conv.output, Kind::batch_norm);
    return norm != nullptr && has(conv.tensor + ".bias") && !has(norm->tensor + ".weight");
  }

  /// "model.102.rbr_reparam" where the sum of branches is stored merged; else "".
  std::string merged_name(const Operation& add) const {
    if (add.kind != Kind::add) return {};
    const Operation* dense = dense_branch(add);
    if (dense == nullptr) return {};
    const std::string name =
        dense->tensor.substr(0, dense->tensor.find("rbr_dense")) + "rbr_reparam";
    return has(name + ".weight") && !has(dense->tensor + ".weight") ? name : std::string();
  }

  bool anything() const {
    return std::any_of(
        source_.operations.begin(), source_.operations.end(),
        [&](const Operation& op) { return is_folded(op) || !merged_name(op).empty(); });
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
      if (op.kind == Kind::add && is_needed(op) && !merged_name(op).empty()) skip_branches(op);
    for (const Operation& op : source_.operations)
      if (is_needed(op) && skipped_.count(&op) == 0) emit(op);
    place_tensors();
    out_.layers.back().block = name(out_.head);
    count_layer_parameters(out_);
    return std::move(out_);
  }

 private:
  bool has(const std::string& name) const { return weights_.find(name) != nullptr; }

  const Operation* dense_branch(const Operation& add) const {
    for (const int input : add.inputs) {
      const Operation* norm = links_.producer(input);
      if (norm != nullptr && norm->kind == Kind::batch_norm &&
          norm->tensor.find(".rbr_dense.") != std::string::npos)
        return links_.producer(norm->inputs[0]);
    }
    return nullptr;
  }

  /// Partly folded: some batch-norm is left, and the head has all of its tensors.
  bool whole_head_beside_norms() const {
    const std::string prefix = "model." + std::to_string(source_.head_layer) + ".";
    const bool head = std::all_of(
        source_.tensors.begin(), source_.tensors.end(),
        [&](const TensorSpec& spec) { return spec.name.rfind(prefix, 0) != 0 || has(spec.name); });
    const auto left = [&](const Operation& op) {
      return op.kind == Kind::batch_norm && has(op.tensor + ".weight");
    };
    return head && std::any_of(source_.operations.begin(), source_.operations.end(), left);
  }

  void skip_branches(const Operation& add) {
    for (const int input : add.inputs) {
      const Operation* norm = links_.producer(input);
      skipped_.insert(norm);
      const Operation* conv =
          links_.producer(norm->inputs[0]);  // the identity branch has none of its own
      if (conv != nullptr && is_branch(*conv)) skipped_.insert(conv);
    }
  }

  void emit(const Operation& op) {
    if (!keeps_head_ && (op.kind == Kind::implicit_add || op.kind == Kind::implicit_mul)) return;
    Operation made = op;
    if (const std::string merged = merged_name(op); !merged.empty()) {
      made = *dense_branch(op);
      made.tensor = merged;
      made.bias = true;
      made.output = op.output;
    } else if (op.kind == Kind::conv) {
      take_neighbours(op, made);
    }
    out_.operations.push_back(made);
  }

  /// The batch-norm or the implicit vectors that a convolution has taken in.
  void take_neighbours(const Operation& op, Operation& made) {
    const Operation* before = links_.producer(op.inputs[0]);
    if (!keeps_head_ && before != nullptr && before->kind == Kind::implicit_add)
      made.inputs = before->inputs;
    if (const Operation* scale = links_.only_reader(op.output, Kind::implicit_mul);
        scale != nullptr && !keeps_head_)
      made.output = scale->output;
    if (!is_folded(op)) return;
    const Operation* norm = links_.only_reader(op.output, Kind::batch_norm);
    skipped_.insert(norm);
    made.bias = true;
    made.output = norm->output;
  }

  /// In checkpoint order: what is merged stands where its first part stood.
  void place_tensors() {
    std::map<std::string, const Operation*> convs;
    std::set<std::string> norms;
    for (const Operation& op : out_.operations) {
      if (op.kind == Kind::conv) convs[op.tensor] = &op;
      if (op.kind == Kind::batch_norm) norms.insert(op.tensor);
    }
    for (const TensorSpec& spec : source_.tensors) {
      const bool implicit = spec.role == Role::implicit_add || spec.role == Role::implicit_mul;
      const std::string stem = spec.name.substr(0, spec.name.rfind('.'));
      const std::size_t branch = stem.find("rbr_");
      const bool anchors = spec.role == Role::anchors || spec.role == Role::anchor_grid;
      if (anchors || (implicit && keeps_head_) || norms.count(stem) != 0)
        out_.tensors.push_back(spec);
      else if (convs.count(stem) != 0)
        put(*convs[stem], convs);
      else if (branch != std::string::npos &&
               convs.count(stem.substr(0, branch) + "rbr_reparam") != 0)
        put(*convs[stem.substr(0, branch) + "rbr_reparam"], convs);
    }
  }

  /// Once per convolution: `convs` forgets it.
  void put(const Operation& conv, std::map<std::string, const Operation*>& convs) {
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
