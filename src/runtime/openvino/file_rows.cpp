#include "runtime/openvino/file_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace yolov7::runtime {
namespace {

struct Target {
  std::size_t columns;
  std::vector<float>& rows;
};

/// Boxes in shares of the input become pixels.
void copy_rows(const FileOutput& output, std::size_t image, bool shares, float height, float width,
               const Target& to) {
  const std::size_t count = output.shape.at(1) * to.columns;
  const float* from = output.values + image * count;
  const std::size_t first = to.rows.size();
  to.rows.insert(to.rows.end(), from, from + count);
  if (!shares) return;
  for (std::size_t i = first; i < to.rows.size(); i += to.columns) {
    to.rows[i] *= width, to.rows[i + 1] *= height;
    to.rows[i + 2] *= width, to.rows[i + 3] *= height;
  }
}

/// [4 + nc, N] → rows. A single class has its score as objectness, which is what suppression takes.
void turn_rows(const FileOutput& output, std::size_t image, bool shares, float height, float width,
               const Target& to) {
  const std::size_t from_columns = output.shape.at(1), count = output.shape.at(2);
  const float* from = output.values + image * from_columns * count;
  const float w = shares ? width : 1, h = shares ? height : 1;
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t c = 0; c < 4; ++c)
      to.rows.push_back(from[c * count + row] * (c % 2 == 0 ? w : h));
    if (from_columns == 5) {
      to.rows.push_back(from[4 * count + row]);
      to.rows.push_back(1);
      continue;
    }
    to.rows.push_back(1);
    for (std::size_t c = 4; c < from_columns; ++c) to.rows.push_back(from[c * count + row]);
  }
}

/// [na, H, W, no] a level, before the sigmoid (evaluation 0.3).
void decode_rows(const FileOutput& output, std::size_t image, const network::Level& level,
                 const Target& to) {
  const std::size_t anchors = output.shape.at(1), height = output.shape.at(2),
                    width = output.shape.at(3);
  if (anchors != level.anchors.size() || output.shape.at(4) != to.columns)
    throw Error(fmt::format("a level: expected {} anchors of {} values, found {} of {}",
                            level.anchors.size(), to.columns, anchors, output.shape.at(4)));
  const float* from = output.values + image * anchors * height * width * to.columns;
  const auto stride = static_cast<float>(level.stride);
  for (std::size_t a = 0; a < anchors; ++a)
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x, from += to.columns) {
        const auto sigma = [&](std::size_t c) { return 1 / (1 + std::exp(-from[c])); };
        const float w = 2 * sigma(2), h = 2 * sigma(3);
        to.rows.push_back((2 * sigma(0) - 0.5F + static_cast<float>(x)) * stride);
        to.rows.push_back((2 * sigma(1) - 0.5F + static_cast<float>(y)) * stride);
        to.rows.push_back(w * w * static_cast<float>(level.anchors[a].w));
        to.rows.push_back(h * h * static_cast<float>(level.anchors[a].h));
        for (std::size_t c = 4; c < to.columns; ++c) to.rows.push_back(sigma(c));
      }
}

/// A detection as a row whose only class is certain.
void put_detection(const float* corners, float score, float class_index, const Target& to) {
  const auto classes = to.columns - 5;
  if (!(class_index >= 0) || class_index >= static_cast<float>(classes))
    throw Error(fmt::format("a detection: expected a class of 0 ... {}, found {}", classes - 1,
                            class_index));
  const std::size_t first = to.rows.size();
  to.rows.insert(to.rows.end(), to.columns, 0);
  float* row = to.rows.data() + first;
  row[0] = (corners[0] + corners[2]) / 2, row[1] = (corners[1] + corners[3]) / 2;
  row[2] = corners[2] - corners[0], row[3] = corners[3] - corners[1];
  row[4] = score;
  row[5 + static_cast<std::size_t>(class_index)] = 1;
}

