// yolov7 dataset split --data data.yaml --out DIR --shares 70,20,10
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/arrange_options.hpp"
#include "core/interrupt.hpp"
#include "core/text.hpp"
#include "dataset/arrange/split_set.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::cli {
namespace {

struct SplitVerbOptions {
  std::string data, shares = "70,20,10", previous;
  dataset::SplitSetOptions split;
  OutputChoice output;
  std::vector<std::string> together;
  int seed = 0;
};

Settings settings(SplitVerbOptions& o) {
  return {
      "dataset split",
      joined(
          {group("Source", {setting("data", o.data,
                                    "data.yaml, or annotations of any format; all splits are taken")
                                .positional()
                                .basic()}),
           group("Split",
                 {setting("shares", o.shares, "shares of train,val,test in percent").basic(),
                  setting("by", o.split.method,
                          "random: exact counts; stratified: the classes have their shares in "
                          "every split, too; stable: content and seed decide, so that images "
                          "that come later move none",
                          {"random", "stratified", "stable"})
                      .basic(),
                  setting("together", o.together,
                          "what stays in one split: similarity (near duplicates and chains of "
                          "them), video (frames, by their names); equal files always do")
                      .choices({"similarity", "video"})
                      .basic(),
                  setting("together-pattern", o.split.together.pattern,
                          "a regular expression for paths below the data.yaml, whose first "
                          "bracket is the group that stays together: '(patient[0-9]+)_'")
                      .basic(),
                  setting("folds", o.split.folds,
                          "so many folds instead: in each, another part is val and the rest is "
                          "train")
                      .range(0, 100)
                      .basic(),
                  setting("keep-test", o.split.keep_test,
                          "images of the test split, and what belongs to them, stay there"),
                  setting("previous", o.previous,
                          "folder of an earlier split: images that it has stay where they are"),
                  setting("seed", o.seed, "the same seed gives the same splits")
                      .range(0, 2147483647)
                      .basic(),
                  setting("workers", o.split.threads, "threads, 0 = usable cores").range(0, 1024)}),
           output_settings(o.output, true)})};
}

}  // namespace

nlohmann::json run_dataset_split(const std::vector<std::string>& arguments, Output& output) {
  SplitVerbOptions o;
  const Settings table = settings(o);
  if (!parse_arguments(table, arguments, output)) return {};
  if (o.data.empty())
    throw usage_error("dataset split: expected --data with a data.yaml or annotations, found none");
  dataset::SplitSetOptions& split = o.split;
  split.placement = placement_of(o.output, true, "dataset split");
  split.data = o.data;
  split.out = o.output.out;
  split.shares = dataset::parse_shares(o.shares, "shares");
  if (split.folds == 1) throw usage_error("dataset split: --folds: expected 2 and more, found 1");
  if (split.folds > 0 && text::contains(given_names(table, arguments), "shares"))
    throw usage_error(
        "dataset split: --shares: expected none with --folds, which have one share each");
  split.previous = o.previous;
  split.seed = static_cast<std::uint64_t>(o.seed);
  split.stop = split.together.stop = interrupt::token();
  split.together.similarity = text::contains(o.together, "similarity");
  split.together.video = text::contains(o.together, "video");
  split.together.threads = split.threads;
  const dataset::SplitSetReport report = dataset::split_set(split);
  for (const std::string& line : dataset::summary_lines(report)) output.line(line);
  const auto place = split.out / (split.folds > 0 ? "fold1/data.yaml" : "data.yaml");
  output.line(fmt::format("written: {}{}", place.string(),
                          split.folds > 0 ? fmt::format(" … fold{}/data.yaml", split.folds) : ""));
  nlohmann::json result = dataset::to_json(report);
  result["out"] = split.out.string();
  return result;
}

}  // namespace yolov7::cli
