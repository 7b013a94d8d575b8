// yolov7 active merge LOOP
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/active_loop_options.hpp"
#include "core/interrupt.hpp"

namespace yolov7::cli {

nlohmann::json run_active_merge(const std::vector<std::string>& arguments, Output& output) {
  LoopStart start;
  versions::OnConflict on_conflict = versions::OnConflict::fail;
  int round = 0;
  const Settings settings{
      "active merge",
      {loop_folder_setting(start),
       setting("round", round, "the round to merge; 0 = the last one").range(0, 1e6),
       conflict_setting(on_conflict)}};
  if (!parse_arguments(settings, arguments, output)) return {};
  loop::State state = open_loop(start, "active merge");
  if (round == 0) round = state.rounds();
  if (!state.done(round, loop::Step::pull))
    throw Error(fmt::format("{}: expected a round that was pulled (`active pull`), found none",
                            state.folder().string()));
  nlohmann::json account = loop::merge_round(state, round, on_conflict, interrupt::token());
  say_merge(round, account, output);
  account["round"] = round;
  return account;
}

}  // namespace yolov7::cli
