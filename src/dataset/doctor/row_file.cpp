#include "dataset/doctor/row_file.hpp"

#include <algorithm>

namespace yolov7::dataset::doctor {
namespace {

/// A row of the format that says nothing about layouts: its width or height is 0.
bool without_area(const RawRow& row) {
  const Numbers v = row.numbers();
  return (v[2] == 0 || v[3] == 0) && *std::max_element(v.begin(), v.end()) <= 1;
}

}  // namespace

double largest_number(const RowFile& file) {
  double most = 0;
  for (const std::size_t i : file.rows)
    for (const double number : file.picture->rows[i].numbers()) most = std::max(most, number);
  return most;
}

std::optional<CxcywhNormalized> row_box(const Picture& picture, const RawRow& row,
                                        const Layout& layout) {
  return box_under(layout, row.numbers(), picture.facts.width, picture.facts.height,
                   layout.own() ? own_box_slack : box_slack);
}

std::vector<RowFile> row_files(const Subject& subject) {
  std::vector<RowFile> files;
  for (const Split& split : subject.splits)
    for (const Picture& picture : split.pictures) {
      RowFile file{&picture, {}};
      for (std::size_t i = 0; i < picture.rows.size(); ++i)
        if (picture.rows[i].is_box() && !without_area(picture.rows[i])) file.rows.push_back(i);
      if (!picture.usable() || file.rows.empty()) continue;
      const bool large = largest_number(file) > most_fraction;
      for (std::size_t k = 0; k < layout_count; ++k)
        file.fits[k] = (layout_at(k).unit != Unit::fraction) == large &&
                       std::all_of(file.rows.begin(), file.rows.end(), [&](std::size_t i) {
                         return row_box(picture, picture.rows[i], layout_at(k)).has_value();
                       });
      files.push_back(std::move(file));
    }
  return files;
}

}  // namespace yolov7::dataset::doctor
