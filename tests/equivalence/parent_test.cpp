// Whose detector is there only while it runs.
#include "equivalence/parent.hpp"

#include <gtest/gtest.h>

#include "tests/runtime/scripted_detector.hpp"
#include "tests/stopping.hpp"

namespace yolov7::equivalence {
namespace {

/// Counts the detectors that were opened, those that are open, and their calls.
struct Counts {
  int opened = 0, open = 0, calls = 0;
};

class Counted final : public runtime::Detector {
 public:
  explicit Counted(Counts& counts) : counts_(counts) { ++counts_.opened, ++counts_.open; }
  ~Counted() override { --counts_.open; }
  std::string description() const override { return "counted"; }
  int class_count() const override { return 1; }
  int stride() const override { return 32; }
  void predict(const runtime::PixelBatch& batch, runtime::Prediction& prediction) override {
    ++counts_.calls;
    prediction = {1, 1, 6, {}, false, {}, {}};
    prediction.decoded = {float(batch.pixels[0]), 0, 0, 0, 1, 1};
  }

 private:
  Counts& counts_;
};

Parent counted(Counts& counts) {
  return Parent([&counts] { return std::make_unique<Counted>(counts); });
}

}  // namespace

TEST(Parent, OutputsAreComputedOnceAndTheDetectorIsClosed) {
  Counts counts;
  Parent parent = counted(counts);
  EXPECT_EQ(counts.opened, 0) << "not before it is asked";
  const auto pictures = noise_pictures(2, 32, 32), others = noise_pictures(1, 32, 64);
  const KnownOutputs& outputs = parent.outputs(pictures);
  EXPECT_EQ(counts.open, 0);
  ASSERT_EQ(outputs.predictions.size(), 2U);
  EXPECT_EQ(outputs.description, "counted");
  EXPECT_EQ(outputs.classes, 1);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(outputs.predictions[i].decoded[0], static_cast<float>(pictures[i].pixels[0]));
  EXPECT_EQ(&parent.outputs(pictures), &outputs);
  EXPECT_EQ(counts.calls, 2);
  EXPECT_EQ(parent.outputs(others).predictions.size(), 1U);
  EXPECT_EQ(counts.calls, 3);
  EXPECT_EQ(counts.opened, 2);
}

TEST(Parent, OneDetectorForABlock) {
  Counts counts;
  Parent parent = counted(counts);
  {
    const OpenParent open(parent);
    EXPECT_EQ((*open).stride(), 32);
    EXPECT_EQ(parent.detector().stride(), 32);
    EXPECT_EQ(counts.open, 1);
  }
  EXPECT_EQ(counts.open, 0);
  EXPECT_EQ(counts.opened, 1);
}

TEST(KnownOutputs, StopsBetweenImages) {
  testing::ScriptedDetector detector;
  EXPECT_TRUE(test::is_stopped(
      [&] { known_outputs(detector, noise_pictures(1, 32, 32), test::stopped()); }));
  EXPECT_TRUE(detector.calls.empty());
}

}  // namespace yolov7::equivalence
