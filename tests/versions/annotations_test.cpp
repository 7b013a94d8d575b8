// Annotation texts, worked by hand.
#include "versions/annotations.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::versions {
namespace {

TEST(AnnotationText, NumbersHaveTheirShortestForm) {
  const LabelText labels = text_of_labels(
      "\xEF\xBB\xBF 0  0.500000 5e-1\t0.25 0.2500 \r\n\n1 0.1 0.2 0.3 0.30000000000000004");
  EXPECT_EQ(labels.text, "yolo\n0 0.5 0.5 0.25 0.25\n1 0.1 0.2 0.3 0.30000000000000004\n");
  EXPECT_EQ(labels.rows, 2u);
  EXPECT_EQ(labels.odd, 0u);
}

TEST(AnnotationText, EmptyFileHasATextOfItsOwn) {
  EXPECT_EQ(text_of_labels("").text, "yolo\n");
  EXPECT_EQ(text_of_labels("\n \n").text, "yolo\n");
}

// Nothing of a label file is lost, not even what is no label.
TEST(AnnotationText, RowsThatAreNoNumbersStay) {
  const LabelText labels = text_of_labels("0 0,5 0.5 0.1 0.1\nnan 0 0 0 0\n0 0.5 0.5 0.1 0.1\n");
  EXPECT_EQ(labels.text, "yolo\n? 0 0,5 0.5 0.1 0.1\n? nan 0 0 0 0\n0 0.5 0.5 0.1 0.1\n");
  EXPECT_EQ(labels.odd, 2u);
  EXPECT_EQ(labels_of_text(labels.text), "0 0,5 0.5 0.1 0.1\nnan 0 0 0 0\n0 0.5 0.5 0.1 0.1\n");
  const Annotations read = parse_annotations(labels.text, 0, "test");
  ASSERT_EQ(read.shapes.size(), 3u);
  EXPECT_FALSE(read.shapes[0].is_box);
  EXPECT_TRUE(read.shapes[2].is_box);
  EXPECT_EQ(text_of(read), labels.text);
}

TEST(AnnotationText, BoxesAreFractions) {
  const Annotations read =
      parse_annotations("yolo\n3 0.5 0.5 0.25 0.5\n1 0 0 0.5 0 0.5 1\n", 0, "test");
  ASSERT_EQ(read.shapes.size(), 2u);
  EXPECT_EQ(read.shapes[0].class_index, 3);
  EXPECT_EQ(read.shapes[0].box.x1, 0.375);
  EXPECT_EQ(read.shapes[0].box.y2, 0.75);
  EXPECT_EQ(read.shapes[1].box.x2, 0.5);  // a polygon
  EXPECT_EQ(read.shapes[1].box.y2, 1.0);
}

// With kpt_shape a row of seven numbers is a box and a point, no polygon.
TEST(AnnotationText, KeyPointsAreNoPolygon) {
  const Annotations read = parse_annotations("yolo\n0 0.5 0.5 0.2 0.4 0.9 0.9\n", 2, "test");
  ASSERT_TRUE(read.shapes[0].is_box);
  EXPECT_DOUBLE_EQ(read.shapes[0].box.x2, 0.6);
}

dataset::AnnotatedImage turned_image() {
  dataset::AnnotatedImage image;
  image.width = 200, image.height = 100, image.id = "17";
  dataset::AnnotatedObject object;
  object.class_index = 1;
  object.box = {20, 10, 120, 60};
  object.crowd = true;
  object.attributes = {{"colour", std::string("red")}};
  object.rings = {{{20, 10}, {120, 10}, {120, 60}}};
  image.objects.push_back(object);
  return image;
}

TEST(AnnotationText, ObjectsOfOtherFormatsKeepAllTheyHave) {
  const std::string text = text_of_image(turned_image());
  EXPECT_EQ(text,
            "objects\n{\"height\":100,\"id\":\"17\",\"width\":200}\n"
            "{\"attributes\":{\"colour\":\"red\"},\"box\":[20.0,10.0,120.0,60.0],\"class\":1,"
            "\"crowd\":true,\"polygons\":[[20.0,10.0,120.0,10.0,120.0,60.0]]}\n");
  const Annotations read = parse_annotations(text, 0, "test");
  EXPECT_EQ(read.shapes[0].box.x1, 0.1);
  EXPECT_EQ(read.shapes[0].box.y2, 0.6);
  EXPECT_EQ(text_of(read), text);
  dataset::AnnotatedImage back;
  std::size_t left_out = 0;
  back.width = 200, back.height = 100;
  put_annotations(read, 0, back, left_out);
  EXPECT_EQ(text_of_image(back), text);
}

TEST(AnnotationText, OtherTextsAreNamed) {
  for (const char* text : {"", "yolo", "boxes\n", "objects\n", "objects\n{}\n{}\n"})
    EXPECT_NE(test::error_of([&] { parse_annotations(text, 0, "text 1"); }), "no error") << text;
}

// Two boxes of 2 × 2 that share 1 × 2: 2 of 6.
TEST(AnnotationText, IntersectionOverUnion) {
  EXPECT_DOUBLE_EQ(iou({0, 0, 2, 2}, {1, 0, 3, 2}), 1.0 / 3);
  EXPECT_EQ(iou({0, 0, 1, 1}, {1, 0, 2, 1}), 0);
}

}  // namespace
}  // namespace yolov7::versions
