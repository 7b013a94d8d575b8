#include "runtime/detect.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <opencv2/core.hpp>

#include "core/error.hpp"

using namespace yolov7;
using namespace yolov7::runtime;

namespace {

/// Answers with fixed rows and keeps what it was shown.
class FixedDetector final : public Detector {
 public:
  std::vector<std::vector<float>> rows;
  std::vector<std::uint8_t> seen;
  int height = 0, width = 0, calls = 0, prepared = 0;

  std::string description() const override { return "fixed"; }
  int class_count() const override { return 2; }
  int stride() const override { return 32; }
  void prepare(int, int, int) override { ++prepared; }
  void predict(const PixelBatch& batch, Prediction& prediction) override {
    ++calls;
    seen.assign(batch.pixels.begin(), batch.pixels.end());
    height = batch.height, width = batch.width;
    prediction.count = 1, prediction.rows = rows.size(), prediction.columns = 7;
    prediction.decoded.clear();
    for (const auto& row : rows)
      prediction.decoded.insert(prediction.decoded.end(), row.begin(), row.end());
  }
};

}  // namespace

TEST(Detect, MapsBoxesBackToThePicture) {
  // 640 × 360 at 320: ratio 0.5, resized 320 × 180, height padded to 192 (6 above and below). A box
  // centred at (160, 96) of 80 × 40 is centred at (320, 180) of 160 × 80 in the picture.
  FixedDetector detector;
  detector.rows = {{160, 96, 80, 40, 0.9f, 0.2f, 0.8f}};
  const DetectResult result =
      detect(detector, cv::Mat(360, 640, CV_8UC3, cv::Scalar(1, 2, 3)), 320, {});
  EXPECT_EQ(detector.width, 320);
  EXPECT_EQ(detector.height, 192);
  EXPECT_EQ(result.input, cv::Size(320, 192));
  ASSERT_EQ(result.detections.size(), 1u);
  const Detection& d = result.detections[0];
  EXPECT_EQ(d.class_index, 1);
  EXPECT_FLOAT_EQ(d.score, 0.9f * 0.8f);
  EXPECT_NEAR(d.box.x1, 240, 1e-9);
  EXPECT_NEAR(d.box.y1, 140, 1e-9);
  EXPECT_NEAR(d.box.x2, 400, 1e-9);
  EXPECT_NEAR(d.box.y2, 220, 1e-9);
}

TEST(Detect, ClipsToThePicture) {
  FixedDetector detector;
  detector.rows = {{10, 96, 60, 400, 0.9f, 0.9f, 0.1f}};
  const DetectResult result = detect(detector, cv::Mat(360, 640, CV_8UC3), 320, {});
  ASSERT_EQ(result.detections.size(), 1u);
  EXPECT_EQ(result.detections[0].box, (Xyxy{0, 0, 80, 360}));
}

TEST(Detect, ShowsTheNetworkRgbPlanes) {
  FixedDetector detector;
  const DetectResult result =
      detect(detector, cv::Mat(32, 32, CV_8UC3, cv::Scalar(/*b=*/10, /*g=*/20, /*r=*/30)), 32, {});
  ASSERT_EQ(detector.seen.size(), 3u * 32 * 32);
  EXPECT_EQ(detector.seen[0], 30);
  EXPECT_EQ(detector.seen[1024], 20);
  EXPECT_EQ(detector.seen[2048], 10);
  EXPECT_TRUE(result.detections.empty());
}

TEST(Detect, TellsTheHighestScoreWhenNothingIsFound) {
  FixedDetector detector;
  detector.rows = {{16, 16, 8, 8, 0.5f, 0.1f, 0.4f}, {16, 16, 8, 8, 0.3f, 0.2f, 0.1f}};
  const DetectResult result = detect(detector, cv::Mat(32, 32, CV_8UC3), 32, {});
  EXPECT_TRUE(result.detections.empty());
  EXPECT_FLOAT_EQ(result.highest_score, 0.2f);
}

TEST(Detect, CountsRowsThatAreNotFinite) {
  FixedDetector detector;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  detector.rows = {{nan, 16, 8, 8, 0.9f, 0.9f, 0}, {16, 16, 8, 8, 0.9f, 0.9f, 0}};
  const DetectResult result = detect(detector, cv::Mat(32, 32, CV_8UC3), 32, {});
  EXPECT_EQ(result.detections.size(), 1u);
  EXPECT_EQ(result.dropped_not_finite, 1u);
  EXPECT_EQ(result.rows, 2u);
  EXPECT_FALSE(result.nothing_finite());
  detector.rows = {{nan, 16, 8, 8, 0.9f, 0.9f, 0}, {16, 16, 8, 8, nan, 0.9f, 0}};
  EXPECT_TRUE(detect(detector, cv::Mat(32, 32, CV_8UC3), 32, {}).nothing_finite());
  detector.rows = {};
  EXPECT_FALSE(detect(detector, cv::Mat(32, 32, CV_8UC3), 32, {}).nothing_finite());
}

TEST(Detect, TellsWhereTheLimitIsReached) {
  FixedDetector detector;
  detector.rows = {{8, 8, 4, 4, 0.9f, 0.9f, 0}, {24, 24, 4, 4, 0.9f, 0.9f, 0}};
  NmsOptions options;
  for (const int most : {1, 2, 3}) {
    options.max_det = most;
    const DetectResult result = detect(detector, cv::Mat(32, 32, CV_8UC3), 32, options);
    EXPECT_EQ(result.at_max_det, most < 3) << most;
  }
}

TEST(Detect, CountsTheBoxesThatTheSuppressionDoesNotSee) {
  FixedDetector detector;
  detector.rows = {{8, 8, 4, 4, 0.9f, 0.9f, 0}, {24, 24, 4, 4, 0.9f, 0.9f, 0}};
  NmsOptions options;
  for (const int most : {1, 2}) {
    options.max_nms = most;
    const DetectResult result = detect(detector, cv::Mat(32, 32, CV_8UC3), 32, options);
    EXPECT_EQ(result.beyond_max_nms, most == 1 ? 1u : 0u);
  }
}

TEST(Detect, TimesArePartsOfTheWhole) {
  FixedDetector detector;
  const DetectResult result = detect(detector, cv::Mat(64, 64, CV_8UC3), 64, {});
  EXPECT_EQ(detector.prepared, 1);
  EXPECT_EQ(detector.calls, 1);
  for (const double t :
       {result.timing.pre, result.timing.inference, result.timing.post, result.timing.compile}) {
    EXPECT_GE(t, 0);
    EXPECT_LT(t, 60'000);
  }
}

TEST(Detect, RefusesOtherPicturesAndSizes) {
  FixedDetector detector;
  EXPECT_THROW(detect(detector, cv::Mat(), 32, {}), Error);
  EXPECT_THROW(detect(detector, cv::Mat(8, 8, CV_8UC1), 32, {}), Error);
  EXPECT_THROW(detect(detector, cv::Mat(8, 8, CV_8UC3), 40, {}), Error);
  EXPECT_THROW(detect(detector, cv::Mat(8, 8, CV_8UC3), 0, {}), Error);
}

TEST(Detect, RoundsTheImageSizeUp) {
  EXPECT_EQ(rounded_image_size(640, 32), 640);
  EXPECT_EQ(rounded_image_size(641, 32), 672);
  EXPECT_EQ(rounded_image_size(1, 64), 64);
  EXPECT_THROW(rounded_image_size(0, 32), Error);
}
