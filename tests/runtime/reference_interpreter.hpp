#pragma once
// A slow, plain, double-precision interpreter of a network's operations: what the back ends are
// compared with. Written from the specification alone (architecture 1 and 3), it shares no code
// with them; the golden values check it.
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "network/graph/graph.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::reference {

/// [n, c, h, w], row-major.
struct Map {
  int n = 0, c = 0, h = 0, w = 0;
  std::vector<double> values;
  Map() = default;
  Map(int n_, int c_, int h_, int w_);
  double& at(int in, int ic, int y, int x);
  double at(int in, int ic, int y, int x) const;
};

using Tensors = std::map<std::string, std::vector<double>>;

class Interpreter {
 public:
  Interpreter(const network::Network& network, Tensors tensors)
      : network_(network), tensors_(std::move(tensors)) {}

  /// Raw maps of all levels, [B, na·no, H, W]. In training mode batch normalisation uses the
  /// batch's statistics and leaves them (unbiased variance) in tensors(), as with momentum 1.
  std::vector<Map> run(const Map& input, bool training);
  const Tensors& tensors() const { return tensors_; }

 private:
  Map compute(const network::Operation& operation, const std::vector<Map>& values, bool training);
  Map batch_norm(const network::BatchNorm& norm, const Map& x, bool training);
  const std::vector<double>& tensor(const std::string& name) const;

  const network::Network& network_;
  Tensors tensors_;
};

/// [B, na·no, H, W] → [B, na, H, W, no], flattened.
std::vector<double> by_cell(const Map& map, int anchors);
/// Decoded rows of the lead levels, [B, rows, no] flattened (architecture 3.4).
std::vector<double> decode(const network::Network& network, const std::vector<Map>& levels);

/// The formula weights of the golden cases: running mean 0, running variance 1.
Tensors formula_tensors(const network::Network& network);
/// The same numbers as float32 (counts as int64) in checkpoint order.
network::Weights to_weights(const network::Network& network, const Tensors& tensors);
/// unit("input") as [batch, 3, size, size].
Map formula_input(int batch, int size);

}  // namespace yolov7::reference
