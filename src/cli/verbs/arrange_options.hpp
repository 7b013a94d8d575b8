#pragma once
// What the verbs share that put a data set together anew.
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "dataset/arrange/set_output.hpp"

namespace yolov7::cli {

struct OutputChoice {
  std::string out;
  bool copy = false, link = false;
};
/// `with_lists`: without a choice nothing is copied; otherwise images are.
std::vector<Setting> output_settings(OutputChoice& choice, bool with_lists);
/// Errors (usage): no folder; both choices.
dataset::Placement placement_of(const OutputChoice& choice, bool with_lists,
                                const std::string& verb);
/// Names separated by commas, in one or several arguments; blanks around a name do not count.
std::vector<std::string> name_list(const std::vector<std::string>& texts,
                                   const std::string& option);

}  // namespace yolov7::cli
