#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/text.hpp"

namespace yolov7::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> list = {
      {"demo", "draw a small data set, train on it, measure and detect: a first look", run_demo},
      {"doctor", "what this machine has, what is missing, and how long training takes on it",
       run_doctor},
      {"dataset", "convert, check, draw or version a data set", run_dataset, {}, dataset_parts},
      {"active",
       "choose what is worth labelling next, and have it labelled",
       run_active,
       {},
       active_parts},
      {"annotate", "label images by a trained network, with a promised precision", run_annotate},
      {"info", "show a network or a checkpoint: layers, parameters, GFLOPs, strides", run_info},
      {"convert",
       "write weights in another form: PyTorch state file, safetensors, checkpoint of this program",
       run_convert},
      {"export", "write a model for other programs, and prove that it is the same detector",
       run_export},
      {"quantize", "write a model in 8-bit integers that keeps an accuracy budget", run_quantize},
      {"compress",
       "prune, distil and quantize: the fastest form of a network that keeps an accuracy budget",
       run_compress},
      {"anchors", "search anchors that fit a data set", run_anchors},
      {"scale", "write a configuration of another depth and width", run_scale},
      {"prune", "remove channels, so that a network is measured to be faster", run_prune},
      {"reparam",
       "fold a trained network for inference, and prove that it is the same detector",
       run_reparam,
       {"reparameterize"}},
      {"verify", "check a folded model or an exported file against its certificate", run_verify},
      {"train", "train or fine-tune a network", run_train},
      {"evolve", "search hyper-parameters: evolution or successive halving", run_evolve},
      {"mlflow", "send to an MLflow server what waits in run folders", run_mlflow},
      {"val", "measure a trained network on a data set", run_val, {"test"}},
      {"detect", "find objects in images, videos and streams", run_detect},
      {"benchmark", "latency and throughput of a model over batch, size, precision and threads",
       run_benchmark},
      {"metrics",
       "COCO metrics of any ground-truth and detections file, with intervals, errors, calibration",
       run_metrics},
      {"compare",
       "is one detector better than another? Paired bootstrap of two models or result files",
       run_compare},
      {"completion", "completion of the command line for bash, zsh and fish", run_completion},
      {"man", "manual pages of the program and of every verb", run_man},
  };
  return list;
}

nlohmann::json run_part(const std::string& title, const std::vector<Verb>& parts,
                        const std::vector<std::string>& arguments, Output& output) {
  std::vector<std::string> names;
  for (const Verb& part : parts) names.emplace_back(part.name);
  if (arguments.empty())
    throw usage_error(
        fmt::format("{}: expected one of {}, found nothing", title, text::join(names, ", ")));
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    output.line(fmt::format("yolov7 {} <part> [options]", title));
    output.line("");
    for (const Verb& part : parts) output.line(fmt::format("  {:<10}{}", part.name, part.summary));
    output.line("");
    output.line(fmt::format("yolov7 {} <part> --help shows the options of a part.", title));
    return {};
  }
  for (const Verb& part : parts)
    if (first == part.name ||
        std::find(part.aliases.begin(), part.aliases.end(), first) != part.aliases.end())
      return part.run({arguments.begin() + 1, arguments.end()}, output);
  throw usage_error(fmt::format("{}: expected one of {}, found '{}'{}", title,
                                text::join(names, ", "), first, text::did_you_mean(first, names)));
}

}  // namespace yolov7::cli
