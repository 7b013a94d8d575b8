// yolov7 benchmark: how fast a model is, with all that the figure depends on.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "api/model.hpp"
#include "cli/verb.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/output_guard.hpp"
#include "core/processor.hpp"
#include "core/random.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/chart.hpp"
#include "image/letterbox.hpp"
#include "runtime/detect.hpp"
#include "runtime/frames/sources.hpp"
#include "runtime/joined_detectors.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct BenchmarkOptions {
  std::vector<std::string> weights{"yolov7.pt"}, precision{"float32"};
  std::vector<int> batch_size{1}, img_size{640}, threads{0}, nstreams{1};
  std::string backend = "openvino", source, project = "runs/benchmark", name = "exp";
  double seconds = 5;
  NmsOptions nms;
  bool exist_ok = false;
};

std::vector<Setting> network_settings(BenchmarkOptions& o) {
  return group(
      "Network",
      {setting("weights", o.weights, "checkpoint").basic(),
       setting("batch-size", o.batch_size, "images per call, one or several numbers")
           .range(1, 4096)
           .basic(),
       setting("img-size", o.img_size, "side of the square network input in pixels, one or several")
           .range(32, 16'384)
           .basic(),
       setting("precision", o.precision, "of the network, one or several")
           .choices({"float32", "bfloat16"})
           .basic()});
}

std::vector<Setting> machine_settings(BenchmarkOptions& o) {
  return group("Machine",
               {setting("threads", o.threads,
                        "of the network, one or several; 0 = the cores this process may use")
                    .range(0, 4096)
                    .basic(),
                setting("nstreams", o.nstreams,
                        "calls at the same time that share the threads, one or several")
                    .range(1, 256)
                    .basic(),
                setting("backend", o.backend,
                        "openvino; onnxruntime, for .onnx files where its library is found; or "
                        "libtorch as the reference")
                    .choices({"openvino", "onnxruntime", "libtorch"})});
}

std::vector<Setting> measuring_settings(BenchmarkOptions& o) {
  return group("Measuring",
               {setting("seconds", o.seconds, "of measuring each combination; at least 10 calls")
                    .range(0, 1e6)
                    .basic(),
                setting("source", o.source,
                        "images for the parts of detecting one by one; '' = a generated one of 640 "
                        "× 480")
                    .basic()});
}

std::vector<Setting> output_settings(BenchmarkOptions& o) {
  return group("Output", {setting("project", o.project, "parent of the run folder").basic(),
                          setting("name", o.name, "name of the run folder").basic(),
                          setting("exist-ok", o.exist_ok, "use an existing run folder")});
}

Settings settings(BenchmarkOptions& o) {
  return {"benchmark", joined({network_settings(o), machine_settings(o), measuring_settings(o),
                               threshold_settings(o.nms), output_settings(o)})};
}

/// Of times in ms.
struct Spread {
  std::size_t calls = 0;
  double least = 0, median = 0, p90 = 0, p99 = 0, mean = 0;
};

/// Percentiles by nearest rank: the smallest value that at least so many per cent do not exceed.
Spread spread(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto rank = [&](double share) {
    return times[std::min(times.size() - 1,
                          static_cast<std::size_t>(std::max(
                              0.0, std::ceil(share * static_cast<double>(times.size())) - 1)))];
  };
  double sum = 0;
  for (const double one : times) sum += one;
  return {times.size(), times.front(), rank(0.5),
          rank(0.9),    rank(0.99),    sum / static_cast<double>(times.size())};
}

nlohmann::json to_json(const Spread& s) {
  return {{"calls", s.calls}, {"least_ms", s.least}, {"median_ms", s.median},
          {"p90_ms", s.p90},  {"p99_ms", s.p99},     {"mean_ms", s.mean}};
}

constexpr int warm_calls = 3;
constexpr std::array result_names{"benchmark.csv", "benchmark.json", "benchmark.png"};

template <class Call>
std::vector<double> measure(double seconds, Call call) {
  constexpr std::size_t least_calls = 10;
  for (int i = 0; i < warm_calls; ++i) call();
  std::vector<double> times;
  const Clock::time_point start = Clock::now();
  while (times.size() < least_calls ||
         std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
    check_stop(interrupt::token());
    const Clock::time_point before = Clock::now();
    call();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - before).count());
  }
  return times;
}

cv::Mat noise(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  Random random(1, 0, 0, 0);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < 3 * width; ++x)
      picture.ptr(y)[x] = static_cast<std::uint8_t>(random.next());
  return picture;
}

std::vector<cv::Mat> pictures(const BenchmarkOptions& o) {
  if (o.source.empty()) return {noise(640, 480)};
  std::vector<cv::Mat> all;
  constexpr std::size_t most = 64;
  for (const runtime::SourcePicture& one : runtime::list_pictures(o.source)) {
    if (all.size() == most) break;
    all.push_back(read_picture(one.path));
  }
  return all;
}

