#include "cli/verbs/doctor_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/training_library.hpp"
#include "cli/terminal.hpp"
#include "cli/verbs/network_rule.hpp"
#include "core/builtin.hpp"
#include "core/interrupt.hpp"
#include "core/memory.hpp"
#include "core/temporary_folder.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/doctor/advice.hpp"
#include "dataset/doctor/read_subject.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/read_index.hpp"
#include "network/config/builder.hpp"
#include "network/graph/cost.hpp"
#include "run/recipe.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A network that is asked about.
struct Candidate {
  std::string name, config;
  double gflops = 0, fused_gflops = 0;
  std::int64_t parameters = 0, activation_bytes = 0;
  std::optional<training::TrialResult> measured;
  std::string why_not;  ///< measured
};

/// Messages below warnings are of no use while trials prepare.
class Quietly {
 public:
  Quietly()
      : informs_(terminal()->wants(log::Level::info) && !terminal()->wants(log::Level::debug)) {
    if (informs_) terminal()->set_level(log::Level::warning);
  }
  ~Quietly() {
    if (informs_) terminal()->set_level(log::Level::info);
  }
  Quietly(const Quietly&) = delete;
  Quietly& operator=(const Quietly&) = delete;

 private:
  const bool informs_;
};

Candidate candidate(const std::string& config, int classes, int size) {
  network::Overrides overrides;
  overrides.class_count = classes;
  const network::Network net = network::build(network::read_config(config), config, overrides);
  const int stride = std::max(static_cast<int>(net.largest_stride()), 1),
            side = (size + stride - 1) / stride * stride;
  const network::Cost cost = network::cost(net, side, side);
  Candidate one;
  one.name = fs::path(config).stem().string();
  one.config = config;
  one.gflops = cost.flops.gflops;
  one.fused_gflops = cost.fused_flops.gflops;
  one.parameters = cost.parameters;
  one.activation_bytes = cost.training_activation_bytes;
  return one;
}

/// The hyper-parameters that belong to a built-in network; for another one those of p5.
std::string own_hyperparameters(const std::string& network) {
  if (network.starts_with("yolov7-tiny")) return "hyp.scratch.tiny.yaml";
  const bool four_levels =
      network.size() > 2 && (network.ends_with("w6") || network.ends_with("e6") ||
                             network.ends_with("d6") || network.ends_with("e6e"));
  return four_levels ? "hyp.scratch.p6.yaml" : "hyp.scratch.p5.yaml";
}

class Measurement {
 public:
  Measurement(const DoctorOptions& options, const std::vector<std::string>& given)
      : o_(options), given_(given) {}

  json run() {
    read_data();
    choose_candidates();
    {
      const Quietly quietly;
      double left = o_.seconds;
      for (std::size_t i = 0; i < asked_; ++i) {
        const auto start = std::chrono::steady_clock::now();
        measure(candidates_[i], left / static_cast<double>(asked_ - i));
        left -= std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        left = std::max(left, 1.0);
      }
    }
    return report();
  }

 private:
  void read_data() {
    const dataset::Description description =
        dataset::open_data(o_.train.data, {false, false, 0, interrupt::token()});
    dataset::IndexOptions reading;
    reading.training = true;
    reading.stop = interrupt::token();
    train_ = dataset::read_index(description, "train", reading);
    planned_ = o_.train;
    changed_ = run::apply_recipe(planned_, given_, train_.entries.size());
  }

  void choose_candidates() {
    const int classes = static_cast<int>(train_.names.size()), size = planned_.img_size.front();
    const bool chosen = !o_.networks.empty();
    std::vector<std::string> names =
        chosen ? o_.networks : std::vector<std::string>{"yolov7-tiny", "yolov7"};
    asked_ = names.size();
    if (!chosen)
      for (const std::string& one : builtin_names("training"))
        if (!text::contains(names, one)) names.push_back(one);
    for (const std::string& one : names) candidates_.push_back(candidate(one, classes, size));
    const auto lighter = [](const Candidate& a, const Candidate& b) { return a.gflops < b.gflops; };
    const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(asked_);
    std::sort(candidates_.begin(), end, lighter);
    std::sort(end, candidates_.end(), lighter);
  }

  /// --hyp, or those that belong to the network.
  std::string hyperparameters_of(const Candidate& one) const {
    return planned_.hyp.empty() ? own_hyperparameters(one.name) : planned_.hyp;
  }

  /// Seconds that a step takes for an image: by the network before, else by what a core does.
  double expected(const Candidate& one) const {
    constexpr double gflops_a_core = 50, passes = 3;  // forward, and two backward
    for (const Candidate& other : candidates_)
      if (other.measured) return other.measured->seconds_per_image * one.gflops / other.gflops;
    return passes * one.gflops / (gflops_a_core * threads_or_all(planned_.threads));
  }

  /// Images that take part in a trial with batches of `batch`: those that measure memory, and at
  /// least four steps.
  static double images_of_trial(int batch) { return 1 + std::clamp(batch, 2, 4) + 4.0 * batch; }

