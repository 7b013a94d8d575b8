#include "evaluation/metrics/precision_envelope.hpp"

#include <algorithm>
#include <bit>

namespace yolov7::evaluation {
namespace {

std::array<double, coco_recalls> recall_thresholds() {
  std::array<double, coco_recalls> r{};
  for (std::size_t i = 0; i < coco_recalls; ++i) r[i] = static_cast<double>(i) * 0.01;
  r.back() = 1;
  return r;
}

}  // namespace

void PrecisionEnvelope::add(std::uint16_t found, std::uint16_t ignored, std::size_t weight) {
  seen_ += weight;
  for (unsigned bits = ignored; bits != 0; bits &= bits - 1)
    ignored_[static_cast<std::size_t>(std::countr_zero(bits))] += weight;
  for (unsigned bits = found; bits != 0; bits &= bits - 1) {
    const auto t = static_cast<std::size_t>(std::countr_zero(bits));
    found_[t] += weight;
    const double tp = static_cast<double>(found_[t]),
                 fp = static_cast<double>(seen_ - ignored_[t]) - tp;
    places_[t].push_back({found_[t], tp / (fp + tp + 2.220446049250313e-16)});
  }
}

std::array<double, coco_recalls> PrecisionEnvelope::sample(std::size_t threshold,
                                                           std::size_t objects) {
  static const auto points = recall_thresholds();
  std::vector<Place>& places = places_[threshold];
  for (std::size_t i = places.size(); i-- > 1;)
    places[i - 1].precision = std::max(places[i - 1].precision, places[i].precision);
  std::array<double, coco_recalls> sampled{};
  std::size_t i = 0;  // the first place whose recall reaches the point
  for (std::size_t r = 0; r < coco_recalls; ++r) {
    while (i < places.size() &&
           static_cast<double>(places[i].found) / static_cast<double>(objects) < points[r])
      ++i;
    if (i < places.size()) sampled[r] = places[i].precision;
  }
  return sampled;
}

}  // namespace yolov7::evaluation
