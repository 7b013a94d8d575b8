#include "exporting/ncnn.hpp"

#include <fmt/format.h>

#include <fstream>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "exporting/ncnn_layers.hpp"

namespace yolov7::exporting {
namespace {

using network::ActivationKind;
using Inputs = std::vector<std::string>;

std::string number(int value) { return fmt::format("{}", value); }
/// Enough digits that the same float comes back.
std::string number(double value) { return text::general(static_cast<float>(value), 9); }

// Kinds of operations, as ncnn numbers them.
const std::string binary_add = "0", binary_multiply = "2", reduce_mean = "3", reduce_max = "4",
                  nearest = "1", largest = "0", swap_of_columns_and_rows = "1";
/// A length that stands for an equal part of what is left.
constexpr int equal_part = -233;

/// What each primitive is in ncnn. Blobs are [channels, height, width].
class NcnnWriter {
 public:
  NcnnWriter(const ExportModel& model, const ExportOptions& options, std::ostream& weights)
      : model_(model), options_(options), layers_(weights) {}

  std::string run() && {
    values_.assign(index(model_.program.value_count), {});
    values_.at(index(model_.program.input)) = layers_.layer(
        "Input", {}, {{0, number(model_.width)}, {1, number(model_.height)}, {2, "3"}}, "images");
    for (const auto& operation : model_.program.before) compute(operation);
    for (const auto& operation : model_.network().operations) compute(operation);
    if (model_.form == OutputForm::raw)
      raw_maps();
    else
      decoded();
    return layers_.text();
  }

 private:
  template <class Operation>
  void compute(const Operation& operation) {
    Inputs in;
    for (const int input : operation.inputs) in.push_back(values_.at(index(input)));
    values_.at(index(operation.output)) = std::visit(
        [&](const auto& primitive) { return translate(primitive, in); }, operation.primitive);
  }

  const network::Tensor& tensor(const std::string& name) const {
    return model_.fused->weights.at(name);
  }

  /// Such a convolution is a factor and a term for each channel. ncnn 1.0.20261020 computes it from
  /// wrong memory in bfloat16 when the channels are no multiple of four, which a Scale is not.
  static bool is_scale(const network::Convolution& conv) {
    return conv.groups == conv.in_channels && conv.in_channels == conv.out_channels &&
           conv.kernel_h == 1 && conv.kernel_w == 1 && conv.stride == 1 && conv.pad_h == 0 &&
           conv.pad_w == 0;
  }

  std::string translate(const network::Convolution& conv, const Inputs& in) {
    const network::Tensor& weight = tensor(conv.tensor + ".weight");
    if (is_scale(conv)) {
      std::string result =
          layers_.layer("Scale", in, {{0, number(conv.out_channels)}, {1, conv.bias ? "1" : "0"}});
      layers_.plain(weight.to_floats());
      if (conv.bias) layers_.plain(tensor(conv.tensor + ".bias").to_floats());
      return result;
    }
    NcnnParameters parameters = {{0, number(conv.out_channels)},
                                 {1, number(conv.kernel_w)},
                                 {11, number(conv.kernel_h)},
                                 {2, number(conv.dilation)},
                                 {12, number(conv.dilation)},
                                 {3, number(conv.stride)},
                                 {13, number(conv.stride)},
                                 {4, number(conv.pad_w)},
                                 {14, number(conv.pad_h)},
                                 {15, number(conv.pad_w)},
                                 {16, number(conv.pad_h)},
                                 {5, conv.bias ? "1" : "0"},
                                 {6, fmt::format("{}", weight.elements())}};
    if (conv.groups > 1) parameters.emplace_back(7, number(conv.groups));
    std::string result =
        layers_.layer(conv.groups > 1 ? "ConvolutionDepthWise" : "Convolution", in, parameters);
    layers_.marked(weight, options_.half);
    if (conv.bias) layers_.plain(tensor(conv.tensor + ".bias").to_floats());
    return result;
  }

  std::string translate(const network::BatchNorm& norm, const Inputs& in) {
    std::string result = layers_.layer(
        "BatchNorm", in, {{0, number(norm.channels)}, {1, number(network::batch_norm_epsilon)}});
    for (const char* part : {".weight", ".running_mean", ".running_var", ".bias"})
      layers_.plain(tensor(norm.tensor + part).to_floats());
    return result;
  }