  void measure(Candidate& one, double seconds) {
    const double image = expected(one);
    int batch = planned_.batch_size;
    while (batch > 1 && images_of_trial(batch) * image > seconds) batch = (batch + 1) / 2;
    if (o_.networks.empty() && images_of_trial(batch) * image > 3 * seconds) {
      one.why_not = "would take longer than --seconds";
      return;
    }
    const TemporaryFolder folder("yolov7-doctor");
    training::TrialRequest request;
    request.train.options = planned_;
    request.train.options.cfg = one.config;
    request.train.options.weights = "";
    request.train.options.hyp = hyperparameters_of(one);
    request.train.options.batch_size = batch;
    request.train.given = given_;
    for (const char* decided : {"batch-size", "nbs", "optimizer"})
      request.train.given.emplace_back(decided);
    request.train.run_folder = folder.path().string();
    request.train.stop = interrupt::token();
    request.batch = planned_.batch_size;
    request.seconds = std::max(0.5, (seconds - images_of_trial(batch) * image) / 2);
    try {
      one.measured = api::training_library().try_epoch(request);
      trial_batch_[one.name] = batch;
    } catch (const Error& error) {
      if (error.code() != ExitCode::failure) throw;
      one.why_not = error.what();
    }
  }

  /// The measured network whose cost is nearest.
  const Candidate* reference(const Candidate& one) const {
    const Candidate* nearest = nullptr;
    const auto distance = [&](const Candidate& other) {
      return std::abs(std::log(one.gflops / other.gflops));
    };
    for (const Candidate& other : candidates_)
      if (other.measured && (nearest == nullptr || distance(other) < distance(*nearest)))
        nearest = &other;
    return nearest;
  }

  /// Of a trial, or by the operations and activations of the network beside those of one that was
  /// tried.
  training::TrialResult result_of(const Candidate& one, const Candidate& other) const {
    training::TrialResult r = *other.measured;
    if (&one == &other) return r;
    const double work = one.gflops / other.gflops, passes = one.fused_gflops / other.fused_gflops;
    const double bytes =
        static_cast<double>(one.activation_bytes) / static_cast<double>(other.activation_bytes);
    constexpr double bytes_of_parameter = 20;  // weights, gradients, momentum, averages, a copy
    r.seconds_per_image *= work;
    r.val_seconds_per_image *= passes;
    r.bytes_per_image *= bytes;
    const double base = static_cast<double>(r.base_bytes) +
                        bytes_of_parameter * static_cast<double>(one.parameters - other.parameters);
    r.base_bytes = static_cast<std::uint64_t>(std::max(base, 0.0));
    const double room = static_cast<double>(r.allowed_bytes) - static_cast<double>(r.base_bytes);
    r.largest_batch = std::clamp(static_cast<int>(room / std::max(r.bytes_per_image, 1.0)), 0,
                                 training::TrialResult::most_batch);
    return r;
  }

  json network_json(const Candidate& one) const {
    json out = {{"network", one.name},
                {"gflops", one.gflops},
                {"parameters", one.parameters},
                {"measured", one.measured.has_value()},
                {"reason", one.why_not}};
    const Candidate* other = one.measured ? &one : reference(one);
    if (other == nullptr || (!one.measured && !one.why_not.empty() && !o_.networks.empty()))
      return out;
    const training::TrialResult r = result_of(one, *other);
    const double image = std::max(r.seconds_per_image, r.load_seconds_per_image),
                 train = image * static_cast<double>(r.images),
                 val = r.val_fixed_seconds +
                       r.val_seconds_per_image * static_cast<double>(r.val_images);
    out.update({{"estimated_from", one.measured ? "" : other->name},
                {"train_seconds", train},
                {"val_seconds", val},
                {"epoch_seconds", train + val},
                {"hours", (train + val) * planned_.epochs / 3600},
                {"seconds_per_image", r.seconds_per_image},
                {"load_seconds_per_image", r.load_seconds_per_image},
                {"val_fixed_seconds", r.val_fixed_seconds},
                {"val_seconds_per_image", r.val_seconds_per_image},
                {"limited_by", r.load_seconds_per_image > r.seconds_per_image ? "data" : "compute"},
                {"precision", r.precision},
                {"device", r.device},
                {"largest_batch", r.largest_batch},
                {"base_bytes", r.base_bytes},
                {"bytes_per_image", r.bytes_per_image},
                {"memory_limited_by", r.limited_by}});
    if (one.measured) {
      out["steps"] = r.steps;
      out["trial_batch"] = trial_batch_.at(one.name);
      out["val_images"] = r.val_images;
    }
    return out;
  }

  json report() const {
    json networks = json::array();
    for (const Candidate& one : candidates_) networks.push_back(network_json(one));
    json out = {{"data", o_.train.data},
                {"images", train_.entries.size()},
                {"objects", train_.label_count()},
                {"classes", train_.names.size()},
                {"img_size", planned_.img_size.front()},
                {"batch_size", planned_.batch_size},
                {"epochs", planned_.epochs},
                {"recipe", changed_},
                {"networks", networks}};
    out["advice"] = advice(networks);
    return out;
  }

