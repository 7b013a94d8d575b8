#include "compression/plan/quantize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "compression/plan/channel_ranges.hpp"
#include "compression/plan/weight_shape.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "equivalence/turns.hpp"

namespace yolov7::compression {
namespace {

using equivalence::ProofPicture;
using Names = std::set<std::string>;

/// Spread over all images.
std::vector<ProofPicture> some_of(const CalibrationImages& images, std::size_t most) {
  std::vector<std::size_t> places;
  const std::size_t count = std::min(images.count, most);
  for (std::size_t i = 0; i < count; ++i) places.push_back(i * images.count / count);
  return loaded_images(images, places);
}

/// The largest number of layers, in this order, that leaves integers enough of `all` multiply-adds.
std::size_t most_real(const std::vector<LayerSensitivity>& order, double all) {
  double left = 0;
  for (const LayerSensitivity& one : order) left += one.multiply_adds;
  std::size_t count = 0;
  while (count < order.size() && left - order[count].multiply_adds >= least_integer_share * all)
    left -= order[count++].multiply_adds;
  return count;
}

class Search {
 public:
  explicit Search(const QuantizeRequest& request)
      : request_(request),
        fused_(equalized(request.fused, request.images, request.calibration)),
        results_(network::result_convolutions(fused_->network)),
        scales_(calibrate(fused_, request.images, request.calibration)) {}

  Quantized run() {
    Quantized result;
    result.fused = fused_;
    if (request_.refit)
      result.refits = refit(fused_, scales_, results_, request_.forms, request_.images,
                            request_.calibration.stop);
    if (request_.sensitivity) look_at_layers(result);
    if (request_.lost) {
      result.fallback = {};
      const double loss = lost({});
      result.fallback.trials.push_back({0, loss});
      result.fallback.kept = loss <= request_.budget;
      if (!result.fallback.kept) fall_back(result);
    }
    result.plan = plan(result.fallback.real);
    result.integer_share = network::integer_share(network(), *result.plan, request_.images.height,
                                                  request_.images.width);
    measure(result);
    return result;
  }

 private:
  const network::Network& network() const { return fused_->network; }
  /// `real` besides those whose results are decoded.
  std::shared_ptr<const network::Quantization> plan(Names real) const {
    real.insert(results_.begin(), results_.end());
    return std::make_shared<const network::Quantization>(
        network::make_quantization(network(), scales_, real));
  }
  std::unique_ptr<runtime::Detector> detector(const Names& real, const NumberForm& form,
                                              int threads = 0) const {
    return runtime::make_quantized_detector(fused_, {plan(real), form.numbers, form.inner},
                                            {.threads = threads});
  }

  /// In the form that loses most; what is no number stays none, and holds no budget.
  double lost(const Names& real) const {
    double most = -1;
    for (const NumberForm& form : request_.forms) {
      check_stop(request_.calibration.stop);
      const double one = request_.lost(*detector(real, form));
      if (one > most || std::isnan(one)) most = one;
      if (!(most <= request_.budget)) break;
    }
    log::info(fmt::format("quantization: {} layers in float32: {:+.4f} mAP", real.size(), -most));
    return most;
  }

  void look_at_layers(Quantized& result) const {
    if (!result.layers.empty()) return;
    constexpr std::size_t images = 16;
    const NumberForm form = *request_.forms.begin();
    result.layers =
        layer_sensitivities(fused_, {plan({}), form.numbers, form.inner},
                            some_of(request_.images, images), request_.calibration.stop);
  }

  void fall_back(Quantized& result) const {
    look_at_layers(result);
    const std::vector<LayerSensitivity> order = by_change(result.layers);
    std::vector<std::string> names;
    for (const LayerSensitivity& one : order) names.push_back(one.tensor);
    const double before = result.fallback.trials.front().lost;
    const auto known = [&](const Names& real) { return real.empty() ? before : lost(real); };
    double work = 0;
    for (const auto& [tensor, count] :
         network::multiply_adds(network(), request_.images.height, request_.images.width))
      work += count;
    result.fallback = least_fallback(names, most_real(order, work), known, request_.budget);
    if (result.fallback.kept) return;
    const FallbackTrial& last = result.fallback.trials.back();
    throw Error(fmt::format(
        "--accuracy-budget {:g}: it cannot be kept in 8-bit integers: {:.4f} mAP lost with every "
        "layer in them, {:.4f} with the {} most sensitive of {} in float32, which leaves half of "
        "the work; nothing is written",
        request_.budget, before, last.lost, last.real_layers, names.size()));
  }

