#pragma once
// The torch-free description of a detector that everything else consumes: config text → layers →
// primitives with named weights. Training builds modules from the program, runtime an
// OpenVINO model, info its tables.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "network/graph/primitives.hpp"

namespace yolov7::network {

/// ε of every batch-norm in the network (architecture 4.2).
inline constexpr double batch_norm_epsilon = 1e-3;

/// Anchors of one level: width and height in pixels of the network input.
struct AnchorSize {
  double w = 0, h = 0;
};

enum class HeadKind { detect, idetect, iauxdetect };
std::string_view name(HeadKind kind);  ///< "Detect", "IDetect", "IAuxDetect"

/// A named tensor of the network under its official name (`model.24.conv.weight`).
struct TensorSpec {
  enum class Role {
    weight,
    bias,
    bn_weight,
    bn_bias,
    bn_mean,
    bn_var,
    bn_count,
    implicit_add,
    implicit_mul,
    anchors,
    anchor_grid
  };
  std::string name;
  Role role = Role::weight;
  std::vector<std::int64_t> shape;
  bool trainable() const {
    return role <= Role::bn_bias || role == Role::implicit_add || role == Role::implicit_mul;
  }
};

/// A primitive with its place in the network. Values are numbered; value 0 is the image batch
/// [B, 3, H, W] in 0 … 1, RGB.
struct Operation {
  Primitive primitive;
  std::vector<int> inputs;  ///< value numbers
  int output = 0;           ///< value number
  int layer = 0;            ///< official layer index, for messages, tables and freezing

  /// nullptr where the primitive is of another kind.
  template <class P>
  const P* as() const {
    return std::get_if<P>(&primitive);
  }
  template <class P>
  bool is() const {
    return std::holds_alternative<P>(primitive);
  }
};

/// One entry of the config, as a table shows it.
struct Layer {
  int index = 0;
  std::vector<int> inputs;  ///< absolute layer indices; −1 = picture
  std::string block;        ///< "Conv", "SPPCSPC", …
  std::string arguments;    ///< for people, after nc, anchors and multiples are applied
  std::string attention;    ///< kind of the layer's spatial attention (attention.hpp); "" = none
  int repeats = 1;
  int out_channels = 0;  ///< 0 for the head
  double reduction = 1;  ///< stride of the output relative to the picture
  int line = 0;          ///< in the config
  std::int64_t parameters = 0;
  int output_value = -1;  ///< value number of the layer's output
};

/// Raw output of one level: value [B, na·(nc+5), H, W]. Lead levels first, then (IAuxDetect)
/// auxiliary ones.
struct Level {
  int value = 0;
  double stride = 8;
  std::vector<AnchorSize> anchors;
  bool auxiliary = false;
};

struct Network {
  std::string source;  ///< config file or built-in name
  std::string config;  ///< its text, kept in checkpoints
  int class_count = 80;
  int anchors_per_level = 3;
  HeadKind head = HeadKind::detect;
  int head_layer = 0;
  int backbone_layers = 0;  ///< the config's `backbone` is layers 0 … backbone_layers − 1; what
                            ///< follows up to the head is the neck
  std::vector<Layer> layers;
  std::vector<Operation> operations;  ///< in order of execution
  std::vector<Level> levels;
  std::vector<TensorSpec> tensors;  ///< in checkpoint order (architecture 6.4), buffers included
  int value_count = 0;
  std::vector<int> value_channels;  ///< by value number
  std::vector<double> value_reduction;

  int outputs_per_anchor() const { return class_count + 5; }
  std::size_t lead_levels() const;
  double largest_stride() const;
  std::int64_t parameter_count() const;  ///< trainable elements
  std::vector<double> strides() const;   ///< lead levels
};

/// Layer::parameters anew from the network's tensors.
void count_layer_parameters(Network& network);

}  // namespace yolov7::network
