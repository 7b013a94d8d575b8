#include "network/checkpoint/foreign_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.hpp"
#include "network/checkpoint/module_records.hpp"

namespace yolov7::network {
namespace {

using std::string_view_literals::operator""sv;

/// Parts of tensors' names that only this program's networks have; all of them must be there.
struct Signature {
  std::string_view program;
  std::array<std::string_view, 2> parts;
};
constexpr std::array signatures{
    Signature{"ultralytics (YOLOv8 or later)"sv, {".dfl.conv.weight"sv, ".cv3."sv}},
    Signature{"ultralytics (YOLOv10 or later)"sv, {".one2one_cv2."sv, ".one2one_cv3."sv}},
    Signature{"YOLOX"sv, {"head.cls_preds."sv, "head.reg_preds."sv}},
    Signature{"YOLOv6"sv, {"backbone.ERBlock_"sv, "detect."sv}},
    Signature{"torchvision (Faster R-CNN or a relative)"sv, {"rpn.head."sv, "roi_heads."sv}},
    Signature{"torchvision (RetinaNet, SSD or FCOS)"sv,
              {"head.classification_head."sv, "head.regression_head."sv}},
    Signature{"Detectron2"sv, {"backbone.bottom_up."sv, ""sv}},
    Signature{"MMDetection"sv, {"bbox_head."sv, "backbone."sv}},
    Signature{"a DETR"sv, {"transformer.encoder."sv, "class_embed."sv}},
    Signature{"torchvision (ResNet, a classifier)"sv, {"layer1.0.conv1.weight"sv, "fc.weight"sv}},
    Signature{"torchvision (MobileNetV2, a classifier; convert makes a backbone of it)"sv,
              {"features.17.conv.3.running_var"sv, "features.0.0.weight"sv}},
    Signature{"torchvision (a classifier)"sv, {"features.0."sv, "classifier."sv}},
    Signature{"EfficientNet (a classifier; convert makes a backbone of Lite0)"sv,
              {"_conv_stem.weight"sv, "_blocks.0._depthwise_conv.weight"sv}},
    // YOLOv5's C3 has three convolutions and its bottlenecks below m.
    Signature{"YOLOv5"sv, {"model.2.cv3.conv."sv, "model.2.m.0.cv1.conv."sv}},
};

bool holds(const Weights& weights, std::string_view part) {
  return std::any_of(weights.entries().begin(), weights.entries().end(), [&](const auto& entry) {
    return std::string_view(entry.first).find(part) != std::string_view::npos;
  });
}

}  // namespace

std::string_view foreign_weights(const Weights& weights) {
  for (const Signature& one : signatures)
    if (std::all_of(one.parts.begin(), one.parts.end(),
                    [&](std::string_view part) { return holds(weights, part); }))
      return one.program;
  return {};
}

std::string_view foreign_model(const PickleValue& module) {
  const std::string_view type = class_name(module);
  if (type == "DetectionModel" || type == "SegmentationModel" || type == "ClassificationModel")
    return "YOLOv5 or YOLOv9";
  const PickleValue* list = find_module(module, "model");
  const PickleValue* entries = list == nullptr ? nullptr : list->find("_modules");
  if (entries == nullptr) return {};
  for (const auto& entry : entries->dictionary) {
    const std::string_view name = class_name(*entry.second);
    if (name == "C3" || name == "SPPF") return "YOLOv5";
    if (name == "RepNCSPELAN4" || name == "DDetect" || name == "DualDDetect") return "YOLOv9";
  }
  return {};
}

void throw_unrecognised(std::string_view program, const std::string& reason,
                        const std::string& source) {
  if (program.empty()) throw Error(reason);
  throw Error(
      fmt::format("{}: this is a checkpoint of {}, not of YOLOv7 ({})", source, program,
                  reason.starts_with(source + ": ") ? reason.substr(source.size() + 2) : reason));
}

}  // namespace yolov7::network
