#include "equivalence/file_proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/stop.hpp"
#include "runtime/joined_detectors.hpp"

namespace yolov7::equivalence {
namespace {

/// Differences that are not numbers count as infinite.
void take(double& largest, double a, double b) {
  const double gap = std::abs(a - b);
  largest = std::max(largest, std::isfinite(gap) ? gap : std::numeric_limits<double>::infinity());
}

double score(const float* row, int column, int classes) {
  return classes == 1 ? static_cast<double>(row[4])
                      : static_cast<double>(row[4]) * static_cast<double>(row[5 + column]);
}

void compare_row(FileProof& proof, const FileComparison& comparison, const float* a, const float* b,
                 int classes) {
  double best = 0;
  for (int k = 0; k < classes; ++k) {
    best = std::max({best, score(a, k, classes), score(b, k, classes)});
    take(proof.largest_score, score(a, k, classes), score(b, k, classes));
    if (!comparison.folded_objectness)
      take(proof.largest_score, static_cast<double>(a[5 + k]), static_cast<double>(b[5 + k]));
  }
  if (!comparison.folded_objectness)
    take(proof.largest_score, static_cast<double>(a[4]), static_cast<double>(b[4]));
  if (best < comparison.limits.confident) return;
  for (int c = 0; c < 4; ++c)
    take(proof.largest_box, static_cast<double>(a[c]), static_cast<double>(b[c]));
}

bool equal(const Detection& a, const Detection& b, const FileLimits& limits) {
  const double corner = std::max({std::abs(a.box.x1 - b.box.x1), std::abs(a.box.y1 - b.box.y1),
                                  std::abs(a.box.x2 - b.box.x2), std::abs(a.box.y2 - b.box.y2)});
  return a.class_index == b.class_index && corner <= 2 * limits.box &&
         std::abs(static_cast<double>(a.score) - static_cast<double>(b.score)) <= limits.score;
}

/// Whether rounding alone may have decided that `one` is not in `others`.
bool at_a_threshold(const Detection& one, std::span<const Detection> others,
                    const FileComparison& c) {
  const double value = static_cast<double>(one.score);
  if (std::abs(value - c.suppression.conf_thres) <= c.limits.score) return true;
  if (others.size() >= static_cast<std::size_t>(c.suppression.max_det) &&
      value <= static_cast<double>(others.back().score) + c.limits.score)
    return true;
  for (const Detection& other : others) {
    if (!c.suppression.agnostic && other.class_index != one.class_index) continue;
    if (std::abs(iou(one.box, other.box) - c.suppression.iou_thres) <= c.limits.overlap)
      return true;
  }
  return false;
}

std::string unmatched(std::span<const Detection> these, std::span<const Detection> others,
                      const FileComparison& c, const char* where) {
  std::vector<char> taken(others.size(), 0);
  for (const Detection& one : these) {
    std::size_t j = 0;
    while (j < others.size() && (taken[j] != 0 || !equal(one, others[j], c.limits))) ++j;
    if (j < others.size())
      taken[j] = 1;
    else if (!at_a_threshold(one, others, c))
      return fmt::format("a detection of class {} with score {:.4f} is {}", one.class_index,
                         static_cast<double>(one.score), where);
  }
  return {};
}

void compare_detections(FileProof& proof, const FileComparison& c,
                        const runtime::Prediction& parent, const runtime::Prediction& file,
                        int classes) {
  NmsOptions all = c.suppression;
  all.conf_thres = std::min(all.conf_thres, 1e-6);  // of what the file left
  const auto expected = runtime::suppress(parent, 0, classes, c.suppression).detections;
  const auto found = runtime::suppress(file, 0, classes, all).detections;
  if (proof.breach.empty()) proof.breach = unmatched(expected, found, c, "not in the file's");
  if (proof.breach.empty()) proof.breach = unmatched(found, expected, c, "in the file's alone");
}

/// Adds what the thresholds leave of one picture.
void count_changes(FileProof& proof, const FileComparison& c, const runtime::Prediction& parent,
                   const runtime::Prediction& file, int classes) {
  constexpr double least_overlap = 0.5;
  DetectionChanges& all = proof.detections;
  all.conf_thres = c.suppression.conf_thres;
  all.iou_thres = c.suppression.iou_thres;
  const auto expected = runtime::suppress(parent, 0, classes, c.suppression).detections,
             found = runtime::suppress(file, 0, classes, c.suppression).detections;
  all.parent += expected.size();
  all.file += found.size();
  std::vector<char> taken(found.size(), 0);
  std::size_t pairs = 0;
  for (const Detection& one : expected) {
    std::size_t best = found.size();
    double overlap = least_overlap;
    for (std::size_t j = 0; j < found.size(); ++j) {
      if (taken[j] != 0 || found[j].class_index != one.class_index) continue;
      if (const double other = iou(one.box, found[j].box); other >= overlap)
        overlap = other, best = j;
    }
    if (best == found.size()) {
      ++all.lost;
      continue;
    }
    taken[best] = 1;
    ++pairs;
    ++(equal(one, found[best], c.limits) ? all.matched : all.moved);
  }
  all.added += found.size() - pairs;
}

/// Rows against rows, or detections against detections.
void compare_picture(FileProof& proof, const FileComparison& c, const runtime::Prediction& parent,
                     const runtime::Prediction& file, int classes) {
  count_changes(proof, c, parent, file, classes);
  if (file.suppressed) {
    compare_detections(proof, c, parent, file, classes);
    return;
  }
  if (parent.rows != file.rows || parent.columns != file.columns) {
    proof.breach = fmt::format("expected {} rows of {} values, found {} of {}", parent.rows,
                               parent.columns, file.rows, file.columns);
    return;
  }
  proof.rows += parent.rows;
  const auto columns = static_cast<std::size_t>(parent.columns);
  for (std::size_t row = 0; row < parent.rows; ++row)
    compare_row(proof, c, parent.decoded.data() + row * columns,
                file.decoded.data() + row * columns, classes);
  if (c.precision == FilePrecision::int8) return;
  if (!(proof.largest_box <= c.limits.box))
    proof.breach = fmt::format("boxes differ by {:.3g} px, expected at most {:g}",
                               proof.largest_box, c.limits.box);
  else if (!(proof.largest_score <= c.limits.score))
    proof.breach = fmt::format("scores differ by {:.3g}, expected at most {:g}",
                               proof.largest_score, c.limits.score);
}

}  // namespace

std::string_view name(FilePrecision precision) {
  switch (precision) {
    case FilePrecision::float32: return "float32";
    case FilePrecision::float16: return "float16";
    case FilePrecision::int8: return "int8";
  }
  return "";
}

FileLimits file_limits(FilePrecision precision) {
  constexpr double none = std::numeric_limits<double>::infinity();
  switch (precision) {
    case FilePrecision::float32: return {};
    case FilePrecision::float16: return {1, 1e-2, 0.25, 0.05};
    case FilePrecision::int8: return {none, none, 0.25, none};
  }
  return {};
}

FileProof prove_file(const KnownOutputs& parent, runtime::Detector& file,
                     std::span<const ProofPicture> pictures, const FileComparison& comparison) {
  FileProof proof;
  proof.parent = parent.description;
  proof.file = file.description();
  if (parent.classes != file.class_count()) {
    proof.breach = fmt::format("expected {} classes, found {}", parent.classes, file.class_count());
    return proof;
  }
  runtime::Prediction found;
  for (const ProofPicture& picture : pictures) {
    check_stop(comparison.stop);
    file.predict(picture.batch(), found);
    compare_picture(proof, comparison, parent.predictions.at(proof.pictures), found,
                    parent.classes);
    if (!proof.breach.empty()) {
      proof.breach_picture = proof.pictures;
      return proof;
    }
    ++proof.pictures;
  }
  return proof;
}

std::string verdict(const FileProof& proof, FilePrecision precision) {
  if (precision != FilePrecision::int8) return "equal";
  return proof.accuracy ? "within the accuracy budget" : "accuracy not measured";
}

}  // namespace yolov7::equivalence
