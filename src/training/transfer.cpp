#include "training/transfer.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::training {
namespace {

using network::Tensor;
using network::TensorSpec;

at::Tensor as_tensor(const Tensor& source) {
  std::vector<double> values = source.to_doubles();
  return torch::tensor(values, at::kDouble).reshape(source.shape);
}

/// Rows of na × (5 + nc) where class rows of `from` go to the class of the same name in `to`; others keep their value.
struct HeadRows {
  std::vector<std::pair<int, int>> classes;  ///< from, to
  int anchors = 3, from_count = 0, to_count = 0;
};

void copy_head_rows(const at::Tensor& source, at::Tensor target, const HeadRows& rows, std::int64_t row_axis) {
  const std::int64_t from_width = rows.from_count + 5, to_width = rows.to_count + 5;
  for (std::int64_t a = 0; a < rows.anchors; ++a) {
    const auto copy = [&](std::int64_t from, std::int64_t to, std::int64_t count) {
      target.narrow(row_axis, a * to_width + to, count).copy_(source.narrow(row_axis, a * from_width + from, count));
    };
    copy(0, 0, 5);
    for (const auto& [from, to] : rows.classes) copy(5 + from, 5 + to, 1);
  }
}

bool is_head_tensor(const std::string& name, const std::string& head_prefix) {
  return name.rfind(head_prefix + "m.", 0) == 0 || name.rfind(head_prefix + "m2.", 0) == 0 || name.rfind(head_prefix + "im.", 0) == 0;
}

HeadRows match_rows(const network::Checkpoint& from, const std::vector<std::string>& names, int anchors, TransferReport& report) {
  HeadRows rows;
  rows.anchors = anchors;
  rows.from_count = from.class_count;
  rows.to_count = static_cast<int>(names.size());
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
    if (std::find(names.begin(), names.end(), name) == names.end()) report.dropped_classes.push_back(name);
  report.class_rows = rows.classes.size();
  return rows;
}

std::string shape_text(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace

TransferReport transfer(const network::Checkpoint& from, TorchNetwork& target, const std::vector<std::string>& names, bool keep_anchors) {
  at::NoGradGuard no_gradient;
  TransferReport report;
  const network::Network& description = target.description();
  const HeadRows rows = match_rows(from, names, description.anchors_per_level, report);
  const std::string head = fmt::format("model.{}.", description.head_layer);
  const network::Weights& weights = from.inference_weights();
  const bool same_order = from.names == names;
  for (const TorchNetwork::Entry& entry : target.entries()) {
    ++report.total;
    const bool anchor = entry.spec.role == TensorSpec::Role::anchors || entry.spec.role == TensorSpec::Role::anchor_grid;
    const Tensor* source = weights.find(entry.spec.name);
    if (anchor && keep_anchors) {
      report.skipped.push_back(entry.spec.name + ": the anchors of the config stay");
    } else if (source == nullptr) {
      report.skipped.push_back(entry.spec.name + ": not in the checkpoint");
    } else if (is_head_tensor(entry.spec.name, head) && !same_order) {
      const std::int64_t axis = entry.spec.role == TensorSpec::Role::implicit_mul ? 1 : 0;
      std::vector<std::int64_t> expected = entry.spec.shape;
      expected[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(rows.anchors) * (rows.from_count + 5);
      if (source->shape != expected) {
        report.skipped.push_back(fmt::format("{}: shape {} in the checkpoint, expected {}", entry.spec.name, shape_text(source->shape), shape_text(expected)));
        continue;
      }
      at::Tensor destination = entry.tensor;
      copy_head_rows(as_tensor(*source), destination, rows, axis);
      ++report.loaded;
    } else if (source->shape != entry.spec.shape) {
      report.skipped.push_back(fmt::format("{}: shape {} in the checkpoint, {} here", entry.spec.name, shape_text(source->shape), shape_text(entry.spec.shape)));
    } else {
      at::Tensor destination = entry.tensor;
      destination.copy_(as_tensor(*source));
      ++report.loaded;
    }
  }
  return report;
}

std::vector<std::string> TransferReport::lines() const {
  std::vector<std::string> out = {fmt::format("transferred {} of {} tensors", loaded, total)};
  const auto list = [](const std::vector<std::string>& names) {
    std::vector<std::string> first(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(names.size(), 10)));
    return text::join(first, ", ") + (names.size() > 10 ? fmt::format(" and {} more", names.size() - 10) : "");
  };
  if (!matched_classes.empty()) out.push_back(fmt::format("classes matched by name: {}", list(matched_classes)));
  if (!new_classes.empty()) out.push_back(fmt::format("classes that start fresh: {}", list(new_classes)));
  if (!dropped_classes.empty()) out.push_back(fmt::format("classes of the checkpoint without use here: {}", list(dropped_classes)));
  for (std::size_t i = 0; i < std::min<std::size_t>(skipped.size(), 5); ++i) out.push_back("not taken: " + skipped[i]);
  if (skipped.size() > 5) out.push_back(fmt::format("not taken: {} more", skipped.size() - 5));
  return out;
}

}  // namespace yolov7::training
