#pragma once
// Label mistakes put into a set by a seed, and how many of the likeliest of a ranking are among
// them (data-services D3).
#include <set>
#include <string>

#include "dataset/doctor/label_errors.hpp"

namespace yolov7::test {

struct PlantedMistakes {
  dataset::doctor::Subject subject;  ///< with the mistakes
  std::size_t count = 0;
  /// "image" and the box, rounded to pixels, of each: the label, or where it was.
  std::set<std::string> keys;
};

std::string mistake_key(const std::string& image, const Xyxy& box);

/// `share` of the labels of images that have predictions: missing, given another class, moved by 40
/// % of their sides, or doubled with a shift of 10 %.
PlantedMistakes plant_mistakes(const dataset::doctor::Subject& clean,
                               const dataset::doctor::Predictions& predictions,
                               dataset::doctor::Mistake::Kind kind, double share,
                               std::uint64_t seed);

/// Precision among the first n of the ranking, n = planted. A missing label counts as found where
/// the prediction covers it by an IoU of 0.5.
double precision_at_n(const PlantedMistakes& planted,
                      const std::vector<dataset::doctor::Mistake>& ranked,
                      dataset::doctor::Mistake::Kind kind, dataset::doctor::Ranking ranking);

}  // namespace yolov7::test
