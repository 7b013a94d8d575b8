#include "training/fine_tuning/transfer.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "network/graph/folded.hpp"
#include "network/graph/variants.hpp"
#include "network/transform/training_graph.hpp"

namespace yolov7::training {
namespace {

using network::Tensor;
using network::TensorSpec;

at::Tensor as_tensor(const Tensor& source) {
  std::vector<double> values = source.to_doubles();
  return torch::tensor(values, at::kDouble).reshape(source.shape);
}

/// Rows of na × (5 + nc) where class rows of `from` go to the class of the same name in `to`;
/// others keep their value.
struct HeadRows {
  std::vector<std::pair<int, int>> classes;  ///< from, to
  int anchors = 3, from_count = 0, to_count = 0;
};

void copy_head_rows(const at::Tensor& source, at::Tensor target, const HeadRows& rows,
                    std::int64_t row_axis) {
  const std::int64_t from_width = rows.from_count + 5, to_width = rows.to_count + 5;
  for (std::int64_t a = 0; a < rows.anchors; ++a) {
    const auto copy = [&](std::int64_t from, std::int64_t to, std::int64_t count) {
      target.narrow(row_axis, a * to_width + to, count)
          .copy_(source.narrow(row_axis, a * from_width + from, count));
    };
    copy(0, 0, 5);
    for (const auto& [from, to] : rows.classes) copy(5 + from, 5 + to, 1);
  }
}

bool is_head_tensor(const std::string& name, const std::string& head_prefix) {
  return name.rfind(head_prefix + "m.", 0) == 0 || name.rfind(head_prefix + "m2.", 0) == 0 ||
         name.rfind(head_prefix + "im.", 0) == 0;
}

HeadRows match_rows(const network::Checkpoint& from, const std::vector<std::string>& names,
                    int anchors, TransferReport& report) {
  HeadRows rows;
  rows.anchors = anchors;
  rows.from_count = from.class_count;
  rows.to_count = static_cast<int>(names.size());
  if (network::head_layer(from.inference_weights()) < 0) {
    report.conversion = "a backbone alone: neck and head start fresh";
    return rows;
  }
  for (std::size_t to = 0; to < names.size(); ++to) {
    const auto found = std::find(from.names.begin(), from.names.end(), names[to]);
    if (found == from.names.end()) {
      report.new_classes.push_back(names[to]);
    } else {
      rows.classes.emplace_back(static_cast<int>(found - from.names.begin()), static_cast<int>(to));
      report.matched_classes.push_back(names[to]);
    }
  }
  for (const std::string& name : from.names)
    if (std::find(names.begin(), names.end(), name) == names.end())
      report.dropped_classes.push_back(name);
  report.class_rows = rows.classes.size();
  return rows;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// Pixels, one row per lead level, from the buffer anchor_grid.
std::vector<std::vector<network::AnchorSize>> anchors_of(const nn::TorchNetwork& net) {
  const network::Network& n = net.description();
  const at::Tensor grid = net.tensor(fmt::format("model.{}.anchor_grid", n.head_layer))
                              .to(at::kCPU, at::kDouble)
                              .contiguous();
  const double* side = grid.const_data_ptr<double>();
  std::vector<std::vector<network::AnchorSize>> rows(n.lead_levels());
  for (auto& row : rows)
    for (int a = 0; a < n.anchors_per_level; ++a, side += 2) row.push_back({side[0], side[1]});
  return rows;
}

class Transfer {
 public:
  Transfer(const network::Checkpoint& from, nn::TorchNetwork& target,
           const std::vector<std::string>& names, bool keep_anchors)
      : weights_(from.inference_weights()),
        target_(target),
        keep_anchors_(keep_anchors),
        same_classes_(from.names == names),
        rows_(match_rows(from, names, target.description().anchors_per_level, report_)) {
    if (network::holds_folded(target.description(), weights_))
      throw Error(fmt::format(
          "the checkpoint is folded: its batch-norms are part of the convolutions, and training "
          "needs them. Give the checkpoint that it was folded "
          "from, or {} '' to start from scratch",
          setting_name("weights")));
    find_heads();
  }

  TransferReport run() {
    for (const nn::TorchNetwork::Entry& entry : target_.entries()) take(entry);
    if (anchors_taken_) target_.set_anchors(anchors_of(target_));
    return std::move(report_);
  }

 private:
  void find_heads() {
    const network::Network& n = target_.description();
    target_head_ = from_head_ = fmt::format("model.{}.", n.head_layer);
    const int layer = network::head_layer(weights_);
    const network::Variant *mine = network::find_variant(static_cast<int>(n.layers.size())),
                           *theirs = network::find_variant(layer + 1);
    if (layer != n.head_layer && (mine == nullptr || mine != theirs)) return;
    from_head_ = fmt::format("model.{}.", layer);
    plain_head_ = layer >= 0 && n.head != network::HeadKind::detect &&
                  weights_.find(from_head_ + "ia.0.implicit") == nullptr;
    if (!plain_head_) return;
    report_.conversion = fmt::format(
        "a deploy checkpoint: its head (layer {}) becomes the training head (layer {}), with "
        "implicit vectors of 0 and 1, so that the outputs "
        "start out the same",
        layer, n.head_layer);
    if (n.head == network::HeadKind::iauxdetect)
      report_.conversion += "; the auxiliary head starts fresh";
  }

  void skip(const std::string& name, const std::string& reason) {
    report_.skipped.push_back(name + ": " + reason);
  }

  void take(const nn::TorchNetwork::Entry& entry) {
    ++report_.total;
    const TensorSpec& spec = entry.spec;
    const bool anchor =
        spec.role == TensorSpec::Role::anchors || spec.role == TensorSpec::Role::anchor_grid;
    const bool head = spec.name.rfind(target_head_, 0) == 0;
    const Tensor* source =
        weights_.find(head ? from_head_ + spec.name.substr(target_head_.size()) : spec.name);
    at::Tensor destination = entry.tensor;
    if (anchor && keep_anchors_) return skip(spec.name, "the anchors of the config stay");
    if (plain_head_ && (spec.role == TensorSpec::Role::implicit_add ||
                        spec.role == TensorSpec::Role::implicit_mul)) {
      destination.fill_(spec.role == TensorSpec::Role::implicit_mul ? 1 : 0);
      return skip(spec.name, spec.role == TensorSpec::Role::implicit_mul
                                 ? "a deploy checkpoint has none; 1"
                                 : "a deploy checkpoint has none; 0");
    }
    if (source == nullptr) return skip(spec.name, "not in the checkpoint");
    if (is_head_tensor(spec.name, target_head_) && !same_classes_)
      return take_rows(spec, destination, *source);
    if (source->shape != spec.shape)
      return skip(spec.name, fmt::format("shape {} in the checkpoint, {} here",
                                         shape_text(source->shape), shape_text(spec.shape)));
    destination.copy_(as_tensor(*source));
    anchors_taken_ = anchors_taken_ || spec.role == TensorSpec::Role::anchor_grid;
    ++report_.loaded;
  }

  void take_rows(const TensorSpec& spec, at::Tensor destination, const Tensor& source) {
    const std::int64_t axis = spec.role == TensorSpec::Role::implicit_mul ? 1 : 0;
    std::vector<std::int64_t> expected = spec.shape;
    expected[static_cast<std::size_t>(axis)] =
        static_cast<std::int64_t>(rows_.anchors) * (rows_.from_count + 5);
    if (source.shape != expected)
      return skip(spec.name, fmt::format("shape {} in the checkpoint, expected {}",
                                         shape_text(source.shape), shape_text(expected)));
    copy_head_rows(as_tensor(source), destination, rows_, axis);
    ++report_.loaded;
  }

  TransferReport report_;
  const network::Weights& weights_;
  nn::TorchNetwork& target_;
  bool keep_anchors_, same_classes_, plain_head_ = false, anchors_taken_ = false;
  HeadRows rows_;
  std::string from_head_, target_head_;
};

}  // namespace

TransferReport transfer(const network::Checkpoint& from, nn::TorchNetwork& target,
                        const std::vector<std::string>& names, bool keep_anchors) {
  at::NoGradGuard no_gradient;
  return Transfer(from, target, names, keep_anchors).run();
}

std::vector<std::string> TransferReport::lines() const {
  std::vector<std::string> out = {fmt::format("transferred {} of {} tensors", loaded, total)};
  if (!conversion.empty()) out.push_back(conversion);
  const auto list = [](const std::vector<std::string>& names) {
    std::vector<std::string> first(
        names.begin(),
        names.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(names.size(), 10)));
    return text::join(first, ", ") +
           (names.size() > 10 ? fmt::format(" and {} more", names.size() - 10) : "");
  };
  if (!matched_classes.empty())
    out.push_back(fmt::format("classes matched by name: {}", list(matched_classes)));
  if (!new_classes.empty())
    out.push_back(fmt::format("classes that start fresh: {}", list(new_classes)));
  if (!dropped_classes.empty())
    out.push_back(
        fmt::format("classes of the checkpoint without use here: {}", list(dropped_classes)));
  for (std::size_t i = 0; i < std::min<std::size_t>(skipped.size(), 5); ++i)
    out.push_back("not taken: " + skipped[i]);
  if (skipped.size() > 5) out.push_back(fmt::format("not taken: {} more", skipped.size() - 5));
  return out;
}

}  // namespace yolov7::training
