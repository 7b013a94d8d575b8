#include "nn/script_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::nn {
namespace {

using network::ActivationKind;
using Inputs = std::vector<std::string>;

/// Numbers of types as files of TorchScript write them.
constexpr int float16_type = 5, float32_type = 6;

/// A float for the parser: never without a point or an exponent.
std::string real(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

class ScriptWriter {
 public:
  ScriptWriter(const network::Network& network, const network::DetectorProgram& program,
               const ScriptForm& form)
      : network_(network), program_(program), form_(form) {}

  ScriptSource run() && {
    source_.text = "def forward(self, images: Tensor):\n";
    values_.resize(static_cast<std::size_t>(program_.value_count));
    value(program_.input) =
        form_.half ? line(fmt::format("images.to({})", float16_type)) : std::string("images");
    for (const auto& operation : program_.before) compute(operation);
    for (const auto& operation : network_.operations) compute(operation);
    if (form_.half)
      for (const network::Level& level : network_.levels)
        value(level.value) = line(fmt::format("{}.to({})", value(level.value), float32_type));
    form_.decoded ? give_rows() : give_maps();
    source_.values = values_;
    return std::move(source_);
  }

 private:
  std::string& value(int number) { return values_.at(static_cast<std::size_t>(number)); }

  /// v12 = expression
  std::string line(const std::string& expression) {
    const std::string name = fmt::format("v{}", count_++);
    source_.text += fmt::format("    {} = {}\n", name, expression);
    return name;
  }

  /// self.model_0_conv_weight
  std::string tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
    std::string attribute = name;
    std::replace_if(
        attribute.begin(), attribute.end(),
        [](char c) { return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z'); },
        '_');
    // Two names may differ by such a sign alone.
    while (source_.weights.try_emplace(attribute, ScriptSource::Weight{name, shape})
               .first->second.name != name)
      attribute += '_';
    return "self." + attribute;
  }

  std::string constant(std::vector<std::int64_t> shape, std::vector<double> values) {
    const std::string attribute = fmt::format("constant_{}", source_.constants.size());
    source_.constants[attribute] = {std::move(shape), std::move(values)};
    return "self." + attribute;
  }

  std::string translate(const network::Convolution& conv, const Inputs& in) {
    const std::string weight = tensor(conv.tensor + ".weight",
                                      {conv.out_channels, conv.in_channels / conv.groups,
                                       conv.kernel_h, conv.kernel_w}),
                      bias =
                          conv.bias ? tensor(conv.tensor + ".bias", {conv.out_channels}) : "None";
    return fmt::format("torch.conv2d({}, {}, {}, [{}, {}], [{}, {}], [{}, {}], {})", in[0], weight,
                       bias, conv.stride, conv.stride, conv.pad_h, conv.pad_w, conv.dilation,
                       conv.dilation, conv.groups);
  }
  std::string translate(const network::BatchNorm& norm, const Inputs& in) {
    const auto part = [&](const char* name) { return tensor(norm.tensor + name, {norm.channels}); };
    return fmt::format("torch.batch_norm({}, {}, {}, {}, {}, False, 0.0, {}, False)", in[0],
                       part(".weight"), part(".bias"), part(".running_mean"), part(".running_var"),
                       real(network::batch_norm_epsilon));
  }
  std::string translate(const network::Activate& activate, const Inputs& in) {
    switch (activate.activation.kind) {
      case ActivationKind::identity: return in[0];
      case ActivationKind::silu: return fmt::format("torch.silu({})", in[0]);
      case ActivationKind::relu: return fmt::format("torch.relu({})", in[0]);
      case ActivationKind::relu6: return fmt::format("torch.hardtanh({}, 0.0, 6.0)", in[0]);
      case ActivationKind::sigmoid: return fmt::format("torch.sigmoid({})", in[0]);
      case ActivationKind::leaky_relu:
        return fmt::format("torch.leaky_relu({}, {})", in[0], real(activate.activation.slope));
    }
    throw Error("unknown activation");
  }
  std::string translate(const network::MaxPool& pool, const Inputs& in) {
    return fmt::format("torch.max_pool2d({}, [{}, {}], [{}, {}], [{}, {}], [1, 1], False)", in[0],
                       pool.kernel, pool.kernel, pool.stride, pool.stride, pool.padding,
                       pool.padding);
  }
  std::string translate(const network::Concat&, const Inputs& in) {
    return fmt::format("torch.cat([{}], 1)", text::join(in, ", "));
  }
  std::string translate(const network::Add&, const Inputs& in) { return text::join(in, " + "); }
  std::string translate(const network::Multiply&, const Inputs& in) {
    return fmt::format("{} * {}", in[0], in[1]);
  }
  std::string translate(const network::Upsample&, const Inputs& in) {
    return fmt::format("torch.upsample_nearest2d({}, None, [2.0, 2.0])", in[0]);
  }
  /// The row offset varies fastest.
  std::string translate(const network::Reorg&, const Inputs& in) {
    Inputs parts;
    for (const int column : {0, 1})
      for (const int row : {0, 1})
        parts.push_back(fmt::format("{}[:, :, {}::2, {}::2]", in[0], row, column));
    return fmt::format("torch.cat([{}], 1)", text::join(parts, ", "));
  }
  std::string translate(const network::ImplicitAdd& add, const Inputs& in) {
    return fmt::format("{} + {}", in[0], tensor(add.tensor + ".implicit", {1, add.channels, 1, 1}));
  }
  std::string translate(const network::ImplicitMultiply& multiply, const Inputs& in) {
    return fmt::format("{} * {}", in[0],
                       tensor(multiply.tensor + ".implicit", {1, multiply.channels, 1, 1}));
  }
  std::string translate(const network::ChannelMean&, const Inputs& in) {
    return fmt::format("torch.mean({}, [1], True)", in[0]);
  }
  std::string translate(const network::ChannelMax&, const Inputs& in) {
    return fmt::format("torch.amax({}, [1], True)", in[0]);
  }

  std::string translate(const network::PixelsToUnit&, const Inputs& in) {
    return fmt::format("{}.to({}) / 255.0", in[0], form_.half ? float16_type : float32_type);
  }
  std::string translate(const network::ToRows& rows, const Inputs& in) {
    map_ = in[0];
    return fmt::format("torch.reshape({}, [{}.size(0), {}, {}, -1]).permute([0, 1, 3, 2])", in[0],
                       in[0], rows.anchors, rows.columns);
  }
  std::string translate(const network::ScaleRows& scale, const Inputs& in) {
    return fmt::format("{} * {}", in[0],
                       constant({1, scale.anchors, 1, scale.columns}, scale.factors));
  }
  std::string translate(const network::ShiftRows& shift, const Inputs& in) {
    const auto count = static_cast<std::int64_t>(shift.terms.size());
    return fmt::format("{} + {}", in[0], constant({1, 1, 1, count}, shift.terms));
  }
  /// Of the map that became rows last: the operations of a level follow each other.
  std::string translate(const network::AddCellOffsets& offsets, const Inputs& in) {
    const auto places = [&](int axis) {
      return line(
          fmt::format("(torch.arange({0}.size({1}), dtype={2}, device={0}.device) - 0.5) "
                      "* {3}",
                      map_, axis, float32_type, real(offsets.stride)));
    };
    const std::string x = places(3), y = places(2);
    const std::string sides = line(fmt::format("[{0}.size(2), {0}.size(3)]", map_));
    const std::string cells =
        line(fmt::format("torch.reshape(torch.stack([{0}.unsqueeze(0).expand({2}), "
                         "{1}.unsqueeze(1).expand({2})], -1), [1, 1, -1, 2])",
                         x, y, sides));
    return fmt::format("{} + torch.constant_pad_nd({}, [0, {}])", in[0], cells,
                       offsets.columns - 2);
  }
  std::string translate(const network::JoinRows& join, const Inputs& in) {
    Inputs levels;
    for (const std::string& rows : in)
      levels.push_back(
          fmt::format("torch.reshape({}, [{}.size(0), -1, {}])", rows, rows, join.columns));
    return fmt::format("torch.cat([{}], 1)", text::join(levels, ", "));
  }

  template <class Operation>
  void compute(const Operation& operation) {
    Inputs in;
    for (const int input : operation.inputs) in.push_back(value(input));
    value(operation.output) = line(std::visit(
        [&](const auto& primitive) { return translate(primitive, in); }, operation.primitive));
  }

  std::string output(const std::string& expression) const {
    return form_.half_output ? fmt::format("{}.to({})", expression, float16_type) : expression;
  }

  void give_maps() {
    Inputs maps;
    for (const network::Level& level : network_.levels) {
      const std::string& map = value(level.value);
      maps.push_back(
          output(line(fmt::format("torch.reshape({0}, [{0}.size(0), {1}, {2}, {0}.size(2), "
                                  "{0}.size(3)]).permute([0, 1, 3, 4, 2])",
                                  map, level.anchors.size(), network_.outputs_per_anchor()))));
    }
    source_.text += fmt::format("    return ({},)\n", text::join(maps, ", "));
  }

  /// Of a single class the score is the objectness, since its probability is not trained.
  void give_rows() {
    for (const auto& operation : program_.after) compute(operation);
    std::string rows = value(program_.rows);
    if (form_.folded) {
      const std::string scores = network_.class_count == 1
                                     ? fmt::format("{}[:, :, 4:5]", rows)
                                     : fmt::format("{0}[:, :, 4:5] * {0}[:, :, 5:]", rows);
      rows = line(fmt::format("torch.cat([{}[:, :, :4], {}], 2).permute([0, 2, 1])", rows, scores));
    }
    source_.text += fmt::format("    return {}\n", output(rows));
  }

  const network::Network& network_;
  const network::DetectorProgram& program_;
  const ScriptForm& form_;
  ScriptSource source_;
  std::vector<std::string> values_;
  std::string map_;
  int count_ = 0;
};

}  // namespace

ScriptSource script_source(const network::Network& network, const network::DetectorProgram& program,
                           const ScriptForm& form) {
  return ScriptWriter(network, program, form).run();
}

}  // namespace yolov7::nn
