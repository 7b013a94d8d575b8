#include "image/boxes/nms.hpp"

#include <fmt/format.h>

#include "golden/reference.hpp"

using namespace yolov7;

namespace {

// Row r, column c is unit(key) at r·(nc + 5) + c: centre × 640, size × 180 + 16, √objectness,
// squared classes; in double, rounded once to float32.
std::vector<float> prediction(const std::string& key, std::size_t rows, int nc) {
  const golden::Sequence u(key);
  const std::size_t columns = static_cast<std::size_t>(nc) + 5;
  std::vector<float> values(rows * columns);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double v = u.unit(i);
    const std::size_t c = i % columns;
    values[i] = static_cast<float>(c < 2    ? v * 640
                                   : c < 4  ? v * 180 + 16
                                   : c == 4 ? std::sqrt(v)
                                            : v * v);
  }
  return values;
}

NmsOptions options_of(const nlohmann::json& args) {
  NmsOptions options;
  for (const auto& item : args.items()) {
    if (item.key() == "conf_thres")
      options.conf_thres = item.value();
    else if (item.key() == "iou_thres")
      options.iou_thres = item.value();
    else if (item.key() == "multi_label")
      options.multi_label = item.value();
    else if (item.key() == "agnostic")
      options.agnostic = item.value();
    else if (item.key() == "classes")
      options.classes = item.value().get<std::vector<int>>();
    else
      ADD_FAILURE() << "argument '" << item.key() << "' is not known to this test";
  }
  return options;
}

void check(const nlohmann::json& one) {
  const std::string key = one.at("key");
  const std::size_t rows = one.at("n");
  const int nc = one.at("nc");
  ASSERT_EQ(one.at("prediction"), "columns of u(key): xy*640, wh*180+16, obj=sqrt, cls=square")
      << key;
  const std::vector<float> decoded = prediction(key, rows, nc);
  const NmsResult result =
      non_maximum_suppression(decoded.data(), rows, nc, options_of(one.at("args")));
  const auto& wanted = one.at("detections");
  ASSERT_EQ(result.detections.size(), wanted.size()) << key;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto w = wanted[i].get<std::vector<double>>();
    const Detection& d = result.detections[i];
    // The reference subtracts half sizes in float32 (half an ulp of 1024 px is 3e-5) and multiplies
    // in float32.
    EXPECT_NEAR(d.box.x1, w.at(0), 1e-4) << key << " row " << i;
    EXPECT_NEAR(d.box.y1, w.at(1), 1e-4) << key << " row " << i;
    EXPECT_NEAR(d.box.x2, w.at(2), 1e-4) << key << " row " << i;
    EXPECT_NEAR(d.box.y2, w.at(3), 1e-4) << key << " row " << i;
    EXPECT_NEAR(d.score, w.at(4), 1e-6) << key << " row " << i;
    EXPECT_EQ(d.class_index, static_cast<int>(w.at(5))) << key << " row " << i;
  }
}

}  // namespace

TEST(Golden, Nms) {
  YOLOV7_REQUIRE_REFERENCE(golden::golden_dir());
  golden::Cases cases("nms");
  for (const auto& path : golden::golden_files("nms")) {
    for (const auto& one : golden::load(path)) {
      check(one);
      cases.ran();
    }
  }
}
