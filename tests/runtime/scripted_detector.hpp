#pragma once
// A detector that answers every picture with the same rows, keeps what it was shown, and may be
// slow or fail.
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/detector.hpp"

namespace yolov7::testing {

class ScriptedDetector : public runtime::Detector {
 public:
  struct Call {
    std::vector<std::uint8_t> pixels;
    int count, height, width;
  };
  std::vector<std::vector<float>> rows;  ///< 5 + classes values each
  std::vector<Call> calls;
  int classes = 2;
  std::function<void(const runtime::PixelBatch&)> before;

  std::string description() const override { return "scripted"; }
  int class_count() const override { return classes; }
  int stride() const override { return 32; }
  void predict(const runtime::PixelBatch& batch, runtime::Prediction& prediction) override {
    if (before) before(batch);
    calls.push_back(
        {{batch.pixels.begin(), batch.pixels.end()}, batch.count, batch.height, batch.width});
    prediction.count = batch.count, prediction.rows = rows.size(), prediction.columns = 5 + classes;
    prediction.parts.clear();
    prediction.decoded.clear();
    for (int i = 0; i < batch.count; ++i)
      for (const auto& row : rows)
        prediction.decoded.insert(prediction.decoded.end(), row.begin(), row.end());
  }
};

}  // namespace yolov7::testing
