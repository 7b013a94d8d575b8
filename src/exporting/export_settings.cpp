#include "exporting/export_settings.hpp"

#include "core/text.hpp"
#include "exporting/format_table.hpp"

namespace yolov7::exporting {
namespace {

std::vector<Setting> what_and_where(ExportOptions& o) {
  return {
      setting("weights", o.weights, "checkpoint: official, of this program, safetensors")
          .positional()
          .basic(),
      setting("include", o.include, "formats: " + text::join(format_names(), ", ") + ", or all")
          .basic(),
      setting("out", o.out, "folder of the files; empty = the folder of the weights")
          .alias("output-dir")
          .alias("output")
          .basic(),
      setting("img-size", o.img_size,
              "height and width of the input in pixels; one value is both; rounded up to a "
              "multiple of the largest stride")
          .alias("imgsz")
          .alias("img")
          .basic(),
      setting("batch-size", o.batch_size, "images of a batch").range(1, 4096).basic(),
      setting("dynamic", o.dynamic, "leave batch, height and width open").basic(),
      setting("dynamic-batch", o.dynamic_batch, "leave the batch open"),
      setting("device", o.device, "accepted: files are written and compared on the processor"),
  };
}

std::vector<Setting> outputs(ExportOptions& o) {
  return {
      setting("grid", o.grid, "decode boxes inside the graph").basic(),
      setting("end2end", o.end2end,
              "suppression inside the graph; TensorRT's operation unless --max-wh is given"),
      setting("nms", o.nms, "suppression inside the graph with the format's own operation").basic(),
      setting("include-nms", o.end2end, "the older name of --end2end"),
      setting("max-wh", o.max_wh,
              "class offset in pixels for suppression with ONNX's own operation; 0 = classes do "
              "not matter, -1 = none given: 4096, and with more than 128 classes twice the longer "
              "side")
          .range(-1, 1e6),
      setting("topk-all", o.topk_all, "most detections of an image").range(1, 100000),
      setting("topk-per-class", o.topk_per_class, "most detections of a class").range(1, 100000),
      setting("iou-thres", o.iou_thres, "IoU threshold of the suppression, and of the comparison")
          .range(0, 1),
      setting("conf-thres", o.conf_thres,
              "score threshold of the suppression, and of the comparison")
          .range(0, 1),
      setting("agnostic-nms", o.agnostic_nms, "suppress across classes"),
      setting("fold-obj", o.fold_obj,
              "output [B, 4 + classes, N] with objectness multiplied into the classes"),
      setting("reference-parity", o.reference_parity,
              "name the first output `output`, as the official program does"),
  };
}

std::vector<Setting> numbers(ExportOptions& o) {
  return {
      setting("half", o.half, "float16; inputs and outputs stay float32").alias("fp16").basic(),
      setting("half-io", o.half_io, "with --half: inputs and outputs are float16 too"),
      setting("int8", o.int8, "convolutions in 8-bit integers, by the scales of calibration images")
          .basic(),
      setting("per-tensor", o.per_tensor, "with --int8: weights have one scale a tensor"),
      setting("calib-images", o.calib_images,
              "with --int8: images of the calibration, of the train split of --data (val where "
              "there is none) or of --images")
          .range(10, 100000)
          .alias("calibration-images"),
      setting("calib-method", o.calib_method,
              "with --int8: how ranges are found: the least squared error, the extremes, or 0.9999 "
              "of the numbers between the ends")
          .choices({"mse", "minmax", "percentile"}),
      setting("effort", o.effort,
              "with --int8: normal: ranges and biases are calibrated; high: weights and biases are "
              "then fitted, convolution by convolution, to the float32 network's outputs, and kept "
              "where images that took no part show a gain")
          .choices({"normal", "high"}),
      setting(
          "qdq", o.qdq,
          "with --int8, in ONNX and OpenVINO: quantizers behind activations, with a zero point, or "
          "around zero, as TensorRT wants them (engine has these always), which is faster on "
          "processors with AMX (as ONNX, OpenVINO by itself computes them wrong on others); ort, "
          "in ONNX alone: quantizers around every operation (ONNX Runtime)")
          .choices({"asymmetric", "tensorrt", "ort"}),
      setting("sensitivity", o.sensitivity,
              "with --int8: a table and a chart of what each layer costs; made always where layers "
              "have to stay in float32"),
      setting("opset", o.opset, "operator set of ONNX").range(12, 18),
      setting("simplify", o.simplify, "simplify the graph"),
      setting("optimize", o.optimize, "optimize for mobile processors"),
      setting("workspace", o.workspace, "memory that TensorRT may use, GiB").range(0.001, 1024),
      setting("cache", o.cache, "timing cache of TensorRT"),
      setting("mlmodel", o.mlmodel,
              "Core ML in its older form: one file, a network of layers, for iOS 13 and later"),
  };
}

std::vector<Setting> servers(ExportOptions& o) {
  return {
      setting("triton", o.triton,
              "also put the files in this model repository of Triton Inference Server"),
      setting("ovms", o.ovms, "also put the files in this repository of OpenVINO Model Server"),
      setting("deepstream", o.deepstream,
              "folder for DeepStream's configuration and labels; with --include engine --end2end"),
  };
}

std::vector<Setting> proof(ExportOptions& o) {
  return {
      setting("images", o.images, "images of the comparison, besides four of noise").basic(),
      setting("data", o.data,
              "data set description (data.yaml): mAP of the weights and of each file; with --int8 "
              "the calibration too")
          .basic(),
      setting("split", o.split, "of --data, for the mAP").choices({"val", "test", "train"}),
      setting("accuracy-budget", o.accuracy_budget, "with --data: mAP that a file may lose")
          .range(0, 1),
      setting("no-verify", o.no_verify,
              "do not read the files back and compare them with the weights"),
  };
}

}  // namespace

Settings settings(ExportOptions& o) {
  return {"export", joined({group("Files", what_and_where(o)), group("Outputs", outputs(o)),
                            group("Numbers", numbers(o)), group("Servers", servers(o)),
                            group("Comparison", proof(o))})};
}

}  // namespace yolov7::exporting