struct Combination {
  std::string precision;
  int threads, streams, size, batch;
};

/// With --exist-ok the folder may hold what is read; found before anything is measured.
void claim_results(const BenchmarkOptions& o) {
  OutputGuard guard;
  for (const std::string& weights : o.weights) guard.protect(weights, "--weights");
  if (!o.source.empty()) {
    guard.protect(o.source, "--source");
    for (const runtime::SourcePicture& one : runtime::list_pictures(o.source))
      guard.protect(one.path, "the image " + one.path.string());
  }
  for (const char* name : result_names) guard.claim(fs::path(o.project) / o.name / name);
}

/// The time of a network that answers NaN or infinity says nothing.
void check_finite(std::size_t bad, std::size_t rows, const std::string& detector) {
  if (bad > 0)
    throw Error(fmt::format(
        "benchmark: {}: expected finite numbers from the network, found NaN or infinity in {} of "
        "{} rows of its prediction",
        detector, bad, rows));
}

/// Calls of the network, and batches a second over all streams.
struct Calls {
  Spread spread;
  double rate = 0;
};

Calls call_network(std::span<const std::unique_ptr<runtime::Detector>> detectors,
                   const runtime::PixelBatch& batch, double seconds) {
  std::vector<std::vector<double>> times(detectors.size());
  const Clock::time_point start = Clock::now();
  parallel_for(detectors.size(), static_cast<int>(detectors.size()), [&](std::size_t i) {
    runtime::Prediction prediction;
    times[i] = measure(seconds, [&] { detectors[i]->predict(batch, prediction); });
    const NmsResult found =
        runtime::suppress(prediction, 0, detectors[i]->class_count(), NmsOptions{});
    check_finite(found.dropped_not_finite, prediction.rows, detectors[i]->description());
  });
  const double passed = std::chrono::duration<double>(Clock::now() - start).count();
  std::vector<double> all;
  for (const auto& one : times) all.insert(all.end(), one.begin(), one.end());
  const Spread calls = spread(all);
  // One stream: from its own calls alone, without the first ones that warm up.
  return {calls, detectors.size() == 1
                     ? 1000 / calls.mean
                     : static_cast<double>(all.size() + warm_calls * detectors.size()) / passed};
}

/// Calls of the network alone with a batch, and the parts of detecting single pictures.
nlohmann::json run_one(const BenchmarkOptions& o, const Combination& c,
                       const std::vector<cv::Mat>& sources, const std::vector<std::string>& given,
                       Output& output) {
  api::ModelOptions opened;
  opened.weights = o.weights;
  opened.backend = o.backend;
  runtime::DetectorOptions& options = opened.detector;
  options.precision = c.precision;
  options.threads = c.threads;
  options.streams = c.streams;
  api::OpenModel model = api::open_detector(opened);
  api::require_agreement(model, c.size, o.nms, given);
  const int size = api::usable_image_size(c.size, *model.detector);
  const cv::Mat square = noise(size, size);
  std::vector<std::uint8_t> one, pixels;
  to_planes(square, one);
  for (int i = 0; i < c.batch; ++i) pixels.insert(pixels.end(), one.begin(), one.end());
  const std::string description = model.detector->description();
  const auto detectors = workers(model, static_cast<std::size_t>(c.streams));
  if (detectors.size() < static_cast<std::size_t>(c.streams))
    throw usage_error(
        fmt::format("benchmark: --nstreams: the back end {} makes one call at a time, found {}",
                    o.backend, c.streams));
  const auto [calls, batches_per_second] =
      call_network(detectors, {pixels, c.batch, size, size}, o.seconds);
  const double rate = c.batch * batches_per_second;
  output.line(fmt::format(
      "{:>9}{:>9}{:>8}{:>7}{:>7}{:>8}{:>11.2f}{:>11.2f}{:>11.2f}{:>12.1f}{:>12}", c.precision,
      threads_or_all(options.threads), c.streams, size, c.batch, calls.calls, calls.median,
      calls.p90, calls.p99, rate, memory_text(resident_bytes())));
  nlohmann::json row{{"precision", c.precision},    {"threads", threads_or_all(options.threads)},
                     {"streams", c.streams},        {"img_size", size},
                     {"batch_size", c.batch},       {"network", to_json(calls)},
                     {"pictures_per_second", rate}, {"resident_bytes", resident_bytes()},
                     {"detector", description}};
  if (c.batch != 1 || c.streams != 1) return row;
  runtime::DetectBuffers buffers;
  std::vector<double> pre, inference, post;
  std::size_t next = 0;
  const Spread whole = spread(measure(o.seconds / 2, [&] {
    const runtime::DetectResult found =
        runtime::detect(*detectors[0], sources[next++ % sources.size()], size, o.nms, buffers);
    check_finite(found.dropped_not_finite, found.rows, description);
    pre.push_back(found.timing.pre), inference.push_back(found.timing.inference),
        post.push_back(found.timing.post);
  }));
  row["end_to_end"] = to_json(whole);
  row["parts"] = {{"pre", to_json(spread(pre))},
                  {"inference", to_json(spread(inference))},
                  {"post", to_json(spread(post))}};
  output.line(
      fmt::format("{:>9}one image after the other, letterboxed: median {:.2f} ms end to end "
                  "({:.2f} letterbox and planes, {:.2f} network, {:.2f} suppression), p99 {:.2f}",
                  "", whole.median, spread(pre).median, spread(inference).median,
                  spread(post).median, whole.p99));
  return row;
}

