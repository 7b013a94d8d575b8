#pragma once
// The steps of a round between the choice of images and the training.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "loop/answers.hpp"
#include "loop/place.hpp"
#include "loop/state.hpp"
#include "versions/merge.hpp"

namespace yolov7::loop {

struct PushRound {
  PlaceOptions place;
  std::filesystem::path predictions;  ///< of the chosen images
  std::string model;                  ///< who made the suggestions
};

/// Makes the round's tasks and sends them. Goes on with tasks that an earlier call made. The step's
/// account; Errors: those of make_tasks() and of the place.
nlohmann::json push_round(State& state, int round, const PushRound& options);

struct PullRound {
  PlaceOptions place;
  double enough = 1;  ///< share of the tasks that must be answered
  EditCosts costs;
};

/// What the place has now, as a version beside the labelled set. While fewer than `enough` are
/// answered nothing is written and the account says "waits": true. Errors: those of the place and
/// of add_returned().
nlohmann::json pull_round(State& state, int round, const PullRound& options);

/// The pulled version into whatever the labelled set is now. Of a round that was merged before,
/// only what people have changed since then counts. Error: conflicts, which are named, and nothing
/// is written.
nlohmann::json merge_round(State& state, int round, versions::OnConflict on_conflict,
                           const std::stop_token& stop);

/// "round 2 waits for people: 3 of 20 images are answered at PLACE; DO THIS".
std::string waiting_line(const State& state, int round, const nlohmann::json& account);

/// Where the tasks of a round are.
std::filesystem::path tasks_folder(const State& state, int round);
/// Tasks of the rounds before this one; of rounds() + 1: of all.
std::vector<Task> tasks_before(const State& state, int round);

}  // namespace yolov7::loop
