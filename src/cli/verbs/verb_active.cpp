// yolov7 active select | push | pull | merge | status | loop | simulate
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/text.hpp"

namespace yolov7::cli {

const std::vector<Verb>& active_parts() {
  static const std::vector<Verb> list = {
      {"select", "choose the images of a pool that are worth labelling next", run_active_select},
      {"push", "send chosen images with suggestions to where people label", run_active_push},
      {"pull", "take what people gave back as a version of the data set", run_active_pull},
      {"merge", "join what people gave back with the labelled set", run_active_merge},
      {"status", "rounds, counts, costs and curves of a labelling loop", run_active_status},
      {"loop", "choose, send, wait for people, take back, train, evaluate: again and again",
       run_active_loop},
      {"simulate", "try labelling strategies on a labelled set: learning curves over cost",
       run_active_simulate},
  };
  return list;
}

nlohmann::json run_active(const std::vector<std::string>& arguments, Output& output) {
  return run_part("active", active_parts(), arguments, output);
}

}  // namespace yolov7::cli
