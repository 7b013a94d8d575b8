// yolov7 dataset convert | check | split | merge | rename | subset | stats | browse | augment |
// synth | version
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"

namespace yolov7::cli {

const std::vector<Verb>& dataset_parts() {
  static const std::vector<Verb> list = {
      {"convert", "bring a data set from one annotation format into another", run_dataset_convert},
      {"check", "read all splits of a data.yaml and name everything that is wrong",
       run_dataset_check},
      {"split", "put a data set into other splits: random, stratified, by group, by similarity",
       run_dataset_split},
      {"merge", "put data sets together; classes are joined by name", run_dataset_merge},
      {"rename",
       "give classes other names, another order, or join them",
       run_dataset_rename,
       {"remap"}},
      {"subset", "take part of a data set: by classes, number, list", run_dataset_subset},
      {"stats", "what a data set consists of, and what that speaks for", run_dataset_stats},
      {"browse", "one page with every image and its boxes, and contact sheets", run_dataset_browse},
      {"augment", "augmented copy of a data set, or a sheet that shows what the transforms do",
       run_dataset_augment},
      {"synth", "draw a data set with exact boxes", run_dataset_synth},
      {"version",
       "keep versions of a data set: create, list, show, diff, checkout, verify, gc",
       run_dataset_version,
       {},
       version_parts},
      {"download", "a version of a Roboflow project", run_dataset_download},
      {"upload", "images and annotations into a Roboflow project", run_dataset_upload},
      {"versions", "the versions of a Roboflow project", run_dataset_versions},
      {"generate", "let Roboflow make a version of a project", run_dataset_generate},
      {"health", "Roboflow's figures of a project", run_dataset_health},
      {"push", "images and labels to a Label Studio or CVAT server", run_dataset_push},
      {"pull", "labels back from a Label Studio or CVAT server", run_dataset_pull},
  };
  return list;
}

nlohmann::json run_dataset(const std::vector<std::string>& arguments, Output& output) {
  return run_part("dataset", dataset_parts(), arguments, output);
}

}  // namespace yolov7::cli
