// Box-level variants (data 13.4 row 108) next to the transform itself on the box's pixels, and the
// orders of combinators (row 109).
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <set>

#include "dataset/augment/transforms/catalogue.hpp"
#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

Entries box_variants() {
  Entries found;
  for (const TransformEntry& one : catalogue())
    if (one.name.starts_with("Box")) found.push_back(one);
  return found;
}

TEST(BoxVariants, AreNineAndKeepTheCommonRules) {
  EXPECT_EQ(box_variants().size(), 9u);
  check_common_rules(box_variants());
}

// The stream of a box is that of the step after its own draw; another size lies in the middle of
// the box, grey around it.
TEST(BoxVariants, AreTheTransformOnTheBoxAlone) {
  const std::vector<std::pair<const char*, const char*>> inner{
      {"BoxFlip", "HorizontalFlip"}, {"BoxRotate90", "RandomRotate90"},
      {"BoxCrop", "Crop"},           {"BoxRotate", "Rotate"},
      {"BoxShear", "Shear"},         {"BoxBrightness", "Brightness"},
      {"BoxExposure", "Exposure"},   {"BoxBlur", "GaussianBlur"},
      {"BoxNoise", "SaltAndPepper"}};
  const cv::Mat picture = textured({90, 70});
  const cv::Rect place(20, 15, 40, 30);
  for (const auto& [name, transform] : inner)
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      Random random(seed, 0, 0, 0);
      random.chance(1);
      Sample part{picture(place).clone(), {}};
      find_transform(transform, "test").make()->apply(part, random, {});
      cv::Mat expected = picture.clone(), target = expected(place);
      target.setTo(cv::Scalar::all(114));
      const int w = std::min(part.picture.cols, 40), h = std::min(part.picture.rows, 30);
      part.picture(cv::Rect((part.picture.cols - w) / 2, (part.picture.rows - h) / 2, w, h))
          .copyTo(target(cv::Rect((40 - w) / 2, (30 - h) / 2, w, h)));
      const Sample found = applied(catalogue(), name, "{p_box: 1}",
                                   Sample{picture.clone(), {{0, {20, 15, 60, 45}, {}}}}, seed);
      EXPECT_EQ(largest_difference(found.picture, expected), 0) << name << ' ' << seed;
    }
}

std::vector<std::string> names_applied(const std::string& list, std::uint64_t seed) {
  const AugmentList steps = AugmentList::parse(parse_yaml(list, "test"));
  std::vector<std::string> names;
  TransformContext context;
  context.applied = &names;
  Sample sample{textured({8, 8}), {}};
  for (const Stage stage : {Stage::geometry, Stage::pixels})
    steps.run(
        stage, sample,
        [&](std::size_t i) { return Random(seed, 0, 0, static_cast<std::uint32_t>(i)); }, context);
  names.erase(names.begin());  // the combinator itself
  return names;
}

TEST(Combinators, SequentialKeepsTheOrderAndRandomOrderTakesAllOfThem) {
  const std::string parts =
      "transforms: [{name: InvertImg, p: 1}, {name: HorizontalFlip, p: 1}, {name: ToGray, p: 1}]}]";
  std::set<std::vector<std::string>> orders;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    EXPECT_EQ(names_applied("[{name: Sequential, " + parts, seed),
              (std::vector<std::string>{"InvertImg", "HorizontalFlip", "ToGray"}));
    orders.insert(names_applied("[{name: RandomOrder, " + parts, seed));
  }
  EXPECT_EQ(orders.size(), 6u);
  for (const auto& order : orders)
    EXPECT_EQ((std::set<std::string>{order.begin(), order.end()}),
              (std::set<std::string>{"HorizontalFlip", "InvertImg", "ToGray"}));
}

}  // namespace
}  // namespace yolov7::dataset
