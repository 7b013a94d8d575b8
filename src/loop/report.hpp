#pragma once
// Rounds, counts, costs and curves of a loop: as JSON, as lines, as a page.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "loop/state.hpp"

namespace yolov7::loop {

/// "chosen", "waits for people" …: what the round has come to.
std::string stage_of(const State& state, int round);

/// Per round: stage, tasks, answers, edits by class, costs (of the round, and of all so far), the
/// labelled version, weights, mAP. Sums at the end. Numbers that are not known yet are null.
nlohmann::json status(const State& state);
/// A table with one line a round, and the sums.
std::vector<std::string> status_lines(const nlohmann::json& status);
/// One page with the tables, mAP over cost, and what people changed over the rounds. Nothing
/// outside the page is needed.
std::string status_page(const nlohmann::json& status);

}  // namespace yolov7::loop
