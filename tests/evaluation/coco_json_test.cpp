#include "evaluation/metrics/coco_json.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/kept_messages.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;

namespace {

struct Case {
  const char* text;
  const char* expected;  ///< part of the message, behind the file name
};

std::string truth_with(const std::string& annotation) {
  return R"({"images":[{"id":5},{"id":7}],"categories":[{"id":3,"name":"cat"}],"annotations":[)" +
         annotation + "]}";
}
const char* const good =
    R"({"id":1,"image_id":5,"category_id":3,"bbox":[1,2,3.5,4],"area":9.25,"iscrowd":1,"segmentation":{"counts":"x"}})";

}  // namespace

TEST(CocoJson, GroundTruth) {
  const test::ScratchFolder scratch;
  const CocoGroundTruth truth =
      read_ground_truth(scratch.write("gt.json", "\xEF\xBB\xBF" + truth_with(good)));
  EXPECT_EQ(truth.images, (std::vector<std::int64_t>{5, 7}));
  ASSERT_EQ(truth.categories.size(), 1u);
  EXPECT_EQ(truth.categories[0].id, 3);
  EXPECT_EQ(truth.categories[0].name, "cat");
  ASSERT_EQ(truth.annotations.size(), 1u);
  const CocoAnnotation& a = truth.annotations[0];
  EXPECT_EQ(a.image, 5);
  EXPECT_EQ(a.box.width, 3.5);
  EXPECT_EQ(a.area, 9.25);  // the field, not 14
  EXPECT_TRUE(a.crowd);
}

