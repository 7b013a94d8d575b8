#pragma once
// What reconstruction is worth to the whole network: it is kept only where images that took no
// part in it say so.
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "compression/plan/reconstruction.hpp"
#include "compression/plan/sensitivity.hpp"

namespace yolov7::compression {

/// What a format makes of the plan.
struct NumberForm {
  network::ActivationNumbers numbers = network::ActivationNumbers::asymmetric;
  bool inner = false;
  auto operator<=>(const NumberForm&) const = default;
};

/// All convolutions, for one kind of activation numbers.
struct Refit {
  network::ActivationNumbers numbers = network::ActivationNumbers::asymmetric;
  std::vector<FittedLayer> layers;
  std::size_t images = 0;      ///< that judged
  OutputChange before, after;  ///< of the form that gains least
  bool kept = false;
};

/// Where rows change less than before in every form with these numbers.
bool gains(const OutputChange& before, const OutputChange& after);

/// Convolutions in `real` stay in float32. What is kept stands in scales.fitted. One entry for each
/// kind of numbers in `forms`. Errors: those of reconstruct() and of running.
std::vector<Refit> refit(const std::shared_ptr<const network::NetworkAndWeights>& fused,
                         network::QuantizationScales& scales, const std::set<std::string>& real,
                         const std::set<NumberForm>& forms, const CalibrationImages& images,
                         const std::stop_token& stop);

}  // namespace yolov7::compression
