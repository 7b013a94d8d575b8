#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/settings.hpp"
#include "image/boxes/nms.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

Settings table(NmsOptions& o) {
  return {"detect",
          joined({threshold_settings(o), filter_settings(o), limit_settings(o), kind_settings(o)})};
}

void set(const Settings& settings, const std::string& name,
         const std::vector<std::string>& values) {
  settings.resolve(name).assign(values, "--" + name);
}

TEST(NmsSettings, EachOptionIsItsMember) {
  NmsOptions o;
  const Settings s = table(o);
  set(s, "conf-thres", {"0.1"});
  set(s, "iou-thres", {"0.2"});
  set(s, "classes", {"3", "5"});
  set(s, "agnostic-nms", {"true"});
  set(s, "multi-label", {"true"});
  set(s, "max-det", {"6"});
  set(s, "max-nms", {"7"});
  set(s, "merge-nms", {"true"});
  set(s, "soft-nt", {"0.31"});
  set(s, "soft-sigma", {"0.32"});
  set(s, "soft-nms-thres", {"0.33"});
  set(s, "diou-beta", {"0.34"});
  set(s, "matrix-sigma", {"0.35"});
  set(s, "matrix-post-thres", {"0.36"});
  set(s, "cluster-sigma", {"0.37"});
  set(s, "cluster-post-thres", {"0.38"});
  set(s, "cluster-weighted", {"true"});
  set(s, "adaptive-distinct", {"0.39"});
  set(s, "adaptive-share", {"0.41"});
  set(s, "wbf-iou", {"0.42"});
  set(s, "wbf-skip", {"0.43"});
  set(s, "wbf-weights", {"2", "3"});
  set(s, "wbf-conf-type", {"box_and_model_avg"});
  set(s, "wbf-allow-overflow", {"true"});
  EXPECT_EQ(o.conf_thres, 0.1);
  EXPECT_EQ(o.iou_thres, 0.2);
  EXPECT_EQ(o.classes, (std::vector<int>{3, 5}));
  EXPECT_TRUE(o.agnostic && o.multi_label && o.merge);
  EXPECT_EQ(o.max_det, 6);
  EXPECT_EQ(o.max_nms, 7);
  EXPECT_EQ(o.crowd.soft_nt, 0.31);
  EXPECT_EQ(o.crowd.soft_sigma, 0.32);
  EXPECT_EQ(o.crowd.soft_floor, 0.33);
  EXPECT_EQ(o.crowd.diou_beta, 0.34);
  EXPECT_EQ(o.crowd.matrix_sigma, 0.35);
  EXPECT_EQ(o.crowd.matrix_threshold, 0.36);
  EXPECT_EQ(o.crowd.spm_sigma, 0.37);
  EXPECT_EQ(o.crowd.spm_threshold, 0.38);
  EXPECT_TRUE(o.crowd.cluster_weighted);
  EXPECT_EQ(o.crowd.adaptive_distinct, 0.39);
  EXPECT_EQ(o.crowd.adaptive_share, 0.41);
  EXPECT_EQ(o.fusion.iou_thres, 0.42);
  EXPECT_EQ(o.fusion.skip_below, 0.43);
  EXPECT_EQ(o.fusion.weights, (std::vector<double>{2, 3}));
  EXPECT_EQ(o.fusion.score, FusedScore::box_and_model_average);
  EXPECT_TRUE(o.fusion.allow_overflow);
}

TEST(NmsSettings, KindsByName) {
  NmsOptions o;
  const Settings s = table(o);
  EXPECT_EQ(s.resolve("nms").text(), "hard");
  const std::vector<std::pair<std::string, NmsKind>> kinds = {
      {"hard", NmsKind::hard},
      {"soft-linear", NmsKind::soft_linear},
      {"soft-gaussian", NmsKind::soft_gaussian},
      {"diou", NmsKind::diou},
      {"matrix-linear", NmsKind::matrix_linear},
      {"matrix-gaussian", NmsKind::matrix_gaussian},
      {"cluster", NmsKind::cluster},
      {"cluster-diou", NmsKind::cluster_diou},
      {"cluster-spm", NmsKind::cluster_spm},
      {"cluster-spm-dist", NmsKind::cluster_spm_dist},
      {"adaptive", NmsKind::adaptive},
      {"wbf", NmsKind::wbf}};
  EXPECT_EQ(s.resolve("nms").allowed.size(), kinds.size());
  for (const auto& [name, kind] : kinds) {
    set(s, "nms", {name});
    EXPECT_EQ(o.kind, kind) << name;
    EXPECT_EQ(s.resolve("nms").text(), name);
  }
  const std::vector<std::pair<std::string, FusedScore>> scores = {
      {"avg", FusedScore::average},
      {"max", FusedScore::maximum},
      {"box_and_model_avg", FusedScore::box_and_model_average},
      {"absent_model_aware_avg", FusedScore::absent_model_aware_average}};
  for (const auto& [name, score] : scores) {
    set(s, "wbf-conf-type", {name});
    EXPECT_EQ(o.fusion.score, score) << name;
  }
}

// 0 is the exponent of the kind: 1, 0.9 or 0.6 (evaluation 2.4).
TEST(NmsSettings, ThePenaltysExponentIsThatOfTheKind) {
  CrowdOptions crowd;
  EXPECT_EQ(crowd.beta(0.9), 0.9);
  crowd.diou_beta = 0.25;
  EXPECT_EQ(crowd.beta(0.9), 0.25);
}

TEST(NmsSettings, OptionsThatExcludeEachOther) {
  NmsOptions o;
  o.merge = true;
  require_possible(o, "val");
  o.kind = NmsKind::diou;
  EXPECT_EQ(test::error_of([&] { require_possible(o, "val"); }),
            "val: merge-nms: expected nms hard, found diou");
  o.merge = false;
  o.crowd.cluster_weighted = true;
  EXPECT_EQ(test::error_of([&] { require_possible(o, "detect"); }),
            "detect: cluster-weighted: expected a nms cluster..., found diou");
  o.kind = NmsKind::cluster_spm;
  require_possible(o, "detect");
}

}  // namespace
}  // namespace yolov7
