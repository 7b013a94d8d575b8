#pragma once
// A network::Network that LibTorch executes: one flat list of named tensors, one list of steps, one
// loop.
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernels/torch.hpp"
#include "network/graph/graph.hpp"
#include "network/graph/weights.hpp"
#include "nn/layers.hpp"

namespace yolov7::nn {

class FakeQuantizers;

class TorchNetwork {
 public:
  /// Tensors have their neutral values (0; batch-norm weight, variance and implicit multiplier 1;
  /// anchors from the levels) until initialize() (initial_values.hpp) or load(). Parameters are of
  /// type `type` (float32 or float64), channels_last.
  explicit TorchNetwork(network::Network network, at::ScalarType type = at::kFloat,
                        at::Device device = at::kCPU);
  // Steps hold handles to the tensors: the tensors are written in place and never replaced.
  TorchNetwork(const TorchNetwork&) = delete;
  TorchNetwork& operator=(const TorchNetwork&) = delete;
  TorchNetwork(TorchNetwork&&) = default;
  TorchNetwork& operator=(TorchNetwork&&) = default;

  /// All tensors by official name, converted to the type of this network. Error as network::check.
  void load(const network::Weights& weights);
  /// All tensors in checkpoint order, in the type they have here.
  network::Weights store() const;

  /// images [B, 3, H, W] in 0 … 1, sides multiples of the largest stride → raw maps [B, na, H_i,
  /// W_i, nc + 5] of every level, lead levels first, in the parameters' type (architecture 3.3). In
  /// evaluation mode the lead levels only. The maps are strided views (channels last); gradients
  /// flow unless the caller switched them off.
  std::vector<at::Tensor> forward(const at::Tensor& images);
  /// The same, and what stands at these value numbers on the way (network::head_inputs), in the
  /// type of convolutions. Errors: a value that a step takes in, or that this mode leaves out.
  struct Outputs {
    std::vector<at::Tensor> maps, values;
  };
  Outputs forward(const at::Tensor& images, std::span<const int> values);

  void train(bool on) { mode_.training = on; }
  bool training() const { return mode_.training; }
  void set_batch_norm_momentum(double momentum) { mode_.momentum = momentum; }
  /// Type of convolutions and activations: that of the parameters (default) or bfloat16.
  void set_compute(at::ScalarType type) { mode_.compute = type; }
  at::ScalarType compute() const { return mode_.compute; }
  /// In training batch-norms count the pictures of all processes (SyncBN); nullptr: those of this
  /// one. It outlives the network.
  void set_joint_statistics(kernels::JointStatistics* joint) { mode_.joint = joint; }
  /// The forward pass rounds as a quantized network (fake_quantizers.hpp); nullptr: it does not.
  /// They outlive the network. Error: they are another network's.
  void set_quantizers(const FakeQuantizers* quantizers);
  at::ScalarType type() const { return type_; }
  at::Device device() const { return device_; }

  /// Switches gradients off in these layers and on in all others; returns the names of the frozen
  /// parameters. Their batch-norms go on updating their statistics (training 8, K10) unless
  /// `freeze_batch_norm`.
  std::vector<std::string> freeze(std::span<const int> layers, bool freeze_batch_norm = false);

  struct Entry {
    network::TensorSpec spec;
    at::Tensor tensor;
  };
  const std::vector<Entry>& entries() const {
    return entries_;
  }                                                         ///< checkpoint order, buffers included
  const at::Tensor& tensor(const std::string& name) const;  ///< Error names the missing tensor
  const network::Network& description() const { return network_; }
  /// New anchors (pixels, one row per lead level): written to the buffers and to description()
  /// (architecture 3.8).
  void set_anchors(const std::vector<std::vector<network::AnchorSize>>& anchors);

 private:
  struct Step {
    network::Primitive primitive;
    std::vector<int> inputs;  ///< value numbers
    int output = 0;
    int layer = 0;
    std::vector<int> dead;  ///< values that nobody reads after this step
    bool lead = false;      ///< some lead level depends on it
    bool shared = false;    ///< a convolution whose output several steps read
    ConvLayer conv;         ///< of a convolution with what follows it, of a batch-norm its norm and
                            ///< activation, of an activation its kind
    at::Tensor implicit;    ///< implicit vectors: their values
  };
  void allocate();
  void write_anchor_buffers();
  void read_anchor_buffers();
  void build_steps();
  void mark_lifetimes();
  BatchNorm batch_norm(const network::BatchNorm& norm) const;
  ConvLayer conv_layer(const network::Convolution& conv) const;
  struct Flow;
  at::Tensor execute(const Step& step, Flow& flow) const;
  at::Tensor execute_convolution(const Step& step, const network::Convolution& conv,
                                 const at::Tensor& x) const;
  at::Tensor behind_quantizer(int value, const at::Tensor& x) const;
  at::Tensor raw_map(const at::Tensor& value) const;

  network::Network network_;
  at::ScalarType type_;
  at::Device device_;
  ForwardMode mode_;
  const FakeQuantizers* quantizers_ = nullptr;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Step> steps_;
};

/// 24 of "model.24.conv.weight".
int layer_of(const std::string& tensor_name);

/// A plain tensor as LibTorch sees it (host memory of `tensor`, which must outlive the view), and
/// back.
at::Tensor view_of(const network::Tensor& tensor);
network::Tensor to_plain(const at::Tensor& tensor);

/// count × 3 × height × width bytes (R G B planes) → float32 [count, 3, height, width] in 0 … 1,
/// channels_last.
at::Tensor image_tensor(std::span<const std::uint8_t> pixels, int count, int height, int width,
                        at::Device device = at::kCPU);

/// Decoded rows [B, R, nc + 5] (centre and size in input pixels, objectness, classes) of lead maps,
/// levels concatenated in order (architecture 3.4), in the maps' type.
at::Tensor decode(const std::vector<at::Tensor>& maps, const network::Network& network);

}  // namespace yolov7::nn
