#include "cli/verbs/compress_stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/verb.hpp"
#include "cli/verbs/child_training.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "process/program_run.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Words = std::vector<std::string>;

void add(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

/// What a verb answers that found nothing within its bounds, as opposed to one that failed.
bool is_refusal(const process::ProgramEnd& end) {
  const std::string said = text::lower(end.last_line);
  return end.code == static_cast<int>(ExitCode::failure) &&
         said.find("nothing is written") != std::string::npos &&
         said.find("disk is full") == std::string::npos;
}

void put(const fs::path& from, const fs::path& to) {
  file::make_folder(to.parent_path());
  file::replace_atomically(to, [&](const fs::path& temporary) {
    fs::copy_file(from, temporary, fs::copy_options::overwrite_existing);
  });
}

/// In a folder of its own: beside it stands TriedNetwork::weights, whose name is the user's.
fs::path pruned_file(const TriedNetwork& network) {
  return network.folder / "prune" / "network.pt";
}

std::string command_text(const Words& words) {
  std::string text = "yolov7";
  for (const std::string& word : words) text += " " + text::shell_word(word);
  return text;
}

}  // namespace

std::vector<TriedNetwork> networks_to_try(const CompressOptions& o) {
  std::vector<TriedNetwork> all;
  const fs::path out(o.out);
  all.push_back({"parent"});
  if (o.has("prune")) {
    for (const std::string& target : o.target_time)
      all.push_back({fmt::format("time-{}", text::general(100 * api::wanted_saving(target))),
                     {"--target-time", target}});
    for (const double ratio : o.ratio)
      all.push_back({"ratio-" + text::general(ratio), {"--ratio", fmt::format("{}", ratio)}});
  }
  std::set<std::string> seen;
  for (TriedNetwork& one : all) {
    if (!seen.insert(one.name).second)
      throw usage_error(fmt::format("compress: {} {}: expected each cut once, found it twice",
                                    one.cut[0], one.cut[1]));
    one.folder = out / one.name;
    one.weights = one.folder / (fs::path(o.weights).stem().string() +
                                (one.cut.empty() ? fs::path(o.weights).extension().string()
                                                 : std::string(".pt")));
  }
  return all;
}

CompressStages::CompressStages(const CompressOptions& options, std::vector<std::string> given,
                               int image_size, int epochs, compression::Journal& journal)
    : o_(options),
      given_(std::move(given)),
      image_size_(image_size),
      epochs_(epochs),
      journal_(journal),
      done_(std::make_unique<json>(json::array())) {}

CompressStages::~CompressStages() = default;

json CompressStages::record(const std::string& stage, const Words& words, double seconds,
                            const std::string& refusal) {
  return {{"stage", stage},
          {"command", command_text(words)},
          {"seconds", seconds},
          {"refused", refusal}};
}

std::string CompressStages::run(const std::string& stage, const fs::path& base, const Words& words,
                                const Files& files) {
  const fs::path said = base.string() + ".json", log_file = base.string() + ".log";
  fs::remove(said);
  Words all = words;
  all.emplace_back("--json");
  log::info(fmt::format("compress: {} (messages: {})", stage, log_file.string()));
  const process::ProgramEnd end = process::run_program({all, {}, said.string(), log_file.string()},
                                                       "compress: " + stage, interrupt::token());
  const bool answered = fs::exists(said) && fs::file_size(said) > 0;
  const bool written =
      std::ranges::all_of(files, [](const fs::path& one) { return fs::exists(one); });
  std::string refusal;
  if (end.code != 0 && !(answered && written)) {
    if (!is_refusal(end))
      throw Error(fmt::format("compress: {} ended by {}: {} ({})", stage, end.end, end.last_line,
                              log_file.string()));
    refusal = end.last_line;
    log::info(fmt::format("compress: {}: {}", stage, refusal));
  } else if (end.code != 0) {
    log::warning(fmt::format("compress: {}: {}", stage, end.last_line));
  }
  done_->push_back(record(stage, words, end.seconds, refusal));
  return refusal;
}

void CompressStages::make(TriedNetwork& network) {
  file::make_folder(network.folder);
  if (!network.cut.empty()) {
    prune(network);
    if (network.refusal.empty()) train(network);
    return;
  }
  if (journal_.found("copy the parent")) return;
  put(o_.weights, network.weights);
  journal_.finish("copy the parent", json::object(), {network.weights});
}

