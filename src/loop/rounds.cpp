#include "loop/rounds.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "loop/returned.hpp"

namespace yolov7::loop {
namespace fs = std::filesystem;
using nlohmann::json;
using platforms::Edits;
namespace {

json to_json(const Edits& e) {
  return {{"kept", e.kept},       {"moved", e.moved}, {"relabelled", e.relabelled},
          {"removed", e.removed}, {"added", e.added}, {"share_touched", e.touched()}};
}

PlaceRound place_round(const State& state, int round, const TaskSet& set) {
  return {round, state.round_folder(round), tasks_folder(state, round), set};
}

json account_of(const Answers& answers, std::size_t tasks) {
  return {{"tasks", tasks},
          {"answered", answers.answered()},
          {"with_boxes", answers.count(AnswerState::boxes)},
          {"empty", answers.count(AnswerState::empty)},
          {"skipped", answers.count(AnswerState::skipped)},
          {"open", answers.count(AnswerState::open)},
          {"strangers", answers.strangers},
          {"people", answers.people},
          {"notes", answers.notes}};
}

void add_edits(const TaskSet& set, const Answers& answers, const EditCosts& costs, json& account) {
  const auto by_class = count_edits(set, answers);
  const Edits all = total(by_class);
  json classes = json::object();
  for (const auto& [name, edits] : by_class) classes[name] = to_json(edits);
  const std::size_t images = answers.count(AnswerState::boxes) + answers.count(AnswerState::empty);
  const double hand = cost_by_hand(images, all, costs), with = cost_corrected(images, all, costs);
  account["boxes"] = answers.boxes();
  account["suggestions"] = {{"all", to_json(all)}, {"by_class", classes}};
  account["cost"] = {{"image", costs.image},     {"box", costs.box}, {"change", costs.change},
                     {"removal", costs.removal}, {"by_hand", hand},  {"corrected", with},
                     {"saved", hand - with}};
}

}  // namespace

fs::path tasks_folder(const State& state, int round) { return state.round_folder(round) / "tasks"; }

std::vector<Task> tasks_before(const State& state, int round) {
  std::vector<Task> all;
  for (int r = 1; r < round; ++r)
    if (fs::exists(tasks_folder(state, r)))
      for (Task& task : read_tasks(tasks_folder(state, r)).tasks) all.push_back(std::move(task));
  return all;
}

json push_round(State& state, int round, const PushRound& options) {
  const fs::path folder = tasks_folder(state, round);
  json account = {{"to", absolute_place(options.place.to)}, {"base", state.labelled()}};
  TaskSet set;
  if (fs::exists(folder)) {
    set = read_tasks(folder);
  } else {
    file::make_folder(folder.parent_path());
    std::set<std::string> keys;
    for (const Task& task : tasks_before(state, round)) keys.insert(task.key);
    TasksMade made = make_tasks(options.predictions, folder, keys, options.model);
    account["sent_before"] = made.sent_before;
    account["doubles"] = made.doubles;
    set = std::move(made.set);
  }
  passing();
  PlaceOptions to = options.place;
  to.to = absolute_place(to.to);
  const Pushed pushed = open_place(to)->push(place_round(state, round, set));
  if (pushed.made + pushed.known != set.tasks.size())
    throw Error(fmt::format("{}: expected {} tasks, found {} new ones and {} known ones",
                            pushed.where, set.tasks.size(), pushed.made, pushed.known));
  account.update({{"tasks", set.tasks.size()},
                  {"made", pushed.made},
                  {"known", pushed.known},
                  {"suggestions", pushed.suggestions},
                  {"model", set.model},
                  {"where", pushed.where},
                  {"how", pushed.how},
                  {"notes", pushed.notes}});
  state.finish(round, Step::push, account);
  return account;
}

json pull_round(State& state, int round, const PullRound& options) {
  const json& sent = state.found(round, Step::push);
  const TaskSet set = read_tasks(tasks_folder(state, round));
  PlaceOptions from = options.place;
  from.to = sent.at("to");
  const Answers answers = open_place(from)->pull(place_round(state, round, set));
  json account = account_of(answers, set.tasks.size());
  const auto needed = std::max<std::size_t>(
      1, static_cast<std::size_t>(
             std::ceil(options.enough * static_cast<double>(set.tasks.size()) - 1e-9)));
  account["waits"] = answers.answered() < needed;
  if (account["waits"]) return account;
  passing();
  add_edits(set, answers, options.costs, account);
  if (answers.count(AnswerState::boxes) + answers.count(AnswerState::empty) == 0) {
    account["version"] = sent.at("base");  // all were skipped
    account["images_added"] = account["images_again"] = 0;
    account["new_classes"] = account["losses"] = json::array();
  } else {
    versions::Store store = versions::Store::open(state.beginning().store);
    const Returned returned = add_returned(
        store, set, answers,
        {sent.at("base"), state.beginning().name + "-returned",
         fmt::format("round {} of the loop: {} images by people", round, answers.answered()),
         tasks_folder(state, round), options.place.stop});
    account["version"] = versions::full_name(returned.entry);
    account["images_added"] = returned.images_added;
    account["images_again"] = returned.images_again;
    account["new_classes"] = returned.new_classes;
    account["losses"] = json::array();
    for (const auto& loss : returned.losses)
      account["losses"].push_back({{"what", loss.what}, {"count", loss.count}});
  }
  state.finish(round, Step::pull, account);
  return account;
}

json merge_round(State& state, int round, versions::OnConflict on_conflict,
                 const std::stop_token& stop) {
  const json &sent = state.found(round, Step::push), &pulled = state.found(round, Step::pull);
  const std::string name = state.beginning().name;
  versions::Store store = versions::Store::open(state.beginning().store);
  versions::MergeOptions options;
  options.ours = name;
  options.theirs = pulled.at("version");
  // What an earlier merge of the round took is no change of people's: else what was corrected since
  // then would be undone.
  options.base = sent.at("base");
  if (state.done(round, Step::merge))
    options.base = state.found(round, Step::merge).value("returned", options.base);
  options.on_conflict = on_conflict;
  options.message = fmt::format("round {} of the loop", round);
  options.stop = stop;
  passing();
  const versions::Merged merged = versions::merge(store, options);
  if (!merged.entry) {
    const versions::Conflict& first = merged.conflicts.front();
    throw Error(fmt::format(
        "round {}: {} changes of {} and of {} exclude each other, such as the {} in '{}'; nothing "
        "is written (`yolov7 dataset version merge` lists them, on-conflict decides)",
        round, merged.conflicts.size(), versions::label_of(merged.ours),
        versions::label_of(merged.theirs), first.what, first.path));
  }
  json account = {{"version", versions::full_name(*merged.entry)},
                  {"label", versions::label_of(*merged.entry)},
                  {"returned", options.theirs},
                  {"images", merged.entry->images},
                  {"boxes", merged.entry->boxes},
                  {"conflicts", merged.conflicts.size()},
                  {"images_from_people", merged.images_from_theirs},
                  {"boxes_from_people", merged.boxes_from_theirs},
                  {"boxes_from_others", merged.boxes_from_ours}};
  state.finish(round, Step::merge, account);
  return account;
}

std::string waiting_line(const State& state, int round, const json& account) {
  const json& sent = state.found(round, Step::push);
  return fmt::format("round {} waits for people: {} of {} images are answered at {}; {}", round,
                     account.at("answered").get<std::size_t>(),
                     account.at("tasks").get<std::size_t>(), sent.at("where").get<std::string>(),
                     sent.at("how").get<std::string>());
}

}  // namespace yolov7::loop
