#include <nlohmann/json.hpp>

#include "cli/verb.hpp"

namespace yolov7::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> list = {
      {"dataset", "convert, check, draw or version a data set", run_dataset},
      {"info", "show a network or a checkpoint: layers, parameters, GFLOPs, strides", run_info},
      {"convert",
       "write weights in another form: PyTorch state file, safetensors, checkpoint of this program",
       run_convert},
      {"export", "write a model for other programs, and prove that it is the same detector",
       run_export},
      {"quantize", "write a model in 8-bit integers that keeps an accuracy budget", run_quantize},
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
  };
  return list;
}

}  // namespace yolov7::cli
