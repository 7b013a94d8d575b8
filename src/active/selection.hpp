#pragma once
// Which images of a pool are labelled next (docs/active.md).
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "active/cost.hpp"
#include "active/features.hpp"
#include "active/image_scores.hpp"

namespace yolov7::active {

/// One image of the pool.
struct Candidate {
  ImageScores scores;
  Feature feature{};
  /// Equal for images that show the same: near duplicates, neighbouring frames of one video. At
  /// most one of a group is chosen.
  std::size_t group = 0;
  bool known = false;  ///< its group holds a labelled image: never chosen
};

/// Names of strategies, for the option and the documentation.
struct StrategyName {
  const char* name;
  const char* description;
};
std::span<const StrategyName> strategies();

struct SelectOptions {
  std::string strategy = "auto";
  Budget budget;
  CostModel cost;
  double control = 0.1;  ///< share of the budget that is spent at random
  double empty_share =
      0.05;            ///< share of the budget for images in which nothing was found, at random
  double below = 0.7;  ///< low-confidence: an image with a box below this
  /// auto: an image counts for the rarest class that was found in it; a class gets at most this
  /// share of the images that are ranked by entropy, as long as others are left.
  double class_share = 0.4;
  std::uint64_t seed = 0;
  int threads = 0;                          ///< 0 = usable cores
  std::vector<std::size_t> labelled_boxes;  ///< by class, of the labelled set
  std::vector<Feature> labelled;            ///< of the labelled images
};

struct Choice {
  std::size_t index = 0;  ///< of the candidate
  double boxes = 0;       ///< expected: detections, times Selection::boxes_factor
  double share = 0;       ///< of the budget
  enum class Part { strategy, control, empty } part = Part::strategy;
  std::string why;
};

struct Selection {
  std::vector<Choice> choices;  ///< in the order in which they were chosen
  double spent = 0;             ///< of the budget, in its unit
  std::size_t known = 0;        ///< candidates left out: they show what a labelled image shows
  std::size_t alike = 0;        ///< candidates left out: they show what a chosen image shows
  std::size_t considered = 0;   ///< candidates that could be chosen
  /// True boxes for each detection: mean boxes of the labelled images by the mean detections of the
  /// images that could be chosen; 1 … 10, and 1 with fewer than 10 labelled images.
  double boxes_factor = 1;
  bool full = false;   ///< an image was left because the budget is too small for it
  std::string phases;  ///< of auto: "12 typical, 30 by entropy"; "" otherwise
};

/// A class counts as known to the detector from so many labelled boxes on (docs/active.md).
inline constexpr std::size_t boxes_to_know = 50;

/// Chooses until the next image would exceed the budget. First the control part and the images
/// without a detection, then by the strategy. The result is a function of the candidates, their
/// order and the options alone. Errors (usage): an unknown strategy; a budget of 0 or less; shares
/// outside 0 … 1 or above 1 together.
Selection select(std::span<const Candidate> candidates, const SelectOptions& options);

}  // namespace yolov7::active
