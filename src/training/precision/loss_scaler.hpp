#pragma once
// Dynamic loss scaling for float16 (training 11.1; Micikevicius et al. 2018, "Mixed precision
// training").
#include <cstdint>

namespace yolov7::training {

/// The loss is multiplied by scale() before the backward pass and the gradients are divided by it
/// before the step, so that small ones do not vanish in float16. A step whose gradients are not
/// finite is left out and halves the scale; 2,000 good ones in a row double it.
class LossScaler {
 public:
  static constexpr double first_scale = 65'536;
  static constexpr int growth_interval = 2000;

  double scale() const { return scale_; }
  std::int64_t good_steps() const { return good_steps_; }
  void set(double scale, std::int64_t good_steps) {
    scale_ = scale;
    good_steps_ = good_steps;
  }
  /// After the gradients of a step are known. False: they are not finite, and the scale cannot be
  /// lowered any more.
  bool update(bool finite) {
    if (finite) {
      if (++good_steps_ < growth_interval) return true;
      good_steps_ = 0;
      scale_ *= 2;
      return true;
    }
    good_steps_ = 0;
    scale_ /= 2;
    return scale_ >= 1;
  }

 private:
  double scale_ = first_scale;
  std::int64_t good_steps_ = 0;  ///< in a row, since the scale changed
};

}  // namespace yolov7::training
