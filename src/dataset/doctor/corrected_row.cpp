#include "dataset/doctor/corrected_row.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "dataset/index/label.hpp"

namespace yolov7::dataset::doctor {
namespace {

/// The part of the box inside the image; without area where nothing is left.
CxcywhNormalized cut(const CxcywhNormalized& box) {
  return to_normalized(clip(to_pixels(box, 1, 1), 1, 1), 1, 1);
}

bool outside(const CxcywhNormalized& box) { return !(cut(box) == box); }

/// The points of a polygon, those outside the image brought to its border. Nothing where one lies
/// further out than people draw, or where no area is left.
std::optional<std::vector<double>> cut(const RawRow& polygon) {
  RawRow inside = polygon;
  for (double& value : inside.values) {
    if (value < -own_box_slack || value > 1 + own_box_slack) return std::nullopt;
    value = std::clamp(value, 0.0, 1.0);
  }
  const auto box = extent(inside);
  if (!box || box->w <= 0 || box->h <= 0) return std::nullopt;
  return inside.values;
}

}  // namespace

const FileVerdict* verdict_on(const Causes& causes, const Picture& picture, std::size_t row) {
  const auto found = causes.files.find(&picture);
  if (found == causes.files.end()) return nullptr;
  const auto& affected = found->second.affected;
  return std::find(affected.begin(), affected.end(), row) == affected.end() ? nullptr
                                                                            : &found->second;
}

std::optional<CorrectedRow> corrected_row(const Causes& causes, const Picture& picture,
                                          std::size_t at) {
  const RawRow& row = picture.rows[at];
  if (!row.readable() || row.class_number != row.class_index()) return std::nullopt;
  Label label;
  label.class_index = row.class_index() - (causes.one_based ? 1 : 0);
  const FileVerdict* verdict = verdict_on(causes, picture, at);
  if (!row.is_box()) {
    const auto values = cut(row);
    if (!values || (!causes.one_based && *values == row.values)) return std::nullopt;
    for (std::size_t i = 0; i + 1 < values->size(); i += 2)
      label.polygon.emplace_back((*values)[i], (*values)[i + 1]);
  } else {
    constexpr double any = 1e9;
    const auto box = box_under(verdict != nullptr ? verdict->layout : Layout{}, row.numbers(),
                               picture.facts.width, picture.facts.height, any);
    if (!box || (verdict == nullptr && !causes.one_based && !outside(*box))) return std::nullopt;
    label.box = cut(*box);
    if (label.box.w <= 0 || label.box.h <= 0) return std::nullopt;
  }
  CorrectedRow corrected{format_labels({label})};
  corrected.text.pop_back();  // the line feed
  if (verdict == nullptr || verdict->layout.own())
    corrected.text += row.key_points;
  else
    corrected.loses_key_points = !row.key_points.empty();
  return corrected;
}

}  // namespace yolov7::dataset::doctor
