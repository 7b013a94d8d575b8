// Differences of versions, worked by hand.
#include "versions/diff.hpp"

#include <nlohmann/json.hpp>

#include "tests/versions/version_fixture.hpp"

namespace yolov7::versions {
namespace {

std::vector<Shape> shapes(const std::string& rows) {
  return parse_annotations("yolo\n" + rows, 0, "test").shapes;
}

TEST(DiffShapes, EveryKindOfChange) {
  const auto before =
      shapes("0 0.2 0.2 0.2 0.2\n0 0.5 0.5 0.2 0.2\n1 0.8 0.8 0.2 0.2\n0 0.1 0.9 0.1 0.1\n");
  // The second is 0.02 to the right: 0.18 × 0.2 of 0.2 × 0.2 · 2 − 0.18 × 0.2: 9 of 11.
  const auto after =
      shapes("0 0.2 0.2 0.2 0.2\n0 0.52 0.5 0.2 0.2\n0 0.8 0.8 0.2 0.2\n1 0.9 0.1 0.1 0.1\n");
  const auto diff = diff_shapes(before, after, {0, 1});
  ASSERT_EQ(diff.size(), 4u);
  EXPECT_EQ(diff[0].kind, BoxChange::moved);
  EXPECT_EQ(diff[0].before, 1);
  EXPECT_NEAR(diff[0].iou, 9.0 / 11, 1e-9);
  EXPECT_EQ(diff[1].kind, BoxChange::reclassed);
  EXPECT_EQ(diff[1].iou, 1);
  EXPECT_EQ(diff[2].kind, BoxChange::removed);
  EXPECT_EQ(diff[2].before, 3);
  EXPECT_EQ(diff[3].kind, BoxChange::added);
  EXPECT_EQ(diff[3].after, 3);
}

// Below an IoU of one half it is another box.
TEST(DiffShapes, FarMovesAreRemovedAndAdded) {
  const auto diff = diff_shapes(shapes("0 0.2 0.2 0.2 0.2\n"), shapes("0 0.3 0.2 0.2 0.2\n"), {0});
  ASSERT_EQ(diff.size(), 2u);
  EXPECT_EQ(diff[0].kind, BoxChange::removed);
  EXPECT_EQ(diff[1].kind, BoxChange::added);
}

// Equal rows belong together even where another one has the same place.
TEST(DiffShapes, RepeatedRowsAreCounted) {
  const auto one = shapes("0 0.2 0.2 0.2 0.2\n"),
             two = shapes("0 0.2 0.2 0.2 0.2\n0 0.2 0.2 0.2 0.2\n");
  const auto diff = diff_shapes(one, two, {0});
  ASSERT_EQ(diff.size(), 1u);
  EXPECT_EQ(diff[0].kind, BoxChange::added);
}

TEST(DiffShapes, PolygonWithTheSameBoxIsADetail) {
  const auto diff = diff_shapes(shapes("0 0 0 0.5 0 0.5 0.5 0 0.5\n"),
                                shapes("0 0 0 0.5 0 0.5 0.5 0 0.25 0 0.5\n"), {0});
  ASSERT_EQ(diff.size(), 1u);
  EXPECT_EQ(diff[0].kind, BoxChange::detail);
}

// Cat was 0 and is 1: the polygon of the first row has one more point, the second row is the same.
TEST(DiffShapes, OtherOrderOfClassesHidesNoDetail) {
  const auto diff =
      diff_shapes(shapes("0 0 0 0.5 0 0.5 0.5 0 0.5\n1 0.8 0.8 0.2 0.2\n"),
                  shapes("1 0 0 0.5 0 0.5 0.5 0 0.25 0 0.5\n0 0.8 0.8 0.2 0.2\n"), {1, 0});
  ASSERT_EQ(diff.size(), 1u);
  EXPECT_EQ(diff[0].kind, BoxChange::detail);
  EXPECT_EQ(diff[0].before, 0);
  EXPECT_EQ(diff[0].after, 0);
}

ClassList classes(const std::vector<std::string>& names) {
  ClassList list;
  for (const std::string& name : names) list.classes.push_back({name, {}, {}, {}});
  return list;
}

TEST(DiffClasses, NamesThenPlaces) {
  using Map = std::vector<int>;
  EXPECT_EQ(match_class_lists(classes({"a", "b"}), classes({"b", "a"})), (Map{1, 0}));
  EXPECT_EQ(match_class_lists(classes({"a", "b"}), classes({"a", "c"})), (Map{0, 1}));  // renamed
  EXPECT_EQ(match_class_lists(classes({"a", "b"}), classes({"a"})), (Map{0, -1}));
  EXPECT_EQ(match_class_lists(classes({"x", "x"}), classes({"x", "x"})), (Map{0, 1}));
}

class DiffVersions : public VersionFixture {
 protected:
  Diff after_commit() {
    const Digest before = store().find("pets").id;
    const Digest after = commit().entry.id;
    Store from = store();
    return diff_versions(from, before, after);
  }
};

TEST_F(DiffVersions, ImagesSplitsAndBoxes) {
  write_set();
  commit();
  scratch.write("data/labels/train/1.txt", row(1, 0.5) + row(0, 0.25));  // one more
  scratch.write("data/labels/train/2.txt", row(1, 0.5));                 // re-classed
  fs::remove(scratch / "data/images/train/3.bmp");                       // gone
  scratch.write("data/images/train/new.bmp", bitmap(50));                // new
  scratch.write("data/labels/train/new.txt", row(1, 0.5));
  fs::rename(scratch / "data/images/train/4.bmp", scratch / "data/images/train/four.bmp");
  fs::rename(scratch / "data/labels/train/4.txt", scratch / "data/labels/train/four.txt");
  fs::rename(scratch / "data/images/train/5.bmp", scratch / "data/images/val/5.bmp");
  fs::rename(scratch / "data/labels/train/5.txt", scratch / "data/labels/val/5.txt");
  fs::remove(scratch / "data/images/val/6.bmp");
  scratch.write("data/images/val/6.bmp", bitmap(60));
  const Diff diff = after_commit();
  ASSERT_EQ(diff.images_added.size(), 1u);
  EXPECT_EQ(diff.images_added[0].path, "images/train/new.bmp");
  ASSERT_EQ(diff.images_removed.size(), 1u);
  EXPECT_EQ(diff.images_removed[0].path, "images/train/3.bmp");
  ASSERT_EQ(diff.images_renamed.size(), 2u);  // one of them to another split, too
  ASSERT_EQ(diff.images_moved.size(), 1u);
  EXPECT_EQ(diff.images_moved[0].second.path, "images/val/5.bmp");
  ASSERT_EQ(diff.images_replaced.size(), 1u);
  EXPECT_EQ(diff.images_replaced[0].second.path, "images/val/6.bmp");
  ASSERT_EQ(diff.labels.size(), 2u);
  // One added in 1, one with the new image; one removed with 3; one re-classed in 2.
  EXPECT_EQ(diff.boxes, (std::array<std::size_t, box_changes>{2, 1, 0, 1, 0}));
  const auto json = to_json(diff, classes({"cat", "dog"}), classes({"cat", "dog"}));
  EXPECT_EQ(json["boxes"]["added"], 2);
  EXPECT_EQ(json["boxes_by_class"]["cat"]["added"], 1);
  EXPECT_EQ(json["boxes_by_class"]["dog"]["re-classed"], 1);
}

TEST_F(DiffVersions, OrderOfRowsAloneIsSaid) {
  write_set();
  scratch.write("data/labels/train/0.txt", row(0, 0.5) + row(1, 0.25));
  commit();
  scratch.write("data/labels/train/0.txt", row(1, 0.25) + row(0, 0.5));
  const Diff diff = after_commit();
  ASSERT_EQ(diff.labels.size(), 1u);
  EXPECT_TRUE(diff.labels[0].order_only);
  EXPECT_EQ(diff.boxes, (std::array<std::size_t, box_changes>{}));
}

// The label files are the same, but the numbers in them stand for other classes.
TEST_F(DiffVersions, OtherOrderOfClassesChangesTheBoxes) {
  write_set(2, 1);
  commit();
  write_description("dog, cat");
  const Diff diff = after_commit();
  EXPECT_TRUE(diff.classes_reordered);
  EXPECT_EQ(diff.labels.size(), 3u);
  EXPECT_EQ(diff.boxes[static_cast<std::size_t>(BoxChange::reclassed)], 3u);
}

TEST_F(DiffVersions, RenamedClassIsNoOtherBox) {
  write_set();
  commit();
  write_description("cat, hound");
  const Diff diff = after_commit();
  ASSERT_EQ(diff.classes_renamed.size(), 1u);
  EXPECT_EQ(diff.classes_renamed[0].after, "hound");
  EXPECT_TRUE(diff.labels.empty());
  EXPECT_FALSE(diff.empty());
}

// Neither changes a row, but rows mean something else.
TEST(DiffContents, KeyPointsAndPropertiesOfClassesAreCompared) {
  Content before, after;
  before.classes = after.classes = classes({"cat", "dog"});
  after.classes.key_points = 17, after.classes.key_point_values = 3;
  after.classes.classes[1].colour = "#ff0000";
  const Diff diff = diff_contents(before, after, [](const Digest&) { return std::string(); });
  EXPECT_FALSE(diff.empty());
  EXPECT_TRUE(diff.other_kpt_shape);
  EXPECT_EQ(diff.classes_with_other_properties, std::vector<std::string>{"dog"});
  EXPECT_EQ(
      summary_lines(diff, 10),
      (std::vector<std::string>{"classes with another id, supercategory or colour (1): dog",
                                "kpt_shape, the shape of the key points, differs", "boxes: none"}));
  EXPECT_EQ(to_json(diff, before.classes, after.classes)["equal"], false);
}

// The rows of an image are equal; what the annotations say of the image is not.
TEST(DiffContents, PropertiesOfAnImageAreNamed) {
  Content before, after;
  before.classes = after.classes = classes({"cat"});
  Item item;
  item.path = "a.jpg", item.split = "train";
  item.annotations = sha256_digest("before");
  before.items = {item};
  item.annotations = sha256_digest("after");
  after.items = {item};
  const Diff diff = diff_contents(before, after, [&](const Digest& digest) {
    return std::string(digest == sha256_digest("before")
                           ? "objects\n{\"height\":9,\"tags\":[\"day\"],\"width\":9}\n"
                           : "objects\n{\"height\":9,\"tags\":[\"night\"],\"width\":9}\n");
  });
  ASSERT_EQ(diff.labels.size(), 1u);
  EXPECT_TRUE(diff.labels[0].image_properties);
  EXPECT_EQ(summary_lines(diff, 10)[0],
            "images whose annotations differ (1): a.jpg (other properties of the image)");
}

TEST_F(DiffVersions, EqualVersionsHaveNone) {
  write_set();
  const Digest id = commit().entry.id;
  Store from = store();
  EXPECT_TRUE(diff_versions(from, id, id).empty());
  EXPECT_EQ(summary_lines(diff_versions(from, id, id), 10),
            std::vector<std::string>{"no difference"});
}

}  // namespace
}  // namespace yolov7::versions
