#pragma once
// Post-training quantization of a folded network within an accuracy budget: scales, the layers that
// stay in float32, and what it gains.
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compression/plan/calibration.hpp"
#include "compression/plan/fallback.hpp"
#include "compression/plan/refit.hpp"
#include "compression/plan/sensitivity.hpp"

namespace yolov7::compression {

struct QuantizeRequest {
  std::shared_ptr<const network::NetworkAndWeights> fused;
  CalibrationImages images;
  CalibrationOptions calibration;
  std::set<NumberForm> forms;  ///< of the formats that are asked for
  /// mAP that a quantized detector loses against the float32 one; none: there are no labels.
  std::function<double(runtime::Detector&)> lost;
  double budget = 0.003;
  bool refit = false;        ///< fit weights and biases, and keep them where the network gains
  bool sensitivity = false;  ///< look at each layer also where the budget holds without
};

/// Milliseconds of one image on one thread, the least of calls by turns.
struct QuantizedSpeed {
  double float32 = 0, integers = 0;
  double bfloat16 = 0;      ///< 0: this processor has none
  double all_integers = 0;  ///< without layers in float32
};

struct Quantized {
  /// The network that the plan is for: the request's, with its channels equalised.
  std::shared_ptr<const network::NetworkAndWeights> fused;
  std::shared_ptr<const network::Quantization> plan;
  std::vector<Refit> refits;             ///< where they were asked for
  double integer_share = 1;              ///< of the convolutions' multiply-adds
  std::vector<LayerSensitivity> layers;  ///< where they were looked at, in order of execution
  Fallback fallback;                     ///< no trial where there are no labels
  QuantizedSpeed speed;
};

/// Less of the multiply-adds in integers is refused: the network is no INT8 network any more.
inline constexpr double least_integer_share = 0.5;

/// Errors: what the calibration reports; a budget that does not hold while half of the
/// multiply-adds are in integers, with what was lost; stopped_error().
Quantized quantize(const QuantizeRequest& request);

/// "" or why the images look as if they had their channels in the other order: the network finds
/// much more in them when red and blue change places. Looks at `most` of them.
std::string channel_order_breach(runtime::Detector& detector, const CalibrationImages& images,
                                 std::size_t most = 16);

/// One line a layer: "layer,tensor,multiply_adds,box_change,score_change,kept,largest_weight,
/// channel_spread,kurtosis", the last three of weight_shape().
std::string sensitivity_csv(const Quantized& quantized);

}  // namespace yolov7::compression
