#pragma once
// What the parts of `yolov7 active` share that work in the folder of a loop.
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "cli/verb.hpp"
#include "core/settings.hpp"
#include "loop/place.hpp"
#include "loop/rounds.hpp"
#include "loop/state.hpp"
#include "versions/content.hpp"

namespace yolov7::cli {

struct LoopStart {
  std::string folder, labelled, name, store;
};

/// The positional folder, and what begins a loop in it.
std::vector<Setting> loop_settings(LoopStart& start);
Setting loop_folder_setting(LoopStart& start);
/// `push`: for a part that decides the place where people label; `pull`: for one that takes back
/// what they did.
std::vector<Setting> place_settings(loop::PlaceOptions& place, bool push, bool pull);
/// Options of this call (`given`) that the place `to` has no use for are wrong calls, so that
/// nobody relies on them.
void refuse_of_other_places(const std::string& to, const std::string& verb,
                            const std::vector<std::string>& given);
std::vector<Setting> edit_settings(loop::EditCosts& costs);
Setting enough_setting(double& enough);
Setting conflict_setting(versions::OnConflict& on_conflict);

/// Goes on with the loop of the folder, or begins one: the labelled set becomes the first version
/// of its data set, unless it is one ("store:NAME@ID"). `split`: that rounds are evaluated on, as
/// evaluated_split() takes it; "": none is. A new loop is checked before anything is written.
/// Errors (usage): no folder; no labelled set for a new loop; another one, name or store for a loop
/// that is there. Errors: a folder that is not empty; no such split.
loop::State open_or_begin(const LoopStart& start, const std::string& verb, const Output& output,
                          const std::string& split = "");
/// The split that every round is evaluated on: "val", "test", or with "auto" test where it is one
/// of `splits`, else val. Error: it is none of them.
std::string evaluated_split(const std::set<std::string>& splits, const std::string& wanted,
                            const std::string& source);
/// The splits of a version.
std::set<std::string> splits_of(const versions::Content& content);
/// The words among `kept`, those of an earlier call of another part, that set options of `table`.
std::vector<std::string> words_for(const Settings& table, const std::vector<std::string>& kept);
/// Error (usage): no folder.
void require_folder(const LoopStart& start, const std::string& verb);
/// Goes on. Errors: those of require_folder() and of loop::State::open().
loop::State open_loop(const LoopStart& start, const std::string& verb);

/// predictions.json of a folder that `select` or `detect --collect` wrote, or the file itself.
std::filesystem::path predictions_of(const std::string& from);

// What a step found, for people.
void say_push(int round, const nlohmann::json& account, const Output& output);
void say_pull(int round, const nlohmann::json& account, const Output& output);
void say_merge(int round, const nlohmann::json& account, const Output& output);

}  // namespace yolov7::cli
