#include "evaluation/analyses/error_analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "core/error.hpp"
#include "evaluation/metrics/overlap.hpp"

namespace yolov7::evaluation {
namespace {

/// A detection of the analysis: what became of it.
struct Item {
  std::size_t detection = 0;
  std::size_t picture = 0;
  bool matched = false, ignored = false;
  int error = -1;             ///< of ErrorType
  std::ptrdiff_t meant = -1;  ///< annotation that a Cls or Loc error was meant for
};

/// A data point of an AP.
struct Point {
  double score;
  bool positive;
};
using Points = std::map<std::int64_t, std::vector<Point>>;  ///< by class
using Counts = std::map<std::int64_t, std::ptrdiff_t>;      ///< objects by class

/// Per cent; 101 recalls i / 100, envelope of precision (evaluation 6.1, step 5).
double class_ap(std::vector<Point> points, std::ptrdiff_t objects) {
  if (objects == 0 || points.empty()) return 0;
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.score > b.score; });
  std::vector<double> recall, precision;
  double tp = 0, fp = 0;
  for (const Point& point : points) {
    (point.positive ? tp : fp) += 1;
    recall.push_back(tp / static_cast<double>(objects));
    precision.push_back(tp / (tp + fp));
  }
  for (std::size_t i = precision.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  double sum = 0;
  for (int i = 0; i <= 100; ++i) {
    const auto at = static_cast<std::size_t>(
        std::lower_bound(recall.begin(), recall.end(), i / 100.0) - recall.begin());
    sum += at < precision.size() ? precision[at] : 0;
  }
  return 100 * sum / 101;
}

double mean_ap(const Points& points, const Counts& counts) {
  std::set<std::int64_t> classes;
  for (const auto& [category, list] : points)
    if (!list.empty()) classes.insert(category);
  for (const auto& [category, count] : counts)
    if (count > 0) classes.insert(category);
  double sum = 0;
  for (const std::int64_t category : classes) {
    const auto list = points.find(category);
    const auto count = counts.find(category);
    sum += class_ap(list == points.end() ? std::vector<Point>() : list->second,
                    count == counts.end() ? 0 : count->second);
  }
  return classes.empty() ? 0 : sum / static_cast<double>(classes.size());
}

class Analyser {
 public:
  Analyser(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
           const ErrorAnalysisOptions& options)
      : truth_(truth), detections_(detections), options_(options), used_(truth.annotations.size()) {
    result_.options = options;
    group();
  }

  ErrorAnalysis run() {
    for (std::size_t p = 0; p < pictures_.size(); ++p) analyse(pictures_[p]);
    for (const CocoAnnotation& g : truth_.annotations)
      if (!g.crowd) ++counts_[g.category];
    Points as_found;
    for (const Picture& picture : pictures_)
      for (const Item& item : picture.items) put_unchanged(as_found, item);
    result_.ap = mean_ap(as_found, counts_);
    for (std::size_t type = 0; type < error_types; ++type)
      result_.dap[type] = gain(repaired(static_cast<ErrorType>(type)));
    special_errors();
    return std::move(result_);
  }

 private:
  struct Picture {
    std::vector<std::size_t> objects, crowds;  ///< annotations
    std::vector<Item> items;
  };

  void group() {
    std::unordered_map<std::int64_t, std::size_t> place;
    std::vector<std::int64_t> images = truth_.images;
    std::sort(images.begin(), images.end());
    for (const std::int64_t image : images) place.emplace(image, place.size());
    std::set<std::int64_t> categories;
    for (const CocoCategory& category : truth_.categories) categories.insert(category.id);
    pictures_.resize(place.size());
    for (std::size_t i = 0; i < truth_.annotations.size(); ++i) {
      const CocoAnnotation& a = truth_.annotations[i];
      const auto found = place.find(a.image);
      if (found != place.end())
        (a.crowd ? pictures_[found->second].crowds : pictures_[found->second].objects).push_back(i);
    }
    for (std::size_t i = 0; i < detections_.size(); ++i) {
      const auto found = place.find(detections_[i].image);
      if (found == place.end())
        throw Error(fmt::format("error analysis: image {} is not in the ground truth",
                                detections_[i].image));
      if (categories.contains(detections_[i].category))
        pictures_[found->second].items.push_back({i, found->second});
    }
    for (Picture& picture : pictures_) {
      std::stable_sort(picture.items.begin(), picture.items.end(),
                       [&](const Item& a, const Item& b) {
                         return detections_[a.detection].score > detections_[b.detection].score;
                       });
      if (picture.items.size() > static_cast<std::size_t>(options_.max_detections))
        picture.items.resize(static_cast<std::size_t>(options_.max_detections));
    }
  }

