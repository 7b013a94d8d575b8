#include "evaluation/analyses/breakdown.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>

#include "evaluation/metrics/overlap.hpp"

namespace yolov7::evaluation {
namespace {

constexpr double nobody = -1;

/// The metric's own matches, told by annotation and by detection.
struct Matches {
  std::vector<std::array<double, coco_ious>> found_by;  // by annotation; nobody where missed
  enum class Fate : unsigned char { unused, right, wrong, ignored };
  std::vector<Fate> fate;  // by detection, at IoU 0.5
};

Matches told(const CocoMatches& matches, std::size_t annotations, std::size_t detections) {
  Matches out;
  std::array<double, coco_ious> missed;
  missed.fill(nobody);
  out.found_by.assign(annotations, missed);
  out.fate.assign(detections, Matches::Fate::unused);
  for (const CocoMatches::Category& category : matches.categories) {
    for (const CocoMatches::Object& object : category.found)
      out.found_by[object.annotation] = object.by;
    for (std::size_t i = 0; i < category.detections.size(); ++i) {
      const CocoMatches::Detection& d = category.detections[i];
      out.fate[category.indices[i]] = (d.found & 1) != 0     ? Matches::Fate::right
                                      : (d.ignored & 1) != 0 ? Matches::Fate::ignored
                                                             : Matches::Fate::wrong;
    }
  }
  return out;
}

struct Scored {
  double score;
  bool right;
};

BestThreshold best_threshold(std::vector<Scored> scored, std::size_t objects) {
  BestThreshold best;
  best.objects = objects;
  std::stable_sort(scored.begin(), scored.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  std::size_t right = 0;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    right += scored[i].right ? 1 : 0;
    const double next = i + 1 < scored.size() ? scored[i + 1].score : 0;
    if (i + 1 < scored.size() && next == scored[i].score)
      continue;  // equal scores are on one side of any threshold
    const double f1 = 2.0 * static_cast<double>(right) / static_cast<double>(objects + i + 1);
    if (!(f1 > best.f1)) continue;
    best = {(scored[i].score + next) / 2, f1,
            static_cast<double>(right) / static_cast<double>(i + 1),
            static_cast<double>(right) / static_cast<double>(objects), objects};
  }
  return best;
}

void thresholds(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
                const Matches& matches, Breakdown& out) {
  out.categories = truth.categories;
  std::sort(out.categories.begin(), out.categories.end(),
            [](const CocoCategory& a, const CocoCategory& b) { return a.id < b.id; });
  std::map<std::int64_t, std::vector<Scored>> scored;
  std::map<std::int64_t, std::size_t> objects;
  for (std::size_t d = 0; d < detections.size(); ++d)
    if (matches.fate[d] == Matches::Fate::right || matches.fate[d] == Matches::Fate::wrong)
      scored[detections[d].category].push_back(
          {detections[d].score, matches.fate[d] == Matches::Fate::right});
  for (const CocoAnnotation& a : truth.annotations) objects[a.category] += a.crowd ? 0 : 1;
  std::vector<Scored> all;
  std::size_t all_objects = 0;
  for (const CocoCategory& c : out.categories) {
    out.by_category.push_back(objects[c.id] > 0 ? best_threshold(scored[c.id], objects[c.id])
                                                : BestThreshold{});
    all.insert(all.end(), scored[c.id].begin(), scored[c.id].end());
    all_objects += objects[c.id];
  }
  if (all_objects > 0) out.overall = best_threshold(std::move(all), all_objects);
}

std::string size_name(const CocoAnnotation& a) {
  const double side = std::sqrt(std::max(a.area, 0.0));
  return side < 16    ? "1: under 16 px"
         : side < 32  ? "2: 16 to 32 px"
         : side < 96  ? "3: 32 to 96 px"
         : side < 288 ? "4: 96 to 288 px"
                      : "5: 288 px and more";
}
std::string shape_name(const CocoAnnotation& a) {
  const double ratio = a.box.height > 0 ? a.box.width / a.box.height : 1e9;
  return ratio < 1.0 / 3   ? "1: under 1:3 (tall)"
         : ratio < 2.0 / 3 ? "2: 1:3 to 2:3"
         : ratio <= 1.5    ? "3: 2:3 to 3:2"
         : ratio <= 3      ? "4: 3:2 to 3:1"
                           : "5: over 3:1 (wide)";
}

/// For each annotation the number of other objects around it.
std::vector<std::size_t> neighbours(const CocoGroundTruth& truth) {
  std::map<std::int64_t, std::vector<std::size_t>> by_picture;
  for (std::size_t i = 0; i < truth.annotations.size(); ++i)
    if (!truth.annotations[i].crowd) by_picture[truth.annotations[i].image].push_back(i);
  std::vector<std::size_t> count(truth.annotations.size(), 0);
  for (const auto& [picture, objects] : by_picture)
    for (const std::size_t a : objects)
      for (const std::size_t b : objects)
        if (a != b && overlap(truth.annotations[a].box, truth.annotations[b].box, false) > 0.1)
          ++count[a];
  return count;
}

void add_bins(const CocoGroundTruth& truth, const Matches& matches, const std::string& property,
              const std::function<std::string(std::size_t)>& name_of, Breakdown& out) {
  std::map<std::string, ObjectBin> bins;  // names begin with their place
  for (std::size_t i = 0; i < truth.annotations.size(); ++i) {
    if (truth.annotations[i].crowd) continue;
    ObjectBin& bin = bins[name_of(i)];
    ++bin.objects;
    bin.recall50 += matches.found_by[i][0] == nobody ? 0 : 1;
    bin.recall50_at_best += matches.found_by[i][0] > out.overall.confidence ? 1 : 0;
    for (const double score : matches.found_by[i]) bin.average_recall += score == nobody ? 0 : 1;
  }
  for (auto& [name, bin] : bins) {
    const auto n = static_cast<double>(bin.objects);
    out.bins.push_back({property, name.substr(3), bin.objects, bin.recall50 / n,
                        bin.recall50_at_best / n, bin.average_recall / (n * coco_ious)});
  }
}

void pictures(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
              const Matches& matches, Breakdown& out) {
  std::map<std::int64_t, PictureErrors> by_picture;
  const auto is_missed = [&](std::size_t i) {
    return !truth.annotations[i].crowd && !(matches.found_by[i][0] > out.overall.confidence);
  };
  for (std::size_t i = 0; i < truth.annotations.size(); ++i) {
    const CocoAnnotation& a = truth.annotations[i];
    if (a.crowd) continue;
    PictureErrors& one = by_picture[a.image];
    ++one.objects;
    one.missed += is_missed(i) ? 1 : 0;
  }
  const auto is_false = [&](std::size_t d) {
    return matches.fate[d] == Matches::Fate::wrong && detections[d].score > out.overall.confidence;
  };
  for (std::size_t d = 0; d < detections.size(); ++d) {
    if (!is_false(d)) continue;
    PictureErrors& one = by_picture[detections[d].image];
    ++one.false_detections;
  }
  for (auto& [image, one] : by_picture) {
    one.image = image;
    if (one.missed + one.false_detections > 0) out.pictures.push_back(std::move(one));
  }
  std::stable_sort(out.pictures.begin(), out.pictures.end(),
                   [](const PictureErrors& a, const PictureErrors& b) {
                     return a.missed + a.false_detections > b.missed + b.false_detections;
                   });
  for (std::size_t k = 0; k < std::min(out.pictures.size(), detailed_pictures); ++k) {
    PictureErrors& one = out.pictures[k];
    for (std::size_t i = 0; i < truth.annotations.size(); ++i)
      if (truth.annotations[i].image == one.image && is_missed(i))
        one.missed_objects.push_back(truth.annotations[i]);
    for (std::size_t d = 0; d < detections.size(); ++d)
      if (detections[d].image == one.image && is_false(d)) one.false_boxes.push_back(detections[d]);
  }
}

}  // namespace

Breakdown break_down(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
                     const CocoMatches& coco) {
  const Matches matches = told(coco, truth.annotations.size(), detections.size());
  Breakdown out;
  thresholds(truth, detections, matches, out);
  const std::vector<std::size_t> around = neighbours(truth);
  add_bins(
      truth, matches, "size", [&](std::size_t i) { return size_name(truth.annotations[i]); }, out);
  add_bins(
      truth, matches, "shape", [&](std::size_t i) { return shape_name(truth.annotations[i]); },
      out);
  add_bins(
      truth, matches, "crowding",
      [&](std::size_t i) {
        const char* names[] = {"1: alone", "2: 1 neighbour", "3: 2 neighbours", "4: 3 and more"};
        return std::string(names[std::min<std::size_t>(around[i], 3)]);
      },
      out);
  pictures(truth, detections, matches, out);
  return out;
}

}  // namespace yolov7::evaluation
