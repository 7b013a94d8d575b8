#include "dataset/doctor/causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace yolov7::dataset::doctor {
namespace {

constexpr double sure_z = 6, least_gain = 1.15;
/// A layout is looked at for the whole set where so many of the best one's files fit it.
constexpr double nearly_all = 0.98;

/// How much more the boxes stand out under layout `other` than under `base`: mean difference over
/// the files that fit both, in standard errors, and as a ratio.
struct Gain {
  double z = 0, ratio = 1;
  std::size_t files = 0;
};

Gain gain_of(const std::vector<RowFile>& files, std::size_t other, std::size_t base) {
  double sum = 0, squares = 0, base_sum = 0;
  Gain gain;
  for (const RowFile& file : files) {
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

std::size_t count_fitting(const std::vector<RowFile>& files, std::size_t layout) {
  return static_cast<std::size_t>(std::count_if(
      files.begin(), files.end(), [&](const RowFile& file) { return file.fits[layout]; }));
}

/// The layout of most files. Numbers that are boxes under several layouts are settled by how the
/// boxes stand out; where that does not settle it, the first in the table stays.
void decide_set(const std::vector<RowFile>& files, Causes& causes) {
  std::array<std::size_t, layout_count> counts{};
  for (std::size_t i = 0; i < layout_count; ++i) counts[i] = count_fitting(files, i);
  const std::size_t most = *std::max_element(counts.begin(), counts.end());
  if (most * 2 < files.size() || files.size() < 2) return;
  const bool own = counts[0] * 2 >= files.size();
  std::size_t best = layout_count;
  Gain best_gain;
  for (std::size_t i = 0; i < layout_count; ++i) {
    if (static_cast<double>(counts[i]) < nearly_all * static_cast<double>(own ? counts[0] : most))
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
  causes.set_evidence = fmt::format(
      "{} of {} label files are boxes inside their images when read so, {} when read "
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
  if (subject.single_cls) return;
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
  causes.class_evidence =
      fmt::format("all {} rows have classes in 1..{}, {} of them class {}; none has class 0", rows,
                  classes, last, classes);
}

/// Where the whole set has another layout, each file that fits it has that cause.
void judge_by_set(const std::vector<RowFile>& files, Causes& causes) {
  std::size_t set_place = 0;
  while (!(layout_at(set_place) == causes.set_layout)) ++set_place;
  for (const RowFile& file : files)
    if (file.fits[set_place])
      causes.files.emplace(file.picture,
                           FileVerdict{causes.set_layout, file.rows, true, causes.set_evidence});
    else
      causes.files.emplace(file.picture, FileVerdict{{}, file.rows, false, {}});
}

/// Whether the set may have another layout, by what was measured quickly. Mostly it is clear: no
/// other layout fits as many files, or the boxes do not stand out more under it.
bool set_in_doubt(const std::vector<RowFile>& files) {
  constexpr double doubtful_z = 4, doubtful_gain = 1.08;
  if (files.size() < 2) return false;
  const std::size_t own = count_fitting(files, 0);
  if (own * 2 < files.size()) return true;
  for (std::size_t i = 1; i < layout_count; ++i) {
    if (static_cast<double>(count_fitting(files, i)) < nearly_all * static_cast<double>(own))
      continue;
    const Gain gain = gain_of(files, i, 0);
    if (gain.z > doubtful_z && gain.ratio > doubtful_gain) return true;
  }
  return false;
}

/// Label files that are equal, of several images: where their boxes stand out tells which image
/// they belong to (check_boxes.cpp).
void add_equal_files(const std::vector<RowFile>& files, std::vector<const Picture*>& wanted) {
  std::unordered_map<std::string_view, std::vector<const Picture*>> uses;
  for (const RowFile& file : files)
    if (file.picture->rows.size() >= 2) uses[file.picture->label_hash].push_back(file.picture);
  for (const auto& [hash, pictures] : uses) {
    const auto other = [&first = pictures.front()->facts.content_hash](const Picture* picture) {
      return picture->facts.content_hash != first;
    };
    if (std::any_of(pictures.begin(), pictures.end(), other))
      wanted.insert(wanted.end(), pictures.begin(), pictures.end());
  }
}

/// Files that follow the format, from all over the set: what others are compared with.
void add_reference(const std::vector<RowFile>& files, std::vector<const Picture*>& wanted) {
  constexpr std::size_t enough = 500;
  std::vector<const Picture*> own;
  for (const RowFile& file : files)
    if (file.fits[0]) own.push_back(file.picture);
  const std::size_t count = std::min(own.size(), enough);
  for (std::size_t i = 0; i < count; ++i) wanted.push_back(own[i * own.size() / count]);
}

}  // namespace

std::unordered_set<const Picture*> unsettled(const Subject& subject) {
  const std::vector<RowFile> files = row_files(subject);
  std::vector<const Picture*> wanted;
  if (set_in_doubt(files)) {
    for (const RowFile& file : files) wanted.push_back(file.picture);
  } else {
    wanted = files_in_doubt(files);
    for (const RowFile& file : files)
      if (!file.fits[0] || file.picture->look.whole) wanted.push_back(file.picture);
    if (!wanted.empty()) add_reference(files, wanted);
    add_equal_files(files, wanted);
  }
  std::unordered_set<const Picture*> result;
  for (const Picture* picture : wanted)
    if (!picture->look.whole) result.insert(picture);
  return result;
}

Causes find_causes(const Subject& subject) {
  Causes causes;
  const std::vector<RowFile> files = row_files(subject);
  decide_set(files, causes);
  decide_classes(subject, causes);
  if (causes.set_layout.own())
    judge_files(files, causes.files);
  else
    judge_by_set(files, causes);
  return causes;
}

}  // namespace yolov7::dataset::doctor
