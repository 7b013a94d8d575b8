#include "exporting/channels_last.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

using Kind = ChannelsLastKind;
using network::ActivationKind;
using Numbers = std::vector<std::int32_t>;

std::size_t index(int value) { return static_cast<std::size_t>(value); }

struct Value {
  int number = -1;  // the graph's
  Shape shape;
};
using Inputs = std::vector<Value>;

class Translation {
 public:
  Translation(ChannelsLastGraph& graph, const ExportModel& model)
      : graph_(graph), model_(model), values_(index(model.program.value_count)) {}

  Value rows(int images) {
    values_.at(index(model_.program.input)) = {images,
                                               {model_.batch, model_.height, model_.width, 3}};
    for (const auto& operation : model_.program.before) compute(operation);
    for (const auto& operation : model_.network().operations) compute(operation);
    for (const auto& operation : model_.program.after) compute(operation);
    return values_.at(index(model_.program.rows));
  }

  /// Boxes in parts of the image.
  Value normalized(const Value& rows) {
    std::vector<float> factors(index(static_cast<int>(rows.shape.back())), 1);
    factors[0] = factors[2] = 1 / static_cast<float>(model_.width);
    factors[1] = factors[3] = 1 / static_cast<float>(model_.height);
    return with_constant(Kind::multiply, rows, {1, 1, rows.shape.back()}, factors);
  }

  /// Objectness · class; of a single class the objectness.
  Value scores(const Value& rows) {
    const int classes = model_.network().class_count;
    const Value objectness = columns(rows, 4, 5);
    if (classes == 1) return objectness;
    const Value each = columns(rows, 5, 5 + classes);
    return node({.kind = Kind::multiply, .shape = each.shape}, {objectness, each});
  }

  Value without_objectness(const Value& rows) {
    return transposed(concat({columns(rows, 0, 4), scores(rows)}, 2), {0, 2, 1});
  }

  /// x1, y1, x2, y2 of centres and sizes, as boxes that all classes share.
  Value corners(const Value& rows) {
    const Value centre = columns(rows, 0, 2), size = columns(rows, 2, 4);
    Inputs both;
    for (const float half : {-0.5F, 0.5F}) {
      const Value offset = with_constant(Kind::multiply, size, {1, 1, 2}, {half, half});
      both.push_back(node({.kind = Kind::add, .shape = centre.shape}, {centre, offset}));
    }
    const Value all = concat(both, 2);
    return reshaped(all, {all.shape[1], 1, 4});
  }

 private:
  Value node(ChannelsLastNode one, const Inputs& in) {
    std::vector<int> inputs;
    for (const Value& value : in) inputs.push_back(value.number);
    inputs.insert(inputs.end(), one.inputs.begin(), one.inputs.end());
    one.inputs = std::move(inputs);
    const int number = graph_.node(one);
    return {number, std::move(one.shape)};
  }
  Value unary(Kind kind, const Value& in) { return node({.kind = kind, .shape = in.shape}, {in}); }
  Value with_constant(Kind kind, const Value& in, const Shape& shape,
                      const std::vector<float>& values) {
    return node({.kind = kind, .inputs = {graph_.floats(shape, values)}, .shape = in.shape}, {in});
  }
  Value per_channel(Kind kind, const Value& in, const std::vector<float>& values) {
    return with_constant(kind, in, {1, 1, 1, in.shape.back()}, values);
  }
  int numbers(const Numbers& values) {
    return graph_.integers({static_cast<std::int64_t>(values.size())}, values);
  }
  Value concat(const Inputs& in, int axis) {
    Shape shape = in[0].shape;
    for (std::size_t i = 1; i < in.size(); ++i) shape[index(axis)] += in[i].shape[index(axis)];
    return node({.kind = Kind::concat, .shape = shape, .axis = axis}, in);
  }
  /// `shape`: what follows the batch.
  Value reshaped(const Value& in, Shape shape) {
    Numbers target{static_cast<std::int32_t>(batch_side(model_))};
    for (const std::int64_t side : shape) target.push_back(static_cast<std::int32_t>(side));
    shape.insert(shape.begin(), in.shape.front());
    return node({.kind = Kind::reshape, .inputs = {numbers(target)}, .shape = shape}, {in});
  }
  Value transposed(const Value& in, const Numbers& order) {
    Shape shape;
    for (const std::int32_t axis : order) shape.push_back(in.shape[index(axis)]);
    return node({.kind = Kind::transpose, .inputs = {numbers(order)}, .shape = shape}, {in});
  }
  /// Of [B, N, columns].
  Value columns(const Value& in, int from, int to) {
    return node({.kind = Kind::slice,
                 .inputs = {numbers({0, 0, from}), numbers({0, 0, to}), numbers({1, 1, 1})},
                 .shape = {in.shape[0], in.shape[1], to - from},
                 .whole_from = 3,
                 .whole_to = 3},
                {in});
  }
  /// By zeros, or by the lowest number.
  Value padded(const Value& in, int rows, int columns, bool lowest) {
    ChannelsLastNode pad{.kind = lowest ? Kind::pad_value : Kind::pad, .shape = in.shape};
    pad.shape[1] += 2 * rows, pad.shape[2] += 2 * columns;
    pad.inputs = {graph_.integers({4, 2}, {0, 0, rows, rows, columns, columns, 0, 0})};
    if (lowest) pad.inputs.push_back(graph_.floats({}, {std::numeric_limits<float>::lowest()}));
    return node(pad, {in});
  }

