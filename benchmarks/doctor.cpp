// benchmark_doctor NAME=DATA.YAML … [--seeds N] [--kind TEXT] [--examples N]: seeded faults, kind
// by kind: recall, causes named right, false alarms (data-services D3). With --predictions FILE: a
// tenth of the labels made wrong, and the precision of both rankings among the first n. The tables
// are in docs/data-check.md.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <memory>

#include "core/log.hpp"
#include "tests/dataset/doctor/planted_mistakes.hpp"
#include "tests/dataset/doctor/seeded_faults.hpp"
#include "tests/scratch_folder.hpp"

namespace {

using namespace yolov7;
namespace fs = std::filesystem;

struct Silence : log::Sink {
  bool wants(log::Level) const override { return false; }
  void write(log::Level, std::string_view) override {}
};

void measure(const test::CleanSet& set, const test::FaultKind& kind, int seeds, int examples) {
  test::Score score;
  // A fault of the whole set is the same for every seed.
  if (kind.whole_set) seeds = 1;
  for (int seed = 1; seed <= seeds; ++seed) {
    test::ScratchFolder folder("doctor");
    const auto planted =
        test::plant(set, kind, 0.1, static_cast<std::uint64_t>(seed), folder / "set");
    score += test::score_of(set, kind, planted, test::examine(planted.data));
  }
  fmt::print("| {} | {} | {} | {:.3f} | {} | {:.2f} |\n", set.name, kind.name, score.planted,
             score.recall(), kind.cause.empty() ? "" : fmt::format("{:.3f}", score.causes()),
             score.per_thousand());
  for (int i = 0; i < std::min(examples, static_cast<int>(score.examples.size())); ++i)
    fmt::print("    {}\n", score.examples[static_cast<std::size_t>(i)]);
  std::fflush(stdout);
}

void measure_rankings(const fs::path& data, const fs::path& file, int seeds) {
  namespace doctor = dataset::doctor;
  using Kind = doctor::Mistake::Kind;
  doctor::SubjectOptions options;
  options.sketches = false;
  const doctor::Subject clean = doctor::read_subject(dataset::read_description(data), options);
  const doctor::Predictions predictions = doctor::read_predictions(file, clean);
  fmt::print("| Mistake | Planted | Precision among the first n, joint | plain rule |\n");
  fmt::print("|---|---|---|---|\n");
  for (const Kind kind : {Kind::missing, Kind::wrong_class, Kind::bad_place, Kind::doubled}) {
    double precision[2] = {};
    std::size_t count = 0;
    for (int seed = 1; seed <= seeds; ++seed) {
      const auto planted =
          test::plant_mistakes(clean, predictions, kind, 0.1, static_cast<std::uint64_t>(seed));
      count += planted.count;
      for (const auto ranking : {doctor::Ranking::joint, doctor::Ranking::plain})
        precision[static_cast<int>(ranking)] +=
            test::precision_at_n(planted,
                                 doctor::find_mistakes(planted.subject, predictions, ranking, 0),
                                 kind, ranking) /
            seeds;
    }
    fmt::print("| {} | {} | {:.3f} | {:.3f} |\n", doctor::name_of(kind), count, precision[0],
               precision[1]);
  }
}

}  // namespace

int main(int count, char** arguments) {
  log::install(std::make_shared<Silence>());
  int seeds = 3, examples = 0;
  std::string wanted, predictions, data;
  std::vector<test::CleanSet> sets;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--seeds" && i + 1 < count)
      seeds = std::atoi(arguments[++i]);
    else if (argument == "--examples" && i + 1 < count)
      examples = std::atoi(arguments[++i]);
    else if (argument == "--kind" && i + 1 < count)
      wanted = arguments[++i];
    else if (argument == "--predictions" && i + 1 < count)
      predictions = arguments[++i];
    else if (const auto equal = argument.find('='); equal != std::string::npos)
      data = argument.substr(equal + 1),
      sets.push_back(test::read_clean_set(argument.substr(0, equal), argument.substr(equal + 1)));
  }
  if (sets.empty()) {
    fmt::print(stderr, "expected NAME=DATA.YAML, found none\n");
    return 2;
  }
  if (!predictions.empty()) {
    measure_rankings(data, predictions, seeds);
    return 0;
  }
  fmt::print("| Set | Fault | Planted | Recall | Cause right | False alarms per 1,000 |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const auto& set : sets)
    for (const auto& kind : test::fault_kinds())
      if (kind.name.find(wanted) != std::string::npos) measure(set, kind, seeds, examples);
  return 0;
}