std::string csv_of(const nlohmann::json& rows) {
  std::string out =
      "precision,threads,streams,img_size,batch_size,calls,least_ms,median_ms,p90_ms,p99_ms,mean_"
      "ms,pictures_per_second,resident_bytes\n";
  for (const auto& row : rows) {
    const auto& n = row["network"];
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{}\n", row["precision"].get<std::string>(),
        row["threads"].get<int>(), row["streams"].get<int>(), row["img_size"].get<int>(),
        row["batch_size"].get<int>(), n["calls"].get<std::size_t>(), n["least_ms"].get<double>(),
        n["median_ms"].get<double>(), n["p90_ms"].get<double>(), n["p99_ms"].get<double>(),
        n["mean_ms"].get<double>(), row["pictures_per_second"].get<double>(),
        row["resident_bytes"].get<std::uint64_t>());
  }
  return out;
}

/// Throughput over the batch, a line for each of the other settings.
cv::Mat plot(const nlohmann::json& rows, const std::string& processor) {
  Chart chart{"Images per second, " + processor, "images per call", {}};
  for (const auto& row : rows) {
    const std::string name = fmt::format(
        "{} px, {}, {} threads, {} at once", row["img_size"].get<int>(),
        row["precision"].get<std::string>(), row["threads"].get<int>(), row["streams"].get<int>());
    auto line = std::find_if(chart.lines.begin(), chart.lines.end(),
                             [&](const ChartLine& one) { return one.name == name; });
    if (line == chart.lines.end()) line = chart.lines.insert(chart.lines.end(), {name, {}});
    line->points.emplace_back(row["batch_size"].get<int>(),
                              row["pictures_per_second"].get<double>());
  }
  for (ChartLine& line : chart.lines)
    std::sort(line.points.begin(), line.points.end(),
              [](const auto& a, const auto& b) { return a.x < b.x; });
  return chart_picture({1200, 800}, chart);
}

}  // namespace

nlohmann::json run_benchmark(const std::vector<std::string>& arguments, Output& output) {
  BenchmarkOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (o.exist_ok) claim_results(o);
  const std::vector<cv::Mat> sources = pictures(o);
  const std::string processor = processor_fact("model name"), clock = processor_fact("cpu MHz");
  nlohmann::json rows = nlohmann::json::array();
  std::string detector;
  const std::vector<std::string> given = given_names(settings(o), arguments);
  output.line(
      fmt::format("{}, {} MHz now, {} usable cores; latencies in ms of a call of the network",
                  processor, clock, usable_cores()));
  output.line(fmt::format("{:>9}{:>9}{:>8}{:>7}{:>7}{:>8}{:>11}{:>11}{:>11}{:>12}{:>12}",
                          "precision", "threads", "streams", "px", "batch", "calls", "median",
                          "p90", "p99", "images/s", "memory"));
  for (const std::string& precision : o.precision)
    for (const int threads : o.threads)
      for (const int streams : o.nstreams)
        for (const int size : o.img_size)
          for (const int batch : o.batch_size) {
            rows.push_back(
                run_one(o, {precision, threads, streams, size, batch}, sources, given, output));
            detector = rows.back()["detector"].get<std::string>();
          }
  const fs::path folder = make_run_folder(o.project, o.name, o.exist_ok);
  const nlohmann::json result{{"weights", o.weights.front()},
                              {"processor", processor},
                              {"clock_mhz", clock},
                              {"usable_cores", usable_cores()},
                              {"source", o.source.empty() ? "generated" : o.source},
                              {"rows", rows},
                              {"folder", folder.string()}};
  file::write_atomically(folder / result_names[0], csv_of(rows));
  file::write_atomically(folder / result_names[1], result.dump(1) + "\n");
  write_picture(folder / result_names[2], plot(rows, processor));
  output.line(fmt::format("{}; results in {}", detector, folder.string()));
  return result;
}

}  // namespace yolov7::cli
