#include "dataset/doctor/file_causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dataset/doctor/layout_reference.hpp"

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

double size_likelihood(const RowFile& file, std::size_t row, const CxcywhNormalized& box,
                       const SizeModel& sizes) {
  return sizes.log_likelihood(file.picture->rows[row].class_index(), box, file.picture->facts.width,
                              file.picture->facts.height);
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

/// What speaks for a layout of a file whose rows are boxes either way, and how much is needed.
/// Causes that other files have need less.
struct Exchange {
  double by_size = 0, by_contrast = 0, needed = 0;
  double sum() const { return by_size + by_contrast; }
};

std::optional<Exchange> exchange_of(const RowFile& file, std::size_t k,
                                    const Reference& reference) {
  if (!file.fits[k] || layout_at(k).unit != Unit::fraction) return std::nullopt;
  const double found = static_cast<double>(reference.found[k]);
  return Exchange{size_evidence(file, k, reference), contrast_evidence(file, k, reference),
                  sure_of_exchange - std::min(8.0, 2.3 * std::log1p(found))};
}

/// A file whose rows are boxes, and would be far more likely ones under another layout.
std::optional<FileVerdict> exchanged(const RowFile& file, const Reference& reference) {
  std::optional<FileVerdict> verdict;
  if (!is_whole(file)) return verdict;  // not in doubt at a glance: files_in_doubt()
  double best = 0;
  for (std::size_t k = 1; k < layout_count; ++k) {
    const auto one = exchange_of(file, k, reference);
    if (!one || one->sum() < one->needed || one->by_contrast < 0 || one->sum() <= best) continue;
    best = one->sum();
    verdict = FileVerdict{layout_at(k), file.rows, true,
                          fmt::format("the rows are boxes either way; their sizes speak for it by "
                                      "e^{:.1f}, and how they stand out by e^{:.1f}",
                                      one->by_size, one->by_contrast)};
  }
  return verdict;
}

/// By the quick measure, with room for what it errs.
bool may_be_exchanged(const RowFile& file, const Reference& reference) {
  constexpr double room = 4, room_of_contrast = 2;
  for (std::size_t k = 1; k < layout_count; ++k)
    if (const auto one = exchange_of(file, k, reference);
        one && one->sum() >= one->needed - room && one->by_contrast >= -room_of_contrast)
      return true;
  return false;
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

std::vector<const Picture*> files_in_doubt(const std::vector<RowFile>& files) {
  Reference reference = learn(files, Measured::whole);
  learn_unit(files, reference);
  FileVerdicts verdicts;
  judge_once(files, reference, verdicts);
  reference = learn(files, Measured::any);
  for (const auto& [picture, verdict] : verdicts)
    ++reference.found[verdict.named ? place_of(verdict.layout) : 0];
  std::vector<const Picture*> doubts;
  if (!reference.sizes.learned()) return doubts;
  for (const RowFile& file : files)
    if (file.fits[0] && !is_whole(file) && may_be_exchanged(file, reference))
      doubts.push_back(file.picture);
  return doubts;
}

void judge_files(const std::vector<RowFile>& files, FileVerdicts& verdicts) {
  constexpr double least_count = 0.3;
  Reference reference = learn(files, Measured::whole);
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
