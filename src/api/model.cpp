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
#include "core/value.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/finite_weights.hpp"
#include "runtime/detect.hpp"
#include "runtime/joined_detectors.hpp"
#include "runtime/onnxruntime/ort_detector.hpp"
#include "runtime/openvino/file_format.hpp"
#include "runtime/openvino/model_file.hpp"
#include "runtime/server/served_detector.hpp"

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

std::string listed(const std::vector<std::string>& names) {
  return text::printable(text::join(names, ", "));
}

/// By the numbers of a mapping, which may stand in any order.
std::vector<std::string> listed_names(const Value& list) {
  std::vector<std::string> names(list.mapping.size());
  for (const auto& [key, one] : list.mapping) {
    const auto number = text::parse_int(key);
    if (!number || *number < 0 || *number >= static_cast<std::int64_t>(names.size()) ||
        !names[static_cast<std::size_t>(*number)].empty())
      throw Error(fmt::format("{}: expected the class numbers 0 to {} as keys of names, found '{}'",
                              one.where(), names.size() - 1, text::printable(key)));
    names[static_cast<std::size_t>(*number)] = one.text();
  }
  for (const Value& one : list.sequence) names.push_back(one.text());
  return names;
}

/// Of --names: a list with commas, a text file of one name a line, or a YAML file with `names`.
std::vector<std::string> given_class_names(const std::string& option) {
  std::vector<std::string> names;
  if (option.empty()) return names;
  const std::filesystem::path path(option);
  const std::string suffix = text::lower(path.extension().string());
  std::error_code error;
  const bool file = std::filesystem::is_regular_file(path, error);
  if (file && (suffix == ".yaml" || suffix == ".yml")) {
    const Value tree = read_yaml(path);
    names = listed_names(tree.at("names"));
  } else if (file) {
    const std::string content = file::read(path, 1 << 20);
    for (const std::string_view line : text::lines(content))
      if (!text::trim(line).empty()) names.emplace_back(text::trim(line));
  } else if (suffix == ".yaml" || suffix == ".yml" || suffix == ".txt") {
    throw Error(fmt::format("{} {}: no such file", setting_name("names"), option));
  } else {
    for (const std::string_view one : text::split(option, ',')) names.emplace_back(text::trim(one));
  }
  if (names.empty() || text::contains(names, ""))
    throw Error(
        fmt::format("{}: expected class names in a list with commas, a text file or a YAML "
                    "file, found '{}'",
                    setting_name("names"), text::printable(option)));
  return names;
}

runtime::ModelFile served_model(const std::string& address, const ModelOptions& options,
                                const std::vector<std::string>& names) {
  if (options.backend != "openvino")
    throw usage_error(fmt::format("{}: expected no {} for a model that a server runs, found {}",
                                  address, setting_name("backend"), options.backend));
  return runtime::open_served_model(address, options.detector, options.server, names);
}

/// A file of another program's format, or a model that a server runs.
OpenModel open_file(const std::string& path, const ModelOptions& options) {
  const bool served = runtime::is_served_model(path);
  const bool script = !served && runtime::is_script_file(path);
  if (script) runtime::recognise_file(path);  // before LibTorch sees it
  const std::vector<std::string> names = given_class_names(options.names);
  const bool by_ort = options.backend == "onnxruntime";
  if (!served && (script ? by_ort : options.backend == "libtorch"))
    throw usage_error(fmt::format(
        "{}: expected {} {} for a model in this format, found {}", path, setting_name("backend"),
        script ? "libtorch" : "openvino or onnxruntime", options.backend));
  OpenModel model;
  model.path = path;
  runtime::ModelFile file = served   ? served_model(path, options, names)
                            : script ? script_library().open(path, options.detector, names)
                            : by_ort ? runtime::open_ort_file(path, options.detector, names)
                                     : runtime::open_model_file(path, options.detector, names);
  if (file.facts.fill != 114)
    throw Error(
        fmt::format("{}: pad_value: this program fills images up with 114, the metadata of "
                    "the file asks for {}",
                    path, file.facts.fill));
  if (!file.facts.rgb)
    throw Error(
        fmt::format("{}: reverse_input_channels: this program gives R G B, the metadata of "
                    "the file asks for B G R",
                    path));
  for (const std::string& note : file.facts.notes) log::warning(fmt::format("{}: {}", path, note));
  model.names = file.facts.names;
  if (!names.empty() && names != model.names)
    throw Error(fmt::format("{}: {}: expected the class names of the file ({}), found {}", path,
                            setting_name("names"), listed(model.names), listed(names)));
  model.file_conf_thres = file.facts.conf_thres;
  model.file_iou_thres = file.facts.iou_thres;
  model.wanted_conf_thres = file.facts.wanted_conf_thres;
  model.wanted_iou_thres = file.facts.wanted_iou_thres;
  model.network.class_count = static_cast<int>(model.names.size());
  model.network.source = file.facts.description;
  const runtime::InputSides sides = file.detector->sides();
  model.image_size = sides.fixed() ? std::max(sides.height, sides.width) : file.facts.image_size;
  if (options.augment) {
    if (file.facts.layout != "v5" && file.facts.layout != "tf")
      throw usage_error(
          fmt::format("{}: {}: expected decoded boxes of every level, found the layout {}", path,
                      setting_name("augment"), file.facts.layout));
    model.detector = runtime::make_augmented_detector(std::move(file.detector), options.clip_tails,
                                                      static_cast<int>(file.facts.levels.size()));
  } else {
    model.detector = std::move(file.detector);
  }
  return model;
}

