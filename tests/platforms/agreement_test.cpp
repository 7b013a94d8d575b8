// Several people's boxes: pairs, agreement and majority, worked by hand.
#include "platforms/agreement.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "platforms/label_studio_edits.hpp"

namespace yolov7::platforms {
namespace {

dataset::AnnotatedObject box(int name, double x1, double y1, double x2, double y2) {
  dataset::AnnotatedObject object;
  object.class_index = name;
  object.box = {x1, y1, x2, y2};
  return object;
}

TEST(Agreement, PairsCostTheLeastTogether) {
  // IoU: 0-0 9/10, 0-1 7/11.5, 1-0 9/12, 1-1 6/14.5.
  const std::vector<dataset::AnnotatedObject> one = {box(0, 0, 0, 10, 10), box(0, 0, -3, 10, 9)},
                                              other = {box(0, 0, 0, 10, 9), box(0, 0, 3, 10, 11.5)};
  // 1 − IoU: crossed .391 + .25 < straight .1 + .586 < one pair alone .1 + .6.
  EXPECT_EQ(pair_boxes(one, other, 0.4), (std::vector<int>{1, 0}));
  // One pair alone .1 + .5 < crossed .641; 1-1 is too far apart.
  EXPECT_EQ(pair_boxes(one, other, 0.5), (std::vector<int>{0, -1}));
  EXPECT_EQ(pair_boxes(one, {}, 0.5), (std::vector<int>{-1, -1}));
  EXPECT_TRUE(pair_boxes({}, other, 0.5).empty());
  // Two objects at one place: each goes to its own class.
  EXPECT_EQ(pair_boxes({box(0, 0, 0, 4, 4), box(1, 0, 0, 4, 4)},
                       {box(1, 0, 0, 4, 4), box(0, 0, 0, 4, 4)}, 0.5),
            (std::vector<int>{1, 0}));
  // IoU exactly at the limit is a pair.
  EXPECT_EQ(pair_boxes({box(0, 0, 0, 10, 10)}, {box(0, 0, 0, 10, 5)}, 0.5), (std::vector<int>{0}));
}

TEST(Agreement, CountsOverPairsOfPeople) {
  // a and b agree on one box (IoU 1/2), dispute one, and a has one alone; c drew nothing.
  const std::vector<Opinion> people = {
      {"a", {box(0, 0, 0, 10, 10), box(1, 20, 0, 30, 10), box(0, 50, 50, 60, 60)}},
      {"b", {box(0, 0, 0, 10, 5), box(0, 20, 0, 30, 10)}},
      {"c", {}}};
  std::vector<AgreementCount> classes(2);
  const ImageAgreement all = agreement_of(people, 0.5, classes);
  EXPECT_EQ(all.count.agreed, 1u);
  EXPECT_EQ(all.count.boxes, 5u + 3u + 2u);
  EXPECT_EQ(all.disputed, 1u);
  EXPECT_EQ(all.alone, 1u + 3u + 2u);
  EXPECT_DOUBLE_EQ(all.count.value(), 0.2);
  EXPECT_DOUBLE_EQ(all.count.mean_iou(), 0.5);
  EXPECT_EQ(classes[0].agreed, 1u);
  EXPECT_EQ(classes[0].boxes, 4u + 2u + 2u);
  EXPECT_EQ(classes[1].agreed, 0u);
  EXPECT_EQ(classes[1].boxes, 1u + 1u);
  EXPECT_DOUBLE_EQ(agreement_of({{"a", {}}, {"b", {}}}, 0.5, classes).count.value(), 1);
}

TEST(Merge, MoreThanHalfOfThePeople) {
  const std::vector<Opinion> people = {{"a", {box(0, 0, 0, 10, 10), box(1, 40, 0, 50, 10)}},
                                       {"b", {box(0, 3, 0, 13, 10), box(0, 40, 0, 50, 10)}},
                                       {"c", {box(1, 0, 3, 10, 13), box(0, 80, 80, 90, 90)}}};
  const Merged merged = merge_opinions(people, 0.3, {"cat", "dog"});
  ASSERT_EQ(merged.objects.size(), 2u);
  EXPECT_EQ(merged.objects[0].class_index, 0);
  EXPECT_NEAR(merged.objects[0].box.x1, 1, 1e-12);
  EXPECT_NEAR(merged.objects[0].box.y1, 1, 1e-12);
  EXPECT_NEAR(merged.objects[0].box.x2, 11, 1e-12);
  EXPECT_NEAR(merged.objects[0].box.y2, 11, 1e-12);
  EXPECT_EQ(merged.objects[0].author, "a,b,c");
  EXPECT_EQ(merged.objects[1].class_index, 0);  // one to one: the later person's
  ASSERT_EQ(merged.disputed.size(), 1u);
  EXPECT_NE(merged.disputed[0].find("dog/cat at 40.0,0.0"), std::string::npos);
  ASSERT_EQ(merged.left_out.size(), 1u);
  EXPECT_NE(merged.left_out[0].find("cat at 80.0,80.0 to 90.0,90.0: drawn by 1 of 3"),
            std::string::npos);
}

TEST(Merge, OneOfTwoIsNoMajorityAndAShapeGoesWithItsBox) {
  auto polygon = box(0, 0, 0, 10, 10);
  polygon.rings = {{{0, 0}, {10, 0}, {10, 10}}};
  const Merged merged = merge_opinions(
      {{"a", {polygon, box(0, 30, 30, 40, 40)}}, {"b", {box(0, 1, 0, 11, 10)}}}, 0.5, {"cat"});
  ASSERT_EQ(merged.objects.size(), 1u);
  EXPECT_EQ(merged.objects[0].box, (Xyxy{0, 0, 10, 10}));
  EXPECT_EQ(merged.objects[0].rings.size(), 1u);
  EXPECT_EQ(merged.left_out.size(), 1u);
}

TEST(Edits, ByTheIdsOfTheRegions) {
  const auto region = [](const char* id, double x, const char* label) {
    return nlohmann::json{
        {"id", id},
        {"value", {{"x", x}, {"y", 1}, {"width", 5}, {"height", 5}, {"rectanglelabels", {label}}}}};
  };
  const nlohmann::json before = {region("1", 10, "a"), region("2", 20, "a"), region("3", 30, "a"),
                                 region("4", 40, "a")};
  const nlohmann::json after = {region("1", 10 + 1e-9, "a"), region("2", 20.1, "a"),
                                region("3", 30, "b"), region("new", 0, "a")};
  const Edits edits = edits_of(before, after);
  EXPECT_EQ(edits.kept, 1u);
  EXPECT_EQ(edits.moved, 1u);
  EXPECT_EQ(edits.relabelled, 1u);
  EXPECT_EQ(edits.removed, 1u);
  EXPECT_EQ(edits.added, 1u);
  EXPECT_DOUBLE_EQ(edits.touched(), 0.8);
  EXPECT_EQ(edits_of({}, {}).all(), 0u);
}

TEST(Edits, ChoicesTextsAndRelationsAreNoBoxes) {
  using nlohmann::json;
  const json drawn{
      {"id", "1"},
      {"type", "rectanglelabels"},
      {"value", {{"x", 10}, {"y", 1}, {"width", 5}, {"height", 5}, {"rectanglelabels", {"a"}}}}};
  const json choice{
      {"id", "1"},
      {"type", "choices"},
      {"value", {{"x", 10}, {"y", 1}, {"width", 5}, {"height", 5}, {"choices", {"old"}}}}};
  const json whole{{"id", "2"}, {"type", "choices"}, {"value", {{"choices", {"night"}}}}};
  const json relation{{"type", "relation"}, {"from_id", "1"}, {"to_id", "1"}};
  EXPECT_EQ(edits_of(json::array({drawn}), json::array({drawn, choice, whole, relation})),
            (Edits{1, 0, 0, 0, 0}));
  EXPECT_EQ(edits_of(json::array({17}), json::array({17, "x"})).all(), 0u);
}

}  // namespace
}  // namespace yolov7::platforms
