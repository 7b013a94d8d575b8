#include "cli/verbs/compress_measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/file_tree.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/statistics.hpp"
#include "core/threads.hpp"
#include "equivalence/proof.hpp"
#include "equivalence/turns.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// 8-bit integers are in the file; what is left of it runs in float32.
api::OpenModel open(const fs::path& file, const std::string& numbers, int threads,
                    int streams = 1) {
  api::ModelOptions options;
  options.weights = {file.string()};
  options.detector.precision = numbers == "bfloat16" ? numbers : "float32";
  options.detector.threads = threads;
  options.detector.streams = streams;
  return api::open_detector(options);
}

Measurement measurement_of(const CompressMeter::Request& request) {
  const api::OpenModel parent = open(request.weights, "float32", 0);
  Measurement measurement =
      split_measurement(request.data, request.split, request.image_size, parent);
  if (measurement.index.label_count() == 0)
    throw Error(
        fmt::format("{}: expected labels in the {} split, which the budget is measured on, "
                    "found none",
                    request.data, request.split));
  return measurement;
}

double sum(const std::vector<double>& times) {
  return std::accumulate(times.begin(), times.end(), 0.0);
}

/// One call of a candidate, on so many siblings at a time.
struct Runner {
  std::vector<std::unique_ptr<runtime::Detector>> detectors;
  std::vector<runtime::Prediction> predictions;

  explicit Runner(api::OpenModel model, std::size_t count)
      : detectors(api::workers(model, count)), predictions(detectors.size()) {}
  void call(const equivalence::ProofPicture& picture) {
    parallel_for(detectors.size(), static_cast<int>(detectors.size()),
                 [&](std::size_t i) { detectors[i]->predict(picture.batch(), predictions[i]); });
  }
};

}  // namespace

json to_json(const CompressCandidate& one, const CompressCandidate& parent,
             const std::vector<std::string>& names) {
  const compression::Candidate& c = one.figures;
  json all = {{"network", c.network}, {"numbers", c.numbers}, {"missing", c.missing}};
  if (!c.measured()) return all;
  json classes = json::array();
  for (std::size_t i = 0; i < std::min(names.size(), one.class_ap.size()); ++i) {
    const bool known = one.class_ap[i] >= 0;
    classes.push_back(
        {{"name", names[i]},
         {"ap", known ? json(one.class_ap[i]) : json(nullptr)},
         {"change", known ? json(one.class_ap[i] - parent.class_ap.at(i)) : json(nullptr)}});
  }
  all["file"] = one.file.string();
  all["bytes"] = one.bytes;
  if (one.parameters > 0) all["parameters"] = one.parameters;
  all["map50"] = c.accuracy.file_map50;
  all["map"] = {{"value", c.accuracy.file_map}, {"low", one.map_low}, {"high", one.map_high}};
  all["map_change"] = {
      {"value", c.accuracy.change}, {"low", c.accuracy.low}, {"high", c.accuracy.high}};
  all["keeps_budget"] = compression::keeps_budget(c);
  all["latency_ms"] = {{"least", c.speed.least}, {"median", c.speed.median}};
  all["images_per_second"] = c.speed.throughput;
  all["classes"] = classes;
  return all;
}

CompressMeter::CompressMeter(const Request& request)
    : request_(request), measurement_(measurement_of(request)) {}

const MeasuredModel& CompressMeter::parent() {
  if (!parent_) {
    api::OpenModel model = open(request_.weights, "float32", 0);
    parent_ = measure_model(
        *with_sides(*model.detector, {request_.image_size, request_.image_size}), measurement_);
  }
  return *parent_;
}

void CompressMeter::measure_accuracy(CompressCandidate& one) {
  const MeasuredModel& before = parent();
  api::OpenModel model;
  try {
    model = open(one.file, one.figures.numbers, 0);
  } catch (const Error& error) {
    if (one.figures.numbers != "bfloat16") throw;
    one.figures.missing = error.what();  // this processor has none
    return;
  }
  const MeasuredModel found = measure_model(
      *with_sides(*model.detector, {request_.image_size, request_.image_size}), measurement_);
  if (found.pictures_not_finite > 0)
    one.figures.missing = fmt::format("NaN or infinity in the predictions of {} of {} images",
                                      found.pictures_not_finite, found.images);
  one.bytes = file::bytes_of(one.file);
  one.parameters = model.network.parameter_count();
  one.figures.accuracy = compared(before, found, request_.draws);
  one.figures.accuracy.data = fs::path(request_.data).filename().string();
  one.figures.accuracy.split = request_.split;
  one.figures.accuracy.budget = request_.budget;
  evaluation::BootstrapOptions bootstrap;
  bootstrap.draws = request_.draws;
  bootstrap.stop = interrupt::token();
  const evaluation::Interval own = evaluation::bootstrap(found.matches, bootstrap).map;
  one.map_low = own.low, one.map_high = own.high;
  one.class_ap = found.class_ap;
  log::info(fmt::format("compress: {}: mAP {:.4f} ({:+.4f}, {:+.4f} to {:+.4f})",
                        one.figures.name(), found.map, one.figures.accuracy.change,
                        one.figures.accuracy.low, one.figures.accuracy.high));
}