  std::string translate(const network::Activate& activate, const Inputs& in) {
    switch (activate.activation.kind) {
      case ActivationKind::identity: return in[0];
      case ActivationKind::silu: return layers_.layer("Swish", in);
      case ActivationKind::relu: return layers_.layer("ReLU", in, {{0, number(0.0)}});
      case ActivationKind::relu6:
        return layers_.layer("Clip", in, {{0, number(0.0)}, {1, number(6.0)}});
      case ActivationKind::sigmoid: return layers_.layer("Sigmoid", in);
      case ActivationKind::leaky_relu:
        return layers_.layer("ReLU", in, {{0, number(activate.activation.slope)}});
    }
    throw Error("unknown activation");
  }

  /// 5=1: what does not fill a window is left out. Padding counts as the lowest number.
  std::string translate(const network::MaxPool& pool, const Inputs& in) {
    return layers_.layer("Pooling", in,
                         {{0, largest},
                          {1, number(pool.kernel)},
                          {2, number(pool.stride)},
                          {3, number(pool.padding)},
                          {5, "1"}});
  }

  std::string translate(const network::Concat&, const Inputs& in) { return concat(in, 0); }
  std::string translate(const network::Add&, const Inputs& in) {
    std::string sum = in[0];
    for (std::size_t i = 1; i < in.size(); ++i) sum = binary(binary_add, sum, in[i]);
    return sum;
  }
  std::string translate(const network::Multiply&, const Inputs& in) {
    return binary(binary_multiply, in[0], in[1]);
  }
  std::string translate(const network::Upsample&, const Inputs& in) {
    return layers_.layer("Interp", in, {{0, nearest}, {1, number(2.0)}, {2, number(2.0)}});
  }

  /// 1=1: channels inside, (0, 0), (0, 1), (1, 0), (1, 1) of (row, column); rows vary fastest here.
  std::string translate(const network::Reorg&, const Inputs& in) {
    const std::string blocks = layers_.layer("Reorg", in, {{0, "2"}, {1, "1"}});
    const Inputs parts = slice(blocks, {equal_part, equal_part, equal_part, equal_part}, 0);
    return concat({parts[0], parts[2], parts[1], parts[3]}, 0);
  }

  std::string translate(const network::ImplicitAdd& add, const Inputs& in) {
    std::string result = layers_.layer("Bias", in, {{0, number(add.channels)}});
    layers_.plain(tensor(add.tensor + ".implicit").to_floats());
    return result;
  }
  std::string translate(const network::ImplicitMultiply& multiply, const Inputs& in) {
    std::string result = layers_.layer("Scale", in, {{0, number(multiply.channels)}, {1, "0"}});
    layers_.plain(tensor(multiply.tensor + ".implicit").to_floats());
    return result;
  }

  std::string translate(const network::ChannelMean&, const Inputs& in) {
    return over_channels(reduce_mean, in);
  }
  std::string translate(const network::ChannelMax&, const Inputs& in) {
    return over_channels(reduce_max, in);
  }

  std::string translate(const network::PixelsToUnit&, const Inputs& in) {
    return layers_.layer("BinaryOp", in, {{0, binary_multiply}, {1, "1"}, {2, number(1.0 / 255)}});
  }
  std::string translate(const network::ToRows& rows, const Inputs& in) {
    return rows_of_cells(in[0], rows.anchors, rows.columns, {});
  }
  std::string translate(const network::ScaleRows& scale, const Inputs& in) {
    const std::vector<float> factors(scale.factors.begin(), scale.factors.end());
    return binary(binary_multiply, in[0],
                  layers_.constant(scale.columns, 1, scale.anchors, factors));
  }
  std::string translate(const network::ShiftRows& shift, const Inputs& in) {
    const std::vector<float> terms(shift.terms.begin(), shift.terms.end());
    return binary(binary_add, in[0], layers_.constant(static_cast<int>(terms.size()), 1, 1, terms));
  }
  std::string translate(const network::AddCellOffsets& offsets, const Inputs& in) {
    return binary(binary_add, in[0],
                  layers_.constant(offsets.columns, offsets.height * offsets.width, 1,
                                   cell_offsets(offsets)));
  }
  std::string translate(const network::JoinRows& join, const Inputs& in) {
    Inputs levels;
    for (const std::string& rows : in)
      levels.push_back(layers_.layer("Reshape", {rows}, {{0, number(join.columns)}, {1, "-1"}}));
    return concat(levels, 0);
  }

