#pragma once
// What the parts of `yolov7 active` share that work in the folder of a loop.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/verb.hpp"
#include "core/settings.hpp"
#include "loop/place.hpp"
#include "loop/rounds.hpp"
#include "loop/state.hpp"

namespace yolov7::cli {

// One per verb file.
nlohmann::json run_active_push(const std::vector<std::string>&, Output&);
nlohmann::json run_active_pull(const std::vector<std::string>&, Output&);
nlohmann::json run_active_merge(const std::vector<std::string>&, Output&);
nlohmann::json run_active_status(const std::vector<std::string>&, Output&);
nlohmann::json run_active_loop(const std::vector<std::string>&, Output&);

struct LoopStart {
  std::string folder, labelled, name, store;
};

/// The positional folder, and what begins a loop in it.
std::vector<Setting> loop_settings(LoopStart& start);
Setting loop_folder_setting(LoopStart& start);
/// `to`: the place where people label, for parts that decide it.
std::vector<Setting> place_settings(loop::PlaceOptions& place, bool to);
std::vector<Setting> edit_settings(loop::EditCosts& costs);
Setting enough_setting(double& enough);
Setting conflict_setting(versions::OnConflict& on_conflict);

/// Goes on with the loop of the folder, or begins one: the labelled set becomes the first version
/// of its data set, unless it is one ("store:NAME@ID"). Errors (usage): no folder; no labelled set
/// for a new loop; another one, name or store for a loop that is there.
loop::State open_or_begin(const LoopStart& start, const std::string& verb, const Output& output);
/// Goes on. Error (usage): no folder.
loop::State open_loop(const LoopStart& start, const std::string& verb);

/// predictions.json of a folder that `select` or `detect --collect` wrote, or the file itself.
std::filesystem::path predictions_of(const std::string& from);

// What a step found, for people.
void say_push(int round, const nlohmann::json& account, const Output& output);
void say_pull(int round, const nlohmann::json& account, const Output& output);
void say_merge(int round, const nlohmann::json& account, const Output& output);

}  // namespace yolov7::cli
