#include "evaluation/metrics/yolo_metric.hpp"

#include <algorithm>
#include <numeric>

namespace yolov7::evaluation {
namespace {

/// 0.5 … 0.95 in 32 bits. The comparison is strict and in 32 bits on both sides: an IoU of 13/20
/// does not exceed 0.65.
std::array<float, 10> thresholds() {
  std::array<float, 10> t{};
  for (std::size_t k = 0; k < 10; ++k)
    t[k] = static_cast<float>(0.5 + static_cast<double>(k) * ((0.95 - 0.5) / 9));
  t.back() = 0.95f;
  return t;
}

/// Linear interpolation with the rule of evaluation 1.7: among equal knots the last one counts.
double interpolate(double v, const std::vector<double>& x, const std::vector<double>& y,
                   double left) {
  const auto after = std::upper_bound(x.begin(), x.end(), v);
  if (after == x.begin()) return left;
  const auto k = static_cast<std::size_t>(after - x.begin()) - 1;
  if (k + 1 == x.size() || x[k] == v) return y[k];
  return y[k] + (y[k + 1] - y[k]) / (x[k + 1] - x[k]) * (v - x[k]);
}

struct Curve {
  std::vector<double> recall, precision;  ///< by prediction, descending confidence
};

struct Envelope {
  std::vector<double> recall, precision;  ///< with the sentinels
};

Envelope envelope(const Curve& c, bool v5_end) {
  Envelope e{{0.0}, {1.0}};
  e.recall.insert(e.recall.end(), c.recall.begin(), c.recall.end());
  e.precision.insert(e.precision.end(), c.precision.begin(), c.precision.end());
  e.recall.push_back(v5_end ? 1.0 : (c.recall.empty() ? 0 : c.recall.back()) + 0.01);
  e.precision.push_back(0);
  for (std::size_t i = e.precision.size(); i-- > 1;)
    e.precision[i - 1] = std::max(e.precision[i - 1], e.precision[i]);
  return e;
}

double area(const Envelope& e, bool continuous) {
  double sum = 0;
  if (continuous) {
    for (std::size_t i = 0; i + 1 < e.recall.size(); ++i)
      sum += (e.recall[i + 1] - e.recall[i]) * e.precision[i + 1];
    return sum;
  }
  double previous_x = 0, previous_y = interpolate(0, e.recall, e.precision, e.precision.front());
  for (int j = 1; j <= 100; ++j) {
    const double x = j == 100 ? 1.0 : j * 0.01,
                 y = interpolate(x, e.recall, e.precision, e.precision.front());
    sum += (x - previous_x) * (y + previous_y) / 2;
    previous_x = x;
    previous_y = y;
  }
  return sum;
}

class ClassMetric {
 public:
  ClassMetric(const MatchedPredictions& all, const std::vector<std::size_t>& order, int class_index,
              std::size_t targets)
      : all_(all), targets_(targets) {
    for (const std::size_t i : order)
      if (all.predicted_class[i] == class_index) rows_.push_back(i);
  }
  bool empty() const { return rows_.empty(); }

  Curve curve(std::size_t threshold) const {
    Curve c;
    double tp = 0, fp = 0;
    for (const std::size_t i : rows_) {
      (all_.correct[i][threshold] ? tp : fp) += 1;
      c.recall.push_back(tp / (static_cast<double>(targets_) + 1e-16));
      c.precision.push_back(tp / (tp + fp));
    }
    return c;
  }

  /// Values over the confidence grid: knots at −confidence, queries at −q / 999.
  std::vector<double> over_confidence(const std::vector<double>& values,
                                      double above_highest) const {
    std::vector<double> knots, out;
    for (const std::size_t i : rows_) knots.push_back(-static_cast<double>(all_.confidence[i]));
    for (std::size_t q = 0; q < metric_curve_points; ++q)
      out.push_back(interpolate(-grid_point(q), knots, values, above_highest));
    return out;
  }
  static double grid_point(std::size_t q) {
    return q + 1 == metric_curve_points ? 1.0 : static_cast<double>(q) * (1.0 / 999);
  }