/// The rows of one image.
void image_rows(const ModelFacts& facts, std::span<const FileOutput> outputs, std::size_t image,
                float height, float width, const Target& to) {
  const FileOutput& first = outputs[facts.layout == "raw" ? 0 : facts.output];
  const bool shares = facts.shares || facts.layout == "tf";
  if (facts.layout == "v5" || facts.layout == "tf") {
    copy_rows(first, image, shares, height, width, to);
  } else if (facts.layout == "v8") {
    turn_rows(first, image, shares, height, width, to);
  } else if (facts.layout == "raw") {
    for (std::size_t j = 0; j < outputs.size(); ++j)
      decode_rows(outputs[j], image, facts.levels.at(j), to);
  } else if (facts.layout == "nms6") {  // x1, y1, x2, y2, score, class
    for (std::size_t i = 0; i < first.shape.at(1); ++i) {
      const float* row = first.values + (image * first.shape[1] + i) * 6;
      // A score that is no number stays: whoever suppresses counts such rows.
      if (!(row[4] <= 0)) put_detection(row, row[4], row[5], to);
    }
  } else {  // image, x1, y1, x2, y2, class, score
    for (std::size_t i = 0; i < first.shape.at(0); ++i) {
      const float* row = first.values + i * 7;
      if (row[0] == static_cast<float>(image)) put_detection(row + 1, row[6], row[5], to);
    }
  }
}

/// What a file gives may have other sides than it tells. Error: not those of its layout.
void require_fitting(const ModelFacts& facts, std::span<const FileOutput> outputs, int count) {
  const std::size_t classes = facts.names.size(), images = static_cast<std::size_t>(count);
  const auto fits = [&](const std::vector<std::size_t>& shape) {
    if (facts.layout == "end2end-ort") return shape.size() == 2 && shape[1] == 7;
    if (shape.size() != (facts.layout == "raw" ? 5 : 3) || shape[0] < images) return false;
    if (facts.layout == "nms6") return shape[2] == 6;
    return facts.layout == "v8" ? shape[1] == 4 + classes : shape.back() == 5 + classes;
  };
  const bool raw = facts.layout == "raw";
  bool good = raw ? outputs.size() == facts.levels.size() : facts.output < outputs.size();
  for (std::size_t i = 0; good && i < outputs.size(); ++i)
    good = (!raw && i != facts.output) || fits(outputs[i].shape);
  if (!good)
    throw Error(
        fmt::format("the model: expected outputs of the layout {} for {} image{} and {} "
                    "class{}, found others",
                    facts.layout, count, count == 1 ? "" : "s", classes, classes == 1 ? "" : "es"));
}

}  // namespace

void require_input(int count, int height, int width, int stride, const InputSides& sides) {
  if (count < 1 || height < 1 || width < 1 || height % stride != 0 || width % stride != 0)
    throw Error(fmt::format("expected images with sides that are multiples of {}, found {} x {}",
                            stride, height, width));
  if (sides.fixed() && (height != sides.height || width != sides.width))
    throw Error(fmt::format("expected images of {} x {}, found {} x {}", sides.width, sides.height,
                            width, height));
}

void require_input(const PixelBatch& batch, int stride, const InputSides& sides) {
  require_input(batch.count, batch.height, batch.width, stride, sides);
  const std::size_t pixels = 3 * static_cast<std::size_t>(batch.count) *
                             static_cast<std::size_t>(batch.height) *
                             static_cast<std::size_t>(batch.width);
  if (batch.pixels.size() != pixels)
    throw Error(fmt::format("expected {} bytes of pixels, found {}", pixels, batch.pixels.size()));
}

void append_rows(const ModelFacts& facts, std::span<const FileOutput> outputs, int count,
                 int height, int width, Prediction& prediction) {
  require_fitting(facts, outputs, count);
  const std::size_t columns = 5 + facts.names.size();
  prediction.columns = static_cast<int>(columns);
  prediction.suppressed = facts.layout == "nms6" || facts.layout == "end2end-ort";
  std::vector<std::vector<float>> images(static_cast<std::size_t>(count));
  std::size_t most = prediction.suppressed ? prediction.rows * columns : 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    image_rows(facts, outputs, i, static_cast<float>(height), static_cast<float>(width),
               {columns, images[i]});
    most = std::max(most, images[i].size());
  }
  if (prediction.count > 0 && most != prediction.rows * columns) {
    if (!prediction.suppressed)
      throw Error(
          fmt::format("expected {} rows an image, found {}", prediction.rows, most / columns));
    std::vector<float> wider;  // images before this batch get the same number of rows
    for (int i = 0; i < prediction.count; ++i) {
      const float* from = prediction.picture(i);
      wider.insert(wider.end(), from, from + prediction.rows * columns);
      wider.resize(static_cast<std::size_t>(i + 1) * most, 0);
    }
    prediction.decoded = std::move(wider);
  }
  for (std::vector<float>& one : images) {
    one.resize(most, 0);
    prediction.decoded.insert(prediction.decoded.end(), one.begin(), one.end());
  }
  prediction.rows = most / columns;
  prediction.count += count;
}

}  // namespace yolov7::runtime
