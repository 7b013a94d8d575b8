#include "cli/verbs/compress_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/verbs/child_training.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/open_data.hpp"
#include "exporting/export_settings.hpp"
#include "exporting/format_table.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string>& known_stages() {
  static const std::vector<std::string> list{"prune", "distil", "quantize"};
  return list;
}

Settings only(Settings table, const std::vector<std::string>& names) {
  std::erase_if(table.entries,
                [&](const Setting& one) { return !text::contains(names, one.name); });
  return table;
}

/// Under one title, however the other verb groups them.
std::vector<Setting> under(const std::string& title, Settings table) {
  for (Setting& one : table.entries) one.group.clear();
  return group(title, std::move(table.entries));
}

std::vector<Setting> further(std::vector<Setting> entries) {
  for (Setting& one : entries) one.level = SettingLevel::further;
  return entries;
}

std::vector<Setting> file_settings(CompressOptions& o) {
  return group(
      "Files",
      {setting("weights", o.weights, "trained checkpoint: the parent, of which all others come")
           .positional()
           .basic(),
       setting("data", o.data,
               "data.yaml, or annotations of any format: the train split trains and calibrates, "
               "--split measures")
           .basic(),
       setting("out", o.out,
               "folder of the results; where compress was interrupted, it goes on there")
           .alias("output")
           .basic()});
}

std::vector<Setting> budget_settings(CompressOptions& o) {
  return group(
      "Budget",
      {setting("accuracy-budget", o.accuracy_budget,
               "mAP (0 to 1) that the chosen model may lose against --weights")
           .range(0, 1)
           .basic(),
       setting("split", o.split, "split of --data on which every candidate is measured")
           .choices({"val", "test", "train"}),
       setting("draws", o.draws, "random draws of the images, for the intervals of the mAP")
           .range(100, 1'000'000),
       setting("stages", o.stages,
               "prune: smaller networks, trained further; distil: that training has a teacher; "
               "quantize: 8-bit integers")
           .basic()});
}

std::vector<Setting> try_settings(CompressOptions& o) {
  return joined(
      {group("Pruning",
             {setting("target-time", o.target_time,
                      "-35%, one or several: channels go until a network is measured to take so "
                      "much less time; neither this nor --ratio = -35%")
                  .basic(),
              setting("ratio", o.ratio, "one or several: share of the channels that may go")
                  .range(0.001, 0.95)
                  .basic()}),
       further(under("Pruning", pruning_settings(o)))});
}

std::vector<Setting> training_options(CompressOptions& o) {
  return joined(
      {group("Training of pruned networks",
             {setting("epochs", o.train.epochs,
                      "epochs of the parent's training; 0 = as the checkpoint tells (last.pt "
                      "does)")
                  .range(0, 1'000'000)
                  .basic(),
              setting("epochs-share", o.epochs_share,
                      "share of those epochs for which each pruned network is trained further")
                  .range(0.0001, 10)
                  .basic()}),
       training_settings(o).entries});
}