 private:
  const MatchedPredictions& all_;
  std::size_t targets_;
  std::vector<std::size_t> rows_;
};

void add_class(YoloMetric& out, const ClassMetric& one, const YoloMetricOptions& options) {
  out.ap_per_threshold.push_back({});
  for (auto* curves : {&out.p_curve, &out.r_curve, &out.f1_curve, &out.precision_curve})
    curves->emplace_back(metric_curve_points, 0.0);
  if (one.empty()) return;
  for (std::size_t t = 0; t < 10; ++t)
    out.ap_per_threshold.back()[t] =
        area(envelope(one.curve(t), options.v5_end), options.continuous);
  const Curve loose = one.curve(0);
  out.r_curve.back() = one.over_confidence(loose.recall, 0);
  out.p_curve.back() = one.over_confidence(loose.precision, 1);
  const Envelope e = envelope(loose, options.v5_end);
  for (std::size_t q = 0; q < metric_curve_points; ++q) {
    const double p = out.p_curve.back()[q], r = out.r_curve.back()[q];
    out.f1_curve.back()[q] = 2 * p * r / (p + r + 1e-16);
    out.precision_curve.back()[q] =
        interpolate(ClassMetric::grid_point(q), e.recall, e.precision, e.precision.front());
  }
}

double mean(const std::vector<double>& values) {
  return values.empty() ? 0
                        : std::accumulate(values.begin(), values.end(), 0.0) /
                              static_cast<double>(values.size());
}

void choose_confidence(YoloMetric& out) {
  double best = -1;
  for (std::size_t q = 0; q < metric_curve_points; ++q) {
    double sum = 0;
    for (const auto& curve : out.f1_curve) sum += curve[q];
    const double value = sum / static_cast<double>(out.f1_curve.size());
    if (value > best) {
      best = value;
      out.best_index = q;
    }
  }
  out.confidence = ClassMetric::grid_point(out.best_index);
  for (std::size_t c = 0; c < out.classes.size(); ++c) {
    out.p.push_back(out.p_curve[c][out.best_index]);
    out.r.push_back(out.r_curve[c][out.best_index]);
    out.f1.push_back(out.f1_curve[c][out.best_index]);
  }
}

}  // namespace

void match_picture(std::span<const Detection> detections, std::span<const Target> targets,
                   MatchedPredictions& all) {
  static const auto limits = thresholds();
  const std::size_t first = all.correct.size();
  for (const Detection& d : detections) {
    all.correct.push_back({});
    all.confidence.push_back(d.score);
    all.predicted_class.push_back(d.class_index);
  }
  std::vector<char> detected(targets.size(), 0);
  std::size_t given = 0;
  std::vector<int> classes;
  for (const Target& t : targets) {
    all.target_class.push_back(t.class_index);
    classes.push_back(t.class_index);
  }
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  for (const int c : classes)
    for (std::size_t p = 0; p < detections.size() && given < targets.size(); ++p) {
      if (detections[p].class_index != c) continue;
      float best = -1;
      std::size_t best_target = 0;
      for (std::size_t t = 0; t < targets.size(); ++t) {
        if (targets[t].class_index != c) continue;
        const auto value = static_cast<float>(iou(detections[p].box, targets[t].box));
        if (value > best) {
          best = value;
          best_target = t;
        }
      }
      if (!(best > limits[0]) || detected[best_target]) continue;
      detected[best_target] = 1;
      ++given;
      for (std::size_t k = 0; k < 10; ++k) all.correct[first + p][k] = best > limits[k];
    }
}

YoloMetric yolo_metric(const MatchedPredictions& all, const YoloMetricOptions& options) {
  YoloMetric out;
  out.classes = all.target_class;
  std::sort(out.classes.begin(), out.classes.end());
  out.classes.erase(std::unique(out.classes.begin(), out.classes.end()), out.classes.end());
  if (out.classes.empty()) return out;
  std::vector<std::size_t> order(all.confidence.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return all.confidence[a] > all.confidence[b];
  });
  for (const int c : out.classes) {
    out.targets.push_back(
        static_cast<std::size_t>(std::count(all.target_class.begin(), all.target_class.end(), c)));
    add_class(out, ClassMetric(all, order, c, out.targets.back()), options);
    const auto& by_threshold = out.ap_per_threshold.back();
    out.ap50.push_back(by_threshold[0]);
    out.ap.push_back(std::accumulate(by_threshold.begin(), by_threshold.end(), 0.0) / 10);
  }
  choose_confidence(out);
  out.mean_p = mean(out.p);
  out.mean_r = mean(out.r);
  out.map50 = mean(out.ap50);
  out.map = mean(out.ap);
  return out;
}

}  // namespace yolov7::evaluation
