#include "evaluation/metrics/coco_split.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "evaluation/metrics/coco_json.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;

namespace {

dataset::Index index_of(const std::vector<std::string>& pictures) {
  dataset::Index index;
  index.split = "val";
  index.names = {"cat", "a \"dog\""};
  for (const std::string& name : pictures) {
    dataset::Entry entry;
    entry.picture = name;
    entry.width = 200;
    entry.height = 100;
    index.entries.push_back(entry);
  }
  return index;
}

void label(dataset::Index& index, std::size_t entry, int class_index, CxcywhNormalized box) {
  dataset::Label one;
  one.class_index = class_index;
  one.box = box;
  index.entries[entry].labels.push_back(one);
}

}  // namespace

// Evaluation 1.11: 1–11, 13–25, 27, 28, 31–44, 46–65, 67, 70, 72–82, 84–90.
TEST(CocoSplit, CategoryIds) {
  std::vector<std::int64_t> wanted;
  const auto add = [&](int first, int last) {
    for (int id = first; id <= last; ++id) wanted.push_back(id);
  };
  add(1, 11), add(13, 25), add(27, 28), add(31, 44), add(46, 65), add(67, 67), add(70, 70),
      add(72, 82), add(84, 90);
  ASSERT_EQ(wanted.size(), 80u);
  for (int c = 0; c < 80; ++c)
    EXPECT_EQ(category_id(c, true), wanted[static_cast<std::size_t>(c)]) << c;
  EXPECT_EQ(category_id(17, false), 17);
}

TEST(CocoSplit, PictureIds) {
  EXPECT_EQ(
      picture_ids(
          index_of({"a/000042.jpg", "a/b7.png", "a/\"x\".jpg", "a/123456789012345678901.jpg"})),
      (std::vector<std::string>{"42", "\"b7\"", "\"\\\"x\\\"\"", "\"123456789012345678901\""}));
  EXPECT_EQ(picture_ids(index_of({"a/7.jpg", "b/007.jpg", "c/9.jpg"})),
            (std::vector<std::string>{"1", "2", "3"}));
}

TEST(CocoSplit, GroundTruthFromLabels) {
  dataset::Index index = index_of({"a.jpg", "b.jpg"});
  label(index, 1, 1, {0.5, 0.5, 0.1, 0.2});
  label(index, 1, 0, {0.95, 0.5, 0.2, 0.5});  // reaches 10 px over the right edge
  const CocoGroundTruth truth = ground_truth_of(index);
  ASSERT_EQ(truth.annotations.size(), 2u);
  EXPECT_EQ(truth.images, (std::vector<std::int64_t>{1, 2}));
  const CocoAnnotation &first = truth.annotations[0], &second = truth.annotations[1];
  EXPECT_EQ(first.id, 1);
  EXPECT_EQ(first.image, 2);
  EXPECT_EQ(first.category, 2);
  EXPECT_NEAR(first.box.left, 90, 1e-12);
  EXPECT_NEAR(first.box.top, 40, 1e-12);
  EXPECT_NEAR(first.area, 400, 1e-10);
  EXPECT_FALSE(first.crowd);
  EXPECT_NEAR(second.box.width, 30, 1e-12);
  EXPECT_NEAR(second.area, 1500, 1e-10);
}

TEST(CocoSplit, FilesFitTogether) {
  const test::ScratchFolder scratch;
  dataset::Index index = index_of({"x/000012.jpg", "x/cell.jpg"});
  label(index, 0, 0, {0.5, 0.5, 0.1, 0.2});
  label(index, 1, 1, {0.5, 0.5, 0.5, 0.5});
  const std::vector<PictureDetections> found = {{0, {{{90, 40, 110, 60}, 0.123456789f, 0}}},
                                                {1, {{{50.00049, 25, 150.1236, 75}, 0.5f, 1}}}};
  write_detections(scratch / "dt.json", found, index, false);
  write_ground_truth(scratch / "gt.json", index, false);
  const auto list = nlohmann::json::parse(scratch.read("dt.json"));
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].dump(),
            R"({"bbox":[90,40,20,20],"category_id":0,"image_id":12,"score":0.12346})");
  EXPECT_EQ(list[1]["image_id"], "cell");
  EXPECT_EQ(list[1]["bbox"],
            nlohmann::json({50.0, 25.0, 100.123, 50.0}));  // 50.00049 → 50, 100.12311 → 100.123
  const CocoGroundTruth truth = read_ground_truth(scratch / "gt.json");
  EXPECT_EQ(truth.categories[1].name, "a \"dog\"");
  const CocoResult result = evaluate_coco(truth, read_detections(scratch / "dt.json", truth));
  EXPECT_NEAR(result.stats[0], 1, 1e-12);
  EXPECT_EQ(nlohmann::json::parse(scratch.read("gt.json"))["annotations"][0]["area"].get<double>(),
            truth.annotations[0].box.width * truth.annotations[0].box.height);
  write_detections(scratch / "dt.json", {}, index, false);
  EXPECT_EQ(nlohmann::json::parse(scratch.read("dt.json")), nlohmann::json::array());
}