void CompressStages::prune(TriedNetwork& network) {
  const std::string stage = "prune " + network.name;
  if (const auto known = journal_.found(stage)) {
    done_->push_back(*known);
    network.refusal = known->at("refused");
    return;
  }
  const fs::path pruned = pruned_file(network);
  file::make_folder(pruned.parent_path());
  fs::remove(pruned);  // of a call that was killed
  Words words{"prune", "--weights", o_.weights, "--out", pruned.string()};
  add(words, network.cut);
  add(words, command_line(pruning_settings(o_), given_));
  add(words, {"--img-size", std::to_string(image_size_), "--threads",
              std::to_string(o_.prune.threads), "--seconds", fmt::format("{}", o_.prune.seconds)});
  network.refusal = run(stage, network.folder / "prune", words, {pruned});
  journal_.finish(stage, done_->back(), network.refusal.empty() ? Files{pruned} : Files{});
}

std::vector<std::string> CompressStages::training_words(const TriedNetwork& network) const {
  const fs::path folder = network.folder / "train";
  if (fs::exists(folder / "weights" / "last.pt")) return {"train", "--resume", folder.string()};
  CompressOptions copy = o_;
  Words words{"train", "--weights",  pruned_file(network).string(), "--data",
              o_.data, "--img-size", std::to_string(image_size_)};
  add(words, {"--epochs", std::to_string(epochs_), "--project", network.folder.string(), "--name",
              "train", "--exist-ok"});
  add(words, command_line(training_settings(copy), given_));
  if (o_.has("distil") && !text::contains(given_, "teacher")) add(words, {"--teacher", o_.weights});
  return words;
}

void CompressStages::train(TriedNetwork& network) {
  const std::string stage = "train " + network.name;
  if (const auto known = journal_.found(stage)) {
    done_->push_back(*known);
    return;
  }
  const fs::path folder = network.folder / "train", best = folder / "weights" / "best.pt";
  process::wait_for_earlier(folder, "the training of " + network.name, interrupt::token());
  const Words words = training_words(network);
  if (training_has_ended(folder) && fs::exists(best)) {  // killed before the journal's line
    done_->push_back(record(stage, words, 0, ""));
  } else {
    if (words.at(1) != "--resume") fs::remove_all(folder);  // killed before its first checkpoint
    const std::string refusal = run(stage, network.folder / "train", words, {best});
    if (!refusal.empty()) throw Error(fmt::format("compress: {}: {}", stage, refusal));
  }
  put(best, network.weights);
  journal_.finish(stage, done_->back(), {network.weights});
}

void CompressStages::quantize(TriedNetwork& network, double budget) {
  const std::string stage = "quantize " + network.name;
  const fs::path model =
      network.folder / (network.weights.stem().string() + "-int8_openvino_model");
  const auto take = [&](const json& found) {
    network.no_integers = found.at("refused");
    if (!network.no_integers.empty()) return;
    network.integers = model;
    for (const std::string name : found.at("files"))
      network.integer_files.push_back(network.folder / name);
  };
  if (const auto known = journal_.found(stage)) {
    done_->push_back(*known);
    return take(*known);
  }
  Words words{"quantize", "--weights", network.weights.string(), "--data", o_.data};
  add(words, {"--split", o_.split, "--img-size", std::to_string(image_size_), "--out",
              network.folder.string(), "--accuracy-budget", fmt::format("{}", budget)});
  Words names = given_;
  names.emplace_back("include");
  add(words, command_line(quantizing_settings(o_), names));
  const std::string prefix = network.weights.stem().string() + "-int8";
  const auto written = [&] {
    Files all;
    for (const auto& entry : fs::directory_iterator(network.folder))
      if (entry.path().filename().string().starts_with(prefix)) all.push_back(entry.path());
    std::ranges::sort(all);
    return all;
  };
  for (const fs::path& one : written()) fs::remove_all(one);  // of a call that was killed
  const std::string refusal = run(stage, network.folder / "quantize", words, {model});
  json found = done_->back();
  const Files files = refusal.empty() ? written() : Files{};
  found["files"] = json::array();
  for (const fs::path& one : files) found["files"].push_back(one.filename().string());
  journal_.finish(stage, found, files);
  take(found);
}

void CompressStages::choose(const TriedNetwork& network, bool integers) {
  const fs::path place = fs::path(o_.out) / "chosen", beside = fs::path(o_.out) / "chosen.partial";
  fs::remove_all(beside);
  file::make_folder(beside);
  Files files{network.weights};
  if (integers)
    files.insert(files.end(), network.integer_files.begin(), network.integer_files.end());
  for (const fs::path& one : files) {
    check_stop(interrupt::token());
    fs::copy(one, beside / one.filename(), fs::copy_options::recursive);
  }
  file::sync_file_system(beside);
  fs::remove_all(place);
  fs::rename(beside, place);
}

void CompressStages::choose_none() { fs::remove_all(fs::path(o_.out) / "chosen"); }

}  // namespace yolov7::cli
