#pragma once
// TensorFlow Lite files (LiteRT), float32, or with float16 weights.
#include <filesystem>

#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// Input "images", float32 [B, H, W, 3]; output "output0", float32, as channels_last() gives it;
/// signature serving_default, images → output_0. A zip archive behind the content holds
/// metadata.json. Errors: more than 2 GB, weights that float16 cannot hold.
void write_tflite(const ExportModel& model, const ExportOptions& options,
                  const std::filesystem::path& path);

}  // namespace yolov7::exporting
