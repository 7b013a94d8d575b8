// A training step (forward, OTA loss, backward, SGD) as the share of the machine's
// matrix-multiplication peak: at::mm of 4096³ in the same type with the same threads, alternating
// with the steps. Counted work per picture: three times the multiply-adds of the convolutions
// (forward, gradient of the input, gradient of the weights), nothing else.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/statistics.hpp"
#include "kernels/tensor_memory.hpp"
#include "network/config/builder.hpp"
#include "network/graph/cost.hpp"
#include "network/graph/graph.hpp"
#include "nn/initial_values.hpp"
#include "nn/torch_network.hpp"
#include "training/loss/loss.hpp"
#include "training/optim/optimizer.hpp"

using namespace yolov7;
using namespace yolov7::training;

namespace {

struct Options {
  std::string model = "yolov7-tiny", type = "float32";
  int size = 640, batch = 8, rounds = 5, threads = 2, objects = 20, classes = 80;
  bool keep_memory = true, profile = false;
};

[[noreturn]] void usage(const std::string& problem) {
  throw usage_error(
      problem +
      "\nusage: benchmark_train_step [--type float32|bfloat16] [--model yolov7-tiny] [--size 640] "
      "[--batch 8] [--rounds 5] [--threads 2] [--objects 20] [--classes 80] [--plain-memory] "
      "[--profile]");
}

Options read_options(int count, char** arguments) {
  Options options;
  const std::map<std::string, int*> numbers{
      {"--size", &options.size},       {"--batch", &options.batch},
      {"--rounds", &options.rounds},   {"--threads", &options.threads},
      {"--objects", &options.objects}, {"--classes", &options.classes}};
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    if (name == "--plain-memory") {
      options.keep_memory = false;
      continue;
    }
    if (name == "--profile") {
      options.profile = true;
      continue;
    }
    if (i + 1 == count) usage(name + " needs a value");
    const std::string value = arguments[++i];
    if (name == "--type")
      options.type = value;
    else if (name == "--model")
      options.model = value;
    else if (const auto found = numbers.find(name); found != numbers.end())
      *found->second = std::stoi(value);
    else
      usage("unknown option " + name);
  }
  if (options.type != "float32" && options.type != "bfloat16")
    usage("--type: expected float32 or bfloat16, found " + options.type);
  return options;
}

