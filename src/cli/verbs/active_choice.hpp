#pragma once
// How images are chosen: the options that `active select` and `active loop` share.
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

}  // namespace yolov7::cli
