#pragma once
// Named tensors, independent of any library.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "network/graph/graph.hpp"

namespace yolov7::network {

enum class DataType { float16, bfloat16, float32, float64, int64, uint8 };
std::size_t size_in_bytes(DataType type);

struct Tensor {
  DataType type = DataType::float32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;  ///< contiguous, row-major, little-endian

  std::int64_t elements() const;
  std::vector<double> to_doubles() const;
  std::vector<float> to_floats() const;
  static Tensor from(const std::vector<float>& values, std::vector<std::int64_t> shape);
  static Tensor from(const std::vector<double>& values, std::vector<std::int64_t> shape);
  Tensor converted(DataType to) const;  ///< floating types only; int64 is returned as it is
};

/// By official name, in checkpoint order.
class Weights {
 public:
  void set(std::string name, Tensor tensor);
  const Tensor* find(const std::string& name) const;
  const Tensor& at(const std::string& name) const;  ///< Error names the missing tensor
  const std::vector<std::pair<std::string, Tensor>>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  /// All tensors, without copying them; nothing is left behind.
  std::vector<std::pair<std::string, Tensor>> release();

 private:
  std::vector<std::pair<std::string, Tensor>> entries_;
  std::map<std::string, std::size_t> index_;
};

/// All tensors in another floating type.
Weights converted(const Weights& weights, DataType type);

/// Checks names and shapes against the network; Error lists what is missing or of another shape
/// (first five and count).
void check(const Network& network, const Weights& weights);

struct NetworkAndWeights {
  Network network;
  Weights weights;
};

/// Folds conv + BN, RepConv branches and implicit tensors (architecture 5.1–5.3) in double
/// precision and rounds to `type`; the auxiliary head is dropped. The result's head is Detect;
/// RepConv becomes `rbr_reparam`.
NetworkAndWeights fuse(const Network& network, const Weights& weights,
                       DataType type = DataType::float32);

/// False while batch normalisation, RepConv branches or implicit tensors are left.
bool is_fused(const Network& network);

/// Layer of the detection head by the tensors' names; −1 = there is none.
int head_layer(const Weights& weights);

}  // namespace yolov7::network
