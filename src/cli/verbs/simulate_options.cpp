#include "cli/verbs/simulate_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/verb.hpp"
#include "cli/verbs/active_choice.hpp"
#include "cli/verbs/child_training.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "core/version.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/open_data.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

std::vector<Setting> file_settings(SimulateOptions& o) {
  return group(
      "Files",
      {setting("data", o.data,
               "a labelled set, any format: its train split is the pool whose labels are bought")
           .positional()
           .basic(),
       setting("split", o.split, "split on which every detector is measured; auto = test, else val")
           .choices({"auto", "test", "val"}),
       setting("out", o.out,
               "folder of the results; where a simulation was interrupted, it goes on there")
           .basic()});
}

std::vector<Setting> comparison_settings(SimulateOptions& o) {
  return group(
      "Comparison",
      joined(
          {{setting("strategies", o.strategies, described(active::arms())).basic(),
            setting("seeds", o.seeds, "each strategy is tried from so many starts")
                .range(1, 1000)
                .basic(),
            setting("first-seed", o.first_seed, "the first of them").range(0, 1'000'000),
            setting("start", o.start,
                    "what the images that all strategies of a seed begin with may take")
                .range(0, 1e12)
                .basic(),
            setting("budget", o.budget, "what each further round may take").range(0, 1e12).basic(),
            setting("budget-unit", o.unit,
                    "unit of --start and --budget; boxes: an image without one counts as 1")
                .choices({"cost", "boxes", "images"})
                .basic(),
            setting("rounds", o.rounds, "rounds after the start").range(1, 1000).basic()},
           cost_settings(o.select.cost.image, o.select.cost.box),
           {setting(
                "no-full", o.no_full,
                "no training with the whole pool, so that no cost to reach a share of it is told"),
            setting("control", o.select.control, "as in active select").range(0, 1),
            setting("empty-share", o.select.empty_share, "as in active select").range(0, 1),
            setting("below", o.select.below, "tutorial: an image with a detection below this")
                .range(0, 1),
            setting("class-share", o.select.class_share, "as in active select").range(0, 1)}}));
}

std::vector<Setting> report_settings(SimulateOptions& o) {
  return group(
      "Report",
      {setting("metric", o.metric, "what the curves show: COCO's mAP, or mAP at IoU 0.5")
           .choices({"map", "map50"}),
       setting("target", o.target,
               "the cost is told at which a curve reaches this share of the mAP of the whole pool")
           .range(0.01, 1),
       setting("draws", o.draws, "random draws of seeds and images, for the intervals")
           .range(100, 1'000'000)});
}

std::vector<Setting> training_settings(SimulateOptions& o) {
  Settings further = handed_on(o);
  for (Setting& one : further.entries) {
    one.group.clear();
    one.level = SettingLevel::further;
  }
  return group(
      "Training",
      joined({{setting("steps", o.steps,
                       "optimizer steps of every training, however many images are labelled")
                   .range(1, 10'000'000)
                   .basic(),
               setting("batch-size", o.batch, "images per step").range(1, 65'536).basic(),
               setting("parallel", o.parallel,
                       "trainings at a time, of the strategies of a seed; they share the cores, "
                       "--threads each")
                   .range(1, 256),
               setting("img-size", o.image_size, "side of the input in pixels")
                   .range(32, 8192)
                   .basic()},
              further.entries}));
}

/// A simulation keeps its compute threads, whose default depends on --parallel. 0: it is a new one.
int threads_of_the_beginning(const fs::path& journal) {
  if (!fs::exists(journal)) return 0;
  const nlohmann::json all = read_json(journal);
  const nlohmann::json* began = dataset::member(all, "began_with");
  const auto number =
      text::parse_int(began == nullptr ? "" : dataset::text_at(*began, "--threads"));
  return number ? static_cast<int>(*number) : 0;
}

}  // namespace

SimulateOptions::SimulateOptions() {
  train.cfg = "yolov7-tiny.yaml";
  train.hyp = "hyp.scratch.tiny.yaml";
}

Settings handed_on(SimulateOptions& o) {
  return child_training_settings(
      o.train,
      {"data", "epochs", "batch-size", "nbs", "img-size", "seed", "noautoanchor", "patience",
       "teacher", "recheck", "strict", "single-cls", "rect", "autobatch", "no-shuffle"});
}

Settings settings(SimulateOptions& o) {
  return {"active simulate", joined({file_settings(o), comparison_settings(o), training_settings(o),
                                     report_settings(o)})};
}

void complete(SimulateOptions& o, std::vector<std::string> given) {
  for (const auto& [value, name] : {std::pair{&o.data, "data"}, {&o.out, "out"}})
    if (value->empty())
      throw usage_error(fmt::format("active simulate: expected --{}, found none", name));
  if (!(o.start > 0) || !(o.budget > 0))
    throw usage_error(
        fmt::format("active simulate: expected --start and --budget above 0, found {} and {}",
                    text::general(o.start), text::general(o.budget)));
  if (o.select.control + o.select.empty_share > 1)
    throw usage_error(
        fmt::format("active simulate: expected --control and --empty-share of at most 1 together, "
                    "found {} and {}",
                    text::general(o.select.control), text::general(o.select.empty_share)));
  std::vector<std::string> names;
  for (const std::string& one : o.strategies)
    for (const std::string_view word : text::split(one, ','))
      if (!text::trim(word).empty()) names.emplace_back(text::trim(word));
  std::set<std::string> seen;
  for (const std::string& name : names) {
    active::arm_named(name);
    if (!seen.insert(name).second)
      throw usage_error(
          fmt::format("active simulate: --strategies: expected each once, found '{}' twice", name));
  }
  if (!seen.contains("random"))
    throw usage_error(
        "active simulate: --strategies: expected random among them, which the others are compared "
        "with");
  o.strategies = names;
  o.select.budget.unit = active::budget_unit(o.unit);
  run::TrainOptions each = o.train;
  each.notest = true;  // measured when it is trained
  run::require_possible(each, "active simulate");
  // Results depend on the number of compute threads, so every training has the same.
  if (o.train.threads == 0)
    o.train.threads = threads_of_the_beginning(fs::path(o.out) / "state.json");
  if (o.train.threads == 0) o.train.threads = std::max(1, usable_cores() / o.parallel);
  if (fs::exists(o.train.weights)) o.train.weights = fs::absolute(o.train.weights).string();
  for (const char* name : {"weights", "cfg", "hyp", "threads"}) given.emplace_back(name);
  o.given = std::move(given);
}

std::vector<std::pair<std::string, std::string>> beginning_of(SimulateOptions& o) {
  static const std::vector<std::string> otherwise{
      "data",   "out",   "strategies", "seeds",   "first-seed", "rounds",  "metric",
      "target", "draws", "no-full",    "workers", "weights",    "parallel"};
  std::vector<std::pair<std::string, std::string>> all;
  for (const Setting& one : settings(o).entries)
    if (!text::contains(otherwise, one.name)) all.emplace_back("--" + one.name, one.text());
  const auto file = [&](const std::string& name, const std::string& path) {
    all.emplace_back(name,
                     fs::is_regular_file(path) ? sha256_of_file(path, interrupt::token()) : path);
  };
  file("--weights", o.train.weights);
  file("contents of --cfg", o.train.cfg);
  file("contents of --hyp", o.train.hyp);
  all.emplace_back("the program's version", std::string(program_version()));
  return all;
}

}  // namespace yolov7::cli