  std::string binary(const std::string& kind, const std::string& a, const std::string& b) {
    return layers_.layer("BinaryOp", {a, b}, {{0, kind}});
  }
  std::string concat(const Inputs& in, int axis, std::string output = {}) {
    return layers_.layer("Concat", in, {{0, number(axis)}}, std::move(output));
  }
  Inputs slice(const std::string& blob, const std::vector<int>& lengths, int axis) {
    std::string list = number(static_cast<int>(lengths.size()));
    for (const int one : lengths) list += "," + number(one);
    return layers_.layer_of_several("Slice", {blob}, lengths.size(),
                                    {{-23300, list}, {1, number(axis)}});
  }
  /// 1=0: over the axes of 3 alone; 4=1: a channel is left; 5=1: axes are counted as written.
  std::string over_channels(const std::string& kind, const Inputs& in) {
    return layers_.layer("Reduction", in,
                         {{0, kind}, {1, "0"}, {-23303, "1,0"}, {4, "1"}, {5, "1"}});
  }
  /// [anchors · columns, H, W] → [anchors, H · W, columns].
  std::string rows_of_cells(const std::string& map, int anchors, int columns, std::string output) {
    const std::string split =
        layers_.layer("Reshape", {map}, {{0, "-1"}, {1, number(columns)}, {2, number(anchors)}});
    return layers_.layer("Permute", {split}, {{0, swap_of_columns_and_rows}}, std::move(output));
  }

  std::string output_name(std::size_t which) const {
    return which == 0 && options_.reference_parity ? "output" : fmt::format("output{}", which);
  }

  void raw_maps() {
    std::size_t count = 0;
    for (const network::Level& level : model_.network().levels)
      if (!level.auxiliary)
        rows_of_cells(values_.at(index(level.value)), static_cast<int>(level.anchors.size()),
                      model_.network().outputs_per_anchor(), output_name(count++));
  }

  void decoded() {
    for (const auto& operation : model_.program.after) compute(operation);
    const std::string& rows = values_.at(index(model_.program.rows));
    if (!options_.fold_obj) {
      layers_.layer("Noop", {rows}, {}, output_name(0));
      return;
    }
    // Of a single class the objectness, since its probability is not trained.
    const int classes = model_.network().class_count;
    std::string columns;
    if (classes == 1) {
      columns = layers_.layer("Crop", {rows}, {{-23309, "1,0"}, {-23310, "1,5"}, {-23311, "1,1"}});
    } else {
      const Inputs parts = slice(rows, {4, 1, classes}, 1);
      columns = concat({parts[0], binary(binary_multiply, parts[2], parts[1])}, 1);
    }
    layers_.layer("Permute", {columns}, {{0, swap_of_columns_and_rows}}, output_name(0));
  }

  const ExportModel& model_;
  const ExportOptions& options_;
  NcnnLayers layers_;
  Inputs values_;  // by value number
};

void write_text(const std::filesystem::path& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  if (!out.flush()) throw Error(fmt::format("{}: cannot be written", path.string()));
}

}  // namespace

void write_ncnn(const ExportModel& model, const ExportOptions& options,
                const std::filesystem::path& path) {
  if (model.batch != 1)
    throw usage_error(fmt::format(
        "export: ncnn: expected --batch-size 1, since the format has no batch axis, found {}",
        model.batch));
  if (model.form > OutputForm::decoded)
    throw usage_error(
        "export: ncnn: expected raw maps or --grid, since the format has no operation that "
        "suppresses boxes, found suppression in the graph");
  if (options.half) require_float16_range(model);
  file::make_folder(path);
  const std::filesystem::path bin = path / "model.ncnn.bin";
  std::ofstream weights(bin, std::ios::binary);
  write_text(path / "model.ncnn.param", NcnnWriter(model, options, weights).run());
  if (!weights.flush()) throw Error(fmt::format("{}: cannot be written", bin.string()));
  write_text(path / "metadata.yaml",
             metadata_yaml(metadata(model, options, layout(model, options))));
}

}  // namespace yolov7::exporting
