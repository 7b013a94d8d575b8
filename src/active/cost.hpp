#pragma once
// What labelling costs (docs/active.md): people pay for images and for boxes.
#include <cstddef>
#include <string>

namespace yolov7::active {

/// Seconds or money; the same unit for both.
struct CostModel {
  double image = 2, box = 7;
  double of(double boxes) const { return image + box * boxes; }
};

enum class BudgetUnit { cost, boxes, images };

/// What may be spent on one round.
struct Budget {
  double amount = 0;
  BudgetUnit unit = BudgetUnit::images;
  /// What an image with so many boxes takes of it. In boxes, one without any takes 1: somebody has
  /// to look at it.
  double share_of(double boxes, const CostModel& cost) const;
  /// Whether a sum of shares may be spent. Rounding can make it larger than it is, by less than a
  /// part in 10⁹.
  bool holds(double spent) const;
};

/// "cost", "boxes", "images". Error (usage): another word.
BudgetUnit budget_unit(const std::string& word);
std::string budget_word(BudgetUnit unit);

}  // namespace yolov7::active
