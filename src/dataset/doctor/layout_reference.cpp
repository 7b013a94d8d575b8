#include "dataset/doctor/layout_reference.hpp"

#include <algorithm>
#include <cmath>

namespace yolov7::dataset::doctor {
namespace {

/// How likely a program is to write a layout, against the likeliest; pixels are as likely as
/// fractions.
double usual_prior(const Layout& layout) {
  const double unit = layout.unit == Unit::percent ? -1 : 0;
  switch (layout.form) {
    case Form::centre:
    case Form::corners:
    case Form::top_left: return unit;
    case Form::axes_exchanged: return unit - 2;
    case Form::size_first:
    case Form::sides_exchanged: return unit - 4;
    case Form::corners_exchanged:
    case Form::corner_pairs: return unit - 6;
  }
  return unit;
}

Normal normal_of(std::vector<double> values, double least_deviation) {
  constexpr std::size_t least_values = 20;
  constexpr double of_normal = 1.4826;
  if (values.size() < least_values) return {};
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  Normal normal{*middle, 0};
  for (double& value : values) value = std::abs(value - normal.mean);
  std::nth_element(values.begin(), middle, values.end());
  normal.deviation = std::max(least_deviation, of_normal * *middle);
  return normal;
}

bool counts(const RowFile& file, Measured measured) {
  return measured == Measured::any || is_whole(file);
}

/// What one box says for a layout under which it stands out more than as it is, by how often boxes
/// of files that follow the format do.
double vote_weight(const std::vector<RowFile>& files, std::size_t k, Measured measured) {
  constexpr double least_boxes = 20, least_share = 0.02;
  double boxes = 0, more = 0;
  for (const RowFile& file : files) {
    const Look& look = file.picture->look;
    if (!counts(file, measured) || !file.fits[0] || !file.fits[k] || look.votes[k] < 0) continue;
    boxes += look.boxes, more += look.votes[k];
  }
  if (boxes < least_boxes) return 0;
  const double share = std::clamp((more + 1) / (boxes + 2), least_share, 0.5);
  return std::log((1 - share) / share);
}

}  // namespace

bool is_whole(const RowFile& file) { return file.picture->look.whole; }

float contrast_of(const RowFile& file, std::size_t layout) {
  return file.picture->look.contrast[layout];
}

Reference learn(const std::vector<RowFile>& files, Measured measured) {
  constexpr double least_deviation = 0.2;
  Reference reference;
  std::vector<double> contrasts;
  for (const RowFile& file : files) {
    if (!file.fits[0]) continue;
    if (counts(file, measured) && contrast_of(file, 0) > 0)
      contrasts.push_back(std::log(contrast_of(file, 0)));
    for (const std::size_t i : file.rows)
      if (const auto box = row_box(*file.picture, file.picture->rows[i], Layout{}))
        reference.sizes.add(file.picture->rows[i].class_index(), *box, file.picture->facts.width,
                            file.picture->facts.height);
  }
  reference.sizes.finish();
  reference.contrast = normal_of(std::move(contrasts), least_deviation);
  for (std::size_t k = 0; k < layout_count; ++k) {
    reference.prior[k] = usual_prior(layout_at(k));
    std::vector<double> ratios;
    for (const RowFile& file : files)
      if (k > 0 && counts(file, measured) && file.fits[0] && file.fits[k] &&
          contrast_of(file, k) > 0 && contrast_of(file, 0) > 0)
        ratios.push_back(std::log(contrast_of(file, k) / contrast_of(file, 0)));
    reference.ratio[k] = normal_of(std::move(ratios), least_deviation);
    if (k > 0) reference.vote[k] = vote_weight(files, k, measured);
  }
  return reference;
}

}  // namespace yolov7::dataset::doctor
