#include <fmt/format.h>

#include <numeric>
#include <stdexcept>

#include "evaluation/metrics/yolo_metric.hpp"
#include "golden/reference.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;

namespace {

MatchedPredictions predictions(const nlohmann::json& one) {
  MatchedPredictions all;
  for (const auto& row : one.at("tp")) {
    if (row.size() != 10) throw std::runtime_error("expected 10 thresholds");
    std::array<bool, 10> correct{};
    for (std::size_t k = 0; k < 10; ++k) correct[k] = row[k].get<int>() != 0;
    all.correct.push_back(correct);
  }
  all.confidence = one.at("conf").get<std::vector<float>>();
  all.predicted_class = one.at("pred_cls").get<std::vector<int>>();
  all.target_class = one.at("target_cls").get<std::vector<int>>();
  return all;
}

void expect_near(const std::vector<double>& found, const nlohmann::json& wanted,
                 const std::string& where) {
  ASSERT_EQ(found.size(), wanted.size()) << where;
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], wanted[i].get<double>(), 1e-9) << where << " [" << i << ']';
}

void check(const nlohmann::json& one, const char* variant, bool v5_end) {
  const std::string where = one.at("key").get<std::string>() + ' ' + variant;
  const auto& wanted = one.at(variant);
  const YoloMetric found = yolo_metric(predictions(one), {v5_end, false});
  ASSERT_EQ(found.classes, wanted.at("classes").get<std::vector<int>>()) << where;
  ASSERT_EQ(found.ap_per_threshold.size(), wanted.at("ap").size()) << where;
  for (std::size_t c = 0; c < found.classes.size(); ++c) {
    const auto& row = found.ap_per_threshold[c];
    expect_near({row.begin(), row.end()}, wanted.at("ap")[c],
                fmt::format("{} AP of class {}", where, found.classes[c]));
    EXPECT_EQ(found.ap50[c], row[0]) << where;
    EXPECT_NEAR(found.ap[c], std::accumulate(row.begin(), row.end(), 0.0) / 10, 1e-15) << where;
  }
  expect_near(found.p, wanted.at("p"), where + " P");
  expect_near(found.r, wanted.at("r"), where + " R");
  expect_near(found.f1, wanted.at("f1"), where + " F1");
}

}  // namespace

TEST(Golden, Ap) {
  YOLOV7_REQUIRE_REFERENCE(golden::golden_dir());
  golden::Cases cases("ap");
  for (const auto& path : golden::golden_files("ap"))
    for (const auto& one : golden::load(path)) {
      check(one, "yolov7", false);
      check(one, "v5_metric", true);
      cases.ran();
    }
}
