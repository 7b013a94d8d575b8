// Measures `dataset check` (data-services D3); docs/data-check.md has the tables.
//   benchmark_doctor NAME=DATA.YAML … [--seeds N] [--kind TEXT] [--examples N]
//     of each kind of planted fault: recall, share of right causes, false alarms.
//   benchmark_doctor NAME=DATA.YAML --predictions FILE [--seeds N]
//     a tenth of the labels is made wrong; precision of both rankings among the first n, n being
//     the number of planted mistakes.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/doctor/read_subject.hpp"
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
  fmt::print(
      "| Mistake | Planted | Precision among the first n: matched first | 1 − IoU · score |\n");
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

struct Arguments {
  int seeds = 3, examples = 0;
  std::string kind, predictions;
  std::vector<std::pair<std::string, std::string>> sets;  ///< name, data.yaml
};

int whole_number(const std::string& option, const std::string& written, int least) {
  const auto value = text::parse_double(written);
  if (!value || *value != static_cast<int>(*value) || *value < least)
    throw Error(fmt::format("{}: expected a whole number of at least {}, found '{}'", option, least,
                            written));
  return static_cast<int>(*value);
}

Arguments read_arguments(const std::vector<std::string>& words) {
  Arguments o;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&] {
      if (i + 1 == words.size()) throw Error(word + ": expected a value, found none");
      return words[++i];
    };
    if (word == "--seeds")
      o.seeds = whole_number(word, value(), 1);
    else if (word == "--examples")
      o.examples = whole_number(word, value(), 0);
    else if (word == "--kind")
      o.kind = value();
    else if (word == "--predictions")
      o.predictions = value();
    else if (const auto equal = word.find('='); !word.starts_with("-") && equal != word.npos)
      o.sets.emplace_back(word.substr(0, equal), word.substr(equal + 1));
    else
      throw Error(fmt::format("expected NAME=DATA.YAML or an option, found '{}'", word));
  }
  if (o.sets.empty()) throw Error("expected NAME=DATA.YAML, found none");
  if (!o.predictions.empty() && (o.sets.size() > 1 || !o.kind.empty() || o.examples > 0))
    throw Error("--predictions: expected one set and neither --kind nor --examples");
  return o;
}

void measure_faults(const Arguments& o) {
  std::vector<test::FaultKind> kinds;
  for (const auto& kind : test::fault_kinds())
    if (kind.name.find(o.kind) != std::string::npos) kinds.push_back(kind);
  if (kinds.empty()) throw Error(fmt::format("--kind: no kind of fault has '{}' in it", o.kind));
  fmt::print("| Set | Fault | Planted | Recall | Cause right | False alarms per 1,000 |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const auto& [name, data] : o.sets) {
    const test::CleanSet set = test::read_clean_set(name, data);
    for (const test::FaultKind& kind : kinds) measure(set, kind, o.seeds, o.examples);
  }
}

}  // namespace

int main(int count, char** arguments) {
  log::install(std::make_shared<Silence>());
  try {
    const Arguments o = read_arguments({arguments + 1, arguments + count});
    if (o.predictions.empty())
      measure_faults(o);
    else
      measure_rankings(o.sets.front().second, o.predictions, o.seeds);
  } catch (const Error& error) {
    fmt::print(stderr, "benchmark_doctor: {}\n", error.what());
    return 2;
  }
  return 0;
}
