#pragma once
// Exponential moving average of the network's state (training 16).
#include <cstdint>
#include <vector>

#include "network/graph/weights.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::training {

/// Weight of the old average at the given update (from 1): 0.9999 · (1 − e^(−update / 2000)).
double ema_decay(std::int64_t update);

class Ema {
 public:
  /// Starts as an exact copy of the network.
  explicit Ema(const nn::TorchNetwork& network);

  /// After each optimizer step: every floating tensor ← d · average + (1 − d) · network; anchors
  /// and integers are copied exactly (training F18). The averages are never rounded to a narrower
  /// type (training F27).
  void update(const nn::TorchNetwork& network);

  const nn::TorchNetwork& average() const { return average_; }
  nn::TorchNetwork& network() { return average_; }  ///< the same, for a pass through it
  std::int64_t updates() const { return updates_; }
  network::Weights store() const;  ///< checkpoint order
  /// Continues from a checkpoint. Error as network::check.
  void load(const network::Weights& weights, std::int64_t updates);

 private:
  nn::TorchNetwork average_;
  std::int64_t updates_ = 0;
};

}  // namespace yolov7::training
