#include "dataset/doctor/causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "dataset/doctor/size_model.hpp"

namespace yolov7::dataset::doctor {
namespace {

// How far a box may reach out of its image, as a share of the side: rounding is less than the
// first; people who draw over the border stay below the second.
constexpr double slack = 0.005, own_slack = 0.02;
constexpr double sure_z = 6, least_gain = 1.15;
constexpr double sure_of_exchange = 12;  // nats
constexpr double unlikely_row = -6;      // nats: no reading of this row is likely below it
constexpr double most_of_contrast = 20, contrast_a_row = 4;  // nats

double slack_of(const Layout& layout) { return layout.own() ? own_slack : slack; }

std::optional<CxcywhNormalized> box_of(const Picture& picture, const RawRow& row,
                                       const Layout& layout) {
  return box_under(layout, row.numbers(), picture.facts.width, picture.facts.height,
                   slack_of(layout));
}

std::vector<std::size_t> box_rows(const Picture& picture) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < picture.rows.size(); ++i)
    if (picture.rows[i].is_box()) rows.push_back(i);
  return rows;
}

bool fits(const Picture& picture, const std::vector<std::size_t>& rows, const Layout& layout) {
  return std::all_of(rows.begin(), rows.end(), [&](std::size_t i) {
    return box_of(picture, picture.rows[i], layout).has_value();
  });
}

/// A picture with rows that have four numbers.
struct File {
  const Picture* picture;
  std::vector<std::size_t> rows;
  std::array<bool, layout_count> fits{};
};

std::vector<File> files_of(const Subject& subject) {
  std::vector<File> files;
  for (const Split& split : subject.splits)
    for (const Picture& picture : split.pictures) {
      File file{&picture, box_rows(picture)};
      if (!picture.usable() || file.rows.empty()) continue;
      for (std::size_t i = 0; i < layout_count; ++i)
        file.fits[i] = fits(picture, file.rows, layout_at(i));
      files.push_back(std::move(file));
    }
  return files;
}

/// How much more the boxes stand out under layout `other` than under `base`: mean difference over
/// the files that fit both, in standard errors, and as a ratio.
struct Gain {
  double z = 0, ratio = 1;
  std::size_t files = 0;
};

Gain gain_of(const std::vector<File>& files, std::size_t other, std::size_t base) {
  double sum = 0, squares = 0, base_sum = 0;
  Gain gain;
  for (const File& file : files) {
    if (!file.fits[other] || !file.fits[base] || file.picture->look.boxes == 0) continue;
    const double here = file.picture->look.contrast[base],
                 difference = file.picture->look.contrast[other] - here;
    sum += difference, squares += difference * difference, base_sum += here;
    ++gain.files;
  }
  if (gain.files < 2 || base_sum <= 0) return gain;
  const auto n = static_cast<double>(gain.files);
  const double mean = sum / n, variance = std::max(1e-12, squares / n - mean * mean);
  gain.z = mean / std::sqrt(variance / n);
  gain.ratio = (base_sum + sum) / base_sum;
  return gain;
}

std::size_t count_fitting(const std::vector<File>& files, std::size_t layout) {
  return static_cast<std::size_t>(std::count_if(
      files.begin(), files.end(), [&](const File& file) { return file.fits[layout]; }));
}

