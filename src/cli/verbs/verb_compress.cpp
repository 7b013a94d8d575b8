// yolov7 compress: the fastest form of a trained network that keeps an accuracy budget.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/verb.hpp"
#include "cli/verbs/checkpoint_data.hpp"
#include "cli/verbs/compress_inputs.hpp"
#include "cli/verbs/compress_stages.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/processor.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "monitoring/compress_report.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using compression::Journal;
using nlohmann::json;

class Compression {
 public:
  Compression(const CompressOptions& options, const std::vector<std::string>& given,
              const CompressInputs& inputs, CompressMeter& meter, Journal& journal)
      : o_(options),
        inputs_(inputs),
        meter_(meter),
        journal_(journal),
        stages_(options, given, inputs.image_size, inputs.epochs, journal) {}

  void run() {
    networks_ = networks_to_try(o_);
    for (TriedNetwork& network : networks_) try_network(network);
    measure_speed();
    choice_ = compression::choose(figures());
    take_choice();
    measure_held_out();
  }
  json report() const;
  void print(const Output& output) const;
  void print_classes(const Output& output) const;
  bool kept() const { return choice_.chosen.has_value(); }

 private:
  void try_network(TriedNetwork& network);
  void try_integers(TriedNetwork& network, const CompressCandidate& whole);
  CompressCandidate& measured(const TriedNetwork& network, const std::string& numbers,
                              const fs::path& file);
  void missing(const TriedNetwork& network, const std::string& numbers, const std::string& why);
  void measure_speed();
  void take_choice();
  void measure_held_out();
  json held_out_json() const;
  std::vector<compression::Candidate> figures() const;
  const TriedNetwork& network_of(const std::string& name) const;
  json chosen_json() const;
  std::vector<std::string> advice() const;

  const CompressOptions& o_;
  const CompressInputs& inputs_;
  CompressMeter& meter_;
  Journal& journal_;
  CompressStages stages_;
  std::vector<TriedNetwork> networks_;
  std::vector<CompressCandidate> candidates_;
  compression::Choice choice_;
  std::optional<CompressCandidate> held_out_;  // the chosen one on the test split
};

CompressCandidate& Compression::measured(const TriedNetwork& network, const std::string& numbers,
                                         const fs::path& file) {
  CompressCandidate& one = candidates_.emplace_back();
  one.figures.network = network.name, one.figures.numbers = numbers;
  one.file = file;
  const std::string stage = "measure " + one.figures.name();
  if (const auto known = journal_.found(stage)) {
    meter_.take_kept(*known, one);
    return one;
  }
  meter_.measure_accuracy(one);
  journal_.finish(stage, CompressMeter::kept(one));
  return one;
}

void Compression::missing(const TriedNetwork& network, const std::string& numbers,
                          const std::string& why) {
  CompressCandidate& one = candidates_.emplace_back();
  one.figures.network = network.name, one.figures.numbers = numbers, one.figures.missing = why;
}

void Compression::try_network(TriedNetwork& network) {
  stages_.make(network);
  if (!network.refusal.empty()) {
    for (const char* numbers : {"float32", "bfloat16", "int8"})
      missing(network, numbers, network.refusal);
    return;
  }
  const CompressCandidate whole = measured(network, "float32", network.weights);
  if (network.cut.empty() && !whole.figures.measured())
    throw Error(fmt::format("{}: expected a network that others can be compared with, found {}",
                            o_.weights, whole.figures.missing));
  measured(network, "bfloat16", network.weights);
  try_integers(network, whole);
}

/// A pruned network may lose in integers what its pruning left of the budget.
void Compression::try_integers(TriedNetwork& network, const CompressCandidate& whole) {
  const equivalence::Accuracy& a = whole.figures.accuracy;
  const double left = std::min(1.0, o_.accuracy_budget + (a.file_map - a.parent_map));
  if (!o_.has("quantize"))
    return missing(network, "int8", "not tried: quantize is not among --stages");
  if (!compression::keeps_budget(whole.figures) || left <= 0)
    return missing(network, "int8",
                   fmt::format("not tried: in float32 it loses {:.4f} mAP already",
                               a.parent_map - a.file_map));
  stages_.quantize(network, left);
  if (!network.no_integers.empty()) return missing(network, "int8", network.no_integers);
  measured(network, "int8", network.integers).parameters = whole.parameters;
}

