// yolov7 active push LOOP --from SELECTION --to PLACE
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/active_loop_options.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"

namespace yolov7::cli {
namespace {

using nlohmann::json;

struct PushVerbOptions {
  LoopStart start;
  loop::PlaceOptions place;
  std::string from, model = "yolov7";
};

Settings settings(PushVerbOptions& o) {
  return {
      "active push",
      joined(
          {loop_settings(o.start),
           group(
               "Tasks",
               {setting("from", o.from,
                        "the images: a folder that `active select` or `detect "
                        "--collect` wrote, or a predictions.json")
                    .basic(),
                setting("model", o.model, "name of the model that made the suggestions").basic()}),
           place_settings(o.place, true, false)})};
}

/// The round to send: one that was begun and not sent, or a new one.
int round_to_push(loop::State& state) {
  const int last = state.rounds();
  if (last == 0) return state.begin_round();
  if (!state.done(last, loop::Step::push)) return last;
  if (!state.done(last, loop::Step::merge))
    throw Error(fmt::format(
        "{}: round {} was sent ({} tasks at {}) and is not merged: expected "
        "`active pull` and `active merge` first",
        state.folder().string(), last, state.found(last, loop::Step::push).at("tasks").get<int>(),
        state.found(last, loop::Step::push).at("where").get<std::string>()));
  return state.begin_round();
}

}  // namespace

json run_active_push(const std::vector<std::string>& arguments, Output& output) {
  PushVerbOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (o.from.empty())
    throw usage_error("active push: expected --from with the chosen images, found none");
  if (o.place.to.empty())
    throw usage_error("active push: expected --to with the place where people label, found none");
  refuse_of_other_places(o.place.to, "active push", given_names(settings(o), arguments));
  o.place.stop = interrupt::token();
  loop::State state = open_or_begin(o.start, "active push", output);
  const int round = round_to_push(state);
  if (std::filesystem::exists(loop::tasks_folder(state, round)))
    log::warning(
        fmt::format("active push: round {} goes on with the images that an earlier call took; "
                    "--from and --model are not read again",
                    round));
  const json account = loop::push_round(state, round, {o.place, predictions_of(o.from), o.model});
  say_push(round, account, output);
  json result = account;
  result["round"] = round;
  return result;
}

}  // namespace yolov7::cli