  void analyse(Picture& picture) {
    std::vector<std::vector<double>> ious;
    for (const Item& item : picture.items) {
      ious.emplace_back();
      for (const std::size_t g : picture.objects)
        ious.back().push_back(
            overlap(detections_[item.detection].box, truth_.annotations[g].box, false));
    }
    match(picture, ious);
    std::set<std::size_t> claimed;
    for (std::size_t d = 0; d < picture.items.size(); ++d) {
      Item& item = picture.items[d];
      if (item.matched) continue;
      classify(picture, ious[d], item);
      if (item.meant >= 0 && !used_[static_cast<std::size_t>(item.meant)]) {
        claimed.insert(static_cast<std::size_t>(item.meant));
        best_.emplace(item.meant, item.detection);
      }
      result_.errors.push_back({static_cast<ErrorType>(item.error),
                                static_cast<std::ptrdiff_t>(item.detection), item.meant});
    }
    for (const std::size_t g : picture.objects) {
      if (used_[g]) continue;
      ++unmatched_[truth_.annotations[g].category];
      if (claimed.contains(g)) continue;
      ++missed_[truth_.annotations[g].category];
      result_.errors.push_back({ErrorType::missed, -1, static_cast<std::ptrdiff_t>(g)});
    }
  }

  void match(Picture& picture, const std::vector<std::vector<double>>& ious) {
    for (std::size_t d = 0; d < picture.items.size(); ++d) {
      Item& item = picture.items[d];
      const CocoDetection& detection = detections_[item.detection];
      double best = 0;
      std::ptrdiff_t at = -1;
      for (std::size_t g = 0; g < picture.objects.size(); ++g) {
        if (used_[picture.objects[g]] ||
            truth_.annotations[picture.objects[g]].category != detection.category ||
            ious[d][g] <= best)
          continue;
        best = ious[d][g];
        at = static_cast<std::ptrdiff_t>(g);
      }
      if (at >= 0 && best >= options_.foreground) {
        item.matched = true;
        used_[picture.objects[static_cast<std::size_t>(at)]] = true;
      }
    }
    for (Item& item : picture.items)
      for (const std::size_t crowd : picture.crowds) {
        const CocoDetection& detection = detections_[item.detection];
        if (!item.matched && truth_.annotations[crowd].category == detection.category &&
            overlap(detection.box, truth_.annotations[crowd].box, true) > options_.foreground)
          item.ignored = true;
      }
  }

  /// The first test that holds decides (step 3).
  void classify(const Picture& picture, const std::vector<double>& ious, Item& item) const {
    const std::int64_t category = detections_[item.detection].category;
    struct Best {
      double iou = 0;
      std::ptrdiff_t annotation = -1;
    };
    const auto best = [&](const auto& counts) {
      Best found;
      for (std::size_t g = 0; g < picture.objects.size(); ++g)
        if (counts(picture.objects[g]) && (found.annotation < 0 || ious[g] > found.iou))
          found = {ious[g], static_cast<std::ptrdiff_t>(picture.objects[g])};
      return found;
    };
    const auto set = [&](ErrorType type, std::ptrdiff_t meant) {
      item.error = static_cast<int>(type);
      item.meant = meant;
    };
    if (picture.objects.empty()) return set(ErrorType::background, -1);
    const auto same = [&](std::size_t g) { return truth_.annotations[g].category == category; };
    const Best own = best(same), other = best([&](std::size_t g) { return !same(g); }),
               taken = best([&](std::size_t g) { return same(g) && used_[g]; });
    if (options_.background <= own.iou && own.iou <= options_.foreground)
      return set(ErrorType::localization, own.annotation);
    if (other.iou >= options_.foreground) return set(ErrorType::classification, other.annotation);
    if (taken.iou >= options_.foreground) return set(ErrorType::duplicate, -1);
    if (std::max(own.iou, other.iou) <= options_.background) return set(ErrorType::background, -1);
    set(ErrorType::both, -1);
  }