void Compression::measure_speed() {
  const std::string stage = "times";
  if (const auto known = journal_.found(stage)) {
    for (CompressCandidate& one : candidates_)
      if (one.figures.measured()) {
        const json& times = known->at(one.figures.name());
        one.figures.speed = {times.at(0), times.at(1), times.at(2)};
      }
    return;
  }
  meter_.measure_speed(candidates_);
  json found = json::object();
  for (const CompressCandidate& one : candidates_) {
    const compression::CandidateSpeed& s = one.figures.speed;
    if (one.figures.measured()) found[one.figures.name()] = {s.least, s.median, s.throughput};
  }
  journal_.finish(stage, found);
}

void Compression::take_choice() {
  const std::string stage = "choose";
  if (!choice_.chosen) return stages_.choose_none();
  if (journal_.found(stage)) return;
  const compression::Candidate& one = candidates_[*choice_.chosen].figures;
  stages_.choose(network_of(one.network), one.numbers == "int8");
  const fs::path chosen = fs::path(o_.out) / "chosen";
  journal_.finish(stage, {{"candidate", one.name()}}, {chosen});
  for (const auto& entry : fs::directory_iterator(chosen))
    if (entry.path().extension() != ".json" && entry.path().extension() != ".csv" &&
        entry.path().extension() != ".png")
      record_derived(entry.path().string(), "derived model", o_.weights);
}

/// The test split takes no part in the choice, so its numbers are not too good.
void Compression::measure_held_out() {
  if (!choice_.chosen || !inputs_.has_test) return;
  const std::string stage = "measure the chosen one on test";
  CompressCandidate one = candidates_[*choice_.chosen];
  if (const auto known = journal_.found(stage)) {
    meter_.take_kept(*known, one);
  } else {
    CompressMeter::Request request = meter_.request();
    request.split = "test";
    try {
      CompressMeter(request).measure_accuracy(one);
    } catch (const Error& error) {
      if (error.code() == ExitCode::interrupted) throw;
      log::warning(fmt::format("compress: the test split is not measured: {}", error.what()));
      return;
    }
    journal_.finish(stage, CompressMeter::kept(one));
  }
  one.figures.accuracy.split = "test";
  held_out_ = one;
  if (!compression::keeps_budget(one.figures))
    log::warning(fmt::format("compress: on the test split {} loses more than the budget: {}",
                             one.figures.name(),
                             equivalence::accuracy_breach(one.figures.accuracy)));
}

json Compression::held_out_json() const {
  if (!held_out_) return nullptr;
  const equivalence::Accuracy& a = held_out_->figures.accuracy;
  return {{"split", a.split},
          {"images", a.images},
          {"labels", a.labels},
          {"parent_map", a.parent_map},
          {"map", a.file_map},
          {"map_change", {{"value", a.change}, {"low", a.low}, {"high", a.high}}},
          {"keeps_budget", compression::keeps_budget(held_out_->figures)}};
}

std::vector<compression::Candidate> Compression::figures() const {
  std::vector<compression::Candidate> all;
  for (const CompressCandidate& one : candidates_) all.push_back(one.figures);
  return all;
}

const TriedNetwork& Compression::network_of(const std::string& name) const {
  return *std::ranges::find_if(networks_,
                               [&](const TriedNetwork& one) { return one.name == name; });
}

json Compression::chosen_json() const {
  if (!choice_.chosen) return nullptr;
  const CompressCandidate& one = candidates_[*choice_.chosen];
  const fs::path file = fs::path(o_.out) / "chosen" / one.file.filename();
  std::string command = fmt::format("yolov7 detect --weights {} --source images/ --img-size {}",
                                    text::shell_word(file.string()), inputs_.image_size);
  if (one.figures.numbers != "int8") command += " --precision " + one.figures.numbers;
  return {{"network", one.figures.network},
          {"numbers", one.figures.numbers},
          {"file", file.string()},
          {"folder", file.parent_path().string()},
          {"command", command}};
}

std::vector<std::string> Compression::advice() const {
  std::vector<std::string> lines;
  for (const TriedNetwork& one : networks_)
    if (std::string line = compression::number_advice(figures(), one.name); !line.empty())
      lines.push_back(std::move(line));
  return lines;
}

json Compression::report() const {
  json candidates = json::array();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    candidates.push_back(to_json(candidates_[i], candidates_.front(), meter_.index().names));
    candidates.back()["chosen"] = choice_.chosen == i;
  }
  const equivalence::Accuracy& a = candidates_.front().figures.accuracy;
  json all = {{"weights", o_.weights},
              {"data", o_.data},
              {"split", o_.split},
              {"images", a.images},
              {"labels", a.labels},
              {"img_size", inputs_.image_size},
              {"budget", o_.accuracy_budget},
              {"draws", o_.draws},
              {"kept", kept()},
              {"reason", choice_.reason},
              {"chosen", chosen_json()},
              {"held_out", held_out_json()},
              {"candidates", candidates},
              {"advice", advice()},
              {"stages", stages_.done()},
              {"began_with", inputs_.beginning},
              {"machine",
               {{"processor", processor_fact("model name")},
                {"usable_cores", usable_cores()},
                {"threads", threads_or_all(o_.prune.threads)},
                {"times", o_.prune.threads == 1 ? "the processor's" : "on the clock"}}},
              {"out", o_.out}};
  if (!meter_.data_account().empty())
    all["data_account"] = parse_json(meter_.data_account(), "account of the data");
  return all;
}

