#include "equivalence/proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "core/random.hpp"
#include "core/statistics.hpp"
#include "image/boxes/nms.hpp"

namespace yolov7::equivalence {
namespace {

constexpr int timed_runs = 5;

/// Noise of one grain size per plane, added up with the coarse ones strongest; never leaves 0 …
/// 255.
ProofPicture noise_picture(std::uint32_t number, int height, int width) {
  ProofPicture picture{fmt::format("generated {}", number), height, width, {}};
  const std::size_t plane = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  picture.pixels.assign(3 * plane, 0);
  const int grains[] = {64, 16, 4, 1}, strengths[] = {112, 80, 40, 23};
  for (std::uint32_t c = 0; c < 3; ++c)
    for (std::uint32_t octave = 0; octave < 4; ++octave) {
      const int grain = grains[octave], columns = (width + grain - 1) / grain,
                rows = (height + grain - 1) / grain;
      Random random(number, 0, c, octave);
      std::vector<std::uint32_t> cells(static_cast<std::size_t>(columns) *
                                       static_cast<std::size_t>(rows));
      for (std::uint32_t& cell : cells)
        cell = (random.next() >> 16) * static_cast<std::uint32_t>(strengths[octave] + 1) >> 16;
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          picture.pixels[c * plane + static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                         static_cast<std::size_t>(x)] +=
              static_cast<std::uint8_t>(
                  cells[static_cast<std::size_t>(y / grain) * static_cast<std::size_t>(columns) +
                        static_cast<std::size_t>(x / grain)]);
    }
  return picture;
}

/// Values weigh alike, whatever level or picture they stand in.
void add(Difference& sum, std::size_t& count, std::span<const double> a,
         std::span<const double> b) {
  const Difference one = difference(a, b);
  sum.largest = std::max(sum.largest, one.largest);
  sum.scale = std::max(sum.scale, one.scale);
  sum.mean += one.mean * static_cast<double>(a.size());
  count += a.size();
}

double milliseconds(runtime::Detector& detector, const ProofPicture& picture) {
  runtime::Prediction prediction;
  const auto begin = std::chrono::steady_clock::now();
  detector.predict(picture.batch(), prediction);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

std::vector<Detection> boxes_of(const Outputs& outputs) {
  const std::vector<float> rows(outputs.decoded.begin(), outputs.decoded.end());
  NmsOptions options;
  options.conf_thres = 0.001;
  options.iou_thres = 0.65;
  const auto columns = static_cast<std::size_t>(outputs.columns);
  return non_maximum_suppression(rows.data(), rows.size() / columns, outputs.columns - 5, options)
      .detections;
}

/// Both models in the back end that users run, as they are: nothing is folded on the way.
void run_backend(Proof& proof, const Model& parent, const Model& child,
                 const network::Weights& stored, std::span<const ProofPicture> pictures,
                 std::span<const Outputs> exact) {
  runtime::DetectorOptions options;
  options.raw_maps = true;
  options.as_stored = true;
  const auto before = runtime::make_openvino_detector(parent.network, parent.weights, options);
  const auto after = runtime::make_openvino_detector(child.network, stored, options);
  proof.backend = after->description();
  const std::vector<Outputs> a = outputs_of(*before, pictures), b = outputs_of(*after, pictures);
  proof.parent_backend = compare(exact, a);
  proof.child_backend = compare(exact, b);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    proof.boxes.push_back(match_boxes(boxes_of(a[i]), boxes_of(b[i])));
  std::vector<double> times[2];
  for (int run = 0; run < timed_runs; ++run) {
    times[0].push_back(milliseconds(*before, pictures[0]));
    times[1].push_back(milliseconds(*after, pictures[0]));
  }
  proof.parent_ms = median(times[0]);
  proof.child_ms = median(times[1]);
}

double overlap(const Xyxy& a, const Xyxy& b) {
  if (a.area() > 0 || b.area() > 0) return iou(a, b);
  const double gap = std::max(
      {std::abs(a.x1 - b.x1), std::abs(a.y1 - b.y1), std::abs(a.x2 - b.x2), std::abs(a.y2 - b.y2)});
  return gap <= 0.01 ? 1 : 0;
}

std::string exact_breach(const Comparison& c) {
  for (std::size_t level = 0; level < c.raw.size(); ++level)
    if (!(c.raw[level].relative() <= exact_tolerance))
      return fmt::format(
          "raw output of level {} differs by {:.3g} of its largest value in float64; expected at "
          "most {:g}",
          level, c.raw[level].relative(), exact_tolerance);
  if (!(c.decoded.relative() <= exact_tolerance))
    return fmt::format(
        "decoded rows differ by {:.3g} of their largest value in float64; expected at most {:g}",
        c.decoded.relative(), exact_tolerance);
  return {};
}

/// Rounding to float16 is a change of the weights, reported and not bounded.
std::string backend_breach(const Proof& proof, const network::Weights& stored) {
  for (const auto& entry : stored.entries())
    if (entry.second.type == network::DataType::float16) return {};
  for (std::size_t level = 0; level < proof.child_backend.raw.size(); ++level) {
    const Difference &parent = proof.parent_backend.raw[level],
                     &child = proof.child_backend.raw[level];
    const double limit = 4 * parent.largest + 1e-5 * child.scale;
    if (!(child.largest <= limit))
      return fmt::format(
          "{}: raw output of level {} is {:.3g} away from the exact one; expected at most {:.3g}, "
          "four times its parent's distance",
          proof.backend, level, child.largest, limit);
  }
  return {};
}

}  // namespace

std::vector<ProofPicture> generated_pictures(int image_size, int stride) {
  const int half = (image_size / 2 + stride - 1) / stride * stride;
  return {noise_picture(0, image_size, image_size), noise_picture(1, image_size, image_size),
          noise_picture(2, half, image_size), noise_picture(3, image_size, half)};
}

std::vector<ProofPicture> noise_pictures(int count, int height, int width) {
  std::vector<ProofPicture> pictures;
  for (int i = 0; i < count; ++i)
    pictures.push_back(noise_picture(static_cast<std::uint32_t>(i), height, width));
  return pictures;
}

std::vector<Outputs> outputs_of(runtime::Detector& detector,
                                std::span<const ProofPicture> pictures) {
  std::vector<Outputs> result;
  runtime::Prediction prediction;
  for (const ProofPicture& picture : pictures) {
    detector.predict(picture.batch(), prediction);
    Outputs outputs;
    outputs.columns = prediction.columns;
    outputs.decoded.assign(prediction.decoded.begin(), prediction.decoded.end());
    for (const runtime::Prediction::RawMap& map : prediction.raw)
      outputs.raw.emplace_back(map.values.begin(), map.values.end());
    result.push_back(std::move(outputs));
  }
  return result;
}

Difference difference(std::span<const double> a, std::span<const double> b) {
  Difference d;
  if (a.size() != b.size())
    return {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity(), 0};
  for (std::size_t i = 0; i < a.size(); ++i) {
    double gap = std::abs(a[i] - b[i]);
    if (!std::isfinite(gap)) gap = std::numeric_limits<double>::infinity();
    d.largest = std::max(d.largest, gap);
    d.mean += gap / static_cast<double>(a.size());
    d.scale = std::max(d.scale, std::abs(a[i]));
  }
  return d;
}

double Comparison::largest_relative() const {
  double largest = decoded.relative();
  for (const Difference& level : raw) largest = std::max(largest, level.relative());
  return largest;
}

Comparison compare(std::span<const Outputs> a, std::span<const Outputs> b) {
  Comparison result;
  const double infinite = std::numeric_limits<double>::infinity();
  if (a.empty() || a.size() != b.size()) return {{}, {infinite, infinite, 0}};
  result.raw.resize(a[0].raw.size());
  std::vector<std::size_t> counts(result.raw.size(), 0);
  std::size_t rows = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].raw.size() != result.raw.size() || b[i].raw.size() != result.raw.size())
      return {{}, {infinite, infinite, 0}};
    for (std::size_t level = 0; level < result.raw.size(); ++level)
      add(result.raw[level], counts[level], a[i].raw[level], b[i].raw[level]);
    add(result.decoded, rows, a[i].decoded, b[i].decoded);
  }
  for (std::size_t level = 0; level < result.raw.size(); ++level)
    result.raw[level].mean /= static_cast<double>(std::max<std::size_t>(counts[level], 1));
  result.decoded.mean /= static_cast<double>(std::max<std::size_t>(rows, 1));
  return result;
}

