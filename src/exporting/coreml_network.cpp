#include "exporting/coreml_network.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

// Field numbers of NeuralNetwork.proto.
namespace network_field {
constexpr int layers = 1, array_mapping = 5, image_mapping = 6;
}
namespace layer_field {
constexpr int name = 1, input = 2, output = 3, convolution = 100, pooling = 120, activation = 130,
              batch_norm = 160, upsample = 210, clip = 660, add = 880, multiply = 900, concat = 980,
              transpose = 985, slice = 995, load_constant = 1070, reshape = 1140, reduce_max = 1260,
              reduce_mean = 1280;
}
namespace activation_field {
constexpr int linear = 5, relu = 10, leaky_relu = 15, sigmoid = 40;
}
namespace weight_field {
constexpr int floats = 1, halves = 2;
}

/// Tensors have the sides that they are told, images four.
constexpr int exact_arrays = 1, images_of_four_sides = 1;

using Integers = std::vector<std::int64_t>;

/// Repeated integers that are not negative.
ProtobufMessage& numbers(ProtobufMessage& message, int field, const Integers& values) {
  return message.integers(field, values);
}

/// ValidPadding, or PoolingLayerParams's own, of top, bottom, left, right.
ProtobufMessage padding(const Integers& pad) {
  ProtobufMessage borders, valid;
  for (const std::size_t side : {0, 2}) {
    ProtobufMessage edge;
    edge.integer(1, pad.at(side)).integer(2, pad.at(side + 1));
    borders.message(10, std::move(edge));
  }
  valid.message(1, std::move(borders));
  return valid;
}

}  // namespace

class CoremlNetwork::Arguments {
 public:
  Arguments(const CoremlArguments& all, const std::map<std::string, Constant>& constants)
      : all_(all), constants_(constants) {}

  const std::vector<CoremlValue>* find(std::string_view parameter) const {
    for (const auto& [name, values] : all_)
      if (name == parameter) return &values;
    return nullptr;
  }
  const std::vector<CoremlValue>& values(std::string_view parameter) const {
    const std::vector<CoremlValue>* found = find(parameter);
    if (found == nullptr)
      throw Error(fmt::format("coreml: expected the parameter {}, found none", parameter));
    return *found;
  }
  const CoremlValue& value(std::string_view parameter) const { return values(parameter).at(0); }
  const Constant& constant(std::string_view parameter) const {
    return constants_.at(value(parameter).name);
  }
  const Integers& integers(std::string_view parameter) const {
    return constant(parameter).integers;
  }
  float real(std::string_view parameter) const { return constant(parameter).reals.at(0); }

 private:
  const CoremlArguments& all_;
  const std::map<std::string, Constant>& constants_;
};

CoremlValue CoremlNetwork::input(const std::string& name, CoremlType type, const Integers& shape) {
  names_.insert(name);
  return {name, type, shape};
}

CoremlValue CoremlNetwork::constant(Constant content, CoremlType type, const Integers& shape) {
  CoremlValue value{fmt::format("constant_{}", count_++), type, shape};
  content.type = type, content.shape = shape;
  constants_[value.name] = std::move(content);
  return value;
}

CoremlValue CoremlNetwork::integer(std::int64_t value) {
  Constant content;
  content.integers = {value};
  return constant(std::move(content), CoremlType::int32, {});
}

CoremlValue CoremlNetwork::integers(const Integers& values) {
  Constant content;
  content.integers = values;
  return constant(std::move(content), CoremlType::int32,
                  {static_cast<std::int64_t>(values.size())});
}

CoremlValue CoremlNetwork::boolean(bool value) { return integer(value ? 1 : 0); }

CoremlValue CoremlNetwork::text(std::string_view) { return integer(0); }  // no layer has texts

CoremlValue CoremlNetwork::reals(const Integers& shape, const std::vector<float>& values,
                                 CoremlType type) {
  Constant content;
  content.reals = values;
  return constant(std::move(content), type, shape);
}

CoremlValue CoremlNetwork::weight(const std::string& name, const Integers& shape,
                                  const network::Tensor& tensor, CoremlType type) {
  CoremlValue value{"weight " + name, type, shape};
  Constant& content = constants_[value.name];
  content.tensor = &tensor, content.type = type, content.shape = shape;
  return value;
}