  const network::Tensor& weight(const std::string& name, std::int64_t elements) {
    const network::Tensor& tensor = model_.fused->weights.at(name);
    if (tensor.elements() != elements || tensor.type != network::DataType::float32)
      throw Error(fmt::format("{}: expected {} float32 values, found {} of another type or number",
                              name, elements, tensor.elements()));
    return tensor;
  }
  std::vector<float> channel_values(const std::string& name, int channels) {
    return weight(name, channels).to_floats();
  }

  Value translate(const network::Convolution& conv, const Inputs& in);
  Value translate(const network::BatchNorm& norm, const Inputs& in);
  Value translate(const network::Activate& activate, const Inputs& in);
  Value translate(const network::MaxPool& pool, const Inputs& in);
  Value translate(const network::Concat&, const Inputs& in) { return concat(in, 3); }
  Value translate(const network::Add&, const Inputs& in) {
    Value sum = in[0];
    for (std::size_t i = 1; i < in.size(); ++i)
      sum = node({.kind = Kind::add, .shape = sum.shape}, {sum, in[i]});
    return sum;
  }
  Value translate(const network::Multiply&, const Inputs& in) {
    return node({.kind = Kind::multiply, .shape = in[0].shape}, in);
  }
  Value translate(const network::Upsample&, const Inputs& in);
  Value translate(const network::Reorg&, const Inputs& in);
  Value translate(const network::ImplicitAdd& add, const Inputs& in) {
    return per_channel(Kind::add, in[0], channel_values(add.tensor + ".implicit", add.channels));
  }
  Value translate(const network::ImplicitMultiply& multiply, const Inputs& in) {
    return per_channel(Kind::multiply, in[0],
                       channel_values(multiply.tensor + ".implicit", multiply.channels));
  }
  Value over_channels(Kind kind, const Value& in) {
    return node({.kind = kind,
                 .inputs = {numbers({3})},
                 .shape = {in.shape[0], in.shape[1], in.shape[2], 1}},
                {in});
  }
  Value translate(const network::ChannelMean&, const Inputs& in) {
    return over_channels(Kind::mean, in[0]);
  }
  Value translate(const network::ChannelMax&, const Inputs& in) {
    return over_channels(Kind::maximum, in[0]);
  }
  Value translate(const network::PixelsToUnit&, const Inputs& in) {
    return with_constant(Kind::multiply, unary(Kind::from_bytes, in[0]), {1}, {1.0F / 255});
  }
  Value translate(const network::ToRows& rows, const Inputs& in);
  Value translate(const network::ScaleRows& scale, const Inputs& in) {
    return with_constant(Kind::multiply, in[0], {1, scale.anchors, 1, scale.columns},
                         {scale.factors.begin(), scale.factors.end()});
  }
  Value translate(const network::ShiftRows& shift, const Inputs& in) {
    return with_constant(Kind::add, in[0], {1, 1, 1, static_cast<std::int64_t>(shift.terms.size())},
                         {shift.terms.begin(), shift.terms.end()});
  }
  Value translate(const network::AddCellOffsets& offsets, const Inputs& in);
  Value translate(const network::JoinRows& join, const Inputs& in);

  template <class Operation>
  void compute(const Operation& operation) {
    Inputs in;
    for (const int input : operation.inputs) in.push_back(values_.at(index(input)));
    const Value result = std::visit([&](const auto& primitive) { return translate(primitive, in); },
                                    operation.primitive);
    model_.name_value(operation.output, graph_.name_in_file(result.number));
    values_.at(index(operation.output)) = result;
  }

