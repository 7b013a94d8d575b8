#pragma once
// What the numbers of a set speak for before it is trained: image size, anchors, levels, tiles,
// class weights (data-services D1).
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dataset/doctor/subject.hpp"

namespace yolov7::dataset::doctor {

struct Advice {
  std::string topic;  ///< "image size", "anchors", "levels", "tiles", "class weights"
  std::string text;   ///< what to do, and the numbers that speak for it
};

/// In this order of topics; a topic for which nothing speaks says so. The subject has its network
/// and, where anchors were searched, those.
std::vector<Advice> advice_on(const Subject& subject);
nlohmann::json to_json(const std::vector<Advice>& advice);

/// Weights of classes by the effective number of samples (Cui et al., "Class-Balanced Loss Based on
/// Effective Number of Samples", CVPR 2019, eq. 4): (1 - b) / (1 - b^n) with b = 0.999, scaled to a
/// mean of 1 over the classes that have boxes; 0 for the others.
std::vector<double> class_weights(const std::vector<std::size_t>& boxes);

}  // namespace yolov7::dataset::doctor
