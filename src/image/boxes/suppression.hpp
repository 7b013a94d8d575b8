#pragma once
// Alternatives to greedy suppression for crowded scenes (evaluation 2.2, 2.4). All of them take the
// candidates of one class in descending score (stable) and return what is left in descending final
// score (stable).
#include <span>
#include <string_view>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7 {

enum class NmsKind {
  hard,
  soft_linear,
  soft_gaussian,
  diou,
  matrix_linear,
  matrix_gaussian,
  cluster,
  cluster_diou,
  cluster_spm,
  cluster_spm_dist,
  adaptive,
  wbf
};

std::string_view nms_kind_name(NmsKind kind);    ///< "hard", "soft-linear", …
std::vector<std::string_view> nms_kind_names();  ///< in the order of the enumeration

/// What only some kinds look at.
struct CrowdOptions {
  double soft_nt = 0.3;       ///< soft-linear: overlaps above it lower the score
  double soft_sigma = 0.5;    ///< soft-gaussian
  double soft_floor = 0.001;  ///< soft: boxes below it are removed
  double diou_beta = 0;       ///< exponent of the distance penalty; 0 = by kind: diou 1,
                              ///< cluster-diou 0.9, cluster-spm-dist 0.6
  /// The exponent in use where the kind has `usual`.
  double beta(double usual) const { return diou_beta > 0 ? diou_beta : usual; }
  double matrix_sigma = 2.0;       ///< matrix-gaussian
  double matrix_threshold = 0.05;  ///< matrix: decayed scores must exceed it
  double spm_sigma = 0.2;          ///< cluster-spm
  double spm_threshold = 0.01;     ///< cluster-spm: penalised scores must exceed it
  double adaptive_distinct =
      0.7;  ///< adaptive: boxes that greedy suppression at this IoU keeps apart may be neighbours
  double adaptive_share =
      0.5;  ///< adaptive: if their scores are at least this share of the other's
  bool cluster_weighted = false;  ///< cluster: boxes become means weighted by overlaps above 0.8
};

/// ρ²(centres) / c²(diagonal of the smallest box around both); 0 where the diagonal is 0.
/// Distance-IoU, AAAI 2020, equation 6.
double centre_distance_penalty(const Xyxy& a, const Xyxy& b);

/// Soft-NMS, ICCV 2017: scores decay with the overlap. Those that do not exceed `conf_thres` at the
/// end are left out.
std::vector<Detection> soft_suppression(std::span<const Detection> sorted, bool gaussian,
                                        double conf_thres, const CrowdOptions& options);
/// DIoU-NMS: suppressed where IoU − R^β > iou_thres.
std::vector<Detection> diou_suppression(std::span<const Detection> sorted, double iou_thres,
                                        double beta);
/// Adaptive NMS (Liu, Huang, Wang, CVPR 2019, equation 4): a box suppresses above max(iou_thres,
/// its density), the largest overlap with a neighbour. Its network predicts the density; here it is
/// estimated from the candidates: neighbours are what greedy suppression at `adaptive_distinct`
/// leaves, with at least `adaptive_share` of the box's score.
std::vector<Detection> adaptive_suppression(std::span<const Detection> sorted, double iou_thres,
                                            const CrowdOptions& options);
/// Matrix-NMS, SOLOv2, 2020, equations 3 to 5.
std::vector<Detection> matrix_suppression(std::span<const Detection> sorted, bool gaussian,
                                          const CrowdOptions& options);
/// Cluster-NMS, IEEE Trans. Cybernetics 2021. Its fixed point is that of greedy suppression, which
/// is how it is found here.
std::vector<Detection> cluster_suppression(std::span<const Detection> sorted, NmsKind kind,
                                           double iou_thres, const CrowdOptions& options);
/// Evaluation 2.2: each kept box becomes the mean, weighted by score, of all candidates that
/// overlap it by more than `iou_thres`; kept boxes that no other candidate overlaps are left out.
/// `kept` in its order; scores stay.
std::vector<Detection> merge_boxes(std::span<const Detection> candidates,
                                   std::span<const Detection> kept, double iou_thres);

}  // namespace yolov7
