// Images without labels, and their two views (training 25.1).
#include "training/unlabelled_data.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>

#include "dataset/index/unlabelled.hpp"
#include "image/codec/codec.hpp"
#include "run/options.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::training {
namespace {

class Unlabelled : public testing::Test {
 protected:
  Unlabelled() {
    std::filesystem::create_directories(scratch / "pool");
    for (int i = 0; i < 5; ++i)
      write_picture(scratch / ("pool/" + std::to_string(i) + ".png"), picture(i));
    scratch.write("pool/broken.png", "no image");
    scratch.write("pool/0.txt", "7 0.5 0.5 0.1 0.1\n");
  }
  /// Dark but for a white square.
  static cv::Mat picture(int i) {
    cv::Mat image(64, 64, CV_8UC3, cv::Scalar::all(20));
    image(cv::Rect(8 + 6 * i, 20, 20, 20)).setTo(cv::Scalar::all(250));
    return image;
  }
  test::ScratchFolder scratch;
};

TEST_F(Unlabelled, AreReadWithoutLabels) {
  const dataset::Index index =
      dataset::read_unlabelled((scratch / "pool").string(), {"a", "b"}, false, {});
  EXPECT_EQ(index.entries.size(), 5u);
  EXPECT_EQ(index.corrupt, 1u);
  ASSERT_EQ(index.problems.size(), 1u);
  EXPECT_EQ(index.problems[0].file.filename(), "broken.png");
  EXPECT_EQ(index.label_count(), 0u) << "whatever lies beside them";
  EXPECT_EQ(index.names.size(), 2u);
  const std::string list =
      scratch.write("list.txt", (scratch / "pool/3.png").string() + "\n").string();
  const dataset::Index one = dataset::read_unlabelled(list, {"a"}, false, {});
  EXPECT_EQ(one.entries.size(), 1u);
  EXPECT_NE(one.identity, index.identity);
  const std::string broken = (scratch / "pool/broken.png").string();
  EXPECT_NE(test::error_of([&] {
              dataset::read_unlabelled(broken, {"a"}, false, {});
            }).find("expected images that can be read, found none of 1"),
            std::string::npos);
}

dataset::LoaderOptions options() {
  dataset::LoaderOptions o;
  o.image_size = 64, o.batch_size = 3, o.workers = 0, o.seed = 3;
  o.augment = o.shuffle = true;
  return o;
}

TEST_F(Unlabelled, TheWeakViewHasNoMosaicAndNoColours) {
  dataset::LoaderOptions o = options();
  o.quad = true;
  o.drawn_share = 0.5;
  o.augmentation.augment = "[{name: Rotate}]";
  const dataset::LoaderOptions weak = weak_view(o, 2), strong = strong_view(o, 2);
  EXPECT_EQ(weak.batch_size, 2);
  EXPECT_FALSE(weak.quad);
  EXPECT_LT(weak.drawn_share, 0);
  for (const double off :
       {weak.augmentation.mosaic, weak.augmentation.mixup, weak.augmentation.copy_paste,
        weak.augmentation.paste_in, weak.augmentation.hsv_v, weak.augmentation.degrees})
    EXPECT_EQ(off, 0);
  EXPECT_EQ(weak.augmentation.fliplr, o.augmentation.fliplr);
  EXPECT_EQ(weak.augmentation.augment, "");
  EXPECT_NE(strong.augmentation.augment.find("ColorJitter"), std::string::npos);
  EXPECT_EQ(strong.augmentation.scale, weak.augmentation.scale);
}

/// Centre of the bright pixels of a plane, in pixels.
std::pair<double, double> centre(const dataset::Batch& batch, int sample) {
  const std::size_t area = static_cast<std::size_t>(batch.width * batch.height);
  const std::uint8_t* plane = batch.pixels.data() + static_cast<std::size_t>(sample) * 3 * area;
  double x = 0, y = 0, n = 0;
  const int brightest = *std::max_element(plane, plane + area);
  for (int row = 0; row < batch.height; ++row)
    for (int column = 0; column < batch.width; ++column)
      if (plane[row * batch.width + column] > brightest - 40) x += column, y += row, ++n;
  return {x / n, y / n};
}

// The square lies at the same place in both: where blur, colours and erased rectangles leave it
// whole, which they do for most of them. The median of the distances is below two pixels.
TEST_F(Unlabelled, BothViewsHaveOneGeometry) {
  const dataset::Index index =
      dataset::read_unlabelled((scratch / "pool").string(), {"a"}, false, {});
  dataset::LoaderOptions o = options();
  dataset::BatchLoader weak(index, weak_view(o, 5)), strong(index, strong_view(o, 5));
  std::vector<double> distances;
  bool pixels_differ = false;
  for (int epoch = 0; epoch < 6; ++epoch) {
    weak.start(epoch);
    strong.start(epoch);
    const auto a = weak.next(), b = strong.next();
    ASSERT_TRUE(a && b);
    ASSERT_EQ(a->count, b->count);
    pixels_differ |= a->pixels != b->pixels;
    EXPECT_TRUE(a->targets.empty() && b->targets.empty());
    for (int i = 0; i < a->count; ++i) {
      EXPECT_EQ(a->origins[static_cast<std::size_t>(i)].entry,
                b->origins[static_cast<std::size_t>(i)].entry);
      const auto [ax, ay] = centre(*a, i);
      const auto [bx, by] = centre(*b, i);
      distances.push_back(std::hypot(ax - bx, ay - by));
    }
  }
  EXPECT_TRUE(pixels_differ);
  std::nth_element(distances.begin(), distances.begin() + 15, distances.end());
  EXPECT_LT(distances[15], 2);
}

}  // namespace
}  // namespace yolov7::training
