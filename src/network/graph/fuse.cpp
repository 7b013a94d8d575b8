// Folding for inference (architecture 5.1–5.4), in double precision.
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "core/error.hpp"
#include "core/overloaded.hpp"
#include "network/graph/links.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::network {
namespace {

struct Linear {
  std::vector<double> weight, bias;  ///< [out][in / groups][kh][kw], [out]
};

/// y = scale · x + shift per channel.
struct Affine {
  std::vector<double> scale, shift;
};

class Fuser {
 public:
  Fuser(const Network& network, const Weights& weights, DataType type)
      : source_(network),
        links_(network),
        needed_(needed_values(network)),
        weights_(weights),
        type_(type) {}

  NetworkAndWeights run() {
    out_.network = source_;
    out_.network.operations.clear();
    out_.network.tensors.clear();
    out_.network.levels.clear();
    out_.network.head = HeadKind::detect;
    for (const Level& level : source_.levels)
      if (!level.auxiliary) out_.network.levels.push_back(level);
    for (const Operation& op : source_.operations)
      if (needed_[static_cast<std::size_t>(op.output)] != 0) fuse_operation(op);
    copy_anchors();
    out_.network.layers.back().block = name(HeadKind::detect);
    count_layer_parameters(out_.network);
    return std::move(out_);
  }

 private:
  std::vector<double> values(const std::string& name) const {
    return weights_.at(name).to_doubles();
  }

  void put(const std::string& name, TensorSpec::Role role, std::vector<std::int64_t> shape,
           const std::vector<double>& data) {
    out_.network.tensors.push_back({name, role, shape});
    out_.weights.set(name, Tensor::from(data, std::move(shape)).converted(type_));
  }

  Affine affine(const BatchNorm& norm) const {
    const auto gamma = values(norm.tensor + ".weight"), beta = values(norm.tensor + ".bias");
    const auto mean = values(norm.tensor + ".running_mean"),
               variance = values(norm.tensor + ".running_var");
    Affine a;
    for (std::size_t c = 0; c < gamma.size(); ++c) {
      a.scale.push_back(gamma[c] / std::sqrt(variance[c] + batch_norm_epsilon));
      a.shift.push_back(beta[c] - a.scale[c] * mean[c]);
    }
    return a;
  }

  Linear linear(const Convolution& conv) const {
    Linear l;
    l.weight = values(conv.tensor + ".weight");
    l.bias = conv.bias ? values(conv.tensor + ".bias")
                       : std::vector<double>(static_cast<std::size_t>(conv.out_channels), 0.0);
    return l;
  }

  static void apply(Linear& l, const Affine& a) {
    const std::size_t per_channel = l.weight.size() / l.bias.size();
    for (std::size_t o = 0; o < l.bias.size(); ++o) {
      for (std::size_t i = 0; i < per_channel; ++i) l.weight[o * per_channel + i] *= a.scale[o];
      l.bias[o] = a.scale[o] * l.bias[o] + a.shift[o];
    }
  }

  /// `place`: inputs, output and layer.
  void emit_conv(const Convolution& conv, const Linear& l, const Operation& place) {
    put(conv.tensor + ".weight", TensorSpec::Role::weight,
        {conv.out_channels, conv.in_channels / conv.groups, conv.kernel_h, conv.kernel_w},
        l.weight);
    if (conv.bias) put(conv.tensor + ".bias", TensorSpec::Role::bias, {conv.out_channels}, l.bias);
    out_.network.operations.push_back({conv, place.inputs, place.output, place.layer});
  }

  void fuse_operation(const Operation& op) {
    if (done_.count(&op) != 0) return;
    const auto copy = [&] { out_.network.operations.push_back(op); };
    std::visit(Overloaded{
                   [&](const Convolution& conv) { fuse_conv(op, conv); },
                   [&](const BatchNorm& norm) { fuse_norm(op, norm); },
                   [&](const Add& add) { add.merged.empty() ? copy() : fuse_rep_conv(op, add); },
                   [](const ImplicitAdd&) {},  // its convolution takes it
                   [&](const OneOf<Activate, MaxPool, Concat, Multiply, Upsample, Reorg,
                                   ImplicitMultiply, ChannelMean, ChannelMax> auto&) { copy(); },
               },
               op.primitive);
  }

