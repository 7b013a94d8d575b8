// benchmark_doctor NAME=DATA.YAML … [--seeds N] [--kind TEXT] [--examples N]: seeded faults, kind by
// kind: recall, causes named right, false alarms (data-services D3). docs/data-check.md has its
// table.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <memory>

#include "core/log.hpp"
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

}  // namespace

int main(int count, char** arguments) {
  log::install(std::make_shared<Silence>());
  int seeds = 3, examples = 0;
  std::string wanted;
  std::vector<test::CleanSet> sets;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--seeds" && i + 1 < count)
      seeds = std::atoi(arguments[++i]);
    else if (argument == "--examples" && i + 1 < count)
      examples = std::atoi(arguments[++i]);
    else if (argument == "--kind" && i + 1 < count)
      wanted = arguments[++i];
    else if (const auto equal = argument.find('='); equal != std::string::npos)
      sets.push_back(
          test::read_clean_set(argument.substr(0, equal), argument.substr(equal + 1)));
  }
  if (sets.empty()) {
    fmt::print(stderr, "expected NAME=DATA.YAML, found none\n");
    return 2;
  }
  fmt::print("| Set | Fault | Planted | Recall | Cause right | False alarms per 1,000 |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const auto& set : sets)
    for (const auto& kind : test::fault_kinds())
      if (kind.name.find(wanted) != std::string::npos) measure(set, kind, seeds, examples);
  return 0;
}
