#include "active/learning_curve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::active {
namespace {

void require_curve(const Curve& curve) {
  if (curve.empty()) throw Error("learning curve: expected at least one point, found none");
  for (std::size_t i = 0; i < curve.size(); ++i)
    if (!(curve[i].cost > 0) || (i > 0 && curve[i].cost < curve[i - 1].cost))
      throw Error(fmt::format("learning curve: expected costs above 0 that do not fall, found {}",
                              text::general(curve[i].cost)));
}

double between(const CurvePoint& a, const CurvePoint& b, double log_cost) {
  const double from = std::log(a.cost), to = std::log(b.cost);
  return to > from ? a.value + (b.value - a.value) * (log_cost - from) / (to - from) : b.value;
}

double value_of(const Curve& curve, double cost) {
  if (cost <= curve.front().cost) return curve.front().value;
  for (std::size_t i = 1; i < curve.size(); ++i)
    if (cost <= curve[i].cost) return between(curve[i - 1], curve[i], std::log(cost));
  return curve.back().value;
}

}  // namespace

double value_at(const Curve& curve, double cost) {
  require_curve(curve);
  return value_of(curve, cost);
}

double mean_value(const Curve& curve, double low, double high) {
  require_curve(curve);
  if (!(low > 0) || !(high > low))
    throw Error(fmt::format("learning curve: expected 0 < low < high, found {} and {}",
                            text::general(low), text::general(high)));
  double area = 0, at = std::log(low), value = value_of(curve, low);
  const auto add = [&](double cost, double next) {
    const double to = std::log(cost);
    area += (to - at) * (value + next) / 2;
    at = to, value = next;
  };
  for (const CurvePoint& point : curve)
    if (point.cost > low && point.cost < high) add(point.cost, point.value);
  add(high, value_of(curve, high));
  return area / std::log(high / low);
}

std::optional<double> cost_to_reach(const Curve& curve, double target) {
  require_curve(curve);
  if (curve.front().value >= target) return curve.front().cost;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    const CurvePoint &a = curve[i - 1], &b = curve[i];
    if (b.value < target) continue;
    const double share = (target - a.value) / (b.value - a.value);
    return a.cost * std::pow(b.cost / a.cost, share);
  }
  return std::nullopt;
}

Curve mean_curve(std::span<const Curve> curves) {
  std::size_t rounds = 0;
  for (const Curve& one : curves) {
    require_curve(one);
    rounds = std::max(rounds, one.size());
  }
  if (rounds == 0) throw Error("learning curve: expected at least one curve, found none");
  Curve mean(rounds);
  for (std::size_t i = 0; i < rounds; ++i) {
    for (const Curve& one : curves) {
      const CurvePoint& point = one[std::min(i, one.size() - 1)];
      mean[i].cost += point.cost, mean[i].value += point.value;
    }
    mean[i].cost /= static_cast<double>(curves.size());
    mean[i].value /= static_cast<double>(curves.size());
  }
  return mean;
}

double common_cost(std::span<const EndedCurve> curves) {
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const EndedCurve& one : curves) {
    require_curve(one.curve);
    if (!one.ended) least = std::min(least, one.curve.back().cost);
    most = std::max(most, one.curve.back().cost);
  }
  return std::isfinite(least) ? least : most;
}

}  // namespace yolov7::active
