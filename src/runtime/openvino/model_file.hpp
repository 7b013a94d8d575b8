#pragma once
// Models in files of other formats, read and run by OpenVINO: ONNX, OpenVINO IR, TensorFlow Lite,
// TensorFlow (export 0).
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "network/graph/graph.hpp"
#include "runtime/detector.hpp"

namespace yolov7::runtime {

/// What a file tells of itself, or what its shapes do.
struct ModelFacts {
  std::string layout;  ///< "v5", "v8", "tf", "raw", "nms6", "end2end-ort"
  std::vector<std::string> names;
  bool names_told = false;  ///< by the file; else class0, class1, …
  int stride = 32, image_size = 640;
  int fill = 114;          ///< grey level around a letterboxed image
  bool rgb = true;         ///< order of the channels; else B G R
  std::size_t output = 0;  ///< the one that holds the boxes, where a layout has one
  bool shares = false;     ///< boxes are shares of the image's sides
  /// Of the suppression in the file; negative: none, or not told.
  double conf_thres = -1, iou_thres = -1;
  /// That whoever reads the file is to take for a suppression of his own; negative: not told.
  double wanted_conf_thres = -1, wanted_iou_thres = -1;
  std::vector<network::Level> levels;  ///< strides and anchors; empty where the file has none
  std::string description;
  std::vector<std::string> notes;  ///< what was assumed, and what a user should know
};

struct ModelFile {
  ModelFacts facts;
  std::unique_ptr<Detector> detector;
};

/// By the name: .onnx, .xml, .tflite, .pb, a folder (SavedModel, OpenVINO), a script file, or a
/// file that others alone run (.engine, .mlmodel, .param), which opening it says.
bool is_model_file(const std::filesystem::path& path);
/// By the name: .torchscript, .ptl, .torchscript.pt. LibTorch reads them, open_model_file() does
/// not.
bool is_script_file(const std::filesystem::path& path);

/// `names`: of the classes, for a file that has none. Errors: what recognise_file() refuses; what
/// OpenVINO cannot read, with TensorRT's operation named; outputs of no known layout; metadata that
/// contradicts the file, or `names`; this build has no OpenVINO.
ModelFile open_model_file(const std::filesystem::path& path, const DetectorOptions& options,
                          const std::vector<std::string>& names = {});

}  // namespace yolov7::runtime