std::vector<Setting> measuring_settings(CompressOptions& o) {
  return group(
      "Measuring",
      {setting("img-size", o.img_size,
               "side of the square input in pixels, for training and measuring; 0 = what the "
               "parent was trained at")
           .range(0, 16'384)
           .basic(),
       setting("threads", o.prune.threads,
               "threads of the network when latencies are measured; 0 = usable cores")
           .range(0, 4096),
       setting("seconds", o.prune.seconds,
               "seconds in which the times of each candidate are measured; all run by turns")
           .range(0, 3600)});
}

void require_given(const CompressOptions& o) {
  for (const auto& [value, name] :
       {std::pair{&o.weights, "weights"}, {&o.data, "data"}, {&o.out, "out"}})
    if (value->empty()) throw usage_error(fmt::format("compress: expected --{}, found none", name));
}

void take_stages(CompressOptions& o, const std::vector<std::string>& given) {
  std::vector<std::string> words;
  for (const std::string& one : o.stages)
    for (const std::string_view word : text::split(one, ','))
      if (!text::trim(word).empty()) words.emplace_back(text::trim(word));
  for (const std::string& word : words)
    if (!text::contains(known_stages(), word))
      throw usage_error(fmt::format("compress: --stages: expected some of {}, found '{}'{}",
                                    text::join(known_stages(), ", "), text::printable(word),
                                    text::did_you_mean(word, known_stages())));
  o.stages.clear();
  for (const std::string& word : known_stages())
    if (text::contains(words, word)) o.stages.push_back(word);
  if (!o.has("prune") && !o.has("quantize"))
    throw usage_error("compress: --stages: expected prune or quantize among them, found neither");
  if (o.has("distil") && !o.has("prune") && text::contains(given, "stages"))
    throw usage_error(
        "compress: --stages distil: expected prune with it: pruned networks are what is taught");
}

struct StageOptions {
  std::string stage;
  std::vector<std::string> names;  ///< of options that change nothing without it
};

std::vector<StageOptions> options_by_stage(CompressOptions& o) {
  std::vector<std::string> distil, prune{"target-time", "ratio", "epochs", "epochs-share"};
  for (const Setting& one : run::settings(o.train.distill)) distil.push_back(one.name);
  for (const Settings& table : {pruning_settings(o), training_settings(o)})
    for (const std::string& name : table.names())
      if (!text::contains(distil, name)) prune.push_back(name);
  return {{"prune", prune}, {"distil", distil}, {"quantize", quantizing_settings(o).names()}};
}

/// An option is in vain where every stage that has it is left out.
void require_stages(CompressOptions& o, const std::vector<std::string>& given) {
  const std::vector<StageOptions> all = options_by_stage(o);
  for (const std::string& name : given) {
    std::string left_out;
    bool taken = false;
    for (const StageOptions& one : all) {
      if (!text::contains(one.names, name)) continue;
      if (o.has(one.stage)) taken = true;
      if (left_out.empty()) left_out = one.stage;
    }
    if (!taken && !left_out.empty())
      throw usage_error(
          fmt::format("compress: --{}: expected the stage {} with it, found --stages {}", name,
                      left_out, text::join(o.stages, ",")));
  }
}

/// What the training would refuse, hours after the pruning.
void require_possible_training(const CompressOptions& o, const std::vector<std::string>& given) {
  run::TrainOptions train = o.train;
  train.weights = o.weights;
  if (o.has("distil") && !text::contains(given, "teacher")) train.distill.teacher = o.weights;
  run::require_possible(train, "compress");
  run::require_possible(train.distill, given, "compress");
  run::require_possible(train.semi, given, "compress");
}

void check_formats(const CompressOptions& o) {
  const std::vector<const exporting::Format*> chosen =
      exporting::chosen_formats(o.quantize.include);
  for (const exporting::Format* one : chosen)
    if (!exporting::honours(*one, "int8"))
      throw usage_error(fmt::format(
          "compress: --include: expected formats with 8-bit integers, found {}", one->name));
  if (std::ranges::none_of(chosen,
                           [](const exporting::Format* one) { return one->name == "openvino"; }))
    throw usage_error(
        "compress: --include: expected openvino among the formats: it is what is measured here");
}

}  // namespace

bool CompressOptions::has(const std::string& stage) const { return text::contains(stages, stage); }

Settings training_settings(CompressOptions& o) {
  // Quantization-aware training is no part of the stages: what it gives is no network to quantize.
  Settings table = child_training_settings(
      o.train, {"weights", "cfg", "data", "epochs", "img-size", "threads", "precision", "amp",
                "qat", "qat-weights", "qat-activation-bits", "qat-freeze"});
  table.entries = further(under("Training of pruned networks", std::move(table)));
  for (Setting& one : table.entries)
    if (text::contains({"hyp", "batch-size", "teacher", "device"}, one.name))
      one.level = SettingLevel::basic;
  return table;
}

Settings quantizing_settings(CompressOptions& o) {
  Settings table = only(
      exporting::settings(o.quantize),
      {"include", "per-tensor", "calib-images", "calib-method", "effort", "qdq", "sensitivity"});
  table.entries = further(under("Quantizing", std::move(table)));
  return table;
}

Settings pruning_settings(CompressOptions& o) {
  return only(api::settings(o.prune), {"importance", "round", "least-share", "precision"});
}

Settings settings(CompressOptions& o) {
  return {"compress",
          joined({file_settings(o), budget_settings(o), try_settings(o), training_options(o),
                  quantizing_settings(o).entries, measuring_settings(o)})};
}

void complete(CompressOptions& o, const std::vector<std::string>& given) {
  require_given(o);
  take_stages(o, given);
  require_stages(o, given);
  if (o.has("prune")) require_possible_training(o, given);
  if (o.target_time.empty() && o.ratio.empty()) o.target_time = {"-35%"};
  for (const std::string& one : o.target_time) api::wanted_saving(one);
  if (o.has("quantize")) check_formats(o);
  o.data = dataset::absolute_data(o.data);
  for (std::string* path : {&o.weights, &o.out, &o.train.distill.teacher, &o.train.semi.unlabelled})
    if (!path->empty()) *path = fs::absolute(*path).lexically_normal().string();
  if (!o.train.hyp.empty() && fs::exists(o.train.hyp))
    o.train.hyp = fs::absolute(o.train.hyp).string();
}

}  // namespace yolov7::cli
