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
  int fill = 114;                      ///< grey level around a letterboxed image
  bool rgb = true;                     ///< order of the channels; else B G R
  std::vector<network::Level> levels;  ///< strides and anchors; empty where the file has none
  std::string description;
  std::vector<std::string> notes;  ///< what was assumed, and what a user should know
};

struct ModelFile {
  ModelFacts facts;
  std::unique_ptr<Detector> detector;
};

/// By the name: .onnx, .xml, .tflite, .pb, a folder (SavedModel, OpenVINO), or a script file.
bool is_model_file(const std::filesystem::path& path);
/// By the name: .torchscript, .ptl. LibTorch reads them, open_model_file() does not.
bool is_script_file(const std::filesystem::path& path);

/// Errors: what OpenVINO cannot read, with TensorRT's operation named; outputs of no known layout;
/// names that do not fit the outputs; this build has no OpenVINO.
ModelFile open_model_file(const std::filesystem::path& path, const DetectorOptions& options);

}  // namespace yolov7::runtime