/// The layout of most files. Numbers that are boxes under several layouts are settled by how the
/// boxes stand out; where that does not settle it, the first in the table stays.
void decide_set(const std::vector<File>& files, Causes& causes) {
  constexpr double nearly_all = 0.98;
  std::array<std::size_t, layout_count> counts{};
  for (std::size_t i = 0; i < layout_count; ++i) counts[i] = count_fitting(files, i);
  const std::size_t most = *std::max_element(counts.begin(), counts.end());
  if (most * 2 < files.size() || files.size() < 2) return;
  const bool own = counts[0] * 2 >= files.size();
  std::size_t best = layout_count;
  Gain best_gain;
  for (std::size_t i = 0; i < layout_count; ++i) {
    if (static_cast<double>(counts[i]) <
        nearly_all * static_cast<double>(own ? counts[0] : most))
      continue;
    if (best == layout_count) {
      best = own ? 0 : i;
      if (best == i) continue;
    }
    const Gain gain = gain_of(files, i, best);
    if (gain.z > sure_z && gain.ratio > least_gain) best = i, best_gain = gain;
  }
  causes.set_layout = layout_at(best);
  if (best == 0) return;
  causes.set_evidence =
      fmt::format("{} of {} label files are boxes inside their images when read so, {} when read "
                  "as the format says",
                  counts[best], files.size(), counts[0]);
  if (best_gain.files > 0)
    causes.set_evidence += fmt::format(
        "; in {} images the boxes then stand out {:.2f} times as much from what lies around them "
        "({:.1f} standard errors)",
        best_gain.files, best_gain.ratio, best_gain.z);
}

/// Class numbers from 1: the number of classes occurs, 0 does not.
void decide_classes(const Subject& subject, Causes& causes) {
  const int classes = subject.description.class_count;
  std::size_t rows = 0, last = 0;
  for (const Split& split : subject.splits)
    for (const Picture& picture : split.pictures)
      for (const RawRow& row : picture.rows) {
        if (!row.readable()) continue;
        if (row.class_number < 1 || row.class_number > classes) return;
        ++rows;
        last += row.class_number == classes ? 1 : 0;
      }
  if (last == 0) return;
  causes.one_based = true;
  causes.class_evidence = fmt::format(
      "all {} rows have classes in 1..{}, {} of them class {}; none has class 0", rows, classes,
      last, classes);
}

/// What the files that follow the set say about sizes, and how much less their boxes would stand
/// out under each other layout.
struct Reference {
  SizeModel sizes;
  std::array<double, layout_count> mean{}, deviation{};  ///< of ln(contrast ratio); mean 0 = unknown

