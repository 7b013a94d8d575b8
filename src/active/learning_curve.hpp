#pragma once
// What a labelling strategy reaches for its cost (docs/active.md).
#include <optional>
#include <span>
#include <vector>

namespace yolov7::active {

struct CurvePoint {
  double cost = 0;   ///< paid so far, above 0
  double value = 0;  ///< of the detector that was trained with it
};
/// By rising cost; linear in the logarithm of the cost between two points, level outside of them.
using Curve = std::vector<CurvePoint>;

/// Error: no point, a cost of 0 or less, costs that fall.
double value_at(const Curve& curve, double cost);

/// The area under the curve over the logarithm of the cost from `low` to `high`, divided by
/// ln(high / low): the mean of the value. With the logarithm, twice the cost counts alike wherever
/// one stands. Errors: as value_at(); expected 0 < low < high.
double mean_value(const Curve& curve, double low, double high);

/// The least cost at which the curve reaches `target`; nothing where it does not. Error as
/// value_at().
std::optional<double> cost_to_reach(const Curve& curve, double target);

/// Costs and values of the same round, averaged over curves. Curves that end earlier stay at their
/// last point. Error: no curve, or one without a point.
Curve mean_curve(std::span<const Curve> curves);

/// The runs of one seed that are compared, and the cost up to which: as far as every curve goes.
/// A curve that `ended`, having nothing left to buy, is level from there and sets no limit, unless
/// all have ended: then it is the largest cost.
struct EndedCurve {
  Curve curve;
  bool ended = false;
};
double common_cost(std::span<const EndedCurve> curves);

}  // namespace yolov7::active
