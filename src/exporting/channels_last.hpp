#pragma once
// A network, and the decoding behind it, as operations on channels-last tensors: what TensorFlow
// and TensorFlow Lite have in common. Each of the two is a ChannelsLastGraph.
#include <string_view>
#include <utility>

#include "exporting/channels_last_graph.hpp"
#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// What formats of such tensors write of a model, whose forms are decoded: height and width fixed,
/// suppression left to whoever reads.
ExportModel channels_last_model(const ExportModel& model, const ExportOptions& options);
/// What goes into a suppression: corners in parts of the image, [B, N, 1, 4] (x1, y1, x2, y2), and
/// scores, [B, N, nc].
struct SuppressionInputs {
  int boxes = -1, scores = -1;
};
SuppressionInputs channels_last_suppression(ChannelsLastGraph& graph, const ExportModel& model,
                                            int images);

/// "tf", or "v8" without objectness.
std::string_view channels_last_layout(const ExportOptions& options);

/// Translates everything. `images`: [B, H, W, 3] in 0 … 1. Returns the output: [B, N, 5 + nc] with
/// boxes in parts of the image's width and height, or with fold_obj [B, 4 + nc, N] in pixels; and
/// its shape.
std::pair<int, Shape> channels_last(ChannelsLastGraph& graph, const ExportModel& model,
                                    const ExportOptions& options, int images);

}  // namespace yolov7::exporting
