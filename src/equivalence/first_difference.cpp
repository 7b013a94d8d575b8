#include "equivalence/first_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "core/overloaded.hpp"
#include "core/stop.hpp"

namespace yolov7::equivalence {
namespace {

using runtime::InnerValue;

constexpr double infinite = std::numeric_limits<double>::infinity();
/// Values that are asked for at once: their memory, against the times that a model is compiled.
constexpr std::size_t at_once = 32;
/// An operation hands on the difference of its inputs; beyond so many times it has one of its own.
constexpr double own_growth = 8;

struct Step {
  std::vector<int> inputs;
  int output;
  std::string operation;
};

std::string_view name_of(network::ActivationKind kind) {
  using network::ActivationKind;
  switch (kind) {
    case ActivationKind::identity: return "identity";
    case ActivationKind::silu: return "SiLU";
    case ActivationKind::relu: return "ReLU";
    case ActivationKind::leaky_relu: return "leaky ReLU";
    case ActivationKind::relu6: return "ReLU6";
    case ActivationKind::sigmoid: return "sigmoid";
  }
  return "activation";
}

std::string describe(const network::Operation& operation) {
  const std::string what = std::visit(
      Overloaded{
          [](const network::Convolution& c) { return "convolution " + c.tensor; },
          [](const network::BatchNorm& n) { return "batch-norm " + n.tensor; },
          [](const network::Activate& a) { return std::string(name_of(a.activation.kind)); },
          [](const network::MaxPool& p) {
            return fmt::format("max-pool of {0} x {0}, stride {1}", p.kernel, p.stride);
          },
          [](const network::Concat&) { return std::string("concatenation"); },
          [](const network::Add&) { return std::string("sum"); },
          [](const network::Multiply&) { return std::string("product"); },
          [](const network::Upsample&) { return std::string("upsample"); },
          [](const network::Reorg&) { return std::string("reorganisation of the image"); },
          [](const network::ImplicitAdd& a) { return "sum with " + a.tensor; },
          [](const network::ImplicitMultiply& m) { return "product with " + m.tensor; },
          [](const network::ChannelMean&) { return std::string("mean of the channels"); },
          [](const network::ChannelMax&) { return std::string("maximum of the channels"); },
      },
      operation.primitive);
  return fmt::format("{}, layer {}", what, operation.layer);
}

std::string describe(const network::DetectorPrimitive& primitive) {
  return std::visit(
      Overloaded{
          [](const network::PixelsToUnit&) { return std::string("bytes to 0 ... 1"); },
          [](const network::Activate& a) { return std::string(name_of(a.activation.kind)); },
          [](const network::Multiply&) { return std::string("product"); },
          [](const network::ToRows&) { return std::string("rows of the map"); },
          [](const network::ScaleRows&) { return std::string("anchors"); },
          [](const network::ShiftRows&) { return std::string("strides"); },
          [](const network::AddCellOffsets&) { return std::string("places of the cells"); },
          [](const network::JoinRows&) { return std::string("joining the levels"); },
      },
      primitive);
}

std::vector<Step> steps_of(const TwoPrograms& programs) {
  std::vector<Step> steps;
  for (const network::Operation& one : programs.network.operations)
    steps.push_back({one.inputs, one.output, describe(one)});
  std::map<int, std::size_t> level_of;  // by value
  const auto& levels = programs.network.levels;
  for (std::size_t j = 0; j < levels.size(); ++j) level_of.emplace(levels[j].value, j);
  for (const network::DetectorOperation& one : programs.program.after) {
    std::string where;
    if (const auto found = level_of.find(one.inputs.front());
        found != level_of.end() && one.output != programs.program.rows) {
      level_of.emplace(one.output, found->second);
      where = fmt::format(" of level {}", found->second);
    }
    steps.push_back(
        {one.inputs, one.output, fmt::format("decoding{}: {}", where, describe(one.primitive))});
  }
  return steps;
}

/// Of [1, C, H, W] and [B, H, W, C].
double turned_difference(const InnerValue& parent, const InnerValue& file) {
  const std::size_t channels = parent.shape[1], cells = parent.shape[2] * parent.shape[3];
  double largest = 0;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t i = 0; i < cells; ++i) {
      const double gap = std::abs(static_cast<double>(parent.values[c * cells + i]) -
                                  static_cast<double>(file.values[i * channels + c]));
      largest = std::isfinite(gap) ? std::max(largest, gap) : infinite;
    }
  return largest;
}

double plain_difference(const InnerValue& parent, const InnerValue& file) {
  double largest = 0;
  for (std::size_t i = 0; i < parent.values.size(); ++i) {
    const double gap =
        std::abs(static_cast<double>(parent.values[i]) - static_cast<double>(file.values[i]));
    largest = std::isfinite(gap) ? std::max(largest, gap) : infinite;
  }
  return largest;
}

}  // namespace

double value_difference(const InnerValue& parent, const InnerValue& file) {
  if (parent.shape.size() != file.shape.size() || parent.shape.empty()) return infinite;
  const auto same = [&](std::vector<std::size_t> order) {
    for (std::size_t i = 1; i < file.shape.size(); ++i)
      if (file.shape[i] != parent.shape[order[i]]) return false;
    return file.shape[0] >= parent.shape[0];
  };
  std::vector<std::size_t> as_it_is(parent.shape.size());
  for (std::size_t i = 0; i < as_it_is.size(); ++i) as_it_is[i] = i;
  double gap = infinite;
  if (same(as_it_is)) gap = plain_difference(parent, file);
  if (parent.shape.size() == 4 && same({0, 2, 3, 1}))
    gap = std::min(gap, turned_difference(parent, file));
  double scale = 0;
  for (const float value : parent.values) scale = std::max(scale, std::abs(double{value}));
  return scale > 0 ? gap / scale : gap;
}

std::optional<FirstDifference> first_difference(const TwoPrograms& programs,
                                                const ProofPicture& picture) {
  const std::vector<Step> steps = steps_of(programs);
  std::map<int, double> shares;  // by value
  std::optional<FirstDifference> likely;
  double most = 0;
  for (std::size_t from = 0; from < steps.size(); from += at_once) {
    check_stop(programs.stop);
    const std::size_t to = std::min(from + at_once, steps.size());
    std::vector<std::string> in_parent, in_file;
    for (std::size_t i = from; i < to; ++i) {
      const auto number = static_cast<std::size_t>(steps[i].output);
      in_parent.push_back(runtime::value_name(steps[i].output));
      in_file.push_back(number < programs.names.size() ? programs.names[number] : std::string());
    }
    const auto expected = programs.parent.of(in_parent, picture.batch());
    check_stop(programs.stop);
    const auto found = programs.file.of(in_file, picture.batch());
    for (std::size_t i = from; i < to; ++i) {
      double before = 0;
      for (const int input : steps[i].inputs) before = std::max(before, shares[input]);
      double& share = shares[steps[i].output];
      share = before;  // also where the file has no such value
      if (!expected[i - from] || !found[i - from]) continue;
      share = value_difference(*expected[i - from], *found[i - from]);
      if (!(share > programs.tolerance)) continue;
      if (share > own_growth * before) return FirstDifference{steps[i].operation, share};
      if (const double growth = share / before; growth > most)
        most = growth, likely = {steps[i].operation, share};
    }
  }
  return likely;
}

}  // namespace yolov7::equivalence
