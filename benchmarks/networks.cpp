// All networks next to each other: parameters, GFLOPs, and the time of one picture through the
// training graph and through the deploy graph made from it, in the default back end (OpenVINO) and
// in LibTorch, alternating within one run. Prints the table of docs/networks.md. Weights are
// random; speed does not depend on their values.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/statistics.hpp"
#include "core/threads.hpp"
#include "equivalence/proof.hpp"
#include "network/config/builder.hpp"
#include "network/graph/cost.hpp"
#include "network/transform/reparameterize.hpp"
#include "nn/initial_values.hpp"
#include "nn/torch_detector.hpp"
#include "nn/torch_network.hpp"

using namespace yolov7;

namespace {

constexpr int rounds = 5;

double milliseconds(runtime::Detector& detector, const equivalence::ProofPicture& picture) {
  runtime::Prediction prediction;
  const auto begin = std::chrono::steady_clock::now();
  detector.predict(picture.batch(), prediction);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

/// Medians of the training graph and of the deploy graph; the first picture of each, for which the
/// model is compiled, is not counted.
struct Times {
  double training = 0, deploy = 0;
};
Times compare(runtime::Detector& training, runtime::Detector& deploy,
              const equivalence::ProofPicture& picture) {
  std::vector<double> a, b;
  for (int round = -1; round < rounds; ++round) {
    const double x = milliseconds(training, picture), y = milliseconds(deploy, picture);
    if (round < 0) continue;
    a.push_back(x);
    b.push_back(y);
  }
  return {median(a), median(b)};
}

network::Checkpoint random_checkpoint(const std::string& name) {
  network::Checkpoint checkpoint;
  checkpoint.config_source = "cfg/training/" + name + ".yaml";
  checkpoint.config = network::read_config(checkpoint.config_source);
  checkpoint.class_count = 80;
  nn::TorchNetwork net(network::build(checkpoint.config, checkpoint.config_source));
  nn::initialize(net, 0);
  checkpoint.ema = net.store();
  return checkpoint;
}

void run(const std::string& name, int size) {
  const network::Checkpoint parent = random_checkpoint(name);
  const network::Network before = parent.build_network();
  const network::Reparameterized child = network::reparameterize(parent);
  const network::Weights weights = network::converted(child.weights, network::DataType::float32);
  const equivalence::ProofPicture picture =
      equivalence::generated_pictures(size, static_cast<int>(before.largest_stride())).front();
  runtime::DetectorOptions options;
  options.as_stored = true;
  Times openvino, torch;
  {
    const auto a = runtime::make_openvino_detector(before, parent.ema, options),
               b = runtime::make_openvino_detector(child.network, weights, options);
    openvino = compare(*a, *b, picture);
  }
  {
    const auto a = nn::make_torch_detector(before, parent.ema, options),
               b = nn::make_torch_detector(child.network, weights, options);
    torch = compare(*a, *b, picture);
  }
  const network::Cost cost = network::cost(before, size, size);
  fmt::print(
      "| {} | {} | {:.2f} | {:.2f} | {:.1f} | {:.1f} | {:.0f} | {:.0f} | {:.2f} | {:.0f} | {:.0f} "
      "| {:.2f} |\n",
      name, size, static_cast<double>(cost.parameters) / 1e6,
      static_cast<double>(child.network.parameter_count()) / 1e6, cost.flops.gflops,
      network::cost(child.network, size, size).flops.gflops, openvino.training, openvino.deploy,
      openvino.deploy / openvino.training, torch.training, torch.deploy,
      torch.deploy / torch.training);
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    fmt::print("{} threads, float32, one image, median of {}, milliseconds\n\n", usable_cores(),
               rounds);
    fmt::print(
        "| network | px | M parameters, training | deploy | GFLOPs, training | deploy | OpenVINO "
        "ms, training | deploy | ratio | LibTorch ms, training | deploy | ratio |\n");
    fmt::print("|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    const std::pair<const char*, int> all[] = {
        {"yolov7-tiny", 640}, {"yolov7", 640},     {"yolov7x", 640},    {"yolov7-w6", 1280},
        {"yolov7-e6", 1280},  {"yolov7-d6", 1280}, {"yolov7-e6e", 1280}};
    for (const auto& [name, size] : all)
      if (count < 2 ||
          std::find(arguments + 1, arguments + count, std::string(name)) != arguments + count)
        run(name, size);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
