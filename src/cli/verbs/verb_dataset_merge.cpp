// yolov7 dataset merge --data a/data.yaml b/data.yaml --out DIR; dataset rename --data data.yaml
// --map old=new --out DIR
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/arrange_options.hpp"
#include "core/interrupt.hpp"
#include "dataset/arrange/merge_sets.hpp"

namespace yolov7::cli {
namespace {

struct MergeVerbOptions {
  std::vector<std::string> data, map, names;
  dataset::MergeOptions merge;
  OutputChoice output;
};

std::vector<Setting> class_settings(MergeVerbOptions& o) {
  return group(
      "Classes",
      {setting("map", o.map,
               "OLD=NEW for each class that gets another name; several may get one name; "
               "OLD= drops its boxes; or a YAML file with OLD: NEW")
           .basic(),
       setting("names", o.names, "order of the classes, separated by commas; without, as they come")
           .basic()});
}

std::vector<Setting> further_settings(MergeVerbOptions& o) {
  return {setting("workers", o.merge.threads, "threads, 0 = usable cores").range(0, 1024)};
}

Settings merge_settings(MergeVerbOptions& o) {
  return {"dataset merge",
          joined({group("Source", {setting("data", o.data,
                                           "two and more data.yaml or annotations of any format")
                                       .positional()
                                       .basic(),
                                   setting("prefer", o.merge.prefer,
                                           "whose labels are taken where two sets have the same "
                                           "image with other labels; error: none's",
                                           {"error", "first", "last"})
                                       .basic()}),
                  class_settings(o), output_settings(o.output, false), further_settings(o)})};
}

Settings rename_settings(MergeVerbOptions& o) {
  return {
      "dataset rename",
      joined({group("Source", {setting("data", o.data, "data.yaml, or annotations of any format")
                                   .positional()
                                   .basic()}),
              class_settings(o), output_settings(o.output, false), further_settings(o)})};
}

nlohmann::json run(MergeVerbOptions& o, const std::string& verb, Output& output) {
  o.merge.placement = placement_of(o.output, false, verb);
  o.merge.out = o.output.out;
  o.merge.data.assign(o.data.begin(), o.data.end());
  o.merge.changes = dataset::parse_class_changes(o.map);
  o.merge.names = name_list(o.names, verb + ": --names");
  o.merge.stop = interrupt::token();
  const dataset::Conversion account = dataset::merge_sets(o.merge);
  for (const std::string& line : dataset::summary_lines(account)) output.line(line);
  output.line(fmt::format("written: {}", (o.merge.out / "data.yaml").string()));
  return dataset::to_json(account);
}

}  // namespace

nlohmann::json run_dataset_merge(const std::vector<std::string>& arguments, Output& output) {
  MergeVerbOptions o;
  if (!parse_arguments(merge_settings(o), arguments, output)) return {};
  if (o.data.size() < 2)
    throw usage_error(fmt::format(
        "dataset merge: expected --data with two data sets and more, found {}", o.data.size()));
  return run(o, "dataset merge", output);
}

nlohmann::json run_dataset_rename(const std::vector<std::string>& arguments, Output& output) {
  MergeVerbOptions o;
  if (!parse_arguments(rename_settings(o), arguments, output)) return {};
  if (o.data.size() != 1)
    throw usage_error(
        fmt::format("dataset rename: expected --data with one data set, found {}", o.data.size()));
  if (o.map.empty() && o.names.empty())
    throw usage_error("dataset rename: expected --map OLD=NEW or --names, found neither");
  return run(o, "dataset rename", output);
}

}  // namespace yolov7::cli