BoxMatch match_boxes(std::span<const Detection> reference, std::span<const Detection> candidate,
                     const MatchLimits& limits) {
  BoxMatch match{reference.size(), candidate.size(), 0, 1, 0};
  std::vector<char> taken(candidate.size(), 0);
  for (const Detection& one : reference) {
    std::size_t best = candidate.size();
    double best_iou = 0;
    for (std::size_t j = 0; j < candidate.size(); ++j) {
      if (taken[j] != 0 || candidate[j].class_index != one.class_index) continue;
      if (const double found = overlap(one.box, candidate[j].box); found > best_iou)
        best_iou = found, best = j;
    }
    if (best == candidate.size()) {
      match.least_iou = 0;
      continue;
    }
    taken[best] = 1;
    const double gap =
        std::abs(static_cast<double>(one.score) - static_cast<double>(candidate[best].score));
    match.least_iou = std::min(match.least_iou, best_iou);
    match.largest_score = std::max(match.largest_score, gap);
    if (best_iou >= limits.iou && gap <= limits.score) ++match.matched;
  }
  return match;
}

Proof prove(const Model& parent, const Model& child, const network::Weights& stored,
            std::span<const ProofPicture> pictures, const ExactOutputs& exact_outputs) {
  Proof proof;
  const std::vector<Outputs> reference = exact_outputs(parent.network, parent.weights, pictures);
  proof.exact = compare(reference, exact_outputs(child.network, child.weights, pictures));
  proof.breach = exact_breach(proof.exact);
  if (!proof.breach.empty()) return proof;
  proof.stored = compare(reference, exact_outputs(child.network, stored, pictures));
  if (!runtime::openvino_available()) return proof;
  run_backend(proof, parent, child, stored, pictures, reference);
  proof.breach = backend_breach(proof, stored);
  return proof;
}

}  // namespace yolov7::equivalence
