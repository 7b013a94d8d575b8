#include "active/coco_predictions.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/scratch_folder.hpp"

namespace yolov7::active {
namespace {

namespace fs = std::filesystem;

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

TEST(CocoPredictions, AreReadAgain) {
  const test::ScratchFolder scratch;
  const fs::path file = scratch.write("p.json", R"({
"images": [{"id": 7, "file_name": "a.jpg", "width": 100, "height": 50},
           {"id": 3, "file_name": "b.jpg", "width": 40, "height": 60}],
"annotations": [{"image_id": 3, "category_id": 20, "bbox": [10, 20, 4, 30], "score": 0.5}],
"categories": [{"id": 20, "name": "dog"}, {"id": 10, "name": "cat"}]})");
  const Predictions found = read_coco_predictions(file);
  EXPECT_EQ(found.names, (std::vector<std::string>{"dog", "cat"}));
  ASSERT_EQ(found.images.size(), 2U);
  EXPECT_EQ(found.images[1].file, "b.jpg");
  EXPECT_EQ(found.images[1].width, 40);
  EXPECT_TRUE(found.images[0].detections.empty());
  ASSERT_EQ(found.images[1].detections.size(), 1U);
  EXPECT_EQ(found.images[1].detections[0].box, (Xyxy{10, 20, 14, 50}));
  EXPECT_EQ(found.images[1].detections[0].class_index, 0);
  EXPECT_FLOAT_EQ(found.images[1].detections[0].score, 0.5F);
}

TEST(CocoPredictions, RefusesOtherFiles) {
  const test::ScratchFolder scratch;
  const auto error = [&](const std::string& images, const std::string& boxes,
                         const std::string& classes) {
    const fs::path file =
        scratch.write("p.json", R"({"images": [)" + images + R"(], "annotations": [)" + boxes +
                                    R"(], "categories": [)" + classes + "]}");
    return test::error_of([&] { read_coco_predictions(file); });
  };
  const std::string image = R"({"id": 1, "file_name": "a.jpg", "width": 10, "height": 5})",
                    cat = R"({"id": 1, "name": "cat"})";
  const auto box = [](const std::string& rest) {
    return R"({"bbox": [1, 1, 2, 2], )" + rest + "}";
  };
  EXPECT_EQ(error(image, box(R"("image_id": 1, "category_id": 1, "score": 1)"), cat), "no error");
  EXPECT_TRUE(error(image, "", "").ends_with("found no class or no image"));
  EXPECT_TRUE(error("", "", cat).ends_with("found no class or no image"));
  EXPECT_TRUE(error(image, box(R"("image_id": 2, "category_id": 1, "score": 1)"), cat)
                  .ends_with("found a box of an image that it does not have"));
  for (const char* rest : {R"("image_id": 1, "category_id": 2, "score": 1)",
                           R"("image_id": 1, "category_id": 1, "score": 1.5)"})
    EXPECT_NE(error(image, box(rest), cat).find("found the box {"), std::string::npos);
  EXPECT_TRUE(error(image, box(R"("image_id": 1, "category_id": 1)"), cat)
                  .ends_with("found something else"));
  EXPECT_NE(error(R"({"id": 1, "file_name": "", "width": 10, "height": 5})", "", cat)
                .find("without a name or a size"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::active
