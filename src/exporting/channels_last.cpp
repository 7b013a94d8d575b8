#include "exporting/channels_last.hpp"

#include <cmath>
#include <numeric>
#include <set>

#include "core/error.hpp"
#include "exporting/channels_last_integers.hpp"

namespace yolov7::exporting {
namespace {

using Kind = ChannelsLastKind;
using network::ActivationKind;

using Value = ChannelsLastValue;

class Translation : private ChannelsLastBuilder {
 public:
  Translation(ChannelsLastGraph& graph, const ExportModel& model)
      : ChannelsLastBuilder(graph, model),
        integers_(*this),
        values_(index(model.program.value_count)) {}

  Value rows(int images) {
    const ExportModel& m = model();
    values_.at(index(m.program.input)) = {images, {m.batch, m.height, m.width, 3}};
    for (const auto& operation : m.program.before) compute(operation);
    for (const auto& operation : m.network().operations) {
      const std::vector<Value> in = integer_inputs(operation);
      if (!in.empty())
        integers_.set(operation.output, integer_result(operation, in));
      else if (integers_.rounds(operation))
        compute_rounded(operation);
      else
        compute(operation);
    }
    for (const auto& operation : m.program.after) compute(operation);
    return values_.at(index(m.program.rows));
  }

  /// Boxes in parts of the image.
  Value normalized(const Value& rows) {
    std::vector<float> factors(index(static_cast<int>(rows.shape.back())), 1);
    factors[0] = factors[2] = 1 / static_cast<float>(model().width);
    factors[1] = factors[3] = 1 / static_cast<float>(model().height);
    return with_constant(Kind::multiply, rows, {1, 1, rows.shape.back()}, factors);
  }

  /// Objectness · class; of a single class the objectness.
  Value scores(const Value& rows) {
    const int classes = model().network().class_count;
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
  Value translate(const network::Convolution& conv, const Inputs& in);
  /// Weights in the order of the network, float32; one term a channel.
  Value convolution(const network::Convolution& conv, const Value& in,
                    const network::Tensor& numbers, const network::Tensor& terms);
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
    for (const int input : operation.inputs) in.push_back(real(input));
    const Value result = std::visit([&](const auto& primitive) { return translate(primitive, in); },
                                    operation.primitive);
    model().name_value(operation.output, graph().name_in_file(result.number));
    values_.at(index(operation.output)) = result;
  }

  /// A convolution of the plan that has to give float32, as a sum reads it: rounded inputs and
  /// weights, as in the other formats.
  void compute_rounded(const network::Operation& operation) {
    const auto& conv = *operation.as<network::Convolution>();
    const int input = operation.inputs[0];
    const Value map =
        unary(Kind::from_integers, integers_.integers(input, values_.at(index(input))));
    const Value result =
        convolution(conv, map, graph().keep(integers_.rounded_weight(conv)),
                    graph().keep(network::Tensor::from(integers_.bias(conv), {conv.out_channels})));
    model().name_value(operation.output, graph().name_in_file(result.number));
    values_.at(index(operation.output)) = result;
  }

  /// float32.
  Value real(int number) {
    Value& value = values_.at(index(number));
    if (value.number < 0) {
      value = integers_.made_real(number);
    } else if (integers_.is_quantized(number) && rounded_.insert(number).second) {
      // Computed in float32; whoever reads it reads the rounded value, as in the other formats.
      value = unary(Kind::from_integers, integers_.integers(number, value));
    }
    return value;
  }
  /// Of an operation whose result the plan has in integers; else none.
  Inputs integer_inputs(const network::Operation& operation) {
    Inputs in;
    if (!integers_.gives_integers(operation)) return in;
    for (const int input : operation.inputs)
      in.push_back(integers_.integers(input, values_.at(index(input))));
    return in;
  }
  Value integer_result(const network::Operation& operation, const Inputs& in) {
    if (!network::moves_numbers(operation.primitive)) return integers_.computed(operation, in);
    give_integers(&model().quantization->scale(operation.output));
    const Value result = std::visit([&](const auto& primitive) { return translate(primitive, in); },
                                    operation.primitive);
    give_integers(nullptr);
    return result;
  }

  ChannelsLastIntegers integers_;
  std::vector<Value> values_;  // float32, by number of the program
  std::set<int> rounded_;      // of these
};

/// Padding that keeps the size is the formats' own; any other is an operation in front, because
/// theirs of strided convolutions lies below and to the right alone.
Value Translation::translate(const network::Convolution& conv, const Inputs& in) {
  const Shape filter = filter_shape(conv);
  const std::string name = conv.tensor + ".weight";
  const network::Tensor& own = weight(
      name, std::accumulate(filter.begin(), filter.end(), std::int64_t{1}, std::multiplies()));
  const auto count = static_cast<std::int64_t>(conv.out_channels);
  return convolution(conv, in[0], own,
                     conv.bias ? weight(conv.tensor + ".bias", count)
                               : graph().keep(network::Tensor::from(
                                     std::vector<float>(index(conv.out_channels), 0), {count})));
}

Value Translation::convolution(const network::Convolution& conv, const Value& in,
                               const network::Tensor& numbers, const network::Tensor& terms) {
  Value map = in;
  if (!keeps_size(conv) && (conv.pad_h > 0 || conv.pad_w > 0))
    map = padded(map, conv.pad_h, conv.pad_w, false);
  const int weights = graph().filter(conv.tensor + ".weight", numbers, filter_shape(conv),
                                     depthwise_channels(conv));
  const int bias = conv.bias ? graph().bias(conv.tensor + ".bias", terms)
                             : graph().floats({conv.out_channels}, terms.to_floats());
  return convolved(conv, map, weights, bias);
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
