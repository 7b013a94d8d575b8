// yolov7 active pull LOOP
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/active_choice.hpp"
#include "cli/verbs/active_loop_options.hpp"
#include "core/interrupt.hpp"

namespace yolov7::cli {
namespace {

using nlohmann::json;

struct PullVerbOptions {
  LoopStart start;
  loop::PullRound pull;
  int round = 0;
};

Settings settings(PullVerbOptions& o) {
  return {"active pull",
          joined({group("Loop", {loop_folder_setting(o.start),
                                 setting("round", o.round,
                                         "the round to pull, again if it was; 0 = the last one")
                                     .range(0, 1e6),
                                 enough_setting(o.pull.enough)}),
                  group("Costs",
                        cost_settings(o.pull.costs.image, o.pull.costs.box, SettingLevel::further)),
                  edit_settings(o.pull.costs), place_settings(o.pull.place, false, true)})};
}

/// What `active loop` was told, and the options of this call over it.
bool read_options(PullVerbOptions& o, const std::vector<std::string>& arguments, Output& output) {
  PullVerbOptions first;
  if (!parse_arguments(settings(first), arguments, output)) return false;
  const Settings table = settings(o);
  if (!first.start.folder.empty() && loop::State::exists(first.start.folder)) {
    Output quiet = output;
    parse_arguments(table, words_for(table, loop::State::read(first.start.folder).arguments()),
                    quiet);
  }
  return parse_arguments(table, arguments, output);
}

}  // namespace

json run_active_pull(const std::vector<std::string>& arguments, Output& output) {
  PullVerbOptions o;
  if (!read_options(o, arguments, output)) return {};
  o.pull.place.stop = interrupt::token();
  loop::State state = open_loop(o.start, "active pull");
  const int round = o.round == 0 ? state.rounds() : o.round;
  if (!state.done(round, loop::Step::push))
    throw Error(fmt::format("{}: expected a round that was sent (`active push`), found none{}",
                            state.folder().string(),
                            round > 0 ? fmt::format(" of number {}", round) : ""));
  refuse_of_other_places(state.found(round, loop::Step::push).at("to").get<std::string>(),
                         "active pull", given_names(settings(o), arguments));
  const json account = loop::pull_round(state, round, o.pull);
  say_pull(round, account, output);
  if (account.at("waits")) output.line(loop::waiting_line(state, round, account));
  json result = account;
  result["round"] = round;
  return result;
}

}  // namespace yolov7::cli