double seconds(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Objects of 3–50 % of the picture's side anywhere inside it.
std::vector<Target> random_targets(const Options& options) {
  std::vector<Target> targets;
  Random random(1, 0, 0, 0);
  for (int image = 0; image < options.batch; ++image)
    for (int i = 0; i < options.objects; ++i) {
      const auto w = static_cast<float>(random.uniform(0.03, 0.5)),
                 h = static_cast<float>(random.uniform(0.03, 0.5));
      const auto x = static_cast<float>(random.uniform(w / 2, 1 - w / 2)),
                 y = static_cast<float>(random.uniform(h / 2, 1 - h / 2));
      const auto c = static_cast<float>(random.uniform(0, options.classes));
      targets.push_back({static_cast<float>(image), std::floor(c), x, y, w, h});
    }
  return targets;
}

/// Three times the convolutions' multiply-adds. For yolov7-tiny the fixed 39.6 at 640 (its
/// convolutions with 20 classes), whatever the class count, so that shares stay comparable.
double gflop_per_picture(const network::Network& network, const Options& options) {
  const double area = options.size / 640.0 * (options.size / 640.0);
  return options.model == "yolov7-tiny"
             ? 39.6 * area
             : 3 * network::cost(network, options.size, options.size).flops.gflops;
}

/// Time by operation, children excluded, over one step.
class Profile {
 public:
  void run(const auto& step) {
    current() = this;
    const at::CallbackHandle handle = at::addThreadLocalCallback(
        at::RecordFunctionCallback(&start, &end)
            .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
    const double total = seconds(step);
    at::removeCallback(handle);
    std::vector<std::pair<double, std::string>> order;
    for (const auto& [name, time] : times_) order.emplace_back(time, name);
    std::sort(order.rbegin(), order.rend());
    fmt::print("one step {:.1f} ms; time by operation, what it calls excluded:\n", total * 1e3);
    for (const auto& [time, name] : order)
      if (time > 0.0005) fmt::print("  {:7.1f} ms  {}\n", time * 1e3, name);
  }

 private:
  struct Call : at::ObserverContext {
    std::string name;
    Call* parent = nullptr;
    double children = 0;
    std::chrono::steady_clock::time_point begin;
  };
  static Profile*& current() {
    thread_local Profile* profile = nullptr;
    return profile;
  }
  static std::unique_ptr<at::ObserverContext> start(const at::RecordFunction& function) {
    auto call = std::make_unique<Call>();
    call->name = function.name();
    call->parent = current()->open_;
    current()->open_ = call.get();
    call->begin = std::chrono::steady_clock::now();
    return call;
  }
  static void end(const at::RecordFunction&, at::ObserverContext* context) {
    auto* call = static_cast<Call*>(context);
    const double time =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - call->begin).count();
    current()->open_ = call->parent;
    if (call->parent != nullptr) call->parent->children += time;
    current()->times_[call->name] += time - call->children;
  }

  std::map<std::string, double> times_;
  Call* open_ = nullptr;
};

void run(const Options& options) {
  at::set_num_threads(options.threads);
  if (options.keep_memory) kernels::keep_tensor_memory();
  const auto type = options.type == "float32" ? at::kFloat : at::kBFloat16;
  const std::string name = "cfg/training/" + options.model + ".yaml";
  network::Overrides overrides;
  overrides.class_count = options.classes;
  nn::TorchNetwork network(network::build(network::read_config(name), name, overrides));
  nn::initialize(network, 0);
  network.train(true);
  network.set_compute(type);
  OptimizerOptions rule;
  rule.weight_decay = 0.0005;
  Optimizer optimizer(network, rule);
  LossOptions loss_options;
  loss_options.gains = scaled_gains({}, network.description().lead_levels(),
                                    network.description().class_count, options.size);
  Loss loss(loss_options, network.description());
  const at::Tensor images = at::rand({options.batch, 3, options.size, options.size})
                                .contiguous(at::MemoryFormat::ChannelsLast);
  const std::vector<Target> targets = random_targets(options);
  const at::Tensor left = at::randn({4096, 4096}).to(type),
                   right = at::randn({4096, 4096}).to(type);

  const auto step = [&] {
    loss(network.forward(images), targets).total.backward();
    optimizer.step();
    optimizer.clear_gradients();
  };
  const auto multiply = [&] {
    at::NoGradGuard no_gradient;
    at::mm(left, right);
  };
  const double gflop = gflop_per_picture(network.description(), options);
  for (int i = 0; i < 2; ++i) {
    step();
    multiply();
  }
  std::vector<double> shares, step_times, peaks;
  for (int round = 0; round < options.rounds; ++round) {
    const double peak = 2 * std::pow(4096.0, 3) / 1e9 / seconds(multiply), time = seconds(step);
    peaks.push_back(peak);
    step_times.push_back(time);
    shares.push_back(gflop * options.batch / time / peak);
  }
  fmt::print(
      "{} {} batch {} size {} threads {} objects {} classes {}: share {:.3f} of the GEMM peak "
      "(median of {}; {:.3f} … {:.3f}), step "
      "{:.1f} ms, peak {:.0f} GFLOP/s, {:.1f} GFLOP per image\n",
      options.model, options.type, options.batch, options.size, options.threads, options.objects,
      options.classes, median(shares), options.rounds,
      *std::min_element(shares.begin(), shares.end()),
      *std::max_element(shares.begin(), shares.end()), median(step_times) * 1e3, median(peaks),
      gflop);
  if (options.profile) Profile().run(step);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    run(read_options(count, arguments));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "benchmark_train_step: {}\n", error.what());
    return 1;
  }
}
