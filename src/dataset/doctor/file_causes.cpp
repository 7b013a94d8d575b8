#include "dataset/doctor/file_causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dataset/doctor/size_model.hpp"

namespace yolov7::dataset::doctor {
namespace {

// In nats: what makes up for the rarity of a fault that leaves every row a box; the least that a
// reading of a row may have; what a row costs that reaches out of its image, and a layout that only
// some rows of a file have.
constexpr double sure_of_exchange = 12, unlikely_row = -40, faulty_row = -3, part_of_file = -8;
constexpr double most_a_row = 5, contrast_weight = 3;
// One kind of evidence about one box is never enough, however many files have the cause.
constexpr double most_by_one_box = 3.5;
// What a layout costs under which no more than half of the boxes stand out more.
constexpr double not_seen = -6;

using Scores = std::array<double, layout_count>;

double largest_number(const RowFile& file) {
  double most = 0;
  for (const std::size_t i : file.rows)
    for (const double number : file.picture->rows[i].numbers()) most = std::max(most, number);
  return most;
}

/// Numbers above this are no fractions of an image, whatever their layout.
constexpr double most_fraction = 1.5;

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

/// Mean and deviation of values, by their median and quartile distance.
struct Normal {
  double mean = 0, deviation = 0;
  bool known() const { return deviation > 0; }
  double log_density(double value) const {
    const double z = (value - mean) / deviation;
    return -z * z / 2;
  }
};

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

/// What the files that follow the format say about sizes, and about how boxes stand out.
struct Reference {
  SizeModel sizes;
  Normal contrast;                           ///< of ln(contrast) of boxes as they are
  std::array<Normal, layout_count> ratio{};  ///< of ln(contrast under a layout / as they are)
  /// ln((1 - p) / p), where a box that is right stands out less than under a layout with the
  /// probability p; 0 where it is not known.
  Scores vote{};
  Scores prior{};
  std::array<std::size_t, layout_count> found{};  ///< files of each cause, first time
};

float contrast_of(const RowFile& file, std::size_t layout) {
  return file.picture->look.contrast[layout];
}

/// What one box says for a layout under which it stands out more than as it is, by how often boxes
/// of files that follow the format do.
double vote_weight(const std::vector<RowFile>& files, std::size_t k) {
  constexpr double least_boxes = 20, least_share = 0.02;
  double boxes = 0, more = 0;
  for (const RowFile& file : files) {
    const Look& look = file.picture->look;
    if (!file.fits[0] || !file.fits[k] || look.votes[k] < 0) continue;
    boxes += look.boxes, more += look.votes[k];
  }
  if (boxes < least_boxes) return 0;
  const double share = std::clamp((more + 1) / (boxes + 2), least_share, 0.5);
  return std::log((1 - share) / share);
}

Reference learn(const std::vector<RowFile>& files) {
  constexpr double least_deviation = 0.2;
  Reference reference;
  std::vector<double> contrasts;
  for (const RowFile& file : files) {
    if (!file.fits[0]) continue;
    if (contrast_of(file, 0) > 0) contrasts.push_back(std::log(contrast_of(file, 0)));
    for (const std::size_t i : file.rows)
      if (const auto box = row_box(*file.picture, file.picture->rows[i], Layout{}))
        reference.sizes.add(static_cast<int>(file.picture->rows[i].class_number), *box,
                            file.picture->facts.width, file.picture->facts.height);
  }
  reference.sizes.finish();
  reference.contrast = normal_of(std::move(contrasts), least_deviation);
  for (std::size_t k = 0; k < layout_count; ++k) {
    reference.prior[k] = usual_prior(layout_at(k));
    std::vector<double> ratios;
    for (const RowFile& file : files)
      if (k > 0 && file.fits[0] && file.fits[k] && contrast_of(file, k) > 0 &&
          contrast_of(file, 0) > 0)
        ratios.push_back(std::log(contrast_of(file, k) / contrast_of(file, 0)));
    reference.ratio[k] = normal_of(std::move(ratios), least_deviation);
    if (k > 0) reference.vote[k] = vote_weight(files, k);
  }
  return reference;
}

double size_likelihood(const RowFile& file, std::size_t row, const CxcywhNormalized& box,
                       const SizeModel& sizes) {
  return sizes.log_likelihood(static_cast<int>(file.picture->rows[row].class_number), box,
                              file.picture->facts.width, file.picture->facts.height);
}

/// How far boxes stand out in the files that follow the format, and how far they would here.
double contrast_score(const RowFile& file, std::size_t k, const Reference& reference) {
  constexpr double lowest = -2;
  if (!reference.contrast.known()) return 0;
  return contrast_weight * std::max(lowest, reference.contrast.log_density(
                                                std::log(std::max(contrast_of(file, k), 1e-3F))));
}

/// Against a layout that explains all rows, but under which the boxes do not stand out.
double vote_score(const RowFile& file, std::size_t k) {
  const Look& look = file.picture->look;
  return look.votes[k] >= 0 && 2 * look.votes[k] <= look.boxes ? not_seen : 0;
}

/// Nothing where one of the rows is no box under this layout, or has a side below one pixel, as a
/// row of fractions has that is read as pixels.
std::optional<double> reading_score(const RowFile& file, const std::vector<std::size_t>& rows,
                                    std::size_t k, bool whole, const Reference& reference) {
  double score = reference.prior[k];
  for (const std::size_t i : rows) {
    const auto box = row_box(*file.picture, file.picture->rows[i], layout_at(k));
    const PictureFacts& facts = file.picture->facts;
    if (!box || box->w * facts.width < 1 || box->h * facts.height < 1) return std::nullopt;
    score += size_likelihood(file, i, *box, reference.sizes);
  }
  if (!whole) return score + part_of_file;
  return score + contrast_score(file, k, reference) + vote_score(file, k);
}

/// The rows as boxes of the format that reach out of their image.
std::optional<double> own_score(const RowFile& file, const std::vector<std::size_t>& rows,
                                std::size_t faulty, bool whole, const Reference& reference) {
  double score = reference.prior[0] + faulty_row * static_cast<double>(faulty);
  for (const std::size_t i : rows) {
    const auto box = box_under(Layout{}, file.picture->rows[i].numbers(), 1, 1, half_outside);
    if (!box) return std::nullopt;
    score += size_likelihood(file, i, *box, reference.sizes);
  }
  return score + (whole ? contrast_score(file, 0, reference) : 0);
}

FileVerdict best_reading(const RowFile& file, const std::vector<std::size_t>& rows,
                         std::size_t faulty, const Reference& reference) {
  FileVerdict verdict;
  verdict.affected = rows;
  const bool whole = rows.size() == file.rows.size();
  double best = unlikely_row * static_cast<double>(rows.size());
  if (const auto own = own_score(file, rows, faulty, whole, reference)) best = std::max(best, *own);
  double second = best;
  const bool large = largest_number(file) > most_fraction;
  for (std::size_t k = 1; k < layout_count; ++k) {
    if ((layout_at(k).unit != Unit::fraction) != large) continue;
    const auto score = reading_score(file, rows, k, whole, reference);
    if (!score) continue;
    if (*score > best) {
      second = best, best = *score;
      verdict.layout = layout_at(k), verdict.named = true;
    } else {
      second = std::max(second, *score);
    }
  }
  if (verdict.named)
    verdict.evidence = fmt::format(
        "{} of the file's {} rows are no boxes as the format says; read so, all are, e^{:.1f} "
        "times as likely as the next reading by their sizes and by how they stand out",
        faulty, file.rows.size(), std::min(best - second, 99.0));
  return verdict;
}

/// A file with rows that are no boxes: all of its rows have the cause, or the faulty ones alone.
FileVerdict explain(const RowFile& file, const Reference& reference) {
  std::vector<std::size_t> faulty;
  for (const std::size_t i : file.rows)
    if (!row_box(*file.picture, file.picture->rows[i], Layout{})) faulty.push_back(i);
  FileVerdict whole = best_reading(file, file.rows, faulty.size(), reference);
  if (whole.named || faulty.size() == file.rows.size()) return whole;
  return best_reading(file, faulty, faulty.size(), reference);
}

double limited(double value, double most) { return std::clamp(value, -most, most); }

double size_evidence(const RowFile& file, std::size_t k, const Reference& reference) {
  double sum = 0;
  for (const std::size_t i : file.rows) {
    const RawRow& row = file.picture->rows[i];
    const auto likelihood = [&](const Layout& layout) {
      return size_likelihood(file, i, *row_box(*file.picture, row, layout), reference.sizes);
    };
    sum += limited(likelihood(layout_at(k)) - likelihood(Layout{}), most_a_row);
  }
  return sum;
}

/// How far the boxes of the file stand out under a layout, against how far they do as they are: by
/// their mean, or by how many do more. What speaks for the layout counts before what does not.
double contrast_evidence(const RowFile& file, std::size_t k, const Reference& reference) {
  const Normal& ratio = reference.ratio[k];
  const Look& look = file.picture->look;
  const double rows = static_cast<double>(file.rows.size());
  const double here =
      std::log(std::max(contrast_of(file, k), 1e-3F) / std::max(contrast_of(file, 0), 1e-3F));
  const double by_votes =
      look.votes[k] >= 0 ? (2 * look.votes[k] - look.boxes) * reference.vote[k] : 0;
  const double by_mean =
      ratio.known() ? -2 * here * std::min(0.0, ratio.mean) / (ratio.deviation * ratio.deviation)
                    : 0;
  const double together =
      std::max(by_mean, by_votes) > 0 ? std::max(by_mean, by_votes) : std::min(by_mean, by_votes);
  return limited(together, rows > 1 ? most_a_row * rows : most_by_one_box);
}

/// A file whose rows are boxes, and would be far more likely ones under another layout. Causes that
/// other files have need less.
std::optional<FileVerdict> exchanged(const RowFile& file, const Reference& reference) {
  std::optional<FileVerdict> verdict;
  double best = 0;
  for (std::size_t k = 1; k < layout_count; ++k) {
    const Layout layout = layout_at(k);
    if (!file.fits[k] || layout.unit != Unit::fraction) continue;
    const double by_size = size_evidence(file, k, reference),
                 by_contrast = contrast_evidence(file, k, reference);
    const double found = static_cast<double>(reference.found[k]),
                 needed = sure_of_exchange - std::min(8.0, 2.3 * std::log1p(found));
    if (by_size + by_contrast < needed || by_contrast < 0 || by_size + by_contrast <= best)
      continue;
    best = by_size + by_contrast;
    verdict = FileVerdict{layout, file.rows, true,
                          fmt::format("the rows are boxes either way; their sizes speak for it by "
                                      "e^{:.1f}, and how they stand out by e^{:.1f}",
                                      by_size, by_contrast)};
  }
  return verdict;
}

std::size_t place_of(const Layout& layout) {
  std::size_t k = 0;
  while (!(layout_at(k) == layout)) ++k;
  return k;
}

void judge_once(const std::vector<RowFile>& files, const Reference& reference,
                FileVerdicts& verdicts) {
  verdicts.clear();
  for (const RowFile& file : files) {
    if (!file.fits[0]) {
      verdicts.emplace(file.picture, explain(file, reference));
    } else if (reference.sizes.learned()) {
      if (auto verdict = exchanged(file, reference))
        verdicts.emplace(file.picture, std::move(*verdict));
    }
  }
}

/// A row of the format that says nothing about layouts: its width or height is 0.
bool without_area(const RawRow& row) {
  const Numbers v = row.numbers();
  return (v[2] == 0 || v[3] == 0) && *std::max_element(v.begin(), v.end()) <= 1;
}

/// Numbers of several files that never exceed 100 are no pixels; where they do, they are no per
/// cent in the other files either.
void learn_unit(const std::vector<RowFile>& files, Reference& reference) {
  constexpr double hundred = 100.5, no_pixels = -6, no_percent = -3;
  constexpr std::size_t least_files = 3;
  double most = 0;
  std::size_t count = 0;
  for (const RowFile& file : files)
    if (const double number = largest_number(file); number > most_fraction)
      most = std::max(most, number), ++count;
  if (count < least_files) return;
  for (std::size_t k = 0; k < layout_count; ++k)
    if (layout_at(k).unit == (most <= hundred ? Unit::pixel : Unit::percent))
      reference.prior[k] += most <= hundred ? no_pixels : no_percent;
}

}  // namespace

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

void judge_files(const std::vector<RowFile>& files, FileVerdicts& verdicts) {
  constexpr double least_count = 0.3;
  Reference reference = learn(files);
  learn_unit(files, reference);
  judge_once(files, reference, verdicts);
  double all = 0;
  for (const auto& [picture, verdict] : verdicts)
    ++reference.found[verdict.named ? place_of(verdict.layout) : 0], ++all;
  if (all == 0) return;
  for (std::size_t k = 0; k < layout_count; ++k)
    reference.prior[k] += std::log((static_cast<double>(reference.found[k]) + least_count) *
                                   layout_count / (all + least_count * layout_count));
  judge_once(files, reference, verdicts);
}

}  // namespace yolov7::dataset::doctor