TEST(CocoJson, BadGroundTruthIsNamed) {
  const test::ScratchFolder scratch;
  const auto with = [](const char* key, const char* value) {
    std::string text = good;
    const std::size_t at = text.find(std::string("\"") + key + "\":") + std::string(key).size() + 3;
    std::size_t end = text[at] == '[' ? text.find(']', at) + 1 : text.find_first_of(",}", at);
    return truth_with(text.replace(at, end - at, value));
  };
  const std::vector<std::pair<std::string, const char*>> cases = {
      {with("image_id", "6"), ": annotations[0]: image_id: image 6 is not in the ground truth"},
      {with("image_id", "\"a\""),
       ": annotations[0]: image_id: image \"a\" is not in the ground truth"},
      {with("image_id", "5.5"), ": annotations[0]: image_id: expected a whole number, found 5.5"},
      {with("image_id", "null"), ": annotations[0]: image_id: expected a whole number, found null"},
      {with("category_id", "4"), ": annotations[0]: category_id: 4 is not among the categories"},
      {with("bbox", "[1,2,3]"),
       ": annotations[0]: bbox: expected 4 numbers (left, top, width, height), found 3"},
      {with("bbox", "\"wide\""), ": annotations[0]: bbox: expected 4 numbers"},
      {with("bbox", "[1,2,3,\"4\"]"),
       ": annotations[0]: bbox: expected a finite number, found \"4\""},
      {with("bbox", "[1,2,-3,4]"),
       ": annotations[0]: bbox: expected a width and height of at least 0, found -3 and 4"},
      {with("area", "true"), ": annotations[0]: area: expected a finite number, found true"},
      {with("area", "NaN"), ":1:146: NaN is no JSON number"},
      {with("area", "1e999"), ": expected JSON, found a number that is too large"},
      {with("iscrowd", "\"no\""),
       ": annotations[0]: iscrowd: expected a whole number, found \"no\""},
      {truth_with(std::string(good) + "," + good), ": annotations[1]: the id 1 stands twice"},
      {truth_with("17"), ": annotations[0]: expected an object, found 17"},
      {truth_with(R"({"id":1,"image_id":5,"category_id":3,"area":12})"),
       ": annotations[0]: expected a key 'bbox', found none"},
      {with("id", "\"one\""), ": annotations[0]: id: expected a whole number, found \"one\""},
      {with("id", "9007199254740994.0"), ": annotations[0]: id: expected a whole number"},
      {with("bbox", "\"1,2,3,4\""), ": annotations[0]: bbox: expected 4 numbers"},
      {R"({"images":[],"categories":[]})",
       ": expected an object with images, categories and annotations, found no 'annotations'"},
      {R"({"images":[{"id":1},{"id":1}],"categories":[],"annotations":[]})",
       ": images[1]: the id 1 stands twice"},
      {R"({"images":{},"categories":[],"annotations":[]})", ": images: expected a list, found {}"},
      {R"({"images":[{"id":99999999999999999999}],"categories":[],"annotations":[]})",
       ": expected JSON, found what simdjson refuses"},
      {"[]", ": expected an object with images, categories and annotations, found []"},
      {"{\n  \"images\": [,]", ":2:14: expected JSON, found a syntax error"},
      {"", ":1:1: expected JSON"},
      {std::string(5000, '['), ": expected at most 100 nested levels"},
  };
  for (const auto& [text, expected] : cases) {
    const std::filesystem::path path = scratch.write("gt.json", text);
    const std::string message = test::error_of([&, p = path] { read_ground_truth(p); });
    EXPECT_EQ(message.rfind(path.string() + expected, 0), 0u) << text << "\n" << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
  EXPECT_NE(test::error_of([&] { read_ground_truth(scratch / "none.json"); }).find("none.json"),
            std::string::npos);
}

TEST(CocoJson, BadDetectionsAreNamed) {
  const test::ScratchFolder scratch;
  const CocoGroundTruth truth = read_ground_truth(scratch.write("gt.json", truth_with("")));
  const std::vector<Case> cases = {
      {R"([{"image_id":6,"category_id":3,"bbox":[1,2,3,4],"score":0.5}])",
       ": detections[0]: image_id: image 6 is not in the ground truth"},
      {R"([{"image_id":5,"category_id":3,"bbox":[1,2,3,4],"score":0.5},{"image_id":5,"category_id":3,"score":0.5}])",
       ": detections[1]: expected a key 'bbox', found none"},
      {R"([{"image_id":5,"category_id":3,"bbox":[1,2,3,4],"score":"0.5"}])",
       ": detections[0]: score: expected a finite number"},
      {R"([{"image_id":5,"category_id":3,"bbox":[1,2,3,4],"score":null}])",
       ": detections[0]: score: expected a finite number, found null"},
      {R"([{"image_id":"5a","category_id":3,"bbox":[1,2,3,4],"score":0.5}])",
       ": detections[0]: image_id: image \"5a\" is not in the ground truth"},
      {R"([{"image_id":5.5,"category_id":3,"bbox":[1,2,3,4],"score":0.5}])",
       ": detections[0]: image_id: expected a whole number, found 5.5"},
      {R"({"annotations":[{"image_id":5,"category_id":3,"bbox":[1,2,3,4]}]})",
       ": detections[0]: expected a key 'score', found none"},
      {R"([{"image_id":5,"category_id":"cat","bbox":[1,2,3,4],"score":0.5}])",
       ": detections[0]: category_id: expected a whole number"},
      {R"({"detections":[]})", ": detections: expected a list"},
  };
  for (const Case& one : cases) {
    const std::filesystem::path path = scratch.write("dt.json", one.text);
    const std::string message = test::error_of([&] { read_detections(path, truth); });
    EXPECT_EQ(message.rfind(path.string() + one.expected, 0), 0u) << one.text << "\n" << message;
  }
  EXPECT_TRUE(read_detections(scratch.write("dt.json", "[]"), truth).empty());
  // A category that is not evaluated is no error.
  EXPECT_EQ(read_detections(
                scratch.write("dt.json",
                              R"([{"image_id":7,"category_id":99,"bbox":[1,2,0,4],"score":1}])"),
                truth)
                .size(),
            1u);
}

// Texts come behind numbers and in the order of their characters, wherever they stand in the file.
TEST(CocoJson, PictureIdsMayBeTexts) {
  const test::ScratchFolder scratch;
  const CocoGroundTruth truth = read_ground_truth(scratch.write(
      "gt.json", R"({"images":[{"id":"b"},{"id":12},{"id":"a"}],"categories":[{"id":1}],
    "annotations":[{"id":1,"image_id":"a","category_id":1,"bbox":[0,0,10,10],"area":100}]})"));
  EXPECT_EQ(truth.images, (std::vector<std::int64_t>{12, 13, 14}));
  EXPECT_EQ(truth.annotations[0].image, 13);
  const auto found = read_detections(
      scratch.write("dt.json", R"([{"image_id":"b","category_id":1,"bbox":[0,0,10,10],"score":0.9},
    {"image_id":"a","category_id":1,"bbox":[0,0,10,10],"score":0.8},{"image_id":12,"category_id":1,"bbox":[0,0,10,10],"score":0.7}])"),
      truth);
  EXPECT_EQ(found[0].image, 14);
  EXPECT_EQ(found[1].image, 13);
  EXPECT_EQ(found[2].image, 12);
  // A false positive, then the match: precision 1/2 at recall 1.
  EXPECT_NEAR(evaluate_coco(truth, found).stats[0], 0.5, 1e-12);
}

