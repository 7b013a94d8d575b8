// Marks of labels, from the side file of YOLO text and from other formats, by hand (training 23).
#include "dataset/formats/set_marks.hpp"

#include "dataset/formats/open_data.hpp"
#include "dataset/index/read_index.hpp"
#include "tests/dataset/formats/format_fixture.hpp"

namespace yolov7::dataset {
namespace {

class SetMarksOf : public test::FormatFiles {
 protected:
  /// Two images of 100 × 50 px; the third row of the first repeats the first one.
  void write_yolo(const std::string& side) {
    image("images/train/a.png");
    image("images/train/b.png");
    file("labels/train/a.txt",
         "0 0.5 0.5 0.2 0.2\n1 0.25 0.5 0.1 0.1\n0 0.5 0.5 0.2 0.2\n\n"
         "1 0.75 0.5 0.1 0.1\n");
    file("labels/train/b.txt", "0 0.5 0.5 0.4 0.4\n");
    file("data.yaml", "train: images/train\nval: images/train\nnc: 2\nnames: [cat, dog]\n");
    file("annotations.extra.jsonl", side);
  }
  SetMarks read(const std::string& data) {
    const Description description = open_data(data);
    return read_marks(description, read_index(description, "train", {}));
  }
  SetMarks read_yolo_set() { return read((source / "data.yaml").string()); }
};

constexpr const char* machine = R"("attributes":{"origin":"machine","teacher":"x"})";

TEST_F(SetMarksOf, RowsOfTheSideFile) {
  write_yolo(
      std::string(
          R"({"image":"images/train/a.png","row":1,"label":"1 0.25 0.5 0.1 0.1","score":0.75,)") +
      machine + "}\n" + R"({"image":"images/train/a.png","row":3,"label":"1 0.75 0.5 0.1 0.1",)" +
      machine + "}\n" +
      R"({"image":"images/train/a.png","row":0,"label":"0 0.5 0.5 0.2 0.2","occluded":true})" +
      "\n" + R"({"image":"images/train/b.png","box":[0.1,0.2,0.5,0.6],"class":0,"ignore":true,)" +
      machine + "}\n" +
      R"({"image":"images/train/b.png","box":[-0.2,0,0.2,1.5],"class":0,"crowd":true})" + "\n" +
      R"({"image":"images/train/b.png","tags":{"origin":"drawn"}})" + "\n" +
      R"({"image":"images/val/c.png","row":0,"label":"0 1 1 1 1"})" + "\n");
  const SetMarks marks = read_yolo_set();
  EXPECT_TRUE(marks.problems.empty());
  ASSERT_EQ(marks.images.size(), 2u);
  // The repeated row is no label: the fourth row is the third label. Without a score it counts 1.
  EXPECT_EQ(marks.images[0].labels, (std::vector<LabelMark>{{}, {true, 0.75f}, {true, 1}}));
  EXPECT_FALSE(marks.images[0].drawn);
  EXPECT_TRUE(marks.images[1].labels.empty());
  EXPECT_TRUE(marks.images[1].drawn);
  ASSERT_EQ(marks.images[1].regions.size(), 2u);
  EXPECT_TRUE(marks.images[1].regions[0].machine);
  EXPECT_NEAR(marks.images[1].regions[0].box.cx, 0.3, 1e-12);
  EXPECT_NEAR(marks.images[1].regions[0].box.h, 0.4, 1e-12);
  EXPECT_FALSE(marks.images[1].regions[1].machine);
  EXPECT_NEAR(marks.images[1].regions[1].box.cx, 0.1, 1e-12) << "inside the image";
  EXPECT_NEAR(marks.images[1].regions[1].box.h, 1, 1e-12);
}

TEST_F(SetMarksOf, ARowThatHasChangedSinceIsAProblem) {
  write_yolo(
      std::string(
          R"({"image":"images/train/b.png","row":0,"label":"0 0.5 0.5 0.3 0.3","score":0.5,)") +
      machine + "}\n{\"image\":\"images/train/b.png\",\"row\":7,\"label\":\"\"," + machine +
      "}\nnonsense\n");
  const SetMarks marks = read_yolo_set();
  EXPECT_TRUE(marks.images[1].labels.empty());
  ASSERT_EQ(marks.problems.size(), 3u);
  EXPECT_NE(marks.problems[0].reason.find("has changed since: its mark is not used"),
            std::string::npos);
  EXPECT_NE(marks.problems[1].reason.find("has no row 7"), std::string::npos);
  EXPECT_EQ(marks.problems[2].line, 3);
}

// One data.yaml over two folders: each side file stands beside its own images.
TEST_F(SetMarksOf, SideFilesStandBesideTheFoldersOfImages) {
  image("people/images/a.png");
  file("people/labels/a.txt", "0 0.5 0.5 0.2 0.2\n");
  image("machine/images/train/b.png");
  file("machine/labels/train/b.txt", "0 0.5 0.5 0.4 0.4\n");
  file("machine/annotations.extra.jsonl",
       std::string(
           R"({"image":"images/train/b.png","row":0,"label":"0 0.5 0.5 0.4 0.4","score":0.5,)") +
           machine + "}\n");
  file("data.yaml",
       "train: [people/images, machine/images/train]\nval: people/images\nnc: 1\nnames: [cat]\n");
  const SetMarks marks = read_yolo_set();
  ASSERT_EQ(marks.images.size(), 2u);
  EXPECT_EQ(marks.images[0].labels, (std::vector<LabelMark>{{true, 0.5f}})) << "machine is first";
  EXPECT_TRUE(marks.images[1].labels.empty());
}

TEST_F(SetMarksOf, OtherFormatsHaveThemToo) {
  image("images/train/a.png");
  file("annotations/instances_train.json", R"({
"images": [{"id": 5, "file_name": "a.png", "width": 100, "height": 50}],
"annotations": [
 {"id": 1, "image_id": 5, "category_id": 1, "bbox": [10, 5, 20, 30]},
 {"id": 2, "image_id": 5, "category_id": 1, "bbox": [40, 10, 20, 20], "score": 0.75,
  "attributes": {"origin": "machine"}},
 {"id": 3, "image_id": 5, "category_id": 1, "bbox": [60, 10, 20, 20], "score": 0.25, "ignore": 1,
  "attributes": {"origin": "machine"}},
 {"id": 4, "image_id": 5, "category_id": 1, "bbox": [0, 0, 10, 10], "iscrowd": 1}],
"categories": [{"id": 1, "name": "cat"}]})");
  const SetMarks marks = read(source.string());
  ASSERT_EQ(marks.images.size(), 1u);
  EXPECT_EQ(marks.images[0].labels, (std::vector<LabelMark>{{}, {true, 0.75f}}));
  ASSERT_EQ(marks.images[0].regions.size(), 2u);
  EXPECT_TRUE(marks.images[0].regions[0].machine);
  EXPECT_NEAR(marks.images[0].regions[0].box.cx, 0.7, 1e-12);
  EXPECT_NEAR(marks.images[0].regions[0].box.h, 0.4, 1e-12);
  EXPECT_FALSE(marks.images[0].regions[1].machine);
}

TEST_F(SetMarksOf, WithoutMarksThereAreNone) {
  write_yolo("");
  for (const ImageMarks& image : read_yolo_set().images) EXPECT_EQ(image, ImageMarks{});
}

}  // namespace
}  // namespace yolov7::dataset
