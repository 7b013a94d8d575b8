// yolov7 dataset subset --data data.yaml --count 100 --out DIR
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/arrange_options.hpp"
#include "core/interrupt.hpp"
#include "dataset/arrange/subset.hpp"

namespace yolov7::cli {
namespace {

struct SubsetVerbOptions {
  std::string data, list;
  std::vector<std::string> with_classes, only_classes;
  dataset::SubsetOptions subset;
  OutputChoice output;
  int count = 0, seed = 0;
};

Settings settings(SubsetVerbOptions& o) {
  return {
      "dataset subset",
      joined(
          {group("Source", {setting("data", o.data, "data.yaml, or annotations of any format")
                                .positional()
                                .basic(),
                            setting("split", o.subset.splits, "only images of these splits")
                                .choices({"train", "val", "test"})
                                .basic()}),
           group(
               "Conditions",
               {setting("list", o.list, "only images that this list names, one path a line")
                    .basic(),
                setting("with-classes", o.with_classes,
                        "only images that have a box of one of these classes")
                    .basic(),
                setting("only-classes", o.only_classes,
                        "drop the boxes of other classes; their images stay. With --copy or "
                        "--link")
                    .basic(),
                setting("count", o.count, "so many images of each split at most, 0 = all")
                    .range(0, 1e9)
                    .basic(),
                setting("percent", o.subset.percent, "share of the images of each split")
                    .range(0, 100)
                    .basic(),
                setting("by", o.subset.method,
                        "how --count and --percent choose: random; stratified: every class "
                        "keeps its share; stable: content and seed decide",
                        {"random", "stratified", "stable"})
                    .basic(),
                setting("seed", o.seed, "the same seed chooses the same images")
                    .range(0, 2147483647)
                    .basic(),
                setting("workers", o.subset.threads, "threads, 0 = usable cores").range(0, 1024)}),
           output_settings(o.output, true)})};
}

}  // namespace

nlohmann::json run_dataset_subset(const std::vector<std::string>& arguments, Output& output) {
  SubsetVerbOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (o.data.empty())
    throw usage_error(
        "dataset subset: expected --data with a data.yaml or annotations, found none");
  if (o.count > 0 && o.subset.percent < 100)
    throw usage_error("dataset subset: expected --count or --percent, found both");
  o.subset.placement = placement_of(o.output, true, "dataset subset");
  o.subset.data = o.data;
  o.subset.out = o.output.out;
  o.subset.list = o.list;
  o.subset.with_classes = name_list(o.with_classes, "dataset subset: --with-classes");
  o.subset.only_classes = name_list(o.only_classes, "dataset subset: --only-classes");
  o.subset.count = static_cast<std::size_t>(o.count);
  o.subset.seed = static_cast<std::uint64_t>(o.seed);
  o.subset.stop = interrupt::token();
  const dataset::Conversion account = dataset::subset(o.subset);
  for (const std::string& line : dataset::summary_lines(account)) output.line(line);
  output.line(fmt::format("written: {}", (o.subset.out / "data.yaml").string()));
  return dataset::to_json(account);
}

}  // namespace yolov7::cli
