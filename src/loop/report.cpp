#include "loop/report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/chart.hpp"
#include "monitoring/html_page.hpp"

namespace yolov7::loop {
using nlohmann::json;
namespace {

constexpr const char* edit_names[] = {"kept", "moved", "relabelled", "removed", "added"};

json part(const json& value, const char* key) {
  return value.is_object() && value.contains(key) ? value[key] : json(nullptr);
}

std::string shown(const json& value, const char* form = "{:.0f}") {
  return value.is_number() ? fmt::format(fmt::runtime(form), value.get<double>()) : "–";
}

double number(const json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

json step_of(const State& state, int round, Step step) {
  return state.done(round, step) ? state.found(round, step) : json(nullptr);
}

json round_json(const State& state, int round, double& corrected, double& by_hand) {
  const json chosen = step_of(state, round, Step::select), push = step_of(state, round, Step::push),
             pull = step_of(state, round, Step::pull), merge = step_of(state, round, Step::merge),
             train = step_of(state, round, Step::train),
             measured = step_of(state, round, Step::evaluate), cost = part(pull, "cost");
  if (!cost.is_null()) corrected += number(cost["corrected"]), by_hand += number(cost["by_hand"]);
  json one = {{"number", round},
              {"stage", stage_of(state, round)},
              {"unreadable", part(chosen, "unreadable")},
              {"place", part(push, "where")},
              {"tasks", part(push, "tasks")},
              {"suggestions", part(part(pull, "suggestions"), "all")},
              {"by_class", part(part(pull, "suggestions"), "by_class")},
              {"cost", cost},
              {"cost_so_far", cost.is_null() ? json(nullptr) : json(corrected)},
              {"cost_by_hand_so_far", cost.is_null() ? json(nullptr) : json(by_hand)},
              {"version", part(merge, "version")},
              {"images", part(merge, "images")},
              {"boxes", part(merge, "boxes")},
              {"weights", part(train, "weights")},
              {"split", part(measured, "split")},
              {"map50", part(measured, "map50")},
              {"map", part(measured, "map")}};
  for (const char* key : {"answered", "with_boxes", "empty", "skipped", "open"})
    one[key] = part(pull, key);
  return one;
}

std::string row(const std::vector<std::string>& cells) {
  constexpr int widths[] = {6, 6, 9, 6, 8, 8, 7, 7, 6, 8, 8, 8, 8};
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i)
    line += fmt::format("{:>{}}", cells[i], widths[std::min<std::size_t>(i, 12)]);
  return line;
}

std::vector<std::string> cells_of(const json& one) {
  const json &edits = one["suggestions"], &cost = one["cost"];
  std::vector<std::string> cells = {shown(one["number"]), shown(one["tasks"]),
                                    shown(one["answered"]), shown(one["empty"]),
                                    shown(one["skipped"])};
  for (const char* name : edit_names) cells.push_back(shown(part(edits, name)));
  cells.push_back(shown(part(cost, "corrected")));
  cells.push_back(shown(part(cost, "saved")));
  cells.push_back(shown(one["map50"], "{:.4f}"));
  return cells;
}

const std::vector<std::string> header = {"round", "tasks", "answered", "empty", "skipped",
                                         "kept",  "moved", "class",    "gone",  "added",
                                         "cost",  "saved", "mAP50"};

/// Images of the pool that could not be chosen; "" where all could be read.
std::string unreadable_line(const json& one) {
  const json names = part(one, "unreadable");
  if (!names.is_array() || names.empty()) return {};
  return fmt::format("round {}: {} images of the pool could not be read; the first is {}",
                     shown(one["number"]), names.size(),
                     text::printable(names.front().get<std::string>()));
}

std::string picture(const Chart& chart) { return encode_png(chart_picture({1400, 900}, chart)); }

std::string map_figure(const json& rounds) {
  Chart chart{"mAP over what people did", "cost", {{"mAP50", {}}, {"mAP", {}}}};
  for (const json& one : rounds)
    if (one["map50"].is_number() && one["cost_so_far"].is_number()) {
      chart.lines[0].points.emplace_back(number(one["cost_so_far"]), number(one["map50"]));
      chart.lines[1].points.emplace_back(number(one["cost_so_far"]), number(one["map"]));
    }
  if (chart.lines[0].points.empty()) return {};
  return monitoring::figure_of(picture(chart), "png", "mAP over the cost so far, by rounds");
}

/// The detector's error in the field: which share of its boxes, and of those that it should have
/// found, people changed.
std::string edits_figure(const json& rounds, const char* class_name) {
  Chart chart{
      class_name == nullptr ? "What people made of the suggestions" : class_name, "round", {}};
  for (const char* name : edit_names) chart.lines.push_back({name, {}});
  bool any = false;
  for (const json& one : rounds) {
    const json edits =
        class_name == nullptr ? one["suggestions"] : part(one["by_class"], class_name);
    double all = 0;
    for (const char* name : edit_names)
      if (!edits.is_null()) all += number(edits[name]);
    for (std::size_t i = 0; i < chart.lines.size() && all > 0; ++i)
      chart.lines[i].points.emplace_back(number(one["number"]), number(edits[edit_names[i]]) / all),
          any = true;
  }
  chart.y_range = {0, 1};
  if (!any) return {};
  return monitoring::figure_of(
      picture(chart), "png",
      fmt::format("Share of boxes kept, moved, given another class, removed and added{}",
                  class_name == nullptr ? std::string() : ": " + text::printable(class_name)));
}

monitoring::Table class_table(const json& rounds) {
  monitoring::Table table{{"Round", "Class"}, {}, 2};
  for (const char* name : edit_names) table.header.emplace_back(name);
  for (const json& one : rounds)
    if (one["by_class"].is_object())
      for (const auto& [name, edits] : one["by_class"].items()) {
        table.rows.push_back({shown(one["number"]), name});
        for (const char* edit : edit_names) table.rows.back().push_back(shown(edits[edit]));
      }
  return table;
}

}  // namespace

std::string stage_of(const State& state, int round) {
  constexpr const char* words[] = {"chosen", "waits for people", "pulled",
                                   "merged", "trained",          "evaluated"};
  for (std::size_t i = step_names.size(); i-- > 0;)
    if (state.done(round, static_cast<Step>(i))) return words[i];
  return "begun";
}

json status(const State& state) {
  const Beginning beginning = state.beginning();
  json rounds = json::array();
  double corrected = 0, by_hand = 0;
  for (int r = 1; r <= state.rounds(); ++r)
    rounds.push_back(round_json(state, r, corrected, by_hand));
  return {{"loop", state.folder().string()},
          {"name", beginning.name},
          {"store", beginning.store.string()},
          {"start", beginning.start},
          {"labelled", state.labelled()},
          {"weights", state.weights() ? json(*state.weights()) : json(nullptr)},
          {"cost", corrected},
          {"cost_by_hand", by_hand},
          {"saved", by_hand - corrected},
          {"rounds", std::move(rounds)}};
}

std::vector<std::string> status_lines(const json& status) {
  std::vector<std::string> lines = {row(header)};
  for (const json& one : status["rounds"]) lines.push_back(row(cells_of(one)));
  for (const json& one : status["rounds"])
    lines.push_back(fmt::format(
        "round {}: {}{}", shown(one["number"]), one["stage"].get<std::string>(),
        one["version"].is_string()
            ? fmt::format("; {} images, {} boxes", shown(one["images"]), shown(one["boxes"]))
            : ""));
  for (const json& one : status["rounds"])
    if (const std::string line = unreadable_line(one); !line.empty()) lines.push_back(line);
  lines.push_back(fmt::format("cost: {} with suggestions, {} by hand: {} saved by the cost model",
                              shown(status["cost"]), shown(status["cost_by_hand"]),
                              shown(status["saved"])));
  lines.push_back("labelled: " + status["labelled"].get<std::string>());
  return lines;
}

std::string status_page(const json& status) {
  using namespace monitoring;
  const json& rounds = status["rounds"];
  Table table{header, {}};
  table.header.emplace_back("stage");
  for (const json& one : rounds) {
    table.rows.push_back(cells_of(one));
    table.rows.back().push_back(one["stage"]);
  }
  std::string page = page_head(text::html(status["name"].get<std::string>()), "Labelling of");
  page += section("Rounds", html_table(table));
  page += "<p>" +
          text::html(fmt::format(
              "Cost and saving follow the cost model, not a clock: {} with suggestions, {} "
              "if every box had been drawn by hand.",
              shown(status["cost"]), shown(status["cost_by_hand"]))) +
          "</p>\n";
  for (const json& one : rounds)
    if (const std::string line = unreadable_line(one); !line.empty())
      page += "<p>" + text::html(line) + "</p>\n";
  page += section("mAP", map_figure(rounds));
  page += section("What people changed", edits_figure(rounds, nullptr));
  const Table classes = class_table(rounds);
  std::string by_class = classes.rows.empty() ? std::string() : html_table(classes);
  std::vector<std::string> names;
  for (const auto& one : classes.rows)
    if (!text::contains(names, one[1])) names.push_back(one[1]);
  constexpr std::size_t most_figures = 12;
  for (std::size_t i = 0; i < std::min(names.size(), most_figures); ++i)
    by_class += edits_figure(rounds, names[i].c_str());
  if (names.size() > most_figures)
    by_class +=
        fmt::format("<p>{} further classes have no figure.</p>\n", names.size() - most_figures);
  page += section("By class", by_class);
  return page + "</body>\n</html>\n";
}

}  // namespace yolov7::loop