/// One checkpoint.
OpenModel open_member(const std::string& path, ModelOptions options) {
  // Each pass has shapes of its own.
  if (options.augment) options.detector.kept_shapes *= runtime::augmented_passes;
  if (runtime::is_served_model(path) || runtime::is_model_file(path))
    return open_file(path, options);
  OpenModel model;
  model.path = path;
  network::Checkpoint checkpoint = network::read_checkpoint(path);
  for (const std::string& note : checkpoint.facts.notes)
    log::warning(fmt::format("{}: {}", path, note));
  model.network = checkpoint.build_network();
  model.names = class_names(checkpoint, model.network, path);
  if (const auto names = given_class_names(options.names); !names.empty() && names != model.names)
    throw Error(fmt::format("{}: {}: expected the class names of the checkpoint ({}), found {}",
                            path, setting_name("names"), listed(model.names), listed(names)));
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
  } else if (options.backend == "onnxruntime") {
    throw usage_error(
        fmt::format("{}: {} onnxruntime: expected an .onnx file, found a checkpoint; "
                    "yolov7 export writes one",
                    path, setting_name("backend")));
  } else {
    throw usage_error(fmt::format("{}: expected openvino, onnxruntime or libtorch, found '{}'",
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
             {setting("weights", o.weights,
                      "checkpoint, model file, or http://HOST:PORT/v2/models/NAME of a server "
                      "(Open Inference Protocol); several make an ensemble")
                  .basic(),
              setting("augment", o.augment, "test-time augmentation: three passes over each image"),
              setting("tta-clip-tails", o.clip_tails,
                      "augment: without the coarsest rows of the first pass and the finest of the "
                      "last"),
              setting("names", o.names,
                      "class names of a model file that has none: a list with commas, a text file "
                      "of one name a line, or a data set's YAML file")}),
       group("Machine", {setting("backend", o.backend,
                                 "openvino; onnxruntime, for .onnx files where its library is "
                                 "found; or libtorch as the reference")
                             .choices({"openvino", "onnxruntime", "libtorch"}),
                         setting("threads", o.detector.threads,
                                 "of the network; 0 = the cores this process may use")
                             .range(0, 4096),
                         setting("server-timeout", o.server.silence,
                                 "seconds that a server may be silent, where it runs the network")
                             .range(1, 86'400)})});
}

void require_weights(const std::vector<std::string>& weights) {
  if (weights.empty())
    throw usage_error(setting_name("weights") + ": expected a checkpoint, found none");
  std::error_code error;
  for (const std::string& one : weights)
    if (runtime::is_served_model(one))
      runtime::parse_served_address(one, setting_name("weights"));
    else if (!std::filesystem::exists(one, error))
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

void require_agreement(const OpenModel& model, int image_size, const NmsOptions& nms,
                       const std::vector<std::string>& given) {
  const runtime::InputSides sides = model.detector->sides();
  if (text::contains(given, "img-size") && sides.fixed() &&
      image_size != std::max(sides.height, sides.width))
    throw usage_error(
        fmt::format("{} {}: {} takes images of {} x {} px alone; leave the option "
                    "out, or export the model again",
                    setting_name("img-size"), image_size, model.path, sides.width, sides.height));
  if (text::contains(given, "iou-thres") && model.file_iou_thres >= 0 &&
      nms.iou_thres != model.file_iou_thres)
    throw usage_error(
        fmt::format("{} {}: {} suppresses by itself at {}; leave the option out, or "
                    "export the model again",
                    setting_name("iou-thres"), text::general(nms.iou_thres), model.path,
                    text::general(model.file_iou_thres)));
  if (text::contains(given, "conf-thres") && nms.conf_thres < model.file_conf_thres)
    throw usage_error(
        fmt::format("{} {}: {} gives nothing below {}; raise the threshold, or "
                    "export the model again",
                    setting_name("conf-thres"), text::general(nms.conf_thres), model.path,
                    text::general(model.file_conf_thres)));
}

void take_wanted_thresholds(const OpenModel& model, const std::vector<std::string>& given,
                            NmsOptions& nms) {
  const auto take = [&](const char* setting, double wanted, double& value) {
    if (wanted < 0 || wanted == value || text::contains(given, setting)) return;
    value = wanted;
    log::info(fmt::format("{}: {} {} comes from the file", model.path, setting_name(setting),
                          text::general(wanted)));
  };
  take("conf-thres", model.wanted_conf_thres, nms.conf_thres);
  take("iou-thres", model.wanted_iou_thres, nms.iou_thres);
}

int usable_image_size(int image_size, const runtime::Detector& detector) {
  if (const runtime::InputSides sides = detector.sides(); sides.fixed()) {
    const int longest = std::max(sides.height, sides.width);
    if (longest != image_size)
      log::warning(fmt::format("{} {}: the model takes {} x {} px alone, which is used",
                               setting_name("img-size"), image_size, sides.width, sides.height));
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
