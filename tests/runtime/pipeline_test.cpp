#include "runtime/frames/pipeline.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "tests/runtime/scripted_detector.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using yolov7::testing::ScriptedDetector;

namespace {

/// Numbered frames of changing sizes; counts how many are alive.
class Numbered final : public FrameSource {
 public:
  explicit Numbered(std::size_t count) : count_(count) {}
  bool next(Frame& frame) override {
    if (at_ == fails_at) throw Error("the source broke");
    if (at_ == count_) return false;
    frame = {};
    frame.origin = origin_;
    frame.number = at_++;
    return true;
  }
  void load(Frame& frame) override {
    if (frame.number % 7 == 3)
      frame.error = "unreadable";
    else
      frame.bgr = cv::Mat(32 + 32 * static_cast<int>(frame.number / 5 % 2), 64, CV_8UC3,
                          cv::Scalar::all(static_cast<double>(frame.number)));
  }
  std::size_t fails_at = static_cast<std::size_t>(-1);

 private:
  std::size_t count_, at_ = 0;
  std::shared_ptr<const FrameOrigin> origin_ = std::make_shared<FrameOrigin>();
};

std::vector<std::unique_ptr<Detector>> detectors(std::size_t count) {
  std::vector<std::unique_ptr<Detector>> all;
  for (std::size_t i = 0; i < count; ++i) {
    auto one = std::make_unique<ScriptedDetector>();
    one->rows = {{16, 16, 8, 8, 0.9f, 0.9f, 0.1f}};
    // Dark pictures take longest, so that later frames are ready first.
    one->before = [](const PixelBatch& batch) {
      std::this_thread::sleep_for(std::chrono::microseconds(3000 / (1 + batch.pixels[0])));
    };
    all.push_back(std::move(one));
  }
  return all;
}

LookOptions look() {
  LookOptions options;
  options.image_size = 64;
  return options;
}

}  // namespace

TEST(Pipeline, EveryFrameInOrderThroughEveryStage) {
  for (const std::size_t workers : {1u, 4u})
    for (const int batch : {1, 3}) {
      Numbered source(60);
      std::vector<std::size_t> first, second;
      std::atomic<std::size_t> drawn = 0, objects = 0;
      PipelineStages stages;
      stages.in_order = [&](Frame& frame, DetectResult& result) {
        first.push_back(frame.number);
        EXPECT_EQ(result.detections.size(), frame.error.empty() ? 1u : 0u);
        objects += result.detections.size();
      };
      stages.drawn = [&](Frame&, DetectResult&) { ++drawn; };
      stages.delivered = [&](Frame& frame, DetectResult&) { second.push_back(frame.number); };
      run_pipeline(source, detectors(workers), look(), batch, stages);
      ASSERT_EQ(first.size(), 60u);
      for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(first[i], i);
      EXPECT_EQ(second, first);
      EXPECT_EQ(drawn, 60u);
      EXPECT_EQ(objects, 60u - 9u) << "3, 10, … 59 cannot be read";
    }
}

TEST(Pipeline, NeighboursOfOneSizeAreOneCall) {
  Numbered source(10);
  auto one = detectors(1);
  run_pipeline(source, one, look(), 10, {});
  // 0 1 2 4 are 64 × 32, 5 … 9 are 64 × 64; 3 cannot be read.
  const auto& calls = static_cast<ScriptedDetector&>(*one[0]).calls;
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].count, 4);
  EXPECT_EQ(calls[1].count, 5);
}

TEST(Pipeline, AFailureEndsItAfterTheFramesBefore) {
  Numbered source(60);
  std::vector<std::size_t> first, second;
  PipelineStages stages;
  stages.in_order = [&](Frame& frame, DetectResult&) { first.push_back(frame.number); };
  stages.drawn = [](Frame& frame, DetectResult&) {
    if (frame.number == 20) throw Error("the disk is full");
  };
  stages.delivered = [&](Frame& frame, DetectResult&) { second.push_back(frame.number); };
  try {
    run_pipeline(source, detectors(4), look(), 1, stages);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the disk is full");
  }
  ASSERT_EQ(second.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(second[i], i);
  EXPECT_LE(first.size(), 24u);
}

TEST(Pipeline, ABrokenSourceIsToldAtTheEnd) {
  for (const int batch : {1, 4}) {  // 30 is no multiple of 4
    Numbered source(60);
    source.fails_at = 30;
    std::vector<std::size_t> second;
    PipelineStages stages;
    stages.delivered = [&](Frame& frame, DetectResult&) { second.push_back(frame.number); };
    EXPECT_THROW(run_pipeline(source, detectors(3), look(), batch, stages), Error);
    EXPECT_EQ(second.size(), 30u) << batch;
  }
}
