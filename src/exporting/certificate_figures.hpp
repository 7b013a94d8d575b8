#pragma once
// Whether the figures of a certificate are those that its file gives: a certificate that was
// edited, or that belongs to an older file, says what the file does not do.
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace yolov7::exporting {

/// What can be compared: with other images or other data the figures are others, and so is the
/// verdict of 8-bit integers.
struct SameInputs {
  bool images = true, data = true;
};

struct FigureComparison {
  std::size_t equal = 0;
  /// "detections.lost: 0 in the certificate, 3 found; expected at most 1 apart, because …"
  std::vector<std::string> differences;
};

/// Two certificates of one file, the one beside it and a new one. Left out: times and speeds, which
/// are those of another hour; programs and versions; the words of `detail`; places.
/// * Names, options, counts of rows and labels, limits, hashes: equal.
/// * Largest differences: within four times each other, or a hundredth of the limit apart. They are
///   rounding, which another processor or number of threads changes.
/// * Detections: at most one, or one in a hundred, apart. A score at the threshold falls on either
///   side by rounding.
/// * mAP: at most 0.0005 apart, its interval 0.002, for the same reason.
/// * Means over likely rows: within a tenth, or 0.001 px and 0.00001 apart; their number as that of
///   detections.
FigureComparison compare_figures(const nlohmann::json& written, const nlohmann::json& found,
                                 const SameInputs& same);

}  // namespace yolov7::exporting
