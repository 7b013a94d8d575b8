// Model time of the detector next to a bare OpenVINO loop on the same model saved as IR, and the
// pieces that the script inference_compare puts together. Input: pseudo-random pictures and
// weights; speed does not depend on their values.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <opencv2/core.hpp>
#include <openvino/core/graph_util.hpp>
#include <openvino/core/model.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/statistics.hpp"
#include "core/threads.hpp"
#include "image/codec/codec.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "network/graph/graph.hpp"
#include "runtime/detector.hpp"
#include "runtime/openvino/openvino_model.hpp"

using namespace yolov7;

namespace {

double now_ms() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
double time_ms(const std::function<void()>& work) {
  const double start = now_ms();
  work();
  return now_ms() - start;
}
/// Weights that keep activations at unit scale, so that no denormal numbers slow anything down.
network::Weights random_weights(const network::Network& network) {
  using Role = network::TensorSpec::Role;
  network::Weights weights;
  std::uint32_t number = 0;
  for (const network::TensorSpec& spec : network.tensors) {
    Random random(0, 0, number++, 0);
    std::size_t count = 1;
    for (const std::int64_t side : spec.shape) count *= static_cast<std::size_t>(side);
    if (spec.role == Role::bn_count) {
      network::Tensor tensor;
      tensor.type = network::DataType::int64;
      tensor.shape = spec.shape;
      tensor.bytes.resize(8);
      weights.set(spec.name, std::move(tensor));
      continue;
    }
    double offset = 0, scale = 0.1;
    if (spec.role == Role::weight)
      scale = std::sqrt(
          3.0 / static_cast<double>(spec.shape.at(1) * spec.shape.at(2) * spec.shape.at(3)));
    if (spec.role == Role::bn_weight || spec.role == Role::bn_var ||
        spec.role == Role::implicit_mul)
      offset = 1;
    std::vector<float> values(count);
    for (float& v : values) v = static_cast<float>(offset + scale * random.uniform(-1, 1));
    if (spec.role == Role::anchors || spec.role == Role::anchor_grid) {
      values.clear();
      for (std::size_t j = 0; j < network.lead_levels(); ++j)
        for (const network::AnchorSize& anchor : network.levels[j].anchors) {
          const double unit = spec.role == Role::anchors ? network.levels[j].stride : 1;
          values.push_back(static_cast<float>(anchor.w / unit));
          values.push_back(static_cast<float>(anchor.h / unit));
        }
    }
    weights.set(spec.name, network::Tensor::from(values, spec.shape));
  }
  return weights;
}

cv::Mat random_picture(int side) {
  Random random(1, 0, 0, 0);
  cv::Mat picture(side, side, CV_8UC3);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      for (int c = 0; c < 3; ++c)
        picture.at<cv::Vec3b>(y, x)[c] =
            static_cast<unsigned char>((x / 16 * 40 + y / 16 * 90 + random.integer(0, 20)) & 255);
  return picture;
}

struct Settings {
  std::string command, cfg = "cfg/training/yolov7-tiny.yaml", precision = "float32";
  int size = 640, height = 0, rounds = 15, threads = 0;  ///< height 0 = size
  std::filesystem::path folder = ".";
};

network::Network network_of(const Settings& s) {
  return network::build(network::read_config(s.cfg), s.cfg);
}

/// model.xml (IR, not compressed), model.pt (a checkpoint) and picture.png (square) in the folder.
void prepare(const Settings& s) {
  const network::Network network = network_of(s);
  network::Checkpoint checkpoint;
  checkpoint.model = random_weights(network);
  checkpoint.config = network.config;
  checkpoint.config_source = network.source;
  checkpoint.class_count = network.class_count;
  for (int i = 0; i < network.class_count; ++i)
    checkpoint.names.push_back(fmt::format("class{}", i));
  network::write_checkpoint(s.folder / "model.pt", checkpoint);
  const auto fused =
      std::make_shared<const network::NetworkAndWeights>(network::fuse(network, checkpoint.model));
  ov::save_model(runtime::make_openvino_model(
                     fused, {1, s.height > 0 ? s.height : s.size, s.size, false, false, {}}),
                 (s.folder / "model.xml").string(), false);
  write_picture(s.folder / "picture.png", random_picture(s.size));
}

ov::AnyMap properties(const Settings& s) {
  return {ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
          ov::hint::inference_precision(s.precision == "float32" ? ov::element::f32
                                                                 : ov::element::bf16),
          ov::inference_num_threads(s.threads > 0 ? s.threads : usable_cores())};
}

/// Read and compile as a program would that knows only the IR: from nothing, the plug-in's loading
/// included.
void read_and_compile(const Settings& s) {
  double read = 0, compile = 0;
  const double core = time_ms([&] {
    ov::Core engine;
    std::shared_ptr<ov::Model> model;
    ov::CompiledModel compiled;
    read = time_ms([&] { model = engine.read_model((s.folder / "model.xml").string()); });
    compile = time_ms([&] { compiled = engine.compile_model(model, "CPU", properties(s)); });
  });
  std::printf("{\"read_ms\": %.2f, \"compile_ms\": %.2f, \"total_ms\": %.2f}\n", read, compile,
              core);
}

/// OpenVINO's own way for a second start: the compiled model from its cache folder, and one
/// inference.
void cached(const Settings& s) {
  double load = 0, infer = 0;
  const double total = time_ms([&] {
    ov::Core engine;
    engine.set_property(ov::cache_dir((s.folder / "cache").string()));
    ov::InferRequest request;
    load = time_ms([&] {
      request = engine.compile_model((s.folder / "model.xml").string(), "CPU", properties(s))
                    .create_infer_request();
    });
    infer = time_ms([&] { request.infer(); });
  });
  std::printf("{\"load_ms\": %.2f, \"infer_ms\": %.2f, \"total_ms\": %.2f}\n", load, infer, total);
}

/// Our predict() and infer() on the same model read from the IR, in turn.
void compare(const Settings& s) {
  const network::Network network = network_of(s);
  const auto detector = runtime::make_openvino_detector(
      network, random_weights(network), {.precision = s.precision, .threads = s.threads});
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * s.size * s.size));
  Random random(2, 0, 0, 0);
  for (auto& v : pixels) v = static_cast<std::uint8_t>(random.next());
  runtime::Prediction prediction;
  const runtime::PixelBatch batch{pixels, 1, s.size, s.size};
  detector->prepare(1, s.size, s.size);

  ov::Core core;
  ov::InferRequest request =
      core.compile_model((s.folder / "model.xml").string(), "CPU", properties(s))
          .create_infer_request();
  std::copy(pixels.begin(), pixels.end(), request.get_input_tensor().data<std::uint8_t>());
  const auto ours = [&] { detector->predict(batch, prediction); };
  const auto theirs = [&] { request.infer(); };
  for (int i = 0; i < 3; ++i) ours(), theirs();
  std::vector<double> a, b;
  for (int round = 0; round < s.rounds; ++round)
    for (int i = 0; i < 5; ++i) {
      a.push_back(time_ms(ours));
      b.push_back(time_ms(theirs));
    }
  std::printf(
      "%s, %d px, batch 1: ours %.2f ms, OpenVINO on the IR %.2f ms, ratio %.4f (medians of %zu, "
      "in turn)\n",
      detector->description().c_str(), s.size, median(a), median(b), median(a) / median(b),
      a.size());
}

