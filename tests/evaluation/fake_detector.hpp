#pragma once
// A split of pictures of one colour each, and a detector that recognises them by it and answers
// what it was told to.
#include <cmath>
#include <map>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "dataset/index/index.hpp"
#include "image/codec/codec.hpp"
#include "runtime/detector.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::evaluation::testing {

/// Pictures are told apart by their red value, 10 × entry + 5.
class Split {
 public:
  explicit Split(std::vector<std::string> names = {"a", "b", "c"}) {
    index_.split = "val";
    index_.names = std::move(names);
    index_.identity = "identity";
  }
  std::size_t picture(int width, int height, const std::string& name = {}) {
    const std::size_t number = index_.entries.size();
    dataset::Entry entry;
    entry.picture = scratch_ / (name.empty() ? "p" + std::to_string(number) + ".png" : name);
    entry.width = width;
    entry.height = height;
    entry.content_hash = std::to_string(number);
    std::filesystem::create_directories(entry.picture.parent_path());
    write_picture(entry.picture, cv::Mat(height, width, CV_8UC3,
                                         cv::Scalar(0, 0, 10.0 * static_cast<double>(number) + 5)));
    index_.entries.push_back(entry);
    return number;
  }
  void object(std::size_t entry, int class_index, const Xyxy& box) {
    dataset::Label label;
    label.class_index = class_index;
    label.box = to_normalized(box, index_.entries[entry].width, index_.entries[entry].height);
    index_.entries[entry].labels.push_back(label);
  }
  const dataset::Index& index() const { return index_; }
  const test::ScratchFolder& scratch() const { return scratch_; }

 private:
  test::ScratchFolder scratch_;
  dataset::Index index_;
};

class FakeDetector : public runtime::Detector {
 public:
  FakeDetector(const Split& split, int classes, int image_size)
      : split_(split), classes_(classes), image_size_(image_size) {}

  /// A row for a picture: box in pixels of the original, objectness 1.
  void answer(std::size_t entry, const Xyxy& box, const std::vector<float>& probabilities) {
    rows_[entry].push_back({box, probabilities});
  }
  void answer(std::size_t entry, const Xyxy& box, float score, int class_index) {
    std::vector<float> probabilities(static_cast<std::size_t>(classes_), 0.0f);
    probabilities.at(static_cast<std::size_t>(class_index)) = score;
    answer(entry, box, probabilities);
  }

  std::string description() const override { return "fake"; }
  int class_count() const override { return classes_; }
  int stride() const override { return 32; }
  void predict(const runtime::PixelBatch& batch, runtime::Prediction& out) override {
    ++calls;
    out.count = batch.count;
    out.columns = 5 + classes_;
    out.rows = 0;
    for (const auto& [entry, rows] : rows_) out.rows = std::max(out.rows, rows.size());
    out.decoded.assign(
        static_cast<std::size_t>(out.count) * out.rows * static_cast<std::size_t>(out.columns),
        0.0f);
    for (int i = 0; i < batch.count; ++i) {
      float* row = out.decoded.data() +
                   static_cast<std::size_t>(i) * out.rows * static_cast<std::size_t>(out.columns);
      const std::size_t plane =
          static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
      const std::size_t centre =
          static_cast<std::size_t>(i) * 3 * plane +
          static_cast<std::size_t>(batch.height / 2 * batch.width + batch.width / 2);
      const auto entry = static_cast<std::size_t>((batch.pixels[centre] - 5) / 10);
      if (rows_.contains(entry))
        for (const Row& one : rows_.at(entry))
          row = write(one, split_.index().entries.at(entry), batch, row);
    }
  }
  int calls = 0;

 private:
  struct Row {
    Xyxy box;
    std::vector<float> probabilities;
  };

  /// Original → letterboxed by evaluation 1.3, steps 6 to 8: truncated size, centred, each axis
  /// with its own ratio.
  float* write(const Row& one, const dataset::Entry& entry, const runtime::PixelBatch& batch,
               float* row) const {
    const double rho = static_cast<double>(image_size_) / std::max(entry.width, entry.height);
    const double w = std::floor(entry.width * rho), h = std::floor(entry.height * rho);
    const double left = (batch.width - w) / 2, top = (batch.height - h) / 2, gx = w / entry.width,
                 gy = h / entry.height;
    *row++ = static_cast<float>((one.box.x1 + one.box.x2) / 2 * gx + left);
    *row++ = static_cast<float>((one.box.y1 + one.box.y2) / 2 * gy + top);
    *row++ = static_cast<float>(one.box.width() * gx);
    *row++ = static_cast<float>(one.box.height() * gy);
    *row++ = 1;
    for (const float p : one.probabilities) *row++ = p;
    return row;
  }

  const Split& split_;
  int classes_, image_size_;
  std::map<std::size_t, std::vector<Row>> rows_;
};

}  // namespace yolov7::evaluation::testing
