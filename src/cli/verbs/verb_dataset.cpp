// yolov7 dataset convert | check | split | merge | rename | subset | stats | browse | augment |
// synth | version
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/text.hpp"

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
      {"version", "keep versions of a data set: create, list, show, diff, checkout, verify, gc",
       run_dataset_version},
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

namespace {

void print_help(const Output& output) {
  output.line("yolov7 dataset <part> [options]");
  output.line("");
  for (const Verb& part : dataset_parts())
    output.line(fmt::format("  {:<10}{}", part.name, part.summary));
  output.line("");
  output.line("yolov7 dataset <part> --help shows the options of a part.");
}

}  // namespace

nlohmann::json run_dataset(const std::vector<std::string>& arguments, Output& output) {
  std::vector<std::string> names;
  for (const Verb& part : dataset_parts()) names.emplace_back(part.name);
  if (arguments.empty())
    throw usage_error(
        fmt::format("dataset: expected one of {}, found nothing", text::join(names, ", ")));
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    print_help(output);
    return {};
  }
  for (const Verb& part : dataset_parts())
    if (first == part.name ||
        std::find(part.aliases.begin(), part.aliases.end(), first) != part.aliases.end())
      return part.run({arguments.begin() + 1, arguments.end()}, output);
  throw usage_error(fmt::format("dataset: expected one of {}, found '{}'{}",
                                text::join(names, ", "), first, text::did_you_mean(first, names)));
}

}  // namespace yolov7::cli
