#pragma once
// Everything a user can ask of an export (export 0), in one struct for all formats. The
// table of formats says which format honours which option.
#include <string>
#include <vector>

namespace yolov7::exporting {

struct ExportOptions {
  std::string weights;                       ///< checkpoint
  std::vector<std::string> include{"onnx"};  /// names of formats, or "all"
  std::string out;                           ///< folder; empty = the folder of the weights

  std::vector<int> img_size{640, 640};  ///< height, width; one value is both
  int batch_size = 1;
  std::string device = "cpu";
  bool dynamic = false;        ///< batch, height and width are left open
  bool dynamic_batch = false;  ///< the batch alone is left open

  bool grid = false;     ///< decode inside the graph
  bool end2end = false;  ///< suppression inside the graph; implies `grid`
  bool nms = false;      ///< the same, with an operation that every reader of the format has
  int max_wh = -1;       ///< class offset in pixels of the suppression with ONNX's own operation;
                         ///< −1 = the operation of TensorRT
  int topk_all = 100, topk_per_class = 100;
  double iou_thres = 0.45, conf_thres = 0.25;
  bool agnostic_nms = false;
  bool fold_obj = false;  ///< output [B, 4 + nc, N]: boxes, objectness · class

  bool half = false;     ///< float16 weights and, where the format knows types, arithmetic
  bool half_io = false;  ///< with `half`: inputs and outputs too
  bool int8 = false;
  bool per_tensor = false;         ///< of weights: one scale a tensor
  std::string qdq = "asymmetric";  ///< form of ONNX's quantizers (onnx_quantizers.hpp)
  std::string data;
  int calib_images = 300;
  std::string calib_method = "mse";
  std::string effort = "normal";  ///< "high": weights are fitted, too (compression/plan/refit.hpp)
  bool sensitivity = false;       ///< look at every layer

  int opset = 13;  ///< of ONNX
  bool simplify = false;
  bool optimize = false;           ///< TorchScript for mobile CPUs
  double workspace = 4;            ///< TensorRT, GiB
  std::string cache;               ///< TensorRT, timing cache
  bool mlmodel = false;            ///< Core ML as one file
  bool reference_parity = false;   ///< names of outputs as the reference gives them
  bool no_verify = false;          ///< files are not read back and compared with the weights
  std::string images;              ///< for the comparison, besides noise
  std::string split = "val";       ///< of `data`, for the accuracy
  double accuracy_budget = 0.003;  ///< mAP that a file may lose on `data`
  std::string triton, ovms;        ///< folders of model repositories to put the files in
  std::string deepstream;          ///< folder of DeepStream's configuration
};

/// What the graph gives out (export 2).
enum class OutputForm {
  raw,           ///< A: a map a level, [B, na, h/s, w/s, 5 + nc], before the sigmoid
  decoded,       ///< B: [B, N, 5 + nc]
  nms_operator,  ///< C: [n, 7]: image, x1, y1, x2, y2, class, score
  nms_plugin,    ///< D: num_dets, det_boxes, det_scores, det_classes
};
OutputForm output_form(const ExportOptions& options);
/// Suppression does not look at classes.
bool across_classes(const ExportOptions& options);
/// Class offset of form C in pixels: 0 where classes do not matter. Where none is given, 4096; with
/// more than 128 classes, which 4096 moves beyond 2^19 px, twice the longer side of the input where
/// that is less. `longer_side`: 0 = open.
int class_offset(const ExportOptions& options, int class_count, int longer_side);
/// Boxes are moved by offset · class in float32. "" or, where that goes beyond 2^19 px, how far
/// apart the numbers there are: near v, v · 2^-23 at most.
std::string class_offset_note(int offset, int class_count, int longer_side = 0);
/// Options that exclude each other, or lead nowhere: Error (usage).
void check(const ExportOptions& options);
/// Options of 8-bit integers without them, these without images for their calibration, options of a
/// comparison that there is not, and a class offset where classes do not matter: Error (usage).
/// `given`: names of the settings on the command line. Not of files that are there already, which
/// are not calibrated again.
void check_given(const ExportOptions& options, const std::vector<std::string>& given);

}  // namespace yolov7::exporting
