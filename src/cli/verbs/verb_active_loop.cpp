// yolov7 active loop LOOP --weights W --source POOL --labelled DATA --to PLACE --budget 50
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/verb.hpp"
#include "cli/verbs/active_stages.hpp"
#include "cli/verbs/child_training.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "loop/report.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using loop::Step;
using nlohmann::json;

constexpr int poll_seconds = 15;

std::vector<Setting> round_settings(LoopVerbOptions& o) {
  return group(
      "Rounds",
      {setting("weights", o.weights,
               "the detector of the first round: a checkpoint, which is trained further")
           .basic(),
       setting("source", o.source,
               "the images to choose from: a folder, a pattern, or a list; looked at anew in each "
               "round")
           .basic(),
       setting("rounds", o.rounds, "the loop ends after so many; 0 = when no image is left")
           .range(0, 1e6)
           .basic(),
       setting("retrain", o.retrain,
               "each training begins with the weights of the last round, or with --weights")
           .choices({"last", "start"})
           .basic(),
       setting("new-classes", o.new_classes,
               "teacher: where people added a class, the network before teaches the next one, so "
               "that it does not forget (train --teacher); plain: it does not")
           .choices({"teacher", "plain"}),
       setting("split", o.split,
               "split of the labelled set that every round is evaluated on; auto: test where "
               "there is one, else val")
           .choices({"auto", "val", "test"}),
       setting("wait", o.wait, "seconds to wait for people before the call ends")
           .range(0, 1e9)
           .basic(),
       enough_setting(o.pull.enough), conflict_setting(o.on_conflict)});
}

/// Options that a call does not hand on to the next one.
bool is_of_the_call(const std::string& name) {
  return text::contains({"loop", "labelled", "name", "store", "wait", "json", "quiet", "verbose",
                         "on-conflict", "roboflow-version"},
                        name);
}

void make_absolute(std::string& path) {
  if (!path.empty() && path.find("://") == std::string::npos && fs::exists(path))
    path = fs::absolute(path).lexically_normal().string();
}

/// A pattern names no file, but its folder has to be found from wherever a later call is made.
void make_pattern_absolute(std::string& source) {
  if (!source.empty() && source.find("://") == std::string::npos)
    source = fs::absolute(source).lexically_normal().string();
}

void complete(LoopVerbOptions& o) {
  for (std::string* path : {&o.weights, &o.train.cfg, &o.train.hyp, &o.train.distill.teacher})
    make_absolute(*path);
  make_pattern_absolute(o.source);
  o.pull.place.to = loop::absolute_place(o.pull.place.to);
  o.pull.place.stop = interrupt::token();
  o.pull.costs.image = o.select.cost.image, o.pull.costs.box = o.select.cost.box;
  const std::pair<const std::string&, const char*> needed[] = {
      {o.weights, "weights"}, {o.source, "source"}, {o.pull.place.to, "to"}};
  for (const auto& [value, name] : needed)
    if (value.empty())
      throw usage_error(fmt::format("active loop: expected --{}, found none", name));
  if (!(o.select.budget.amount > 0))
    throw usage_error("active loop: expected --budget above 0, found none");
  if (!fs::exists(o.weights))
    throw Error(fmt::format("{}: expected a checkpoint, found none", o.weights));
}

/// The options of the calls before, and those of this one over them.
bool read_options(LoopVerbOptions& o, const std::vector<std::string>& arguments, Output& output) {
  LoopVerbOptions first;
  if (!parse_arguments(settings(first), arguments, output)) return false;
  const Settings table = settings(o);
  if (!first.start.folder.empty() && loop::State::exists(first.start.folder)) {
    const auto kept = loop::State::read(first.start.folder).arguments();
    Output quiet = output;
    parse_arguments(table, kept, quiet);
    o.given = given_names(table, kept);
  }
  parse_arguments(table, arguments, output);
  for (const std::string& name : given_names(table, arguments))
    if (!text::contains(o.given, name)) o.given.push_back(name);
  return true;
}

class Looping {
 public:
  Looping(loop::State& state, LoopVerbOptions& o, Output& output)
      : state_(state), o_(o), output_(output) {}