  ChannelsLastGraph& graph_;
  const ExportModel& model_;
  std::vector<Value> values_;  // by number of the program
};

/// Padding that keeps the size is the formats' own; any other is an operation in front, because
/// theirs of strided convolutions lies below and to the right alone.
Value Translation::translate(const network::Convolution& conv, const Inputs& in) {
  const int reach_h = conv.dilation * (conv.kernel_h - 1),
            reach_w = conv.dilation * (conv.kernel_w - 1), each = conv.in_channels / conv.groups;
  const bool same = conv.stride == 1 && 2 * conv.pad_h == reach_h && 2 * conv.pad_w == reach_w;
  const bool depthwise = conv.groups > 1 && each == 1;
  Value map = in[0];
  if (!same && (conv.pad_h > 0 || conv.pad_w > 0)) map = padded(map, conv.pad_h, conv.pad_w, false);
  const auto reduced = [&](std::int64_t side, int reach) {
    return same ? side : (side - reach - 1) / conv.stride + 1;
  };
  const Shape filter{conv.out_channels, each, conv.kernel_h, conv.kernel_w};
  const std::string name = conv.tensor + ".weight", bias = conv.tensor + ".bias";
  const int weights = graph_.filter(
      name,
      weight(name,
             std::accumulate(filter.begin(), filter.end(), std::int64_t{1}, std::multiplies())),
      filter, depthwise ? conv.groups : 0);
  const int terms = conv.bias ? graph_.bias(bias, weight(bias, conv.out_channels))
                              : graph_.floats({conv.out_channels},
                                              std::vector<float>(index(conv.out_channels), 0));
  return node({.kind = depthwise ? Kind::depthwise_convolution : Kind::convolution,
               .inputs = {weights, terms},
               .shape = {map.shape[0], reduced(map.shape[1], reach_h),
                         reduced(map.shape[2], reach_w), conv.out_channels},
               .same = same,
               .stride = conv.stride,
               .dilation = conv.dilation,
               .multiplier = depthwise ? conv.out_channels / conv.groups : 1,
               .grouped = conv.groups > 1 && !depthwise},
              {map});
}

Value Translation::translate(const network::BatchNorm& norm, const Inputs& in) {
  const auto part = [&](const char* name) {
    return channel_values(norm.tensor + name, norm.channels);
  };
  const auto weight = part(".weight"), bias = part(".bias"), mean = part(".running_mean"),
             variance = part(".running_var");
  std::vector<float> factors, terms;
  for (std::size_t c = 0; c < weight.size(); ++c) {
    const double factor = weight[c] / std::sqrt(double{variance[c]} + network::batch_norm_epsilon);
    factors.push_back(static_cast<float>(factor));
    terms.push_back(static_cast<float>(bias[c] - mean[c] * factor));
  }
  return per_channel(Kind::add, per_channel(Kind::multiply, in[0], factors), terms);
}

Value Translation::translate(const network::Activate& activate, const Inputs& in) {
  switch (activate.activation.kind) {
    case ActivationKind::identity: return in[0];
    case ActivationKind::silu:
      return node({.kind = Kind::multiply, .shape = in[0].shape},
                  {in[0], unary(Kind::logistic, in[0])});
    case ActivationKind::relu: return unary(Kind::relu, in[0]);
    case ActivationKind::relu6: return unary(Kind::relu6, in[0]);
    case ActivationKind::sigmoid: return unary(Kind::logistic, in[0]);
    case ActivationKind::leaky_relu:
      return node({.kind = Kind::leaky_relu,
                   .shape = in[0].shape,
                   .slope = static_cast<float>(activate.activation.slope)},
                  in);
  }
  throw Error("unknown activation");
}

/// The formats' own padding does not take part in the maximum.
Value Translation::translate(const network::MaxPool& pool, const Inputs& in) {
  const bool same = pool.stride == 1 && 2 * pool.padding == pool.kernel - 1;
  const Value map =
      same || pool.padding == 0 ? in[0] : padded(in[0], pool.padding, pool.padding, true);
  const auto reduced = [&](std::int64_t side) {
    return same ? side : (side - pool.kernel) / pool.stride + 1;
  };
  return node({.kind = Kind::max_pool,
               .shape = {map.shape[0], reduced(map.shape[1]), reduced(map.shape[2]), map.shape[3]},
               .same = same,
               .stride = pool.stride,
               .kernel = pool.kernel},
              {map});
}

