// yolov7 dataset version create | list | show | diff | checkout | verify | gc | bundle | which |
// merge
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"

namespace yolov7::cli {

const std::vector<Verb>& version_parts() {
  static const std::vector<Verb> list = {
      {"create", "make a version of a data set; nothing is copied", run_version_create},
      {"list", "all versions, or those of one data set", run_version_list},
      {"show", "one version: counts, classes, splits, what it was made from", run_version_show},
      {"diff", "what differs between two versions, down to the box", run_version_diff},
      {"checkout", "write a version as files again, in any annotation format",
       run_version_checkout},
      {"verify", "read everything that versions name and compare it with its SHA-256",
       run_version_verify},
      {"gc", "remove what no version needs, and versions by name", run_version_gc},
      {"bundle", "versions in one file, to carry them to another machine", run_version_bundle},
      {"which", "which versions a model or an image comes from, and what came from a version",
       run_version_which},
      {"merge", "join two versions box by box", run_version_merge},
  };
  return list;
}

nlohmann::json run_dataset_version(const std::vector<std::string>& arguments, Output& output) {
  return run_part("dataset version", version_parts(), arguments, output);
}

}  // namespace yolov7::cli
