#include "network/checkpoint/record_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <map>

#include "core/text.hpp"
#include "network/checkpoint/module_records.hpp"

namespace yolov7::network {
namespace {

using Type = PickleValue::Kind;

/// A number, or the two equal ones of a pair; nothing where a record has neither.
struct Side {
  bool known = false;
  double value = 0;
};
Side side(const PickleValue& record, const char* key) {
  const PickleValue* v = record.find(key);
  if (v != nullptr && v->is_sequence() && v->sequence.size() == 2) {
    const PickleValue &a = *v->sequence[0], &b = *v->sequence[1];
    if (a.kind == Type::integer && b.kind == Type::integer)
      return a.integer == b.integer ? Side{true, static_cast<double>(a.integer)}
                                    : Side{true, std::nan("")};
  }
  if (v == nullptr) return {};
  if (v->kind == Type::integer) return {true, static_cast<double>(v->integer)};
  return v->kind == Type::real ? Side{true, v->real} : Side{};
}

std::string shown(const Activation& a) {
  switch (a.kind) {
    case ActivationKind::identity: return "none";
    case ActivationKind::silu: return "SiLU";
    case ActivationKind::relu: return "ReLU";
    case ActivationKind::relu6: return "ReLU6";
    case ActivationKind::sigmoid: return "Sigmoid";
    case ActivationKind::leaky_relu: return "LeakyReLU(" + text::general(a.slope) + ")";
  }
  return "";
}

std::string shown(const PickleValue& record) {
  const std::string name(class_name(record));
  if (name == "Identity") return "none";
  const Side slope = side(record, "negative_slope");
  return name == "LeakyReLU" && slope.known ? "LeakyReLU(" + text::general(slope.value) + ")"
                                            : name;
}

class Comparison {
 public:
  Comparison(const Network& network, const PickleValue& model) : network_(network), model_(model) {
    for (const Operation& op : network.operations)
      if (const Activate* act = op.as<Activate>()) activation_[op.inputs[0]] = act;
  }

  std::string run() {
    for (const Layer& layer : network_.layers) compare_layer(layer);
    const PickleValue* list = find_module(model_, "model");
    const PickleValue* entries = list == nullptr ? nullptr : list->find("_modules");
    if (entries != nullptr && entries->dictionary.size() != network_.layers.size())
      differ("model", fmt::format("{} layers, where {} are expected", entries->dictionary.size(),
                                  network_.layers.size()));
    for (const Operation& op : network_.operations) {
      if (const Convolution* conv = op.as<Convolution>()) compare_conv(*conv);
      if (const BatchNorm* norm = op.as<BatchNorm>()) compare_norm(*norm);
      if (const MaxPool* pool = op.as<MaxPool>()) compare_pool(*pool, op.layer);
      compare_activation(op);
    }
    return first_;
  }

 private:
  void differ(const std::string& where, const std::string& what) {
    if (first_.empty()) first_ = text::printable(where + ": " + what);
  }
  void compare(const std::string& where, const PickleValue& record, const char* key,
               double expected) {
    const Side found = side(record, key);
    // Settings are small numbers of few digits; a double holds them all.
    if (found.known && !(std::abs(found.value - expected) <= 1e-9))
      differ(where, fmt::format("{} {}, where {} is expected", key, found.value, expected));
  }

  void compare_layer(const Layer& layer) {
    const std::string where = fmt::format("model.{}", layer.index);
    const PickleValue* record = find_module(model_, where);
    if (record == nullptr) return;
    if (const PickleValue* type = record->find("type");
        type != nullptr && type->kind == Type::text) {
      const std::string name = type->text.substr(type->text.find_last_of('.') + 1);
      if (name != layer.block)
        differ(where, fmt::format("a {}, where {} is expected", name, layer.block));
    }
    const PickleValue* from = record->find("f");
    if (from == nullptr || (from->kind != Type::integer && !from->is_sequence())) return;
    std::vector<std::int64_t> inputs;
    const auto add = [&](const PickleValue& v) {
      inputs.push_back(v.kind != Type::integer ? -2
                       : v.integer < 0         ? layer.index + v.integer
                                               : v.integer);
    };
    if (from->kind == Type::integer)
      add(*from);
    else
      for (const PickleValue* one : from->sequence) add(*one);
    if (!std::equal(inputs.begin(), inputs.end(), layer.inputs.begin(), layer.inputs.end()))
      differ(where, fmt::format("reads layers {}, where {} are expected", fmt::join(inputs, ", "),
                                fmt::join(layer.inputs, ", ")));
  }

  void compare_conv(const Convolution& op) {
    const PickleValue* record = find_module(model_, op.tensor);
    if (record == nullptr) return;
    if (class_name(*record) != "Conv2d")
      differ(op.tensor, fmt::format("a {}, where Conv2d is expected", class_name(*record)));
    compare(op.tensor, *record, "kernel_size", op.kernel_h);
    compare(op.tensor, *record, "stride", op.stride);
    compare(op.tensor, *record, "padding", op.pad_h);
    compare(op.tensor, *record, "dilation", op.dilation);
    compare(op.tensor, *record, "groups", op.groups);
    const PickleValue* mode = record->find("padding_mode");
    if (mode != nullptr && mode->text != "zeros")
      differ(op.tensor, fmt::format("padding_mode {}, where zeros is expected", mode->text));
  }

  void compare_norm(const BatchNorm& op) {
    const PickleValue* record = find_module(model_, op.tensor);
    if (record == nullptr) return;
    const std::string_view name = class_name(*record);
    if (name != "BatchNorm2d" && name != "SyncBatchNorm")
      differ(op.tensor, fmt::format("a {}, where BatchNorm2d is expected", name));
    compare(op.tensor, *record, "eps", 0.001);
  }

  /// MP and SP keep their pool as `m`.
  void compare_pool(const MaxPool& pool, int layer) {
    const std::string where = fmt::format("model.{}.m", layer);
    const PickleValue* record = find_module(model_, where);
    if (record == nullptr || class_name(*record) != "MaxPool2d") return;
    compare(where, *record, "kernel_size", pool.kernel);
    compare(where, *record, "stride", pool.stride);
    compare(where, *record, "padding", pool.padding);
    compare(where, *record, "dilation", 1);
  }

  /// Blocks keep their activation as `act` beside the batch-norm, or beside the branches of a
  /// RepConv.
  void compare_activation(const Operation& op) {
    std::string owner;  // a tensor's name: its block is all but the last part
    if (const BatchNorm* norm = op.as<BatchNorm>(); norm && norm->branch == RepBranch::none)
      owner = norm->tensor;
    if (const Convolution* conv = op.as<Convolution>(); conv && conv->bias) owner = conv->tensor;
    if (const Add* add = op.as<Add>()) owner = add->merged;
    if (owner.empty()) return;
    owner.resize(owner.rfind('.'));
    const PickleValue* record = find_module(model_, owner + ".act");
    if (record == nullptr) return;
    const auto found = activation_.find(op.output);
    const std::string expected =
        shown(found == activation_.end() ? Activation{ActivationKind::identity, 0}
                                         : found->second->activation);
    if (shown(*record) != expected)
      differ(owner + ".act",
             fmt::format("activation {}, where {} is expected", shown(*record), expected));
  }

  const Network& network_;
  const PickleValue& model_;
  std::map<int, const Activate*> activation_;  ///< by its input
  std::string first_;
};

}  // namespace

std::string difference(const Network& network, const PickleValue& model) {
  return Comparison(network, model).run();
}

}  // namespace yolov7::network