  /// By turns, so that another program on the machine slows all of them.
  void measure(Quantized& result) const {
    const NumberForm form = *request_.forms.begin();
    std::vector<std::unique_ptr<runtime::Detector>> all;
    all.push_back(runtime::make_openvino_detector(fused_, {.threads = 1}));
    all.push_back(detector(result.fallback.real, form, 1));
    all.push_back(result.fallback.real.empty() ? nullptr : detector({}, form, 1));
    try {
      all.push_back(
          runtime::make_openvino_detector(fused_, {.precision = "bfloat16", .threads = 1}));
    } catch (const Error&) {
      all.push_back(nullptr);  // this processor has none
    }
    const std::vector<ProofPicture> picture = some_of(request_.images, 1);
    runtime::Prediction prediction;
    std::vector<std::function<void()>> calls;
    for (const auto& one : all)
      if (one) calls.push_back([&] { one->predict(picture.front().batch(), prediction); });
    const auto times = equivalence::times_by_turns(calls, {}, request_.calibration.stop);
    std::vector<double> least(all.size(), 0);
    for (std::size_t i = 0, found = 0; i < all.size(); ++i)
      if (all[i]) least[i] = *std::ranges::min_element(times[found++].clock);
    result.speed = {least[0], least[1], least[3], all[2] == nullptr ? least[1] : least[2]};
  }

  const QuantizeRequest& request_;
  const std::shared_ptr<const network::NetworkAndWeights> fused_;
  const Names results_;  // convolutions
  network::QuantizationScales scales_;
};

/// Σ of the scores above the threshold of detection, over all rows.
double found_in(runtime::Detector& detector, const ProofPicture& picture) {
  constexpr float threshold = 0.25;
  runtime::Prediction prediction;
  detector.predict(picture.batch(), prediction);
  const auto columns = static_cast<std::size_t>(prediction.columns);
  double sum = 0;
  for (std::size_t row = 0; row < prediction.decoded.size(); row += columns)
    if (const float score = prediction.decoded[row + 4]; score > threshold)
      sum += static_cast<double>(score);
  return sum;
}

}  // namespace

Quantized quantize(const QuantizeRequest& request) { return Search(request).run(); }

std::string channel_order_breach(runtime::Detector& detector, const CalibrationImages& images,
                                 std::size_t most) {
  constexpr double far_more = 1.5, least_rows = 1;
  double as_given = 0, exchanged = 0;
  std::size_t count = 0;
  for (ProofPicture& picture : some_of(images, most)) {
    as_given += found_in(detector, picture);
    const auto plane = static_cast<std::ptrdiff_t>(picture.pixels.size() / 3);
    std::swap_ranges(picture.pixels.begin(), picture.pixels.begin() + plane,
                     picture.pixels.begin() + 2 * plane);
    exchanged += found_in(detector, picture);
    ++count;
  }
  if (exchanged <= far_more * as_given || exchanged < least_rows * static_cast<double>(count))
    return {};
  return fmt::format(
      "calibration: expected images with their channels in the order in which the network was "
      "trained; in {} of them the network finds {:.1f} times as much when red and blue change "
      "places",
      count, exchanged / std::max(as_given, 1e-9));
}

std::string sensitivity_csv(const Quantized& quantized) {
  std::string all =
      "layer,tensor,multiply_adds,box_change,score_change,kept,largest_weight,channel_spread,"
      "kurtosis\n";
  std::map<std::string, WeightShape> shapes;
  for (const network::Operation& op : quantized.fused->network.operations)
    if (const auto* conv = op.as<network::Convolution>())
      shapes[conv->tensor] =
          weight_shape(quantized.fused->weights.at(conv->tensor + ".weight"), conv->out_channels);
  for (const LayerSensitivity& one : quantized.layers) {
    const WeightShape& shape = shapes[one.tensor];
    all += fmt::format("{},{},{:.0f},{:.6g},{:.6g},{},{:.4g},{:.4g},{:.4g}\n", one.layer,
                       one.tensor, one.multiply_adds, one.change.box, one.change.score,
                       quantized.fallback.real.contains(one.tensor) ? "float32" : "int8",
                       shape.largest, shape.spread, shape.kurtosis);
  }
  return all;
}

}  // namespace yolov7::compression
