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
  Tensor converted(DataType to) const;  ///< int64 and uint8 are returned as they are
};

/// Tensors by official name. They keep the order in which they were set, that of the checkpoint.
class Weights {
 public:
  void set(std::string name, Tensor tensor);
  const Tensor* find(const std::string& name) const;
  const Tensor& at(const std::string& name) const;  ///< Error if it is missing, with its name
  const std::vector<std::pair<std::string, Tensor>>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  /// Moves all tensors out. The Weights are empty afterwards.
  std::vector<std::pair<std::string, Tensor>> release();

 private:
  std::vector<std::pair<std::string, Tensor>> entries_;
  std::map<std::string, std::size_t> index_;
};

/// A copy in which all tensors of a floating type have the type `type`.
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
/// each RepConv becomes one convolution, `rbr_reparam`.
NetworkAndWeights fuse(const Network& network, const Weights& weights,
                       DataType type = DataType::float32);

/// False while batch normalisation, RepConv branches or implicit tensors are left.
bool is_fused(const Network& network);

/// The layer number of the detection head, found by the tensors' names; −1 = there is none.
int head_layer(const Weights& weights);

}  // namespace yolov7::network
