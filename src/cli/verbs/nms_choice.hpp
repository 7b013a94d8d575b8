#pragma once
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "image/boxes/nms.hpp"

namespace yolov7::cli {

/// Which suppression, and its numbers; shared by detect and val. `matrix_threshold` differs between
/// the two.
struct NmsChoice {
  std::string nms = "hard", fusion_score = "avg";
  double soft_nt = 0.3, soft_sigma = 0.5, soft_thres = 0.001, diou_beta = 0, matrix_sigma = 2,
         matrix_thres = 0.05, spm_sigma = 0.2, spm_thres = 0.01, adaptive_distinct = 0.7,
         adaptive_share = 0.5;
  double fusion_iou = 0.55, fusion_skip = 0;
  std::vector<double> fusion_weights;
  bool merge = false, cluster_weighted = false, fusion_overflow = false;

  std::vector<Setting> settings();
  /// Error (usage): options that exclude each other.
  void check(const std::string& verb) const;
  void apply(NmsOptions& options) const;
};

}  // namespace yolov7::cli
