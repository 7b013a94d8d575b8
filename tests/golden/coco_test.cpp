#include <span>

#include "evaluation/metrics/coco_json.hpp"
#include "golden/reference.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;

namespace {

void expect_near(std::span<const double> found, const nlohmann::json& wanted,
                 const std::string& where) {
  ASSERT_EQ(found.size(), wanted.size()) << where;
  // Means over up to 80,000 numbers in [0, 1]: only the order of the sums differs.
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], wanted[i].get<double>(), 1e-12) << where << " [" << i << ']';
}

}  // namespace

// coco-<name>-gt.json, -dt.json, -expected.json.
TEST(Golden, Coco) {
  YOLOV7_REQUIRE_REFERENCE(golden::golden_dir());
  golden::Cases cases("coco");
  for (const auto& path : golden::golden_files("coco-")) {
    const std::string name = path.filename().string(), suffix = "-expected.json";
    if (!name.ends_with(suffix)) continue;
    const auto with = [&](const char* part) {
      return path.parent_path() / (name.substr(0, name.size() - suffix.size()) + part);
    };
    const CocoGroundTruth truth = read_ground_truth(with("-gt.json"));
    const CocoResult found = evaluate_coco(truth, read_detections(with("-dt.json"), truth));
    const auto wanted = golden::load(path);
    expect_near(found.stats, wanted.at("stats"), name + " stats");
    expect_near(found.ap_per_category, wanted.at("ap_per_category"), name + " AP per category");
    cases.ran();
  }
}
