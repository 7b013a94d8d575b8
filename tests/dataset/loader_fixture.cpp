#include "tests/dataset/loader_fixture.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "core/random.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::test {

using namespace dataset;

Index random_index(const std::filesystem::path& folder, int count, bool polygons) {
  std::filesystem::create_directories(folder);
  Index index;
  index.split = "train";
  index.names = {"a", "b", "c"};
  for (int i = 0; i < count; ++i) {
    Random random(99, 0, static_cast<std::uint32_t>(i), 1);
    cv::Mat picture(static_cast<int>(random.integer(20, 48)),
                    static_cast<int>(random.integer(20, 48)), CV_8UC3);
    for (int y = 0; y < picture.rows; ++y)
      for (int x = 0; x < picture.cols; ++x)
        for (int c = 0; c < 3; ++c)
          picture.at<cv::Vec3b>(y, x)[c] = static_cast<uchar>(random.integer(0, 255));
    Entry entry;
    entry.picture = folder / (std::to_string(100 + i) + ".png");
    entry.width = picture.cols;
    entry.height = picture.rows;
    write_picture(entry.picture, picture);
    for (std::int64_t k = random.integer(0, 3); k > 0; --k) {
      Label label;
      label.class_index = static_cast<int>(random.integer(0, 2));
      label.box = {random.uniform(0.3, 0.7), random.uniform(0.3, 0.7), random.uniform(0.3, 0.6),
                   random.uniform(0.3, 0.6)};
      const CxcywhNormalized& b = label.box;
      if (polygons && k % 2 == 1)
        label.polygon = {{b.cx - b.w / 2, b.cy},
                         {b.cx, b.cy - b.h / 2},
                         {b.cx + b.w / 2, b.cy},
                         {b.cx, b.cy + b.h / 2}};
      entry.labels.push_back(label);
    }
    index.entries.push_back(std::move(entry));
  }
  return index;
}

std::vector<Batch> all_batches(BatchLoader& loader, int epoch, std::size_t first) {
  std::vector<Batch> batches;
  loader.start(epoch, first);
  while (auto batch = loader.next()) batches.push_back(std::move(*batch));
  return batches;
}

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.width, b.width);
  EXPECT_TRUE(a.pixels == b.pixels);
  EXPECT_TRUE(a.targets == b.targets);
  ASSERT_EQ(a.origins.size(), b.origins.size());
  for (std::size_t i = 0; i < a.origins.size(); ++i) {
    EXPECT_EQ(a.origins[i].entry, b.origins[i].entry);
    EXPECT_EQ(a.origins[i].pad_x, b.origins[i].pad_x);
    EXPECT_EQ(a.origins[i].gain_y, b.origins[i].gain_y);
  }
}

void expect_same(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) expect_same(a[i], b[i]);
}

}  // namespace yolov7::test
