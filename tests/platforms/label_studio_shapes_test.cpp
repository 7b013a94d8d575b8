// Regions of Label Studio that are no boxes, beside the objects that were read.
#include "platforms/label_studio_shapes.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace yolov7::platforms {
namespace {

using dataset::AnnotatedImage;
using dataset::AnnotatedObject;
using nlohmann::json;

AnnotatedObject box(const std::string& id, Xyxy place = {1, 1, 5, 5}) {
  AnnotatedObject object;
  object.id = id;
  object.class_index = 0;
  object.box = place;
  return object;
}

const json rectangle{{"id", "a"},
                     {"type", "rectanglelabels"},
                     {"value", {{"x", 1}, {"y", 1}, {"width", 4}, {"height", 4}}}};

TEST(LabelStudioShapes, PointsAndStrokesAloneAreNamed) {
  const json result{
      rectangle,
      {{"id", "k"}, {"type", "keypointlabels"}, {"value", {{"x", 3}, {"y", 3}}}},
      {{"id", "b"}, {"type", "brush"}, {"value", {{"rle", {1, 2}}}}},
      {{"id", "b"}, {"type", "labels"}, {"value", {{"rle", {1, 2}}, {"labels", {"cat"}}}}}};
  AnnotatedImage image;
  image.objects = {box("a")};
  EXPECT_EQ(shapes_left_out(result, image),
            (std::vector<std::string>{"a shape of kind 'keypointlabels', which is no box",
                                      "a shape of kind 'brush', which is no box"}));
}

TEST(LabelStudioShapes, WhatBelongsToABoxOrHasNoPlaceIsNoShape) {
  const json result{
      rectangle,
      {{"id", "k"}, {"parentID", "a"}, {"type", "keypointlabels"}, {"value", {{"x", 3}, {"y", 3}}}},
      {{"id", "a"}, {"type", "textarea"}, {"value", {{"x", 1}, {"text", {"old"}}}}},
      {{"id", "c"}, {"type", "choices"}, {"value", {{"choices", {"night"}}}}},
      {{"type", "relation"}, {"from_id", "a"}, {"to_id", "a"}, {"direction", "right"}}};
  AnnotatedImage image;
  image.objects = {box("a")};
  EXPECT_TRUE(shapes_left_out(result, image).empty());
}

TEST(LabelStudioShapes, ObjectsWithAFaultAreNamed) {
  AnnotatedImage image;
  image.objects = {box("a")};
  image.objects[0].fault = "no class name";
  EXPECT_EQ(shapes_left_out(json{rectangle}, image),
            (std::vector<std::string>{"a box: no class name"}));
}

TEST(LabelStudioShapes, AlikeObjectsCountOnce) {
  AnnotatedImage image;
  image.objects = {box("a"), box("b"), box("c", {1, 1, 5, 6}), box("d", {0, 0, 3, 3})};
  image.objects[3].fault = "no class name";
  EXPECT_EQ(usable_objects(image), 2U);
}

}  // namespace
}  // namespace yolov7::platforms