void CompressMeter::measure_speed(std::vector<CompressCandidate>& candidates) const {
  const auto pictures = equivalence::noise_pictures(1, request_.image_size, request_.image_size);
  std::vector<CompressCandidate*> measured;
  for (CompressCandidate& one : candidates)
    if (one.figures.measured()) measured.push_back(&one);
  const auto times = [&](int threads, int streams, std::vector<std::size_t>* images) {
    std::vector<std::unique_ptr<Runner>> runners;
    std::vector<std::function<void()>> calls;
    for (const CompressCandidate* one : measured) {
      runners.push_back(
          std::make_unique<Runner>(open(one->file, one->figures.numbers, threads, streams),
                                   static_cast<std::size_t>(streams)));
      if (images != nullptr) images->push_back(runners.back()->detectors.size());
      calls.emplace_back(
          [&pictures, runner = runners.back().get()] { runner->call(pictures.front()); });
    }
    return equivalence::times_by_turns(
        calls, {.seconds = request_.seconds * static_cast<double>(calls.size())},
        interrupt::token());
  };
  log::info(fmt::format("compress: times of {} candidates by turns", measured.size()));
  const auto single = times(request_.threads, 1, nullptr);
  std::vector<std::size_t> images;
  const int cores = usable_cores();
  const auto together = times(cores, cores, &images);
  double on_clock = 0, of_processor = 0;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const equivalence::CallTimes& one = single[i];
    const std::vector<double>& counted = request_.threads == 1 ? one.processor : one.clock;
    on_clock += sum(one.clock), of_processor += sum(one.processor);
    measured[i]->figures.speed = {
        *std::ranges::min_element(counted), median(counted),
        1000 * static_cast<double>(images[i] * together[i].clock.size()) / sum(together[i].clock)};
  }
  constexpr double busy = 1.3;
  if (request_.threads == 1 && on_clock > busy * of_processor)
    log::warning(fmt::format(
        "compress: other programs are at work on this machine: calls took {:.1f} times as long on "
        "the clock as the processor spent on them; the times of one image are the processor's, the "
        "images a second are too few",
        on_clock / of_processor));
}

json CompressMeter::kept(const CompressCandidate& one) {
  const equivalence::Accuracy& a = one.figures.accuracy;
  return {{"missing", one.figures.missing},
          {"bytes", one.bytes},
          {"parameters", one.parameters},
          {"images", a.images},
          {"labels", a.labels},
          {"parent_map50", a.parent_map50},
          {"parent_map", a.parent_map},
          {"map50", a.file_map50},
          {"map", a.file_map},
          {"change", {a.change, a.low, a.high}},
          {"interval", {one.map_low, one.map_high}},
          {"class_ap", one.class_ap}};
}

void CompressMeter::take_kept(const json& kept, CompressCandidate& one) const {
  equivalence::Accuracy& a = one.figures.accuracy;
  one.figures.missing = kept.at("missing").get<std::string>();
  kept.at("bytes").get_to(one.bytes);
  kept.at("parameters").get_to(one.parameters);
  kept.at("images").get_to(a.images);
  kept.at("labels").get_to(a.labels);
  kept.at("parent_map50").get_to(a.parent_map50);
  kept.at("parent_map").get_to(a.parent_map);
  kept.at("map50").get_to(a.file_map50);
  kept.at("map").get_to(a.file_map);
  const json& change = kept.at("change");
  a.change = change.at(0), a.low = change.at(1), a.high = change.at(2);
  one.map_low = kept.at("interval").at(0), one.map_high = kept.at("interval").at(1);
  kept.at("class_ap").get_to(one.class_ap);
  a.data = fs::path(request_.data).filename().string();
  a.split = request_.split;
  a.draws = request_.draws;
  a.budget = request_.budget;
}

}  // namespace yolov7::cli
