#include "cli/verbs/active_loop_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/verbs/version_options.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "versions/create.hpp"
#include "versions/store_data.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string text_at(const json& account, const char* key) {
  return account.at(key).get<std::string>();
}

std::size_t count_at(const json& account, const char* key) {
  return account.at(key).get<std::size_t>();
}

void say_notes(const json& account) {
  for (const json& one : account.at("notes")) log::warning(one.get<std::string>());
}

/// What --labelled names, wherever the call is made.
std::string source_of(const std::string& labelled) {
  return versions::is_store_name(labelled) ? labelled : fs::weakly_canonical(labelled).string();
}

/// Whether it is the version with which the loop began, under another of its names.
bool is_start(const std::string& source, const loop::Beginning& beginning) {
  if (!versions::is_store_name(source)) return false;
  versions::Store store = versions::Store::open(beginning.store);
  return versions::full_name(store.find(versions::reference_of(source))) == beginning.start;
}

/// A loop keeps with what it began.
void require_same(const LoopStart& start, const loop::State& state, const std::string& verb) {
  const loop::Beginning beginning = state.beginning();
  const auto refuse = [&](const char* option, const std::string& given, const std::string& kept) {
    throw usage_error(
        fmt::format("{}: --{}: expected {}, with which the loop of {} began, or "
                    "nothing; found {}",
                    verb, option, kept, state.folder().string(), given));
  };
  if (!start.name.empty() && start.name != beginning.name)
    refuse("name", start.name, beginning.name);
  if (!start.store.empty() && fs::weakly_canonical(start.store) != beginning.store)
    refuse("store", start.store, beginning.store.string());
  if (start.labelled.empty() || beginning.source.empty()) return;
  if (const std::string given = source_of(start.labelled);
      given != beginning.source && !is_start(given, beginning))
    refuse("labelled", start.labelled, beginning.source);
}

versions::Entry first_version(const LoopStart& start, const fs::path& store,
                              const std::string& split, const Output& output) {
  if (versions::is_store_name(start.labelled)) {
    versions::Store there = versions::Store::open(store);
    const versions::Entry entry = there.find(versions::reference_of(start.labelled));
    if (!split.empty()) evaluated_split(splits_of(there.content(entry.id)), split, start.labelled);
    return entry;
  }
  versions::CreateOptions options;
  options.store = store;
  options.source = start.labelled;
  options.name = start.name;
  options.message = "start of a labelling loop";
  options.stop = interrupt::token();
  options.accept = [&](const versions::WorkingSet& set) {
    std::set<std::string> splits;
    for (const versions::WorkingImage& image : set.images) splits.insert(image.split);
    if (!split.empty()) evaluated_split(splits, split, start.labelled);
  };
  const versions::Created made = versions::create(options);
  if (made.account)
    for (const std::string& line : dataset::summary_lines(*made.account)) output.line(line);
  warn_of(made.snapshot.left_out, "files are no part of the version:");
  warn_of(made.snapshot.odd_files, "label files have rows that are no labels:");
  return made.entry;
}

}  // namespace

Setting loop_folder_setting(LoopStart& start) {
  return setting("loop", start.folder, "folder of the loop, which keeps its state")
      .positional()
      .basic();
}

std::vector<Setting> loop_settings(LoopStart& start) {
  return group(
      "Loop",
      {loop_folder_setting(start),
       setting("labelled", start.labelled,
               "for a new loop: the set that is labelled already, in any format, or "
               "store:NAME@ID; its val and test splits stay as they are")
           .basic(),
       setting("name", start.name,
               "for a new loop: name of the data set in the store; without: that of its folder"),
       store_setting(start.store)});
}

std::vector<Setting> place_settings(loop::PlaceOptions& place, bool push, bool pull) {
  std::vector<Setting> list;
  if (push)
    list.push_back(setting("to", place.to,
                           "where people label: label-studio://host:port/project, "
                           "cvat://host:port/name, roboflow://workspace/project, or a folder")
                       .basic());
  list.push_back(setting("tries", place.tries,
                         "how often a request is tried when the connection is lost or the server "
                         "answers 408, 429, 500, 502, 503 or 504")
                     .range(1, 100));
  list.push_back(setting("server-patience", place.patience,
                         "how many seconds to wait for what a server works on")
                     .range(1, 1e6));
  list.push_back(
      setting("address", place.roboflow_address, "of Roboflow's service; https, or this machine"));
  if (pull)
    list.push_back(setting("roboflow-version", place.roboflow_version,
                           "Roboflow: number of the version that holds what people did"));
  return group("Place", list);
}

void refuse_of_other_places(const std::string& to, const std::string& verb,
                            const std::vector<std::string>& given) {
  struct Use {
    const char* name;
    bool used;
    const char* by;
  };
  const bool server = to.find("://") != std::string::npos,
             roboflow = server && to.starts_with("roboflow"),
             cvat = server && to.starts_with("cvat");
  for (const Use& one :
       {Use{"tries", server, "a server"},
        Use{"server-patience", roboflow || cvat, "Roboflow or a CVAT server"},
        Use{"address", roboflow, "Roboflow"}, Use{"roboflow-version", roboflow, "Roboflow"}})
    if (!one.used && text::contains(given, one.name))
      throw usage_error(
          fmt::format("{}: --{}: expected {} as the place where people label, found {}", verb,
                      one.name, one.by, server ? "another server" : "a folder"));
}

std::vector<Setting> edit_settings(loop::EditCosts& costs) {
  return group("Costs",
               {setting("cost-change", costs.change,
                        "what it costs to move a suggested box or give it another class; as much "
                        "as a drawn one unless you have measured it")
                    .range(0, 1e9),
                setting("cost-removal", costs.removal, "what it costs to remove a suggested box")
                    .range(0, 1e9)});
}

