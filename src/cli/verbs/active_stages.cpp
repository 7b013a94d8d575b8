#include "cli/verbs/active_stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/verbs/child_training.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "process/program_run.hpp"
#include "runtime/frames/sources.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Words = std::vector<std::string>;

void add(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

std::string weights_now(const loop::State& state, const LoopVerbOptions& o) {
  return state.weights().value_or(o.weights);
}

/// Runs this program as a child in the round's folder, and gives what it says with --json.
json run_child(const loop::State& state, int round, const std::string& name, Words words) {
  const fs::path base = state.round_folder(round) / name, said = base.string() + ".json",
                 log_file = base.string() + ".log";
  fs::remove(said);
  words.emplace_back("--json");
  const std::string what = fmt::format("active loop: round {}: {}", round, name);
  log::info(fmt::format("{} (messages: {})", what, log_file.string()));
  const process::ProgramEnd end =
      process::run_program({words,
                            {"YOLOV7_STORE=" + state.beginning().store.string()},
                            said.string(),
                            log_file.string()},
                           what, interrupt::token());
  if (end.code != 0)
    throw Error(
        fmt::format("{} ended by {}: {} ({})", what, end.end, end.last_line, log_file.string()));
  return read_json(said);
}

/// Whether a round has had an image of this content. One that cannot be read is told by the choice.
bool is_known(const fs::path& path, const std::set<std::string>& keys) {
  try {
    return keys.contains(file::content_hash(file::read(path)));
  } catch (const Error&) {
    return false;
  }
}

/// The images of the pool that no round has had, under whatever name.
Words images_left(const loop::State& state, const std::string& source) {
  std::set<std::string> sent, keys;
  for (const loop::Task& task : loop::tasks_before(state, state.rounds() + 1)) {
    sent.insert(fs::weakly_canonical(task.origin).string());
    keys.insert(task.key);
  }
  Words left;
  for (const runtime::SourcePicture& one : runtime::list_pictures(source)) {
    check_stop(interrupt::token());
    const std::string path = fs::absolute(one.path).lexically_normal().string();
    if (sent.contains(fs::weakly_canonical(path).string())) continue;
    if (keys.empty() || !is_known(path, keys)) left.push_back(path);
  }
  return left;
}

Words training_words(const loop::State& state, int round, LoopVerbOptions& o) {
  const fs::path folder = state.round_folder(round) / "train";
  if (fs::exists(folder / "weights" / "last.pt")) return {"train", "--resume", folder.string()};
  const std::string before = weights_now(state, o), from = o.retrain == "last" ? before : o.weights;
  Words words{"train", "--weights", from, "--data",
              "store:" + state.found(round, loop::Step::merge).at("version").get<std::string>()};
  add(words, {"--project", state.round_folder(round).string(), "--name", "train", "--exist-ok",
              "--seed", std::to_string(o.seed)});
  add(words, command_line(loop_training_settings(o), o.given));
  const bool new_class = !state.found(round, loop::Step::pull).at("new_classes").empty();
  if (new_class && o.new_classes == "teacher" && !text::contains(o.given, "teacher"))
    add(words, {"--teacher", before});
  return words;
}

}  // namespace

json select_round(loop::State& state, int round, LoopVerbOptions& o, const Output& output) {
  const fs::path folder = state.round_folder(round), chosen = folder / "selection";
  if (!fs::exists(chosen / "selection.json")) {
    const Words left = images_left(state, o.source);
    if (left.empty()) return {{"images", 0}};
    file::make_folder(folder);
    file::write_atomically(folder / "pool.txt", text::join(left, "\n") + "\n");
    ChoiceOptions choice = o;
    choice.seed = o.seed + round - 1;
    Words words{"--weights",  weights_now(state, o),
                "--source",   (folder / "pool.txt").string(),
                "--labelled", "store:" + state.labelled(),
                "--out",      chosen.string(),
                "--img-size", std::to_string(o.train.img_size.front())};
    Words names = o.given;
    names.emplace_back("seed");
    add(words, command_line({"active loop", choice_settings(choice)}, names));
    Output part = output;
    run_active_select(words, part);
    loop::passing();
  }
  const json found = read_json(chosen / "selection.json");
  const json account = {{"folder", chosen.string()},
                        {"images", found.at("chosen").size()},
                        {"images_in_pool", found.at("images_in_pool")},
                        {"unreadable", found.at("unreadable")},
                        {"strategy", found.at("strategy")},
                        {"spent", found.at("spent")},
                        {"budget_unit", found.at("budget_unit")},
                        {"weights", weights_now(state, o)}};
  state.finish(round, loop::Step::select, account);
  return account;
}

std::string model_name(const loop::State& state, const LoopVerbOptions& o) {
  const std::string weights = weights_now(state, o);
  return fs::path(weights).filename().string() + " " +
         sha256_of_file(weights, interrupt::token()).substr(0, 12);
}

json train_round(loop::State& state, int round, LoopVerbOptions& o) {
  const fs::path folder = state.round_folder(round) / "train",
                 best = folder / "weights" / "best.pt";
  process::wait_for_earlier(folder, fmt::format("the training of round {}", round),
                            interrupt::token());
  if (!training_has_ended(folder) || !fs::exists(best)) {
    const Words words = training_words(state, round, o);
    if (words.at(1) != "--resume") fs::remove_all(folder);  // killed before its first checkpoint
    run_child(state, round, "train", words);
  }
  const json account = {{"weights", best.string()},
                        {"folder", folder.string()},
                        {"from", o.retrain},
                        {"data", state.found(round, loop::Step::merge).at("version")}};
  state.finish(round, loop::Step::train, account);
  return account;
}

json evaluate_round(loop::State& state, int round, const LoopVerbOptions& o) {
  const std::string split = evaluated_split(state, o.split);
  const json found =
      run_child(state, round, "val",
                {"val", "--weights", state.found(round, loop::Step::train).at("weights"), "--data",
                 "store:" + state.found(round, loop::Step::merge).at("version").get<std::string>(),
                 "--task", split, "--img-size", std::to_string(o.train.img_size.back()),
                 "--project", state.round_folder(round).string(), "--name", "val", "--exist-ok"});
  const json account = {{"split", split},
                        {"images", found.at("pictures")},
                        {"labels", found.at("labels")},
                        {"map50", found.at("coco").at("map50")},
                        {"map", found.at("coco").at("map")},
                        {"per_class", found.at("per_class")}};
  state.finish(round, loop::Step::evaluate, account);
  return account;
}

std::string evaluated_split(const loop::State& state, const std::string& wanted) {
  versions::Store store = versions::Store::open(state.beginning().store);
  const std::string start = state.beginning().start;
  return evaluated_split(splits_of(store.content(store.find(start).id)), wanted, start);
}

}  // namespace yolov7::cli