  std::int64_t category_of(const Item& item) const { return detections_[item.detection].category; }

  /// Points of all detections; `put` decides what becomes of each. Among equal scores errors come
  /// first, as in the authors' program.
  template <class Put>
  Points points(Put put) const {
    Points all;
    for (const bool matched : {false, true})
      for (const Picture& picture : pictures_)
        for (const Item& item : picture.items)
          if (item.matched == matched) put(all, item);
    return all;
  }

  /// AP with the errors of one type repaired (step 6).
  double repaired(ErrorType type) const {
    if (type == ErrorType::missed) return mean_ap(unchanged(), without(missed_));
    return mean_ap(
        points([&](Points& all, const Item& item) {
          if (!is(item, type)) return put_unchanged(all, item);
          const auto found = best_.find(item.meant);
          if (found == best_.end() || found->second != item.detection) return;
          all[truth_.annotations[static_cast<std::size_t>(item.meant)].category].push_back(
              {detections_[item.detection].score, true});
        }),
        counts_);
  }

  static bool is(const Item& item, ErrorType type) { return item.error == static_cast<int>(type); }
  /// What is ignored takes no part, unless the repair of its error makes it a find (as in the
  /// authors' program).
  void put_unchanged(Points& all, const Item& item) const {
    if (!item.ignored)
      all[category_of(item)].push_back({detections_[item.detection].score, item.matched});
  }
  Points unchanged() const {
    return points([&](Points& all, const Item& item) { put_unchanged(all, item); });
  }
  Counts without(const Counts& fewer) const {
    Counts counts = counts_;
    for (const auto& [category, count] : fewer) counts[category] -= count;
    return counts;
  }

  void special_errors() {
    const Points perfect = points([&](Points& all, const Item& item) {
      if (!item.ignored) all[category_of(item)].push_back({item.matched ? 1.0 : 0.0, item.matched});
    });
    result_.false_positives = gain(mean_ap(perfect, counts_));
    result_.false_negatives = gain(mean_ap(unchanged(), without(unmatched_)));
  }

  double gain(double ap) const { return std::max(ap - result_.ap, 0.0); }

  const CocoGroundTruth& truth_;
  const std::vector<CocoDetection>& detections_;
  const ErrorAnalysisOptions options_;
  std::vector<Picture> pictures_;
  std::vector<char> used_;
  std::unordered_map<std::ptrdiff_t, std::size_t>
      best_;  ///< of each object that Cls and Loc errors were meant for: the detection with the
              ///< highest score, of either type
  Counts counts_, missed_, unmatched_;
  ErrorAnalysis result_;
};

}  // namespace

const char* error_name(ErrorType type) {
  constexpr std::array names{"Cls", "Loc", "Both", "Dupe", "Bkg", "Miss"};
  return names[static_cast<std::size_t>(type)];
}

std::size_t ErrorAnalysis::count(ErrorType type) const {
  return static_cast<std::size_t>(std::count_if(
      errors.begin(), errors.end(), [&](const DetectionError& e) { return e.type == type; }));
}

ErrorAnalysis analyse_errors(const CocoGroundTruth& truth,
                             const std::vector<CocoDetection>& detections,
                             const ErrorAnalysisOptions& options) {
  if (options.background > options.foreground)
    throw Error(fmt::format(
        "error analysis: expected a background IoU of at most the foreground's, found {} and {}",
        options.background, options.foreground));
  return Analyser(truth, detections, options).run();
}

std::vector<std::string> error_lines(const ErrorAnalysis& a) {
  std::vector<std::string> lines{
      fmt::format("Errors in the manner of TIDE, AP at IoU {:.2f}: {:.2f} %", a.options.foreground,
                  a.ap),
      fmt::format("  {:<10}{:>10}{:>10}", "type", "errors", "dAP, %")};
  for (std::size_t i = 0; i < error_types; ++i) {
    const auto type = static_cast<ErrorType>(i);
    lines.push_back(
        fmt::format("  {:<10}{:>10}{:>10.2f}", error_name(type), a.count(type), a.dap[i]));
  }
  lines.push_back(fmt::format("  {:<20}{:>10.2f}", "FalsePos", a.false_positives));
  lines.push_back(fmt::format("  {:<20}{:>10.2f}", "FalseNeg", a.false_negatives));
  return lines;
}

}  // namespace yolov7::evaluation
