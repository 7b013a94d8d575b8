// yolov7 active select
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/verb_active_simulate.hpp"
#include "core/text.hpp"

namespace yolov7::cli {

const std::vector<Verb>& active_parts() {
  static const std::vector<Verb> list = {
      {"select", "choose the images of a pool that are worth labelling next", run_active_select},
      {"simulate", "try labelling strategies on a labelled set: learning curves over cost",
       run_active_simulate},
  };
  return list;
}

nlohmann::json run_active(const std::vector<std::string>& arguments, Output& output) {
  return run_part("active", active_parts(), arguments, output);
}

}  // namespace yolov7::cli
