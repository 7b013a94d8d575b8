#pragma once
// Suppression inside an ONNX graph (export 2), and the layout without objectness.
#include <string>

#include "exporting/export_model.hpp"
#include "exporting/onnx_graph.hpp"

namespace yolov7::exporting {

/// `rows`: [B, N, 5 + nc]. Returns [n, 7]: image, x1, y1, x2, y2, class, score; the best class of a
/// row counts. Images in order, descending score in each.
std::string suppressed_by_operator(OnnxGraph& graph, const std::string& rows,
                                   const ExportModel& model, const ExportOptions& options);

/// The operation that TensorRT brings, whose outputs it reads by their place: num_dets, det_boxes,
/// det_scores, det_classes, which become the graph's. `batch`: the side of the outputs.
void suppressed_by_plugin(OnnxGraph& graph, const std::string& rows, int class_count,
                          const OnnxSide& batch, const ExportOptions& options);

/// [B, 4 + nc, N]: boxes, then objectness · class.
std::string without_objectness(OnnxGraph& graph, const std::string& rows, int class_count);

}  // namespace yolov7::exporting