/// WeightParams.
ProtobufMessage CoremlNetwork::weights_message(const Constant& constant) const {
  const bool half = constant.type == CoremlType::float16;
  const network::DataType type = half ? network::DataType::float16 : network::DataType::float32;
  const int field = half ? weight_field::halves : weight_field::floats;
  ProtobufMessage message;
  if (constant.tensor == nullptr) {
    const network::Tensor values =
        network::Tensor::from(constant.reals, constant.shape).converted(type);
    message.text(field, {reinterpret_cast<const char*>(values.bytes.data()), values.bytes.size()});
    return message;
  }
  const network::Tensor* stored = constant.tensor;
  message.later(field, static_cast<std::uint64_t>(stored->elements()) * (half ? 2 : 4),
                [stored, type](std::ostream& out) {
                  const network::Tensor values = stored->converted(type);
                  out.write(reinterpret_cast<const char*>(values.bytes.data()),
                            static_cast<std::streamsize>(values.bytes.size()));
                });
  return message;
}

/// The value's name; a constant's layer is appended where there is none yet.
std::string CoremlNetwork::value_name(const CoremlValue& value) {
  const auto found = constants_.find(value.name);
  if (found == constants_.end() || found->second.loaded) return value.name;
  found->second.loaded = true;
  ProtobufMessage parameters;
  // A single number has one side.
  numbers(parameters, 1, found->second.shape.empty() ? Integers{1} : found->second.shape)
      .message(2, weights_message(found->second));
  layer(value.name, {}, layer_field::load_constant, std::move(parameters));
  return value.name;
}

void CoremlNetwork::layer(const std::string& name, const std::vector<CoremlValue>& inputs, int kind,
                          ProtobufMessage parameters) {
  ProtobufMessage message;
  message.text(layer_field::name, name);
  for (const CoremlValue& one : inputs) message.text(layer_field::input, value_name(one));
  message.text(layer_field::output, name).message(kind, std::move(parameters));
  layers_.push_back(std::move(message));
}

void CoremlNetwork::convolution(const std::string& name, const Arguments& in) {
  const Constant& filter = in.constant("weight");
  ProtobufMessage parameters;
  parameters.integer(1, filter.shape.at(0))
      .integer(2, filter.shape.at(1))
      .integer(10, in.integers("groups").at(0));
  numbers(parameters, 20, {filter.shape.at(2), filter.shape.at(3)});
  numbers(parameters, 30, in.integers("strides"));
  numbers(parameters, 40, in.integers("dilations"));
  parameters.message(50, padding(in.integers("pad")));
  const bool bias = in.find("bias") != nullptr;
  if (bias) parameters.integer(70, 1);
  parameters.message(90, weights_message(filter));
  if (bias) parameters.message(91, weights_message(in.constant("bias")));
  layer(name, {in.value("x")}, layer_field::convolution, std::move(parameters));
}

void CoremlNetwork::batch_norm(const std::string& name, const Arguments& in) {
  ProtobufMessage parameters;
  parameters.integer(1, in.constant("gamma").shape.at(0)).real(10, in.real("epsilon"));
  parameters.message(15, weights_message(in.constant("gamma")))
      .message(16, weights_message(in.constant("beta")))
      .message(17, weights_message(in.constant("mean")))
      .message(18, weights_message(in.constant("variance")));
  layer(name, {in.value("x")}, layer_field::batch_norm, std::move(parameters));
}

void CoremlNetwork::pooling(const std::string& name, const Arguments& in) {
  ProtobufMessage parameters;  // its type 0 is the maximum
  numbers(parameters, 10, in.integers("kernel_sizes"));
  numbers(parameters, 20, in.integers("strides"));
  parameters.message(30, padding(in.integers("pad")));
  layer(name, {in.value("x")}, layer_field::pooling, std::move(parameters));
}

void CoremlNetwork::activation(const std::string& name, const CoremlValue& x, int kind,
                               ProtobufMessage parameters) {
  ProtobufMessage chosen;
  chosen.message(kind, std::move(parameters));
  layer(name, {x}, layer_field::activation, std::move(chosen));
}

