#include "active/coco_predictions.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace yolov7::active {
namespace {

TEST(CocoPredictions, NumbersFromOneAndCorners) {
  const std::vector<PredictedImage> images = {
      {"a.jpg", 100, 50, {}},
      {"b.jpg", 40, 60, {{{10, 20, 14, 50}, 0.5F, 1}, {{0, 0, 2, 3}, 0.25F, 0}}}};
  EXPECT_EQ(coco_predictions(images, {"cat", "dog"}), nlohmann::json::parse(R"({
"images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50},
           {"id": 2, "file_name": "b.jpg", "width": 40, "height": 60}],
"annotations": [{"id": 1, "image_id": 2, "category_id": 2, "bbox": [10, 20, 4, 30], "area": 120,
                 "iscrowd": 0, "score": 0.5},
                {"id": 2, "image_id": 2, "category_id": 1, "bbox": [0, 0, 2, 3], "area": 6,
                 "iscrowd": 0, "score": 0.25}],
"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]})"));
}

}  // namespace
}  // namespace yolov7::active