Value Translation::translate(const network::Upsample&, const Inputs& in) {
  const std::int64_t height = 2 * in[0].shape[1], width = 2 * in[0].shape[2];
  return node(
      {.kind = Kind::resize,
       .inputs = {numbers({static_cast<std::int32_t>(height), static_cast<std::int32_t>(width)})},
       .shape = {in[0].shape[0], height, width, in[0].shape[3]}},
      in);
}

/// The formats' space-to-depth has the column offset vary fastest.
Value Translation::translate(const network::Reorg&, const Inputs& in) {
  Inputs parts;
  for (const int column : {0, 1})
    for (const int row : {0, 1})
      parts.push_back(node(
          {.kind = Kind::slice,
           .inputs = {numbers({0, row, column, 0}), numbers({0, 0, 0, 0}), numbers({1, 2, 2, 1})},
           .shape = {in[0].shape[0], in[0].shape[1] / 2, in[0].shape[2] / 2, in[0].shape[3]},
           .whole_from = 9,
           .whole_to = 15},
          in));
  return concat(parts, 3);
}

/// Rank 4 at most: delegates of TensorFlow Lite take no more.
Value Translation::translate(const network::ToRows& rows, const Inputs& in) {
  return transposed(reshaped(in[0], {in[0].shape[1] * in[0].shape[2], rows.anchors, rows.columns}),
                    {0, 2, 1, 3});
}

Value Translation::translate(const network::AddCellOffsets& offsets, const Inputs& in) {
  const std::int64_t cells = std::int64_t{offsets.height} * offsets.width;
  return with_constant(Kind::add, in[0], {1, 1, cells, offsets.columns},
                       network::cell_offsets(offsets));
}

Value Translation::translate(const network::JoinRows& join, const Inputs& in) {
  Inputs levels;
  for (const Value& rows : in)
    levels.push_back(reshaped(rows, {rows.shape[1] * rows.shape[2], join.columns}));
  return levels.size() == 1 ? levels.front() : concat(levels, 1);
}

}  // namespace

std::vector<float> permuted(const network::Tensor& tensor, const Shape& shape,
                            const std::vector<std::size_t>& order) {
  const std::vector<float> source = tensor.to_floats();
  std::vector<std::size_t> steps(shape.size(), 1), lengths, strides, at(shape.size(), 0);
  for (std::size_t axis = shape.size() - 1; axis > 0; --axis)
    steps[axis - 1] = steps[axis] * static_cast<std::size_t>(shape[axis]);
  for (const std::size_t axis : order) {
    lengths.push_back(static_cast<std::size_t>(shape[axis]));
    strides.push_back(steps[axis]);
  }
  std::vector<float> result;
  result.reserve(source.size());
  for (std::size_t from = 0; result.size() < source.size();) {
    result.push_back(source.at(from));
    for (std::size_t axis = order.size(); axis-- > 0;) {
      from += strides[axis];
      if (++at[axis] < lengths[axis]) break;
      from -= strides[axis] * lengths[axis];
      at[axis] = 0;
    }
  }
  return result;
}

std::int64_t batch_side(const ExportModel& model) {
  return model.dynamic_batch ? -1 : std::int64_t{model.batch};
}

ExportModel channels_last_model(const ExportModel& model, const ExportOptions& options) {
  ExportModel own = model;
  own.dynamic_size = false;
  own.dynamic_batch = options.dynamic_batch;
  own.form = OutputForm::decoded;
  return own;
}

std::string_view channels_last_layout(const ExportOptions& options) {
  return options.fold_obj ? "v8" : "tf";
}

SuppressionInputs channels_last_suppression(ChannelsLastGraph& graph, const ExportModel& model,
                                            int images) {
  Translation translation(graph, model);
  const Value rows = translation.normalized(translation.rows(images));
  return {translation.corners(rows).number, translation.scores(rows).number};
}

std::pair<int, Shape> channels_last(ChannelsLastGraph& graph, const ExportModel& model,
                                    const ExportOptions& options, int images) {
  Translation translation(graph, model);
  const Value rows = translation.rows(images);
  const Value output =
      options.fold_obj ? translation.without_objectness(rows) : translation.normalized(rows);
  return {output.number, output.shape};
}

}  // namespace yolov7::exporting
