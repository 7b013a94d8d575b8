#include <fmt/format.h>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/settings.hpp"
#include "image/boxes/nms.hpp"

namespace yolov7 {
namespace {

constexpr const char* title = "Suppression";

/// What only some kinds look at.
std::vector<Setting> crowd_settings(CrowdOptions& o) {
  return {
      setting("soft-nt", o.soft_nt, "soft-linear: overlaps above it lower scores").range(0, 1),
      setting("soft-sigma", o.soft_sigma, "soft-gaussian: width of the decay").range(1e-6, 1e6),
      setting("soft-nms-thres", o.soft_floor, "soft: boxes whose score falls below it are removed")
          .range(0, 1),
      setting("diou-beta", o.diou_beta,
              "exponent of the distance's penalty; 0 = 1 for diou, 0.9 for cluster-diou, 0.6 for "
              "cluster-spm-dist")
          .range(0, 100),
      setting("matrix-sigma", o.matrix_sigma, "matrix-gaussian: strength of the decay")
          .range(0, 1e6),
      setting("matrix-post-thres", o.matrix_threshold, "matrix: decayed scores must exceed it")
          .range(0, 1),
      setting("cluster-sigma", o.spm_sigma, "cluster-spm: width of the penalty").range(1e-6, 1e6),
      setting("cluster-post-thres", o.spm_threshold, "cluster-spm: penalised scores must exceed it")
          .range(0, 1),
      setting("cluster-weighted", o.cluster_weighted,
              "cluster: boxes become means weighted by overlaps above 0.8"),
      setting("adaptive-distinct", o.adaptive_distinct,
              "adaptive: boxes that suppression at this IoU keeps apart may be neighbours")
          .range(0, 1),
      setting("adaptive-share", o.adaptive_share,
              "adaptive: if their scores are at least this share of the other's")
          .range(0, 1),
  };
}

std::vector<Setting> fusion_settings(FusionOptions& o) {
  return {
      setting("wbf-iou", o.iou_thres, "wbf: boxes that overlap more than this are one").range(0, 1),
      setting("wbf-skip", o.skip_below, "wbf: boxes with a lower score are left out").range(0, 1),
      setting("wbf-weights", o.weights, "wbf: one for each network or pass").range(1e-9, 1e9),
      setting("wbf-conf-type", o.score, "wbf: how scores become one",
              {"avg", "max", "box_and_model_avg", "absent_model_aware_avg"}),
      setting("wbf-allow-overflow", o.allow_overflow,
              "wbf: averages may exceed the boxes' own scores"),
  };
}

}  // namespace

std::vector<Setting> threshold_settings(NmsOptions& o) {
  return group(
      title,
      {setting("conf-thres", o.conf_thres, "confidence threshold").range(0, 1).basic(),
       setting("iou-thres", o.iou_thres, "IoU threshold of the suppression").range(0, 1).basic()});
}

std::vector<Setting> filter_settings(NmsOptions& o) {
  return group(
      title, {setting("classes", o.classes, "keep only these class numbers").range(0, 1e6).basic(),
              setting("agnostic-nms", o.agnostic, "suppress across classes"),
              setting("multi-label", o.multi_label, "several classes for one box")});
}

std::vector<Setting> limit_settings(NmsOptions& o) {
  return group(
      title,
      {setting("max-det", o.max_det, "most objects per image").range(1, 1e6),
       setting("max-nms", o.max_nms, "most boxes that enter the suppression").range(1, 1e8)});
}

std::vector<Setting> kind_settings(NmsOptions& o) {
  std::vector<std::string> kinds;
  for (const std::string_view name : nms_kind_names()) kinds.emplace_back(name);
  return group(
      title,
      joined({{setting("nms", o.kind, "kind of suppression", kinds),
               setting("merge-nms", o.merge,
                       "hard, 2 to 2999 candidates: boxes become means of those they suppress; "
                       "boxes that suppress none are left out")},
              crowd_settings(o.crowd),
              fusion_settings(o.fusion)}));
}

void require_possible(const NmsOptions& o, std::string_view verb) {
  const std::string_view kind = nms_kind_name(o.kind);
  if (o.merge && o.kind != NmsKind::hard)
    throw usage_error(fmt::format("{}: {}: expected {} hard, found {}", verb,
                                  setting_name("merge-nms"), setting_name("nms"), kind));
  if (o.crowd.cluster_weighted && !kind.starts_with("cluster"))
    throw usage_error(fmt::format("{}: {}: expected a {} cluster..., found {}", verb,
                                  setting_name("cluster-weighted"), setting_name("nms"), kind));
}

}  // namespace yolov7