  void fuse_conv(const Operation& op, const Convolution& conv) {
    if (conv.branch != RepBranch::none) return;  // its sum takes it
    Linear l = linear(conv);
    Convolution made = conv;
    Operation place{{}, op.inputs, op.output, op.layer};
    const Operation* before = links_.producer(op.inputs[0]);
    if (const ImplicitAdd* added = before == nullptr ? nullptr : before->as<ImplicitAdd>()) {
      add_implicit(l, values(added->tensor + ".implicit"));
      place.inputs = {before->inputs[0]};
      made.bias = true;
    }
    if (const Operation* norm = links_.only_reader<BatchNorm>(op.output)) {
      apply(l, affine(*norm->as<BatchNorm>()));
      done_.insert(norm);
      place.output = norm->output;
      made.bias = true;
    } else if (const Operation* mul = links_.only_reader<ImplicitMultiply>(op.output)) {
      const std::string factor = mul->as<ImplicitMultiply>()->tensor + ".implicit";
      apply(l, {values(factor), std::vector<double>(l.bias.size(), 0.0)});
      done_.insert(mul);
      place.output = mul->output;
    }
    emit_conv(made, l, place);
  }

  /// b ← b + W a for a 1×1 convolution behind x + a.
  static void add_implicit(Linear& l, const std::vector<double>& a) {
    for (std::size_t o = 0; o < l.bias.size(); ++o)
      for (std::size_t c = 0; c < a.size(); ++c) l.bias[o] += l.weight[o * a.size() + c] * a[c];
  }

  /// A batch-norm without a convolution before it: an identity branch (its sum takes it), or a
  /// layer of its own.
  static void fuse_norm(const Operation& op, const BatchNorm& norm) {
    if (norm.branch != RepBranch::none) return;
    throw Error(fmt::format("layer {}: expected a convolution before the batch-norm {}", op.layer,
                            norm.tensor));
  }

  /// dense 3×3 + 1×1 [+ identity] → one 3×3 (architecture 5.2).
  void fuse_rep_conv(const Operation& op, const Add& add) {
    const Operation* dense = rep_dense(links_, op);
    const Convolution& shape = *dense->as<Convolution>();
    const auto out = static_cast<std::size_t>(shape.out_channels),
               in = static_cast<std::size_t>(shape.in_channels / shape.groups);
    Linear sum{std::vector<double>(out * in * 9, 0.0), std::vector<double>(out, 0.0)};
    for (const int input : op.inputs) {
      const Operation* from = links_.producer(input);
      const BatchNorm& norm = *from->as<BatchNorm>();
      Linear branch = norm.branch == RepBranch::identity
                          ? identity(out, in)
                          : linear(*links_.producer(from->inputs[0])->as<Convolution>());
      apply(branch, affine(norm));
      const bool point = branch.weight.size() == out * in;
      for (std::size_t i = 0; i < out * in; ++i)
        for (std::size_t k = 0; k < 9; ++k)
          if (!point || k == 4) sum.weight[i * 9 + k] += branch.weight[point ? i : i * 9 + k];
      for (std::size_t o = 0; o < out; ++o) sum.bias[o] += branch.bias[o];
    }
    emit_conv(merged_convolution(shape, add), sum, {{}, dense->inputs, op.output, op.layer});
  }

  /// A 1×1 kernel that passes channel o of its group through.
  static Linear identity(std::size_t out, std::size_t in) {
    Linear l;
    l.weight.assign(out * in, 0.0);
    l.bias.assign(out, 0.0);
    for (std::size_t o = 0; o < out; ++o) l.weight[o * in + o % in] = 1;
    return l;
  }

  void copy_anchors() {
    for (const TensorSpec& spec : source_.tensors)
      if (spec.role == TensorSpec::Role::anchors || spec.role == TensorSpec::Role::anchor_grid)
        put(spec.name, spec.role, spec.shape, values(spec.name));
  }

  const Network& source_;
  Links links_;
  std::vector<char> needed_;
  const Weights& weights_;
  DataType type_;
  NetworkAndWeights out_;
  std::set<const Operation*> done_;
};

}  // namespace

NetworkAndWeights fuse(const Network& network, const Weights& weights, DataType type) {
  check(network, weights);
  return Fuser(network, weights, type).run();
}

}  // namespace yolov7::network
