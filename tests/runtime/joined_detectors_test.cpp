#include "runtime/joined_detectors.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/runtime/scripted_detector.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using yolov7::testing::ScriptedDetector;

namespace {

PixelBatch batch_of(const std::vector<std::uint8_t>& pixels, int count, int height, int width) {
  return {pixels, count, height, width};
}

}  // namespace

TEST(AugmentedDetector, ThreePassesAsTheSpecificationHasThem) {
  // 64 × 96: scaled by .83 → 53 × 79 in 64 × 96 (⌈53.12 / 32⌉, ⌈79.68 / 32⌉); by .67 → 42 × 64
  // (⌊64.32⌋) in 64 × 96 (⌈64.32 / 32⌉ · 32).
  auto inner = std::make_unique<ScriptedDetector>();
  ScriptedDetector& seen = *inner;
  seen.rows = {{10, 20, 30, 40, 0.5f, 0.25f, 0.75f}};
  const auto augmented = make_augmented_detector(std::move(inner), false, 3);
  std::vector<std::uint8_t> pixels(3 * 64 * 96);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(i % 96 * 2);  // brighter to the right
  Prediction prediction;
  augmented->predict(batch_of(pixels, 1, 64, 96), prediction);
  ASSERT_EQ(seen.calls.size(), 3u);
  for (const auto& call : seen.calls) {
    EXPECT_EQ(call.height, 64);
    EXPECT_EQ(call.width, 96);
  }
  EXPECT_EQ(seen.calls[0].pixels, pixels);
  // Mirrored: dark at the right end of the scaled picture, which is 79 wide; then grey.
  EXPECT_GT(seen.calls[1].pixels[0], 180);
  EXPECT_LT(seen.calls[1].pixels[78], 10);
  EXPECT_EQ(seen.calls[1].pixels[79], 114);
  EXPECT_EQ(seen.calls[1].pixels[53 * 96], 114);
  EXPECT_LT(seen.calls[2].pixels[0], 10);
  EXPECT_EQ(seen.calls[2].pixels[64], 114);
  EXPECT_EQ(seen.calls[2].pixels[42 * 96], 114);

  EXPECT_EQ(prediction.parts, (std::vector<std::size_t>{1, 1, 1}));
  ASSERT_EQ(prediction.rows, 3u);
  const float* r = prediction.picture(0);
  EXPECT_FLOAT_EQ(r[0], 10);
  EXPECT_FLOAT_EQ(r[7], 96 - 10 / 0.83f);
  EXPECT_FLOAT_EQ(r[8], 20 / 0.83f);
  EXPECT_FLOAT_EQ(r[9], 30 / 0.83f);
  EXPECT_FLOAT_EQ(r[10], 40 / 0.83f);
  EXPECT_FLOAT_EQ(r[11], 0.5f);
  EXPECT_FLOAT_EQ(r[14], 10 / 0.67f);
  EXPECT_FLOAT_EQ(r[17], 40 / 0.67f);
}

TEST(AugmentedDetector, ClipsTheTails) {
  // Three levels: G = 1 + 4 + 16. 42 rows a pass: the first loses the last 2, the third the first 2
  // · 16.
  auto inner = std::make_unique<ScriptedDetector>();
  for (int i = 0; i < 42; ++i) inner->rows.push_back({static_cast<float>(i), 0, 1, 1, 1, 1, 1});
  const auto augmented = make_augmented_detector(std::move(inner), true, 3);
  const std::vector<std::uint8_t> pixels(3 * 32 * 32);
  Prediction prediction;
  augmented->predict(batch_of(pixels, 1, 32, 32), prediction);
  EXPECT_EQ(prediction.parts, (std::vector<std::size_t>{40, 42, 10}));
  EXPECT_FLOAT_EQ(prediction.picture(0)[82 * 7], 32 / 0.67f);
}

TEST(Ensemble, RowsOfAllMembersByPicture) {
  std::vector<std::unique_ptr<Detector>> members;
  for (const float x : {1.0f, 2.0f}) {
    auto one = std::make_unique<ScriptedDetector>();
    one->rows = {{x, 0, 9, 9, 1, 1, 0}};
    members.push_back(std::move(one));
  }
  const auto ensemble = make_ensemble(std::move(members));
  const std::vector<std::uint8_t> pixels(2 * 3 * 32 * 32);
  Prediction prediction;
  ensemble->predict(batch_of(pixels, 2, 32, 32), prediction);
  EXPECT_EQ(prediction.count, 2);
  ASSERT_EQ(prediction.rows, 2u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(prediction.picture(i)[0], 1.0f);
    EXPECT_EQ(prediction.picture(i)[7], 2.0f);
  }
  // Greedy suppression takes both as one set of candidates, fusion as two lists of equal weight.
  NmsOptions options;
  const NmsResult hard = suppress(prediction, 0, 2, options);
  ASSERT_EQ(hard.detections.size(), 1u);
  EXPECT_EQ(hard.detections[0].box.x1, 1 - 4.5);
  options.kind = NmsKind::wbf;
  const NmsResult fused = suppress(prediction, 0, 2, options);
  ASSERT_EQ(fused.detections.size(), 1u);
  EXPECT_EQ(fused.detections[0].box.x1, 1.5 - 4.5);
  EXPECT_EQ(fused.detections[0].score, 1.0f);
}

TEST(Ensemble, MembersMustFit) {
  EXPECT_THROW(make_ensemble({}), Error);
  std::vector<std::unique_ptr<Detector>> members;
  members.push_back(std::make_unique<ScriptedDetector>());
  members.push_back(std::make_unique<ScriptedDetector>());
  static_cast<ScriptedDetector&>(*members[1]).classes = 3;
  EXPECT_THROW(make_ensemble(std::move(members)), Error);
}
