#include "api/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "api/training_library.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/finite_weights.hpp"
#include "runtime/detect.hpp"
#include "runtime/joined_detectors.hpp"
#include "runtime/openvino/model_file.hpp"

namespace yolov7::api {
namespace {

std::vector<std::string> class_names(const network::Checkpoint& checkpoint,
                                     const network::Network& network, const std::string& path) {
  std::vector<std::string> names = checkpoint.names;
  if (names.empty())
    for (int i = 0; i < network.class_count; ++i) names.push_back(fmt::format("{}", i));
  if (names.size() != static_cast<std::size_t>(network.class_count))
    throw Error(fmt::format("{}: expected {} class names, found {}", path, network.class_count,
                            names.size()));
  return names;
}

/// A file of another program's format.
OpenModel open_file(const std::string& path, const ModelOptions& options) {
  const bool script = runtime::is_script_file(path);
  if (!script && options.backend != "openvino")
    throw usage_error(
        fmt::format("{}: expected --backend openvino for a model in this format, found {}", path,
                    options.backend));
  OpenModel model;
  model.path = path;
  runtime::ModelFile file = script ? script_library().open(path, options.detector)
                                   : runtime::open_model_file(path, options.detector);
  for (const std::string& note : file.facts.notes) log::warning(fmt::format("{}: {}", path, note));
  model.names = file.facts.names;
  model.network.class_count = static_cast<int>(model.names.size());
  model.network.source = file.facts.description;
  const runtime::InputSides sides = file.detector->sides();
  model.image_size = sides.fixed() ? std::max(sides.height, sides.width) : file.facts.image_size;
  if (options.augment) {
    if (file.facts.layout != "v5" && file.facts.layout != "tf")
      throw usage_error(
          fmt::format("{}: --augment: expected decoded boxes of every level, found "
                      "the layout {}",
                      path, file.facts.layout));
    model.detector = runtime::make_augmented_detector(std::move(file.detector), options.clip_tails,
                                                      static_cast<int>(file.facts.levels.size()));
  } else {
    model.detector = std::move(file.detector);
  }
  return model;
}

/// One checkpoint.
OpenModel open_member(const std::string& path, const ModelOptions& options) {
  if (runtime::is_model_file(path)) return open_file(path, options);
  OpenModel model;
  model.path = path;
  network::Checkpoint checkpoint = network::read_checkpoint(path);
  for (const std::string& note : checkpoint.facts.notes)
    log::warning(fmt::format("{}: {}", path, note));
  model.network = checkpoint.build_network();
  model.names = class_names(checkpoint, model.network, path);
  model.image_size = checkpoint.image_size;
  model.dataset_identity = checkpoint.dataset_identity;
  network::check(model.network, checkpoint.inference_weights());
  network::check_finite(checkpoint.inference_weights(), path);
  if (options.backend == "libtorch") {
    model.detector = training_library().make_detector(model.network, checkpoint.inference_weights(),
                                                      options.detector);
  } else if (options.backend == "openvino") {
    network::Weights& weights = checkpoint.ema.size() > 0 ? checkpoint.ema : checkpoint.model;
    auto runnable = std::make_shared<network::NetworkAndWeights>(
        network::NetworkAndWeights{model.network, std::move(weights)});
    model.detector = runtime::make_openvino_detector(std::move(runnable), options.detector);
  } else {
    throw usage_error(fmt::format("{}: expected openvino or libtorch, found '{}'",
                                  setting_name("backend"), options.backend));
  }
  if (options.augment)
    model.detector =
        runtime::make_augmented_detector(std::move(model.detector), options.clip_tails,
                                         static_cast<int>(model.network.lead_levels()));
  return model;
}

}  // namespace

std::vector<Setting> settings(ModelOptions& o) {
  return joined(
      {group("Network",
             {setting("weights", o.weights, "checkpoint; several make an ensemble").basic(),
              setting("augment", o.augment, "test-time augmentation: three passes over each image"),
              setting("tta-clip-tails", o.clip_tails,
                      "augment: without the coarsest rows of the first pass and the finest of the "
                      "last")}),
       group("Machine", {setting("backend", o.backend, "openvino, or libtorch as the reference")
                             .choices({"openvino", "libtorch"}),
                         setting("threads", o.detector.threads,
                                 "of the network; 0 = the cores this process may use")
                             .range(0, 4096)})});
}

void require_weights(const std::vector<std::string>& weights) {
  if (weights.empty())
    throw usage_error(setting_name("weights") + ": expected a checkpoint, found none");
  std::error_code error;
  for (const std::string& one : weights)
    if (!std::filesystem::exists(one, error))
      throw Error(
          fmt::format("{} {}: no such file; nothing is downloaded implicitly, so train a network "
                      "(yolov7 train) or give the path of a checkpoint",
                      setting_name("weights"), one));
}

OpenModel open_detector(const ModelOptions& options) {
  require_weights(options.weights);
  OpenModel first = open_member(options.weights.front(), options);
  if (options.weights.size() == 1) return first;
  std::vector<std::unique_ptr<runtime::Detector>> members;
  members.push_back(std::move(first.detector));
  for (std::size_t i = 1; i < options.weights.size(); ++i) {
    OpenModel other = open_member(options.weights[i], options);
    if (other.names != first.names)
      throw Error(fmt::format("{}: expected the class names of {} ({}), found {}", other.path,
                              first.path, text::join(first.names, ", "),
                              text::join(other.names, ", ")));
    members.push_back(std::move(other.detector));
  }
  first.detector = runtime::make_ensemble(std::move(members));
  return first;
}

std::vector<std::unique_ptr<runtime::Detector>> workers(OpenModel& model, std::size_t count) {
  std::vector<std::unique_ptr<runtime::Detector>> all;
  all.push_back(std::move(model.detector));
  while (all.size() < count) {
    auto other = all.front()->sibling();
    if (!other) break;
    all.push_back(std::move(other));
  }
  return all;
}

std::filesystem::path model_cache_folder(const std::string& option) {
  if (option == "none" || option.empty()) return {};
  return option == "auto" ? file::user_cache_folder() / "compiled" : std::filesystem::path(option);
}

int usable_image_size(int image_size, const runtime::Detector& detector) {
  if (const runtime::InputSides sides = detector.sides(); sides.fixed()) {
    const int longest = std::max(sides.height, sides.width);
    if (longest != image_size)
      log::warning(fmt::format("--img-size {}: the model takes {} x {} px alone, which is used",
                               image_size, sides.width, sides.height));
    return longest;
  }
  const int stride = std::max(detector.stride(), 32),
            rounded = runtime::rounded_image_size(image_size, stride);
  if (rounded != image_size)
    log::warning(fmt::format("{} {} is no multiple of the largest stride {}; {} is used",
                             setting_name("img-size"), image_size, stride, rounded));
  return rounded;
}

void require_cpu(const std::string& device, const std::string& verb) {
  if (!device.empty() && device != "cpu")
    throw usage_error(
        fmt::format("{}: {}: expected cpu, found '{}' (other devices come in a later version)",
                    verb, setting_name("device"), device));
}

}  // namespace yolov7::api
