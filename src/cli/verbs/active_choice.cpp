#include "cli/verbs/active_choice.hpp"

namespace yolov7::cli {
namespace {

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const active::StrategyName& one : active::strategies()) names.emplace_back(one.name);
  return names;
}

}  // namespace

std::vector<Setting> cost_settings(double& image, double& box, SettingLevel level) {
  std::vector<Setting> both{
      setting("cost-image", image, "what looking at an image costs, seconds or money")
          .range(0, 1e9),
      setting("cost-box", box, "what a box costs, in the same unit").range(0, 1e9)};
  for (Setting& one : both) one.level = level;
  return both;
}

std::vector<Setting> choice_settings(ChoiceOptions& o) {
  return group(
      "Choice",
      joined({{setting("strategy", o.select.strategy, described(active::strategies()))
                   .choices(strategy_names())
                   .basic(),
               setting("budget", o.select.budget.amount, "what this round may take")
                   .range(0, 1e12)
                   .basic(),
               setting("budget-unit", o.unit,
                       "unit of --budget; boxes: an image without one counts as 1")
                   .choices({"images", "boxes", "cost"})
                   .basic()},
              cost_settings(o.select.cost.image, o.select.cost.box),
              {setting("control", o.select.control,
                       "share of the budget that is spent at random, so that the gain of the "
                       "strategy can be measured")
                   .range(0, 1),
               setting("empty-share", o.select.empty_share,
                       "share of the budget for images in which nothing was found, at random")
                   .range(0, 1),
               setting("below", o.select.below,
                       "--strategy low-confidence: an image with a detection below this")
                   .range(0, 1),
               setting("class-share", o.select.class_share,
                       "--strategy auto: largest share of the images by entropy that one "
                       "class may take while others are left")
                   .range(0, 1),
               setting("keep-similar", o.keep_similar,
                       "choose from near duplicates, too: of each other and of labelled "
                       "images"),
               setting("seed", o.seed, "the same seed chooses the same images")
                   .range(0, 2147483647)
                   .basic()}}));
}

}  // namespace yolov7::cli