Setting enough_setting(double& enough) {
  return setting("enough", enough,
                 "share of the tasks that must be answered before they are pulled; the others "
                 "are left out until they are pulled again")
      .range(0, 1);
}

Setting conflict_setting(versions::OnConflict& on_conflict) {
  return setting("on-conflict", on_conflict,
                 "what holds where people and somebody else changed one thing in different ways; "
                 "fail: nothing is written (ours: what is labelled; theirs: what people gave back)",
                 {"fail", "ours", "theirs"});
}

loop::State open_or_begin(const LoopStart& start, const std::string& verb, const Output& output,
                          const std::string& split) {
  require_folder(start, verb);
  if (loop::State::exists(start.folder)) {
    loop::State state = loop::State::open(start.folder);
    require_same(start, state, verb);
    return state;
  }
  if (start.labelled.empty())
    throw usage_error(
        fmt::format("{}: {}: expected --labelled for a new loop, found none", verb, start.folder));
  loop::State::require_new(start.folder);
  const fs::path store = fs::weakly_canonical(versions::store_folder(start.store));
  const versions::Entry first = first_version(start, store, split, output);
  output.line("labelled: " + entry_line(first));
  return loop::State::begin(
      start.folder, {first.name, store, versions::full_name(first), source_of(start.labelled)});
}

std::string evaluated_split(const std::set<std::string>& splits, const std::string& wanted,
                            const std::string& source) {
  const std::string split = wanted != "auto" ? wanted : splits.contains("test") ? "test" : "val";
  if (!splits.contains(split))
    throw Error(
        fmt::format("{}: expected images of the split {} in the labelled set, so that "
                    "rounds can be compared, found none",
                    source, split));
  return split;
}

std::set<std::string> splits_of(const versions::Content& content) {
  std::set<std::string> splits;
  for (const versions::Item& item : content.items) splits.insert(item.split);
  return splits;
}

std::vector<std::string> words_for(const Settings& table, const std::vector<std::string>& kept) {
  std::vector<std::string> words;
  bool wanted = false;
  for (const std::string& word : kept) {
    // An option, "--name" or "--name=value"; its values are behind it.
    if (word.starts_with("--"))
      wanted = std::any_of(table.entries.begin(), table.entries.end(), [&](const Setting& one) {
        return flag(one.name) == word.substr(0, word.find('='));
      });
    if (wanted) words.push_back(word);
  }
  return words;
}

void require_folder(const LoopStart& start, const std::string& verb) {
  if (start.folder.empty())
    throw usage_error(fmt::format("{}: expected the folder of the loop, found none", verb));
}

loop::State open_loop(const LoopStart& start, const std::string& verb) {
  require_folder(start, verb);
  return loop::State::open(start.folder);
}

fs::path predictions_of(const std::string& from) {
  return fs::is_directory(from) ? fs::path(from) / "predictions.json" : fs::path(from);
}

void say_push(int round, const json& account, const Output& output) {
  for (const char* key : {"sent_before", "doubles"})
    if (account.contains(key) && !account.at(key).empty())
      log::warning(fmt::format("{} images are left out: {}", account.at(key).size(),
                               std::string_view(key) == "doubles"
                                   ? "they have the content of another one of the round"
                                   : "an earlier round has them"));
  say_notes(account);
  output.line(fmt::format("round {}: {} tasks made, {} were there, {} suggested boxes; at {}",
                          round, count_at(account, "made"), count_at(account, "known"),
                          count_at(account, "suggestions"), text_at(account, "where")));
  output.line("now " + text_at(account, "how"));
}

void say_pull(int round, const json& account, const Output& output) {
  say_notes(account);
  if (account.at("waits")) return;
  output.line(fmt::format(
      "round {}: {} of {} tasks are answered: {} with boxes, {} without objects, {} skipped; {} "
      "open",
      round, count_at(account, "answered"), count_at(account, "tasks"),
      count_at(account, "with_boxes"), count_at(account, "empty"), count_at(account, "skipped"),
      count_at(account, "open")));
  const auto say = [&](const std::string& name, const json& edits) {
    output.line(fmt::format("  {}: {} kept, {} moved, {} given another class, {} removed, {} added",
                            name, count_at(edits, "kept"), count_at(edits, "moved"),
                            count_at(edits, "relabelled"), count_at(edits, "removed"),
                            count_at(edits, "added")));
  };
  const json& suggestions = account.at("suggestions");
  say("suggestions", suggestions.at("all"));
  for (const auto& [name, edits] : suggestions.at("by_class").items()) say(name, edits);
  const json& cost = account.at("cost");
  output.line(fmt::format("  cost {} ({} by hand): {} saved by the cost model",
                          text::general(cost.at("corrected")), text::general(cost.at("by_hand")),
                          text::general(cost.at("saved"))));
  for (const json& one : account.at("losses"))
    log::warning(fmt::format("{} of {}: not kept, label files have no place for it",
                             count_at(one, "count"), text_at(one, "what")));
  for (const json& name : account.at("new_classes"))
    output.line(fmt::format("  new class: {}", name.get<std::string>()));
  output.line(fmt::format("  version {}: {} new images, {} labelled again",
                          text_at(account, "version"), count_at(account, "images_added"),
                          count_at(account, "images_again")));
}

void say_merge(int round, const json& account, const Output& output) {
  output.line(fmt::format(
      "round {}: {}: {} images, {} boxes; from people {} images, and {} changes of boxes in images "
      "that were there; {} conflicts decided",
      round, text_at(account, "label"), count_at(account, "images"), count_at(account, "boxes"),
      count_at(account, "images_from_people"), count_at(account, "boxes_from_people"),
      count_at(account, "conflicts")));
}

}  // namespace yolov7::cli
