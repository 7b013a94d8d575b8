#include "cli/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/training_library.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "network/checkpoint.hpp"
#include "runtime/detect.hpp"

namespace yolov7::cli {
namespace {

const std::string& only_path(const std::vector<std::string>& weights) {
  if (weights.empty()) throw usage_error("--weights: expected a checkpoint, found none");
  if (weights.size() > 1)
    throw usage_error(fmt::format("--weights: expected one checkpoint, found {}; ensembles come in a later version", weights.size()));
  std::error_code error;
  if (!std::filesystem::exists(weights[0], error))
    throw Error(fmt::format("--weights {}: no such file; nothing is downloaded implicitly, so train a network (yolov7 train) or give the "
                            "path of a checkpoint", weights[0]));
  return weights[0];
}

std::vector<std::string> class_names(const network::Checkpoint& checkpoint, const network::Network& network, const std::string& path) {
  std::vector<std::string> names = checkpoint.names;
  if (names.empty())
    for (int i = 0; i < network.class_count; ++i) names.push_back(fmt::format("{}", i));
  if (names.size() != static_cast<std::size_t>(network.class_count))
    throw Error(fmt::format("{}: expected {} class names, found {}", path, network.class_count, names.size()));
  return names;
}

}  // namespace

OpenModel open_detector(const std::vector<std::string>& weights, const runtime::DetectorOptions& options, const std::string& backend) {
  OpenModel model;
  model.path = only_path(weights);
  const network::Checkpoint checkpoint = network::read_checkpoint(model.path);
  for (const std::string& note : checkpoint.facts.notes) log::warning(fmt::format("{}: {}", model.path, note));
  model.network = checkpoint.build_network();
  model.names = class_names(checkpoint, model.network, model.path);
  model.image_size = checkpoint.image_size;
  model.dataset_identity = checkpoint.dataset_identity;
  const network::Weights& inference = checkpoint.inference_weights();
  network::check(model.network, inference);
  if (backend == "libtorch")
    model.detector = training_library().make_detector(model.network, inference, options);
  else if (backend == "openvino")
    model.detector = runtime::make_openvino_detector(model.network, inference, options);
  else
    throw usage_error(fmt::format("--backend: expected openvino or libtorch, found '{}'", backend));
  return model;
}

int usable_image_size(int image_size, const runtime::Detector& detector) {
  const int stride = std::max(detector.stride(), 32), rounded = runtime::rounded_image_size(image_size, stride);
  if (rounded != image_size)
    log::warning(fmt::format("--img-size {} is no multiple of the largest stride {}; {} is used", image_size, stride, rounded));
  return rounded;
}

void require_cpu(const std::string& device, const std::string& verb) {
  if (!device.empty() && device != "cpu")
    throw usage_error(fmt::format("{}: --device: expected cpu, found '{}' (other devices come in a later version)", verb, device));
}

}  // namespace yolov7::cli
