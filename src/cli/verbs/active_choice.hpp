#pragma once
// How images are chosen: the options that `active select` and `active loop` share.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "active/selection.hpp"
#include "core/settings.hpp"

namespace yolov7::cli {

struct ChoiceOptions {
  active::SelectOptions select;
  std::string unit = "images";  ///< of the budget
  int seed = 0;
  bool keep_similar = false;
};

std::vector<Setting> choice_settings(ChoiceOptions& options);
/// --cost-image and --cost-box. `level`: whether the first page of help has them.
std::vector<Setting> cost_settings(double& image, double& box,
                                   SettingLevel level = SettingLevel::basic);

/// "NAME: DESCRIPTION; NAME: DESCRIPTION", for the help of an option that names one of them.
template <class List>
std::string described(const List& list) {
  std::string all;
  for (const auto& one : list)
    all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", one.name, one.description);
  return all;
}

}  // namespace yolov7::cli
