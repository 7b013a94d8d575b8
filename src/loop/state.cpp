#include "loop/state.hpp"

#include <fmt/format.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/json.hpp"
#include "core/version.hpp"

namespace yolov7::loop {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr int form = 1;

fs::path file_in(const fs::path& folder) { return folder / "loop.json"; }

bool is_text(const json& value, const char* key) {
  return value.contains(key) && value[key].is_string();
}

void require_form(const json& content, const fs::path& file) {
  const bool good = content.is_object() && content.contains("rounds") &&
                    content["rounds"].is_array() && content.contains("arguments") &&
                    content["arguments"].is_array() && is_text(content, "name") &&
                    is_text(content, "store") && is_text(content, "start");
  if (!good)
    throw Error(
        fmt::format("{}: expected the state of a loop, found something else", file.string()));
  if (content.value("form", 0) != form)
    throw Error(fmt::format("{}: expected form {} of a loop's state, found {}", file.string(), form,
                            content.value("form", 0)));
  for (const json& round : content["rounds"])
    if (!round.is_object() || !round.contains("steps") || !round["steps"].is_object())
      throw Error(
          fmt::format("{}: expected rounds with steps, found something else", file.string()));
}

std::string name_of(Step step) { return step_names[static_cast<std::size_t>(step)]; }

}  // namespace

void passing() {
  if (failpoint::hit("loop-kill")) std::raise(SIGKILL);
}

State::State(fs::path folder, bool lock)
    : folder_(fs::absolute(folder).lexically_normal()), content_(std::make_unique<json>()) {
  if (!folder_.has_filename()) folder_ = folder_.parent_path();
  if (!lock) return;
  lock_ = file::Lock::try_acquire(folder_ / ".lock");
  if (!lock_)
    throw Error(fmt::format("{}: another process is at work in this loop", folder_.string()));
  file::remove_temporaries(folder_);  // of a process that was killed
}

State::State(State&&) noexcept = default;
State::~State() = default;

bool State::exists(const fs::path& folder) {
  std::error_code error;
  return fs::exists(file_in(folder), error);
}

State State::read(const fs::path& folder) {
  if (!exists(folder))
    throw Error(fmt::format("{}: expected the folder of a loop with loop.json, found none",
                            folder.string()));
  State state(folder, false);
  *state.content_ = read_json(file_in(folder));
  require_form(*state.content_, file_in(folder));
  return state;
}

State State::open(const fs::path& folder) {
  read(folder);  // so that nothing is made where there is no loop
  State state(folder, true);
  *state.content_ = read_json(file_in(folder));
  require_form(*state.content_, file_in(folder));
  return state;
}

void State::require_new(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error))
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (entry.path().filename() != ".lock")
        throw Error(fmt::format("{}: expected a new or empty folder for the loop, found {} in it",
                                folder.string(), entry.path().filename().string()));
}

State State::begin(const fs::path& folder, const Beginning& beginning) {
  require_new(folder);
  file::make_folder(folder);
  State state(folder, true);
  require_new(folder);  // another process may have begun one meanwhile
  *state.content_ = {{"form", form},
                     {"program", program_version()},
                     {"name", beginning.name},
                     {"store", beginning.store.string()},
                     {"start", beginning.start},
                     {"source", beginning.source},
                     {"labelled", beginning.start},
                     {"arguments", json::array()},
                     {"rounds", json::array()}};
  state.write();
  return state;
}

Beginning State::beginning() const {
  return {(*content_)["name"], (*content_)["store"].get<std::string>(), (*content_)["start"],
          content_->value("source", "")};
}

std::vector<std::string> State::arguments() const { return (*content_)["arguments"]; }

void State::set_arguments(const std::vector<std::string>& words) {
  if (arguments() == words) return;
  (*content_)["arguments"] = words;
  write();
}

int State::rounds() const { return static_cast<int>((*content_)["rounds"].size()); }

int State::begin_round() {
  (*content_)["rounds"].push_back({{"number", rounds() + 1}, {"steps", json::object()}});
  write();
  return rounds();
}

fs::path State::round_folder(int round) const {
  return folder_ / fmt::format("round-{:03}", round);
}

bool State::done(int round, Step step) const {
  if (round < 1 || round > rounds()) return false;
  return (*content_)["rounds"][static_cast<std::size_t>(round - 1)]["steps"].contains(
      name_of(step));
}

const json& State::found(int round, Step step) const {
  if (!done(round, step))
    throw Error(fmt::format("{}: expected round {} with the step {}, found it without",
                            folder_.string(), round, name_of(step)));
  return (*content_)["rounds"][static_cast<std::size_t>(round - 1)]["steps"][name_of(step)];
}

void State::finish(int round, Step step, const json& found) {
  passing();
  (*content_)["rounds"].at(static_cast<std::size_t>(round - 1))["steps"][name_of(step)] = found;
  if (step == Step::merge) (*content_)["labelled"] = found.at("version");
  write();
  passing();
}

std::string State::labelled() const {
  if (is_text(*content_, "labelled")) return (*content_)["labelled"];
  // Loops that were begun before this was kept.
  for (int round = rounds(); round > 0; --round)
    if (done(round, Step::merge)) return found(round, Step::merge).at("version");
  return beginning().start;
}

std::optional<std::string> State::weights() const {
  for (int round = rounds(); round > 0; --round)
    if (done(round, Step::train)) return found(round, Step::train).at("weights");
  return std::nullopt;
}

void State::write() { file::write_atomically(file_in(folder_), json_text(*content_, 1) + "\n"); }

}  // namespace yolov7::loop
