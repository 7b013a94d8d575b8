#include "active/cost.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace yolov7::active {

double Budget::share_of(double boxes, const CostModel& cost) const {
  switch (unit) {
    case BudgetUnit::cost: return cost.of(boxes);
    case BudgetUnit::boxes: return std::max(1.0, boxes);
    case BudgetUnit::images: return 1;
  }
  return 1;
}

bool Budget::holds(double spent) const {
  constexpr double rounding = 1e-9;
  return spent <= amount * (1 + rounding);
}

BudgetUnit budget_unit(const std::string& word) {
  for (const BudgetUnit unit : {BudgetUnit::cost, BudgetUnit::boxes, BudgetUnit::images})
    if (word == budget_word(unit)) return unit;
  throw usage_error(fmt::format("budget: expected cost, boxes or images, found '{}'", word));
}

std::string budget_word(BudgetUnit unit) {
  switch (unit) {
    case BudgetUnit::cost: return "cost";
    case BudgetUnit::boxes: return "boxes";
    case BudgetUnit::images: return "images";
  }
  return "";
}

}  // namespace yolov7::active
