#pragma once
// Which boxes a network can learn at a training size: the rule by which training gives a box to
// anchors (training 13.3), after the training transform and its filter (data 8.4). What would
// change it, with the numbers that it would give.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dataset/doctor/subject.hpp"

namespace yolov7::dataset::doctor {

enum class Obstacle { none, too_thin, too_tiny, too_small, too_large, too_long };

/// What training can do with a box of these sides, in pixels of the network input at scale 1.
struct Reach {
  /// Share of the training transform's scales, which are drawn evenly from least_scale to
  /// most_scale, at which the filter keeps the box and at least one anchor takes it.
  double share = 0;
  bool finest_only = false;            ///< no anchor of a coarser level ever takes it
  Obstacle obstacle = Obstacle::none;  ///< the reason where share is 0
};

/// The filter of the training transform: sides above 2 px and below 20 to 1 (data 8.4).
inline constexpr double least_side_px = 2, most_ratio = 20;

Reach reach_of(double width_px, double height_px, const NetworkRule& rule);

struct ReachCounts {
  std::string name;
  std::size_t boxes = 0, never = 0, seldom = 0, finest_only = 0;  ///< seldom: at less than half
};

/// A change of the training and what would be left of the boxes that are never assigned.
struct Cure {
  std::string text;
  std::size_t never = 0, seldom = 0;
};

struct Assignment {
  std::string network;
  int image_size = 0;
  double anchor_threshold = 0, least_scale = 0, most_scale = 0;
  ReachCounts all;
  std::vector<ReachCounts> classes, sizes;
  std::vector<Cure> cures;  ///< only where some boxes are never or seldom assigned
};

/// Over the boxes of all splits as training reads them. Without a network: nothing.
std::optional<Assignment> assignment_of(const Subject& subject);
nlohmann::json to_json(const Assignment& assignment);
std::vector<std::string> lines_of(const Assignment& assignment);

}  // namespace yolov7::dataset::doctor