  double of_contrast(const File& file, std::size_t layout) const {
    const auto& contrast = file.picture->look.contrast;
    if (mean[layout] >= 0 || contrast[layout] <= 0 || contrast[0] <= 0) return 0;
    const double ratio = std::log(contrast[layout] / contrast[0]);
    const double most =
        std::min(most_of_contrast, contrast_a_row * static_cast<double>(file.rows.size()));
    return std::clamp(-2 * ratio * mean[layout] / (deviation[layout] * deviation[layout]), -most,
                      most);
  }
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Reference learn(const std::vector<File>& files) {
  constexpr std::size_t least_files = 20;
  constexpr double of_normal = 1.4826, least_deviation = 0.2;
  Reference reference;
  for (const File& file : files) {
    if (!file.fits[0]) continue;
    for (const std::size_t i : file.rows) {
      const RawRow& row = file.picture->rows[i];
      if (const auto box = box_of(*file.picture, row, Layout{}))
        reference.sizes.add(static_cast<int>(row.class_number), *box, file.picture->facts.width,
                            file.picture->facts.height);
    }
  }
  reference.sizes.finish();
  for (std::size_t k = 1; k < layout_count; ++k) {
    std::vector<double> ratios;
    for (const File& file : files)
      if (file.fits[0] && file.fits[k] && file.picture->look.contrast[k] > 0 &&
          file.picture->look.contrast[0] > 0)
        ratios.push_back(std::log(file.picture->look.contrast[k] / file.picture->look.contrast[0]));
    if (ratios.size() < least_files) continue;
    const double middle = median(ratios);
    for (double& ratio : ratios) ratio = std::abs(ratio - middle);
    reference.mean[k] = std::min(0.0, middle);
    reference.deviation[k] = std::max(least_deviation, of_normal * median(ratios));
  }
  return reference;
}

double likelihood(const File& file, const std::vector<std::size_t>& rows, const Layout& layout,
                  const SizeModel& sizes) {
  double sum = 0;
  for (const std::size_t i : rows) {
    const RawRow& row = file.picture->rows[i];
    if (const auto box = box_of(*file.picture, row, layout))
      sum += sizes.log_likelihood(static_cast<int>(row.class_number), *box,
                                  file.picture->facts.width, file.picture->facts.height);
  }
  return sum;
}

/// The most likely reading of these rows, of all layouts under which each is a box.
FileVerdict best_reading(const File& file, const std::vector<std::size_t>& rows, bool whole,
                         const Reference& reference) {
  FileVerdict verdict;
  verdict.affected = rows;
  double best = unlikely_row * static_cast<double>(rows.size());
  double second = best;
  for (std::size_t k = 1; k < layout_count; ++k) {
    const Layout layout = layout_at(k);
    if (!fits(*file.picture, rows, layout)) continue;
    double score = likelihood(file, rows, layout, reference.sizes);
    if (whole) score += 4 * std::min(2.0F, file.picture->look.contrast[k]);
    if (score > best) {
      second = best, best = score;
      verdict.layout = layout, verdict.named = true;
    } else {
      second = std::max(second, score);
    }
  }
  if (verdict.named)
    verdict.evidence = fmt::format(
        "{} of the file's {} rows are no boxes as the format says; read so, all are, with sizes "
        "like those of the other files (e^{:.1f} times as likely as the next reading)",
        rows.size(), file.rows.size(), std::min(best - second, 99.0));
  return verdict;
}

/// A file with rows that are no boxes.
FileVerdict explain(const File& file, const Reference& reference) {
  std::vector<std::size_t> faulty;
  for (const std::size_t i : file.rows)
    if (!box_of(*file.picture, file.picture->rows[i], Layout{})) faulty.push_back(i);
  if (faulty.size() * 2 >= file.rows.size() || faulty.size() >= 2) {
    FileVerdict verdict = best_reading(file, file.rows, true, reference);
    if (verdict.named) {
      verdict.affected = file.rows;
      return verdict;
    }
  }
  return best_reading(file, faulty, false, reference);
}

/// A file whose rows are boxes, and would be far more likely ones under another layout.
std::optional<FileVerdict> exchanged(const File& file, const Reference& reference) {
  const double own = likelihood(file, file.rows, Layout{}, reference.sizes);
  std::optional<FileVerdict> verdict;
  double best = sure_of_exchange;
  for (std::size_t k = 1; k < layout_count; ++k) {
    const Layout layout = layout_at(k);
    if (!file.fits[k] || layout.unit != Unit::fraction) continue;
    const double by_size = likelihood(file, file.rows, layout, reference.sizes) - own,
                 by_contrast = reference.of_contrast(file, k);
    if (by_size + by_contrast <= best || by_contrast < 0) continue;
    best = by_size + by_contrast;
    verdict = FileVerdict{layout, file.rows, true,
                          fmt::format("the rows are boxes either way; their sizes speak for it by "
                                      "e^{:.1f}, and how they stand out by e^{:.1f}",
                                      by_size, by_contrast)};
  }
  return verdict;
}

void judge_files(const std::vector<File>& files, Causes& causes) {
  const Reference reference = learn(files);
  for (const File& file : files) {
    if (!file.fits[0]) {
      causes.files.emplace(file.picture, explain(file, reference));
    } else if (reference.sizes.learned()) {
      if (auto verdict = exchanged(file, reference))
        causes.files.emplace(file.picture, std::move(*verdict));
    }
  }
}

/// Where the whole set has another layout, each file that fits it has that cause.
void judge_by_set(const std::vector<File>& files, Causes& causes) {
  for (const File& file : files)
    if (fits(*file.picture, file.rows, causes.set_layout))
      causes.files.emplace(file.picture,
                           FileVerdict{causes.set_layout, file.rows, true, causes.set_evidence});
    else
      causes.files.emplace(file.picture, FileVerdict{{}, file.rows, false, {}});
}

}  // namespace

Causes find_causes(const Subject& subject) {
  Causes causes;
  const std::vector<File> files = files_of(subject);
  decide_set(files, causes);
  decide_classes(subject, causes);
  if (causes.set_layout.own())
    judge_files(files, causes);
  else
    judge_by_set(files, causes);
  return causes;
}

}  // namespace yolov7::dataset::doctor