  json advice(const json& networks) const {
    json lines = json::array();
    const json* best = nullptr;
    for (const json& one : networks)
      if (one.contains("hours") && one["hours"] <= o_.hours && one["largest_batch"] > 0 &&
          (best == nullptr || one["gflops"] > (*best)["gflops"]))
        best = &one;
    if (best == nullptr)
      lines.push_back(fmt::format(
          "network: none trains {} epochs within {} h here: fewer --epochs, a smaller --img-size, "
          "or --hours for more time",
          planned_.epochs, text::general(o_.hours)));
    else
      lines.push_back(fmt::format(
          "network: {} is the largest whose {} epochs fit into {} h ({:.1f} h{})",
          (*best)["network"].get<std::string>(), planned_.epochs, text::general(o_.hours),
          (*best)["hours"].get<double>(), (*best)["measured"].get<bool>() ? "" : ", estimated"));
    if (planned_.precision == "auto" && best != nullptr && (*best)["precision"] != "float32")
      lines.push_back(fmt::format(
          "precision: the times are of {}; from scratch the first epochs may be in float32, and "
          "take up to twice as long",
          (*best)["precision"].get<std::string>()));
    for (const std::string& line : data_advice()) lines.push_back(line);
    return lines;
  }

  /// What `dataset stats` says of size, anchors, tiles; it looks at every image, so only of a set
  /// that this takes seconds for.
  std::vector<std::string> data_advice() const {
    constexpr std::size_t most = 5000;
    if (train_.entries.size() > most)
      return {fmt::format("image size: yolov7 dataset stats --data {} tells (it reads {} images)",
                          text::shell_word(o_.train.data), train_.entries.size())};
    const Quietly quietly;
    dataset::doctor::SubjectOptions reading;
    reading.sketches = false;
    reading.stop = interrupt::token();
    dataset::doctor::Subject subject = dataset::doctor::read_subject(o_.train.data, reading);
    NetworkRuleOptions rule;
    rule.cfg = candidates_.front().config;
    rule.hyp = hyperparameters_of(candidates_.front());
    rule.img_size = planned_.img_size.front();
    subject.network = network_rule(rule);
    std::vector<std::string> lines;
    for (const dataset::doctor::Advice& one : dataset::doctor::advice_on(subject))
      lines.push_back(one.topic + ": " + one.text);
    return lines;
  }

  const DoctorOptions& o_;
  const std::vector<std::string>& given_;
  dataset::Index train_;
  run::TrainOptions planned_;
  std::string changed_;
  std::vector<Candidate> candidates_;  ///< those that are tried first
  std::size_t asked_ = 0;              ///< how many of them
  std::map<std::string, int> trial_batch_;
};

}  // namespace

json data_facts(const DoctorOptions& options, const std::vector<std::string>& given) {
  return Measurement(options, given).run();
}

void print_data(const json& facts, const Output& output) {
  output.line(fmt::format("\n{}: {} training images, {} objects, {} classes; {} px, batches of {}",
                          facts["data"].get<std::string>(), facts["images"].get<std::size_t>(),
                          facts["objects"].get<std::size_t>(), facts["classes"].get<std::size_t>(),
                          facts["img_size"].get<int>(), facts["batch_size"].get<int>()));
  if (const std::string recipe = facts["recipe"]; !recipe.empty()) output.line(recipe);
  const int epochs = facts["epochs"];
  output.line(fmt::format("{:<14}{:>10}{:>10}{:>10}{:>14}{:>8}  {}", "network", "s / epoch",
                          "train", "val", fmt::format("h / {} ep.", epochs), "batch", "how"));
  for (const json& one : facts["networks"]) {
    const std::string name = one["network"], reason = one["reason"];
    if (!one.contains("epoch_seconds")) {
      output.line(fmt::format("{:<14}{}", name, reason));
      continue;
    }
    const std::string from = one["estimated_from"], precision = one["precision"];
    const int largest = one["largest_batch"];
    output.line(fmt::format("{:<14}{:>10.1f}{:>10.1f}{:>10.1f}{:>14.2f}{:>8}  {}", name,
                            one["epoch_seconds"].get<double>(), one["train_seconds"].get<double>(),
                            one["val_seconds"].get<double>(), one["hours"].get<double>(),
                            largest == training::TrialResult::most_batch
                                ? fmt::format("≥ {}", largest)
                                : std::to_string(largest),
                            from.empty() ? fmt::format("measured in {}, limited by {}", precision,
                                                       one["limited_by"].get<std::string>())
                                         : fmt::format("estimated from {} by operations", from)));
  }
  output.line("batch: the largest that fits into memory at once; larger ones go in parts.");
  for (const json& line : facts["advice"]) output.line(line.get<std::string>());
}

}  // namespace yolov7::cli
