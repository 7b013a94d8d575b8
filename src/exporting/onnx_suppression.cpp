#include "exporting/onnx_suppression.hpp"

#include "exporting/export_options.hpp"

namespace yolov7::exporting {
namespace {

using Integers = std::vector<std::int64_t>;

std::string columns(OnnxGraph& graph, const std::string& rows, std::int64_t from, std::int64_t to) {
  return graph.node("Slice",
                    {rows, graph.integers({from}), graph.integers({to}), graph.integers({2})});
}

/// Objectness · class; of a single class the objectness, since its probability is not trained.
std::string scores(OnnxGraph& graph, const std::string& rows, int class_count) {
  const std::string objectness = columns(graph, rows, 4, 5);
  if (class_count == 1) return objectness;
  return graph.node("Mul", {objectness, columns(graph, rows, 5, 5 + class_count)});
}

}  // namespace

std::string suppressed_by_operator(OnnxGraph& graph, const std::string& rows,
                                   const ExportModel& model, const ExportOptions& options) {
  const int class_count = model.network().class_count;
  const int offset = class_offset(options, class_count, model.longer_side());
  const std::string all = scores(graph, rows, class_count);
  const std::string best = graph.reduce("ReduceMax", all, 2);
  const std::string classes = graph.cast(
      graph.node("ArgMax", {all}, {{"axis", std::int64_t{2}}, {"keepdims", std::int64_t{1}}}),
      OnnxType::float32);
  // (cx, cy, w, h) → corners
  const std::string corners =
      graph.floats({4, 4}, {1, 0, 1, 0, 0, 1, 0, 1, -0.5F, 0, 0.5F, 0, 0, -0.5F, 0, 0.5F});
  const std::string boxes = graph.node("MatMul", {columns(graph, rows, 0, 4), corners});
  const std::string apart = graph.node(
      "Add",
      {boxes, graph.node("Mul", {classes, graph.floats({1}, {static_cast<float>(offset)})})});
  const std::string plane = graph.node("Transpose", {best}, {{"perm", Integers{0, 2, 1}}});
  const std::string kept = graph.node("NonMaxSuppression",
                                      {apart, plane, graph.integers({options.topk_all}),
                                       graph.floats({1}, {static_cast<float>(options.iou_thres)}),
                                       graph.floats({1}, {static_cast<float>(options.conf_thres)})},
                                      {{"center_point_box", std::int64_t{0}}});
  const auto column = [&](std::int64_t which) {
    return graph.node("Gather", {kept, graph.integers({which})}, {{"axis", std::int64_t{1}}});
  };
  const std::string image = column(0);
  const std::string pairs = graph.node("Concat", {image, column(2)}, {{"axis", std::int64_t{1}}});
  const auto of_kept = [&](const std::string& values) {
    return graph.node("GatherND", {values, pairs});
  };
  return graph.node(
      "Concat",
      {graph.cast(image, OnnxType::float32), of_kept(boxes), of_kept(classes), of_kept(best)},
      {{"axis", std::int64_t{1}}});
}

void suppressed_by_plugin(OnnxGraph& graph, const std::string& rows, int class_count,
                          const OnnxSide& batch, const ExportOptions& options) {
  const std::string boxes = columns(graph, rows, 0, 4);
  graph.node("EfficientNMS_TRT", "TRT", {boxes, scores(graph, rows, class_count)},
             {"num_dets", "det_boxes", "det_scores", "det_classes"},
             {{"background_class", std::int64_t{-1}},
              {"box_coding", std::int64_t{1}},
              {"class_agnostic", std::int64_t{options.agnostic_nms ? 1 : 0}},
              {"iou_threshold", static_cast<float>(options.iou_thres)},
              {"max_output_boxes", std::int64_t{options.topk_all}},
              {"plugin_version", "1"},
              {"score_activation", std::int64_t{0}},
              {"score_threshold", static_cast<float>(options.conf_thres)}});
  const OnnxSide most = std::int64_t{options.topk_all};
  graph.output("num_dets", OnnxType::int32, {batch, std::int64_t{1}});
  graph.output("det_boxes", OnnxType::float32, {batch, most, std::int64_t{4}});
  graph.output("det_scores", OnnxType::float32, {batch, most});
  graph.output("det_classes", OnnxType::int32, {batch, most});
}

std::string without_objectness(OnnxGraph& graph, const std::string& rows, int class_count) {
  const std::string both =
      graph.node("Concat", {columns(graph, rows, 0, 4), scores(graph, rows, class_count)},
                 {{"axis", std::int64_t{2}}});
  return graph.node("Transpose", {both}, {{"perm", Integers{0, 2, 1}}});
}

}  // namespace yolov7::exporting
