#include "cli/verbs/nms_choice.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace yolov7::cli {

std::vector<Setting> NmsChoice::settings() {
  std::vector<std::string> kinds;
  for (const std::string_view name : nms_kind_names()) kinds.emplace_back(name);
  return {
      setting("nms", nms, "kind of suppression").choices(kinds),
      setting(
          "merge-nms", merge,
          "hard: boxes become means of those they suppress; boxes that suppress none are left out"),
      setting("soft-nt", soft_nt, "soft-linear: overlaps above it lower scores").range(0, 1),
      setting("soft-sigma", soft_sigma, "soft-gaussian: width of the decay").range(1e-6, 1e6),
      setting("soft-nms-thres", soft_thres, "soft: boxes whose score falls below it are removed")
          .range(0, 1),
      setting("diou-beta", diou_beta,
              "exponent of the distance's penalty; 0 = 1 for diou, 0.9 for cluster-diou, 0.6 for "
              "cluster-spm-dist")
          .range(0, 100),
      setting("matrix-sigma", matrix_sigma, "matrix-gaussian: strength of the decay").range(0, 1e6),
      setting("matrix-post-thres", matrix_thres, "matrix: decayed scores must exceed it")
          .range(0, 1),
      setting("cluster-sigma", spm_sigma, "cluster-spm: width of the penalty").range(1e-6, 1e6),
      setting("cluster-post-thres", spm_thres, "cluster-spm: penalised scores must exceed it")
          .range(0, 1),
      setting("cluster-weighted", cluster_weighted,
              "cluster: boxes become means weighted by overlaps above 0.8"),
      setting("adaptive-distinct", adaptive_distinct,
              "adaptive: boxes that suppression at this IoU keeps apart may be neighbours")
          .range(0, 1),
      setting("adaptive-share", adaptive_share,
              "adaptive: if their scores are at least this share of the other's")
          .range(0, 1),
      setting("wbf-iou", fusion_iou, "wbf: boxes that overlap more than this are one").range(0, 1),
      setting("wbf-skip", fusion_skip, "wbf: boxes with a lower score are left out").range(0, 1),
      setting("wbf-weights", fusion_weights, "wbf: one for each network or pass").range(1e-9, 1e9),
      setting("wbf-conf-type", fusion_score, "wbf: how scores become one")
          .choices({"avg", "max", "box_and_model_avg", "absent_model_aware_avg"}),
      setting("wbf-allow-overflow", fusion_overflow,
              "wbf: averages may exceed the boxes' own scores"),
  };
}

void NmsChoice::apply(NmsOptions& options) const {
  options.kind = *nms_kind(nms);
  options.merge = merge;
  options.crowd = {
      soft_nt,           soft_sigma,
      soft_thres,        diou_beta > 0 ? std::optional<double>(diou_beta) : std::nullopt,
      matrix_sigma,      matrix_thres,
      spm_sigma,         spm_thres,
      adaptive_distinct, adaptive_share,
      cluster_weighted};
  options.fusion.iou_thres = fusion_iou;
  options.fusion.skip_below = fusion_skip;
  options.fusion.score = *fused_score(fusion_score);
  options.fusion.allow_overflow = fusion_overflow;
  options.fusion.weights = fusion_weights;
}

void NmsChoice::check(const std::string& verb) const {
  if (merge && nms != "hard")
    throw usage_error(fmt::format("{}: --merge-nms: expected --nms hard, found {}", verb, nms));
  if (cluster_weighted && !nms.starts_with("cluster"))
    throw usage_error(
        fmt::format("{}: --cluster-weighted: expected a --nms cluster..., found {}", verb, nms));
}

}  // namespace yolov7::cli
