// Versions of data in any format: images inside annotation files, key points, recipes on them.
#include <stdlib.h>

#include "dataset/formats/convert.hpp"
#include "tests/versions/version_fixture.hpp"
#include "versions/checkout.hpp"
#include "versions/class_points.hpp"
#include "versions/recipe.hpp"
#include "versions/working_set.hpp"

namespace yolov7::versions {
namespace {

class AnyFormatVersion : public VersionFixture {
 protected:
  void SetUp() override { ::setenv("XDG_CACHE_HOME", (scratch / "cache").c_str(), 1); }
  /// The set of write_set() in another format, in a folder of that name.
  fs::path converted(const std::string& format, const fs::path& place) {
    dataset::ConvertOptions options;
    options.source = scratch / "data";
    options.out = scratch / place;
    options.to = format;
    dataset::convert(options);
    return scratch / place;
  }
  CreateOptions of(const fs::path& source) const {
    CreateOptions o = options();
    o.source = source;
    return o;
  }
};

TEST_F(AnyFormatVersion, ImagesInsideRecordsAreKept) {
  write_set();
  const fs::path here = converted("tfrecord", "here");
  fs::create_directories(scratch / "there");
  fs::copy(here, scratch / "there/copy", fs::copy_options::recursive);
  const Created one = create(of(here));
  EXPECT_TRUE(one.unpacked);
  EXPECT_EQ(one.entry.images, 8u);
  EXPECT_EQ(one.entry.boxes, 8u);
  Store from = store();
  for (const Item& item : from.content(one.entry.id).items) {
    EXPECT_EQ(item.path.find("cache"), std::string::npos) << item.path;
    EXPECT_NE(item.path.find("tfrecord"), std::string::npos) << item.path;
  }
  // The same records at another place are the same version.
  const Created other = create(of(scratch / "there/copy"));
  EXPECT_EQ(hex(other.entry.id), hex(one.entry.id));
  // The store does not need what was unpacked.
  fs::remove_all(scratch / "cache");
  const CheckedOut done =
      checkout(from, one.entry.id, {scratch / "again", "yolo", true, false, 1, {}});
  EXPECT_EQ(done.images, 8u);
  std::size_t rows = 0;
  for (const auto& file : fs::recursive_directory_iterator(scratch / "again/labels"))
    rows += file.is_regular_file() ? test::read_text(file.path()).size() > 0 : 0;
  EXPECT_EQ(rows, 8u);
}

TEST_F(AnyFormatVersion, RecipesTakeThem) {
  write_set();
  create(of(converted("tfrecord", "records")));
  Store from = store();
  const fs::path recipe =
      scratch.write("recipe.yaml", "steps:\n  - filter: {classes: [dog]}\n  - tile: {size: 16}\n");
  const Derived made = derive(from, {"pets@v1", recipe, "dogs", "", "somebody", {1, {}}});
  EXPECT_EQ(made.entry.images, 8u);  // one tile each
  EXPECT_EQ(made.entry.boxes, 4u);
  EXPECT_EQ(hex(recreate(from, made.entry.id, {1, {}})), hex(made.entry.id));
}

TEST_F(AnyFormatVersion, TheFormatMayStandInFront) {
  write_set();
  const fs::path coco = converted("coco", "coco");
  scratch.write("coco/labels/train/0.txt", "0 0.5 0.5 0.1 0.1\n");  // signs of two formats
  EXPECT_NE(test::error_of([&] { create(of(coco)); }).find("the signs of several"),
            std::string::npos);
  EXPECT_EQ(create(of("coco:" + coco.string())).entry.boxes, 8u);
}

TEST_F(AnyFormatVersion, ADataYamlThatIsWrongIsNoReasonToLookElsewhere) {
  write_set();
  scratch.write("data/data.yaml",
                "train: images/train\nval: images/val\nnc: 3\nnames: [cat, dog]\n");
  EXPECT_NE(test::error_of([&] {
              create(of(scratch / "data"));
            }).find("data.yaml:3:5: expected nc = 2, the number of names, found nc = 3"),
            std::string::npos);
}

TEST_F(AnyFormatVersion, KeyPointsComeBack) {
  scratch.write("pose/images/train/a.bmp", bitmap(1));
  scratch.write("pose/annotations/instances_train.json", R"({"images": [{"id": 1,
"file_name": "a.bmp", "width": 16, "height": 16}], "annotations": [{"id": 1, "image_id": 1,
"category_id": 1, "bbox": [2, 2, 8, 8], "keypoints": [3, 4, 2, 0, 0, 0, 5, 6, 1]}],
"categories": [{"id": 1, "name": "cat", "keypoints": ["nose", "tail", "ear"],
"skeleton": [[1, 2]]}]})");
  const Created made = create(of(scratch / "pose"));
  Store from = store();
  EXPECT_EQ(from.content(made.entry.id).classes.classes.at(0).points,
            R"({"joints":[[0,1]],"points":["nose","tail","ear"]})");
  checkout(from, made.entry.id, {scratch / "coco", "coco", true, false, 1, {}});
  const std::string text = scratch.read("coco/annotations/instances_train.json");
  EXPECT_NE(text.find(R"("keypoints":["nose","tail","ear"])"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("skeleton":[[1,2]])"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("keypoints":[3.0,4.0,2.0,0.0,0.0,0.0,5.0,6.0,1.0])"), std::string::npos)
      << text;
  // So they do out of label files, by their numbers.
  checkout(from, made.entry.id, {scratch / "yolo", "yolo", true, false, 1, {}});
  const Created rows = create(of(scratch / "yolo/data.yaml"));
  checkout(from, rows.entry.id, {scratch / "rows", "coco", true, false, 1, {}});
  EXPECT_NE(scratch.read("rows/annotations/instances_train.json")
                .find(R"("keypoints":[3.0,4.0,2.0,0.0,0.0,0.0,5.0,6.0,1.0])"),
            std::string::npos)
      << scratch.read("rows/annotations/instances_train.json");
}

TEST(ClassPoints, AsOneField) {
  dataset::AnnotatedClass one{"cat", {}, {}, {}};
  EXPECT_EQ(point_field(one), "");
  one.point_names = {"a\tb", "c"};
  one.joints = {{1, 0}};
  dataset::AnnotatedClass back{"cat", {}, {}, {}};
  take_point_field(point_field(one), back);
  EXPECT_EQ(back.point_names, one.point_names);
  EXPECT_EQ(back.joints, one.joints);
  EXPECT_NE(test::error_of([&] { take_point_field("[]", back); }).find("key points"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::versions