void Compression::print(const Output& output) const {
  output.line(fmt::format("{:<12}{:<10}{:>9}{:>11}{:>11}{:>9}{:>10}  {:<20}{}", "network",
                          "numbers", "MB", "ms, least", "images/s", "mAP", "change", "interval",
                          "budget"));
  for (const CompressCandidate& one : candidates_) {
    const compression::Candidate& c = one.figures;
    if (!c.measured()) {
      output.line(fmt::format("{:<12}{:<10}{}", c.network, c.numbers, c.missing));
      continue;
    }
    output.line(fmt::format("{:<12}{:<10}{:>9.2f}{:>11.3f}{:>11.1f}{:>9.4f}{:>+10.4f}  {:<20}{}",
                            c.network, c.numbers, static_cast<double>(one.bytes) / 1e6,
                            c.speed.least, c.speed.throughput, c.accuracy.file_map,
                            c.accuracy.change,
                            fmt::format("{:+.4f} to {:+.4f}", c.accuracy.low, c.accuracy.high),
                            compression::keeps_budget(c) ? "kept" : "not kept"));
  }
  for (const std::string& line : advice()) output.line(line);
  output.line((kept() ? "chosen: " : "none: ") + choice_.reason);
  print_classes(output);
  if (held_out_) {
    const equivalence::Accuracy& a = held_out_->figures.accuracy;
    output.line(fmt::format(
        "on the test split, which took no part: mAP {:.4f} ({:+.4f}, {:+.4f} to {:+.4f}), {}",
        a.file_map, a.change, a.low, a.high,
        compression::keeps_budget(held_out_->figures) ? "within the budget" : "over the budget"));
  }
  if (kept()) output.line(chosen_json().at("command").get<std::string>());
  output.line(fmt::format("report: {}", (fs::path(o_.out) / "report.html").string()));
}

/// Those that the chosen one loses most of; the report has all.
void Compression::print_classes(const Output& output) const {
  if (!kept()) return;
  constexpr std::size_t most = 3;
  const std::vector<double>&before = candidates_.front().class_ap,
        &after = candidates_[*choice_.chosen].class_ap;
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < after.size(); ++c)
    if (after[c] >= 0 && after[c] < before.at(c)) order.push_back(c);
  std::ranges::sort(order, {}, [&](std::size_t c) { return after[c] - before[c]; });
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min(most, order.size()); ++i)
    words.push_back(fmt::format("{} {:.4f} -> {:.4f}", meter_.index().names.at(order[i]),
                                before[order[i]], after[order[i]]));
  output.line(fmt::format("classes with less AP than in the parent: {}{}", order.size(),
                          words.empty() ? "" : "; most: " + text::join(words, ", ")));
}

}  // namespace

json run_compress(const std::vector<std::string>& arguments, Output& output) {
  CompressOptions options;
  const Settings table = settings(options);
  if (!parse_arguments(table, arguments, output)) return {};
  const std::vector<std::string> given = given_names(table, arguments);
  complete(options, given);
  networks_to_try(options);
  require_own_folder(options);
  CompressInputs inputs = read_inputs(options);
  CompressMeter meter({options.weights, options.data, options.split, inputs.image_size,
                       options.draws, options.prune.threads, options.accuracy_budget,
                       options.prune.seconds});
  add_data(inputs, options, meter);
  file::make_folder(options.out);
  const fs::path out(options.out);
  const auto lock = file::Lock::try_acquire(out / ".lock");
  if (!lock) throw Error(fmt::format("{}: another process is at work in this folder", options.out));
  file::remove_temporaries(out);  // of a process that was killed
  Journal journal(out / "state.json", inputs.beginning, interrupt::token());
  if (journal.resumed()) log::info(fmt::format("compress: going on in {}", options.out));
  Compression compression(options, given, inputs, meter, journal);
  compression.run();
  const json report = compression.report();
  file::write_atomically(out / "report.json", json_text(report, 1) + "\n");
  file::write_atomically(out / "report.html", monitoring::compress_report(report));
  compression.print(output);
  if (!compression.kept()) output.code = ExitCode::failure;
  return report;
}

}  // namespace yolov7::cli
