#pragma once
// The row that was meant: layout, class number and limits corrected at once, so that several
// findings about one row agree on what becomes of it.
#include <optional>
#include <string>

#include "dataset/doctor/causes.hpp"

namespace yolov7::dataset::doctor {

/// The verdict on a row: its file's, where the row is among the affected ones.
const FileVerdict* verdict_on(const Causes& causes, const Picture& picture, std::size_t row);

struct CorrectedRow {
  std::string text;
  bool loses_key_points = false;
};
/// As a row of the format, cut at the border of the image. Key points stay as they are, unless the
/// box was in another layout: which one they are in is not known then. Nothing where the row cannot
/// be repaired, or where nothing is wrong with it.
std::optional<CorrectedRow> corrected_row(const Causes& causes, const Picture& picture,
                                          std::size_t row);

}  // namespace yolov7::dataset::doctor