  /// True: go on with the next step. False: the call is at its end.
  bool step() {
    check_stop(interrupt::token());
    int round = state_.rounds();
    if (round == 0 || state_.done(round, Step::evaluate)) {
      if (o_.rounds > 0 && round >= o_.rounds) return end("all rounds are done");
      round = state_.begin_round();
    }
    if (!state_.done(round, Step::select) && !state_.done(round, Step::push)) return choose(round);
    if (!state_.done(round, Step::push)) return push(round);
    if (!state_.done(round, Step::pull)) return pull(round);
    if (!state_.done(round, Step::merge)) {
      say_merge(round, loop::merge_round(state_, round, o_.on_conflict, interrupt::token()),
                output_);
    } else if (!state_.done(round, Step::train)) {
      const json account = train_round(state_, round, o_);
      output_.line(
          fmt::format("round {}: trained: {}", round, account.at("weights").get<std::string>()));
    } else {
      const json account = evaluate_round(state_, round, o_);
      output_.line(fmt::format("round {}: {} split: mAP50 {:.4f}, mAP {:.4f}", round,
                               account.at("split").get<std::string>(),
                               account.at("map50").get<double>(), account.at("map").get<double>()));
    }
    return true;
  }

  const std::string& ending() const { return ending_; }

 private:
  bool end(std::string why) {
    ending_ = std::move(why);
    return false;
  }

  static constexpr const char* none_left = "no image is left in the pool";

  /// Runs a step that may find no image any more: the reason is said, and the loop ends.
  template <class Part>
  bool unless_nothing_is_left(Part part) {
    try {
      return part() || end(none_left);
    } catch (const loop::NothingLeft& reason) {
      output_.line(reason.what());
      return end(none_left);
    }
  }

  bool choose(int round) {
    return unless_nothing_is_left([&] {
      return select_round(state_, round, o_, output_).at("images").get<std::size_t>() > 0;
    });
  }

  bool push(int round) {
    return unless_nothing_is_left([&] {
      say_push(round, loop::push_round(state_, round, push_options(round)), output_);
      return true;
    });
  }

  loop::PushRound push_options(int round) const {
    const fs::path folder = state_.found(round, Step::select).at("folder").get<std::string>();
    return {o_.pull.place, folder / "predictions.json", model_name(state_, o_)};
  }

  bool pull(int round) {
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
      const json account = loop::pull_round(state_, round, o_.pull);
      const auto spent = std::chrono::steady_clock::now() - begin;
      const bool over = spent >= std::chrono::seconds(o_.wait);
      if (!account.at("waits") || over) say_pull(round, account, output_);
      if (!account.at("waits")) return true;
      if (over) return end(loop::waiting_line(state_, round, account));
      for (int i = 0; i < poll_seconds &&
                      std::chrono::steady_clock::now() - begin < std::chrono::seconds(o_.wait);
           ++i) {
        check_stop(interrupt::token());
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
    }
  }

  loop::State& state_;
  LoopVerbOptions& o_;
  Output& output_;
  std::string ending_;
};

}  // namespace

Settings loop_training_settings(LoopVerbOptions& o) {
  Settings table = child_training_settings(o.train, {"weights", "data", "seed"});
  for (Setting& one : table.entries) one.level = SettingLevel::further;
  return table;
}

Settings settings(LoopVerbOptions& o) {
  return {"active loop", joined({loop_settings(o.start), round_settings(o),
                                 place_settings(o.pull.place, true, true), choice_settings(o),
                                 edit_settings(o.pull.costs), loop_training_settings(o).entries})};
}

json run_active_loop(const std::vector<std::string>& arguments, Output& output) {
  LoopVerbOptions o;
  if (!read_options(o, arguments, output)) return {};
  complete(o);
  refuse_of_other_places(o.pull.place.to, "active loop", given_names(settings(o), arguments));
  loop::State state = open_or_begin(o.start, "active loop", output, o.split);
  ::setenv("YOLOV7_STORE", state.beginning().store.c_str(), 1);
  evaluated_split(state, o.split);
  std::vector<std::string> kept = o.given;
  std::erase_if(kept, is_of_the_call);
  state.set_arguments(command_line(settings(o), kept));
  Looping looping(state, o, output);
  while (looping.step()) {
  }
  json result = loop::status(state);
  file::write_atomically(state.folder() / "report.html", loop::status_page(result));
  for (const std::string& line : loop::status_lines(result)) output.line(line);
  output.line(looping.ending());
  if (looping.ending().find("waits for people") != std::string::npos)
    output.line("then call again: yolov7 active loop " + text::shell_word(state.folder().string()));
  result["ended"] = looping.ending();
  return result;
}

}  // namespace yolov7::cli
