#pragma once
// The network that a data set is checked for: its anchors, the training size, and what the
// training transform does to sizes.
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "dataset/doctor/subject.hpp"

namespace yolov7::cli {

struct NetworkRuleOptions {
  std::string cfg = "yolov7", weights, hyp = "hyp.scratch.p5";
  int img_size = 640;
};

std::vector<Setting> settings(NetworkRuleOptions& options);
/// --weights before --cfg. Errors: as reading them.
dataset::doctor::NetworkRule network_rule(const NetworkRuleOptions& options);
/// Anchors searched for the boxes of this subject, at most 20,000 of them evenly chosen, where some
/// boxes are never or seldom assigned; else, and where they do not suffice, nothing changes.
void fit_anchors(dataset::doctor::Subject& subject, std::stop_token stop);

}  // namespace yolov7::cli