/// Medians of predict() alone, for a comparison with another process.
void ours(const Settings& s) {
  const network::Network network = network_of(s);
  const auto detector = runtime::make_openvino_detector(
      network, random_weights(network), {.precision = s.precision, .threads = s.threads});
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * s.size * s.size), 100);
  runtime::Prediction prediction;
  std::vector<double> times;
  detector->prepare(1, s.size, s.size);
  for (int i = 0; i < 10 * s.rounds; ++i)
    times.push_back(time_ms([&] { detector->predict({pixels, 1, s.size, s.size}, prediction); }));
  times.erase(times.begin(), times.begin() + 3);
  std::printf("{\"median_ms\": %.3f, \"detector\": \"%s\"}\n", median(times),
              detector->description().c_str());
}

Settings parse(int count, char** values) {
  Settings s;
  if (count < 2)
    throw usage_error(
        "usage: benchmark_inference prepare|read-compile|cached|compare|ours [--cfg C] [--size N] "
        "[--height N] [--rounds N] [--threads N] [--precision P] [--folder F]");
  s.command = values[1];
  for (int i = 2; i + 1 < count; i += 2) {
    const std::string name = values[i], value = values[i + 1];
    if (name == "--cfg")
      s.cfg = value;
    else if (name == "--size")
      s.size = std::stoi(value);
    else if (name == "--height")
      s.height = std::stoi(value);
    else if (name == "--rounds")
      s.rounds = std::stoi(value);
    else if (name == "--threads")
      s.threads = std::stoi(value);
    else if (name == "--precision")
      s.precision = value;
    else if (name == "--folder")
      s.folder = value;
    else
      throw usage_error("unknown option " + name);
  }
  return s;
}

}  // namespace

int main(int count, char** values) {
  try {
    const Settings s = parse(count, values);
    if (s.command == "prepare")
      prepare(s);
    else if (s.command == "read-compile")
      read_and_compile(s);
    else if (s.command == "cached")
      cached(s);
    else if (s.command == "compare")
      compare(s);
    else if (s.command == "ours")
      ours(s);
    else
      throw usage_error("unknown command " + s.command);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