TEST(CocoSplit, AnnotationFile) {
  const test::ScratchFolder scratch;
  const dataset::Index index = index_of({"x/000012.jpg", "x/cell.jpg"});
  const char* annotations =
      R"([{"id":1,"image_id":12,"category_id":9,"bbox":[0,0,10,10],"area":50,"iscrowd":1},
    {"id":2,"image_id":"cell","category_id":4,"bbox":[0,0,10,10],"area":60},{"id":3,"image_id":99,"category_id":4,"bbox":[0,0,10,10],"area":60}])";
  const auto file = [&](const std::string& images, const std::string& categories) {
    return scratch.write("anno.json", R"({"images":[)" + images +
                                          R"({"id":99},{"id":12}],"categories":[)" + categories +
                                          R"(],"annotations":)" + annotations + "}");
  };
  const char* both = R"({"id":4,"name":"a \"dog\""},{"id":9,"name":"cat"})";
  const CocoGroundTruth truth = ground_truth_of(index, file(R"({"id":"cell"},)", both), false);
  ASSERT_EQ(truth.annotations.size(), 2u);  // picture 99 is not in the split
  EXPECT_EQ(truth.images, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(truth.annotations[0].image, 1);
  EXPECT_EQ(truth.annotations[0].category, 1);
  EXPECT_TRUE(truth.annotations[0].crowd);
  EXPECT_EQ(truth.annotations[0].area, 50);
  EXPECT_EQ(truth.annotations[1].image, 2);
  EXPECT_EQ(truth.annotations[1].category, 2);

  const std::string other = test::error_of([&] {
    ground_truth_of(
        index, file(R"({"id":"cell"},)", R"({"id":4,"name":"bird"},{"id":9,"name":"cat"})"), false);
  });
  EXPECT_NE(other.find("expected a category for class 1 'a \"dog\"', found none"),
            std::string::npos)
      << other;
}

TEST(CocoSplit, AnnotationFileLacksAPicture) {
  const test::ScratchFolder scratch;
  const auto path = scratch.write(
      "anno.json",
      R"({"images":[{"id":12}],"categories":[{"id":1,"name":"cat"},{"id":2,"name":"a \"dog\""}],"annotations":[]})");
  const std::string message = test::error_of([&] {
    ground_truth_of(index_of({"x/000012.jpg", "x/cell.jpg"}), path, false);
  });
  EXPECT_NE(message.find("found 1 of 2 missing, the first: x/cell.jpg (image id \"cell\")"),
            std::string::npos)
      << message;
}

// Ids that are texts of digits, of which a split has two. Numbered by their order they would be 1
// to 3: picture 2 is "000002", not the second.
TEST(CocoSplit, AnnotationFileWithTextsOfDigits) {
  const test::ScratchFolder scratch;
  const auto path = scratch.write("anno.json",
                                  R"({"images":[{"id":"000002"},{"id":"000003"},{"id":"000007"}],
    "categories":[{"id":1,"name":"cat"},{"id":2,"name":"a \"dog\""}],"annotations":[
    {"id":1,"image_id":"000002","category_id":1,"bbox":[2,0,10,10],"area":100},
    {"id":2,"image_id":"000003","category_id":1,"bbox":[3,0,10,10],"area":100},
    {"id":3,"image_id":"000007","category_id":1,"bbox":[7,0,10,10],"area":100}]})");
  const CocoGroundTruth truth = ground_truth_of(index_of({"x/000002.jpg", "x/7.jpg"}), path, false);
  ASSERT_EQ(truth.annotations.size(), 2u);
  EXPECT_EQ(truth.annotations[0].image, 1);
  EXPECT_EQ(truth.annotations[0].box.left, 2);
  EXPECT_EQ(truth.annotations[1].image, 2);
  EXPECT_EQ(truth.annotations[1].box.left, 7);
}

// Another program numbers the images of a file from 0: id 1 is 2.jpg, so the objects of 2.jpg would
// be taken for those of 1.jpg.
TEST(CocoSplit, IdsThatAreOtherImagesAreRefused) {
  const test::ScratchFolder scratch;
  const auto file = [&](const std::string& images) {
    return scratch.write("anno.json", R"({"images":[)" + images +
                                          R"(],"categories":[{"id":1,"name":"cat"},
    {"id":2,"name":"a \"dog\""}],"annotations":[]})");
  };
  const dataset::Index index = index_of({"x/1.jpg", "x/2.jpg"});
  const auto shifted = file(R"({"id":0,"file_name":"1.jpg"},{"id":1,"file_name":"2.jpg"},
    {"id":2,"file_name":"3.jpg"})");
  const std::string message = test::error_of([&] { ground_truth_of(index, shifted, false); });
  EXPECT_NE(message.find("the image with the id 1 has the file name '2', and '1' another id"),
            std::string::npos)
      << message;
  const auto right = file(R"({"id":1,"file_name":"a/1.jpg"},{"id":2,"file_name":"COCO_2.jpg"})");
  EXPECT_EQ(ground_truth_of(index, right, false).images, (std::vector<std::int64_t>{1, 2}));
}

// A description of two classes that is called my-coco.yaml: its ids are not COCO's, so categories
// are found by name, and result files have the class index.
TEST(CocoSplit, OtherClassesThanCocosHaveNoCocoIds) {
  const test::ScratchFolder scratch;
  const dataset::Index index = index_of({"x/1.jpg"});
  const auto path =
      scratch.write("anno.json", R"({"images":[{"id":1}],"categories":[{"id":1,"name":"a \"dog\""},
    {"id":2,"name":"cat"}],"annotations":[
    {"id":1,"image_id":1,"category_id":2,"bbox":[0,0,10,10],"area":100}]})");
  const CocoGroundTruth truth = ground_truth_of(index, path, true);
  ASSERT_EQ(truth.annotations.size(), 1u);
  EXPECT_EQ(truth.annotations[0].category, 1) << "cat, class 0";
  const std::vector<PictureDetections> found = {{0, {{{90, 40, 110, 60}, 0.5f, 1}}}};
  write_detections(scratch / "dt.json", found, index, true);
  EXPECT_EQ(nlohmann::json::parse(scratch.read("dt.json"))[0]["category_id"], 1);
  write_ground_truth(scratch / "gt.json", index, true);
  EXPECT_EQ(nlohmann::json::parse(scratch.read("gt.json"))["categories"][1]["id"], 1);
}