// As pandas writes whole numbers in a column that once held a gap.
TEST(CocoJson, WholeNumbersMayHaveAPoint) {
  const test::ScratchFolder scratch;
  const test::KeptMessages kept;
  const CocoGroundTruth truth = read_ground_truth(
      scratch.write("gt.json", R"({"images":[{"id":5.0},{"id":7e0}],"categories":[{"id":3.0}],
    "annotations":[{"id":1.0,"image_id":5,"category_id":3,"bbox":[1,2,3,4],"area":12,"iscrowd":0.0}]})"));
  EXPECT_EQ(truth.images, (std::vector<std::int64_t>{5, 7}));
  const auto found = read_detections(
      scratch.write("dt.json",
                    R"([{"image_id":7.0,"category_id":3.0,"bbox":[1,2,3,4],"score":1}])"),
      truth);
  EXPECT_EQ(found.at(0).image, 7);
  EXPECT_EQ(found.at(0).category, 3);
  EXPECT_EQ(kept.text(), "");
}

TEST(CocoJson, WithoutAreaTheBoxesIsTakenAndOneWarningSaysSo) {
  const test::ScratchFolder scratch;
  const test::KeptMessages kept;
  const CocoGroundTruth truth = read_ground_truth(scratch.write(
      "gt.json", truth_with(R"({"id":1,"image_id":5,"category_id":3,"bbox":[1,2,3.5,4]},
      {"id":2,"image_id":5,"category_id":3,"bbox":[1,2,5,6],"area":null,"iscrowd":null},
      {"id":3,"image_id":5,"category_id":3,"bbox":[1,2,5,6],"area":7})")));
  const std::string said = kept.text();
  EXPECT_EQ(truth.annotations.at(0).area, 14);
  EXPECT_EQ(truth.annotations.at(1).area, 30);
  EXPECT_EQ(truth.annotations.at(2).area, 7);
  EXPECT_FALSE(truth.annotations.at(1).crowd);
  EXPECT_NE(said.find("gt.json: 2 annotations have no area"), std::string::npos) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
}

TEST(CocoJson, IdsOfDigitsAreTakenWithANote) {
  const test::ScratchFolder scratch;
  const CocoGroundTruth truth = read_ground_truth(scratch.write(
      "gt.json", R"({"images":[{"id":139},{"id":"12"},{"id":"a"}],"categories":[{"id":3}],
    "annotations":[]})"));
  ASSERT_EQ(truth.images, (std::vector<std::int64_t>{139, 140, 141}));  // "12", "a" behind 139
  const test::KeptMessages kept;
  const auto found = read_detections(
      scratch.write("dt.json",
                    R"([{"image_id":"000000000139","category_id":"3","bbox":[1,2,3,4],"score":1},
    {"image_id":12,"category_id":3,"bbox":[1,2,3,4],"score":1}])"),
      truth);
  const std::string said = kept.text();
  EXPECT_EQ(found.at(0).image, 139);
  EXPECT_EQ(found.at(0).category, 3);
  EXPECT_EQ(found.at(1).image, 140);
  EXPECT_NE(said.find("dt.json: 3 ids differ"), std::string::npos) << said;
  // 140 is the number that "12" got here; in the file no picture has it.
  EXPECT_NE(test::error_of([&] {
              read_detections(
                  scratch.write("dt.json",
                                R"([{"image_id":140,"category_id":3,"bbox":[1,2,3,4],"score":1}])"),
                  truth);
            }).find("image 140 is not in the ground truth"),
            std::string::npos);
}

TEST(CocoJson, DetectionsMayStandUnderAnnotations) {
  const test::ScratchFolder scratch;
  const CocoGroundTruth truth = read_ground_truth(scratch.write("gt.json", truth_with("")));
  const test::KeptMessages kept;
  const auto found = read_detections(
      scratch.write(
          "dt.json",
          "\xEF\xBB\xBF"
          R"({"images":[],"annotations":[{"image_id":7,"category_id":3,"bbox":[1,2,3,4],"score":0.5}]})"),
      truth);
  const std::string said = kept.text();
  EXPECT_EQ(found.size(), 1u);
  EXPECT_NE(said.find("dt.json: the detections are taken from its key 'annotations'"),
            std::string::npos)
      << said;
}
