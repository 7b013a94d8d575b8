#include "equivalence/file_proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
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

/// One image of both: the parent's only one, and that in a slot of a call of the file.
struct Pair {
  const runtime::Prediction& parent;
  const runtime::Prediction& file;
  int slot = 0, classes = 0;
};

void compare_detections(FileProof& proof, const FileComparison& c, const Pair& pair) {
  NmsOptions all = c.suppression;
  all.conf_thres = std::min(all.conf_thres, 1e-6);  // of what the file left
  const auto expected = runtime::suppress(pair.parent, 0, pair.classes, c.suppression).detections;
  const auto found = runtime::suppress(pair.file, pair.slot, pair.classes, all).detections;
  if (proof.breach.empty()) proof.breach = unmatched(expected, found, c, "not in the file's");
  if (proof.breach.empty()) proof.breach = unmatched(found, expected, c, "in the file's alone");
}

/// Adds what the thresholds leave of one picture.
void count_changes(FileProof& proof, const FileComparison& c, const Pair& pair) {
  constexpr double least_overlap = 0.5;
  DetectionChanges& all = proof.detections;
  all.conf_thres = c.suppression.conf_thres;
  all.iou_thres = c.suppression.iou_thres;
  const auto expected = runtime::suppress(pair.parent, 0, pair.classes, c.suppression).detections;
  const auto found =
      runtime::suppress(pair.file, pair.slot, pair.classes, c.suppression).detections;
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

/// Rows against rows, or detections against detections. What is counted is counted in the first
/// slot, which has every picture once.
void compare_picture(FileProof& proof, const FileComparison& c, const Pair& pair, bool counted) {
  const runtime::Prediction &parent = pair.parent, &file = pair.file;
  if (counted) count_changes(proof, c, pair);
  if (file.suppressed) {
    compare_detections(proof, c, pair);
    return;
  }
  if (parent.rows != file.rows || parent.columns != file.columns) {
    proof.breach = fmt::format("expected {} rows of {} values, found {} of {}", parent.rows,
                               parent.columns, file.rows, file.columns);
    return;
  }
  if (counted) proof.rows += parent.rows;
  const auto columns = static_cast<std::size_t>(parent.columns);
  for (std::size_t row = 0; row < parent.rows; ++row)
    compare_row(proof, c, parent.picture(0) + row * columns,
                file.picture(pair.slot) + row * columns, pair.classes);
  if (c.precision == FilePrecision::int8) return;
  if (!(proof.largest_box <= c.limits.box))
    proof.breach = fmt::format("boxes differ by {:.3g} px, expected at most {:g}",
                               proof.largest_box, c.limits.box);
  else if (!(proof.largest_score <= c.limits.score))
    proof.breach = fmt::format("scores differ by {:.3g}, expected at most {:g}",
                               proof.largest_score, c.limits.score);
}

/// Which picture stands in which slot of which call. The first slot has all pictures by turns. No
/// two slots have the same pictures in all calls, so that slots that are exchanged are seen; where
/// there are as many pictures as slots, those of a call are all different.
class Slots {
 public:
  Slots(std::size_t slots, std::size_t pictures) : pictures_(pictures) {
    steps_.push_back(1);  // powers of the number of pictures: a call looks at one digit of the slot
    while (pictures > 1 && steps_.back() * pictures < slots)
      steps_.push_back(steps_.back() * pictures);
  }
  std::size_t calls() const { return pictures_ == 0 ? 0 : std::max(pictures_, steps_.size()); }
  std::size_t picture(std::size_t slot, std::size_t call) const {
    return (call + slot / steps_[call % steps_.size()]) % pictures_;
  }

 private:
  std::size_t pictures_;
  std::vector<std::size_t> steps_;
};

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
  proof.slots = std::max(comparison.slots, 1);
  const auto width = static_cast<std::size_t>(proof.slots);
  const Slots slots(width, pictures.size());
  std::vector<std::uint8_t> pixels;
  runtime::Prediction found;
  for (std::size_t call = 0; call < slots.calls(); ++call) {
    check_stop(comparison.stop);
    pixels.clear();
    for (std::size_t slot = 0; slot < width; ++slot) {
      const std::vector<std::uint8_t>& one = pictures[slots.picture(slot, call)].pixels;
      pixels.insert(pixels.end(), one.begin(), one.end());
    }
    const ProofPicture& first = pictures[slots.picture(0, call)];
    file.predict({pixels, proof.slots, first.height, first.width}, found);
    for (std::size_t slot = 0; slot < width; ++slot) {
      const std::size_t shown = slots.picture(slot, call);
      const bool counted = slot == 0 && call < pictures.size();
      compare_picture(proof, comparison,
                      {parent.predictions.at(shown), found, static_cast<int>(slot), parent.classes},
                      counted);
      if (proof.breach.empty()) continue;
      proof.breach_picture = shown;
      if (width > 1)
        proof.breach =
            fmt::format("image {} of the {} of a call: {}", slot + 1, width, proof.breach);
      return proof;
    }
    if (call < pictures.size()) ++proof.pictures;
  }
  return proof;
}

std::string verdict(const FileProof& proof, FilePrecision precision) {
  if (precision != FilePrecision::int8) return "equal";
  return proof.accuracy ? "within the accuracy budget" : "accuracy not measured";
}

}  // namespace yolov7::equivalence
