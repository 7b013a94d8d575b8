// Images that come one after the other, against the search over whole sets.
#include "dataset/similarity/seen.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "dataset/similarity/near_pairs.hpp"
#include "dataset/synth/synth_scene.hpp"
#include "tests/dataset/similarity/changed_image.hpp"

namespace yolov7::dataset::similarity {
namespace {

cv::Mat drawn(std::size_t number) {
  return draw_synth_picture(standard_level(), 320, 7, 0, number, false).picture;
}

TEST(SeenImages, FindsWhatTheSearchOverTheWholeSetFinds) {
  std::vector<Sketch> sketches;
  for (std::size_t i = 0; i < 6; ++i) sketches.push_back(sketch_of(drawn(i)));
  for (const Change& change : changes(5)) sketches.push_back(sketch_of(change.apply(drawn(3))));
  std::vector<bool> again(sketches.size(), false);
  for (const NearPair& pair : find_near_pairs(sketches).pairs) again[pair.b] = true;
  SeenImages seen;
  for (std::size_t i = 0; i < sketches.size(); ++i) {
    EXPECT_EQ(seen.same_as(sketches[i]).has_value(), again[i]) << i;
    seen.add(sketches[i]);
  }
}

TEST(SeenImages, TheNewestAreKept) {
  SeenImages seen(2);
  const Sketch a = sketch_of(drawn(0)), b = sketch_of(drawn(1)), c = sketch_of(drawn(2));
  EXPECT_FALSE(seen.same_as(a));
  for (const Sketch& one : {a, b, c}) seen.add(one);
  EXPECT_FALSE(seen.same_as(a));
  EXPECT_EQ(seen.same_as(b), 1u);
  EXPECT_EQ(seen.same_as(c), 2u);
  seen.add(c);
  EXPECT_EQ(seen.same_as(c), 3u);
}

TEST(SeenImages, AnImageWithoutStructureIsLikeNothing) {
  SeenImages seen;
  const Sketch plain = sketch_of(cv::Mat(200, 300, CV_8UC3, cv::Scalar(40, 40, 40)));
  ASSERT_EQ(plain.plain, 1);
  seen.add(plain);
  EXPECT_FALSE(seen.same_as(plain));
}

}  // namespace
}  // namespace yolov7::dataset::similarity