/// Operations on single values.
bool CoremlNetwork::simple(std::string_view type, const std::string& name, const Arguments& in) {
  ProtobufMessage parameters;
  if (type == "add" || type == "mul") {
    layer(name, {in.value("x"), in.value("y")},
          type == "add" ? layer_field::add : layer_field::multiply, {});
  } else if (type == "relu") {
    activation(name, in.value("x"), activation_field::relu, {});
  } else if (type == "sigmoid") {
    activation(name, in.value("x"), activation_field::sigmoid, {});
  } else if (type == "leaky_relu") {
    activation(name, in.value("x"), activation_field::leaky_relu,
               std::move(parameters.real(1, in.real("alpha"))));
  } else if (type == "identity") {
    activation(name, in.value("x"), activation_field::linear,
               std::move(parameters.real(1, 1).real(2, 0)));
  } else if (type == "relu6") {
    layer(name, {in.value("x")}, layer_field::clip, std::move(parameters.real(1, 0).real(2, 6)));
  } else if (type == "silu") {
    const CoremlValue share{name + "_share", in.value("x").type, in.value("x").shape};
    activation(share.name, in.value("x"), activation_field::sigmoid, {});
    layer(name, {in.value("x"), share}, layer_field::multiply, {});
  } else {
    return false;
  }
  return true;
}

/// Operations that move values, or take several together.
bool CoremlNetwork::shaping(std::string_view type, const std::string& name, const Arguments& in) {
  ProtobufMessage parameters;
  if (type == "concat") {
    layer(name, in.values("values"), layer_field::concat,
          std::move(parameters.integer(1, in.integers("axis").at(0))));
  } else if (type == "reshape") {
    numbers(parameters, 1, in.integers("shape"));
    layer(name, {in.value("x")}, layer_field::reshape, std::move(parameters));
  } else if (type == "transpose") {
    numbers(parameters, 1, in.integers("perm"));
    layer(name, {in.value("x")}, layer_field::transpose, std::move(parameters));
  } else if (type == "upsample_nearest_neighbor") {
    numbers(parameters, 1, {2, 2});
    layer(name, {in.value("x")}, layer_field::upsample, std::move(parameters));
  } else if (type == "slice_by_index") {
    const Integers& begin = in.integers("begin");
    const Integers whole(begin.size(), 0), ones(begin.size(), 1);
    numbers(parameters, 1, begin);
    numbers(parameters, 2, whole);
    numbers(parameters, 3, in.integers("end"));
    numbers(parameters, 4, whole);
    numbers(parameters, 5, in.find("stride") == nullptr ? ones : in.integers("stride"));
    layer(name, {in.value("x")}, layer_field::slice, std::move(parameters));
  } else if (type == "reduce_mean" || type == "reduce_max") {
    numbers(parameters, 1, in.integers("axes"));
    layer(name, {in.value("x")},
          type == "reduce_mean" ? layer_field::reduce_mean : layer_field::reduce_max,
          std::move(parameters.integer(2, 1)));
  } else {
    return false;
  }
  return true;
}

CoremlValue CoremlNetwork::operation(std::string_view type, const CoremlArguments& arguments,
                                     CoremlType result_type, const Integers& shape,
                                     std::string name) {
  const Arguments in(arguments, constants_);
  if (type == "cast") return {in.value("x").name, result_type, shape};  // types are the device's
  if (name.empty()) name = fmt::format("{}_{}", type, count_++);
  if (!names_.insert(name).second)
    throw Error(fmt::format("coreml: expected names of layers that differ, found {} twice", name));
  if (type == "conv")
    convolution(name, in);
  else if (type == "batch_norm")
    batch_norm(name, in);
  else if (type == "max_pool")
    pooling(name, in);
  else if (!simple(type, name, in) && !shaping(type, name, in))
    throw Error(fmt::format("coreml: --mlmodel: the older form has no layer for {}", type));
  return {std::move(name), result_type, shape};
}

ProtobufMessage CoremlNetwork::finish(const std::vector<std::string>&) {
  ProtobufMessage network;
  for (ProtobufMessage& one : layers_) network.message(network_field::layers, std::move(one));
  network.integer(network_field::array_mapping, exact_arrays)
      .integer(network_field::image_mapping, images_of_four_sides);
  return network;
}

}  // namespace yolov7::exporting
