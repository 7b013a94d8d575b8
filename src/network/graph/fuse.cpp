// Folding for inference (architecture 5.1–5.4), in double precision.
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "core/error.hpp"
#include "network/graph/links.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::network {
namespace {

using Kind = Operation::Kind;

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

  Affine affine(const Operation& norm) const {
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

  Linear linear(const Operation& conv) const {
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

  void emit_conv(const Operation& shape, const std::string& name, const Linear& l, int output,
                 bool bias = true) {
    Operation op = shape;
    op.tensor = name;
    op.bias = bias;
    op.output = output;
    out_.network.operations.push_back(op);
    put(name + ".weight", TensorSpec::Role::weight,
        {op.out_channels, op.in_channels / op.groups, op.kernel_h, op.kernel_w}, l.weight);
    if (bias) put(name + ".bias", TensorSpec::Role::bias, {op.out_channels}, l.bias);
  }

  void fuse_operation(const Operation& op) {
    if (done_.count(&op) != 0) return;
    switch (op.kind) {
      case Kind::conv: fuse_conv(op); break;
      case Kind::add:
        if (!fuse_rep_conv(op)) copy(op);
        break;
      case Kind::batch_norm: fuse_norm(op); break;
      case Kind::implicit_add: break;  // its convolution takes it
      default: copy(op);
    }
  }

  void copy(const Operation& op) { out_.network.operations.push_back(op); }

  void fuse_conv(const Operation& op) {
    if (is_rep_branch(op)) return;
    Linear l = linear(op);
    int output = op.output;
    bool bias = op.bias;
    Operation shape = op;
    if (const Operation* before = links_.producer(op.inputs[0]);
        before != nullptr && before->kind == Kind::implicit_add) {
      add_implicit(l, values(before->tensor + ".implicit"));
      shape.inputs = {before->inputs[0]};
      bias = true;
    }
    if (const Operation* norm = links_.only_reader(op.output, Kind::batch_norm)) {
      apply(l, affine(*norm));
      done_.insert(norm);
      output = norm->output;
      bias = true;
    } else if (const Operation* mul = links_.only_reader(op.output, Kind::implicit_mul)) {
      apply(l, {values(mul->tensor + ".implicit"), std::vector<double>(l.bias.size(), 0.0)});
      done_.insert(mul);
      output = mul->output;
    }
    emit_conv(shape, op.tensor, l, output, bias);
  }

  /// b ← b + W a for a 1×1 convolution behind x + a.
  static void add_implicit(Linear& l, const std::vector<double>& a) {
    for (std::size_t o = 0; o < l.bias.size(); ++o)
      for (std::size_t c = 0; c < a.size(); ++c) l.bias[o] += l.weight[o * a.size() + c] * a[c];
  }

  static bool has_part(const std::string& name, const char* part) {
    return name.find(part) != std::string::npos;
  }
  static bool is_rep_branch(const Operation& op) {
    return has_part(op.tensor, ".rbr_dense.") || has_part(op.tensor, ".rbr_1x1.") ||
           has_part(op.tensor, ".rbr_identity");
  }

  /// A batch-norm without a convolution before it: an identity branch (folded with its sum), or a
  /// layer of its own.
  void fuse_norm(const Operation& op) {
    if (is_rep_branch(op)) return;
    throw Error(fmt::format("layer {}: expected a convolution before the batch-norm {}", op.layer,
                            op.tensor));
  }

  /// dense 3×3 + 1×1 [+ identity] → one 3×3 (architecture 5.2).
  bool fuse_rep_conv(const Operation& add) {
    const Operation* dense = nullptr;
    Linear sum;
    for (const int input : add.inputs) {
      const Operation* norm = links_.producer(input);
      if (norm == nullptr || norm->kind != Kind::batch_norm || !is_rep_branch(*norm)) return false;
      if (has_part(norm->tensor, ".rbr_dense.")) dense = links_.producer(norm->inputs[0]);
    }
    if (dense == nullptr) return false;
    const auto out = static_cast<std::size_t>(dense->out_channels),
               in = static_cast<std::size_t>(dense->in_channels / dense->groups);
    sum.weight.assign(out * in * 9, 0.0);
    sum.bias.assign(out, 0.0);
    for (const int input : add.inputs) {
      const Operation* norm = links_.producer(input);
      const Operation* conv = links_.producer(norm->inputs[0]);
      Linear branch = has_part(norm->tensor, ".rbr_identity") ? identity(out, in) : linear(*conv);
      apply(branch, affine(*norm));
      const bool point = branch.weight.size() == out * in;
      for (std::size_t i = 0; i < out * in; ++i)
        for (std::size_t k = 0; k < 9; ++k)
          if (!point || k == 4) sum.weight[i * 9 + k] += branch.weight[point ? i : i * 9 + k];
      for (std::size_t o = 0; o < out; ++o) sum.bias[o] += branch.bias[o];
    }
    const std::string prefix = dense->tensor.substr(0, dense->tensor.find("rbr_dense"));
    emit_conv(*dense, prefix + "rbr_reparam", sum, add.output);
    return true;
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
