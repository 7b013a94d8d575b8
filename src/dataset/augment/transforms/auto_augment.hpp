#pragma once
// AutoAugment for detection: the learned policies v0 … v3 (Zoph et al., arXiv 1906.11172;
// data 12.6).
#include <span>
#include <string_view>
#include <vector>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

struct PolicyEntry {
  std::string_view operation;
  double probability = 0, level = 0;
};
using SubPolicy = std::vector<PolicyEntry>;

/// "v0" (5 sub-policies), "v1" (20), "v2" (15), "v3" (15). Error: another name.
const std::vector<SubPolicy>& detection_policy(std::string_view name);

std::vector<TransformEntry> policy_transforms();

}  // namespace yolov7::dataset
