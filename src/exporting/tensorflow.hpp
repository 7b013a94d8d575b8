#pragma once
// TensorFlow: a SavedModel, and a frozen graph. All weights are constants.
#include <filesystem>

#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// The folder `path`: saved_model.pb (tag serve, signature serving_default: images, float32
/// [B, H, W, 3] → output_0, float32, as channels_last() gives it), metadata.yaml, and variables/,
/// which is empty. Error: more than 2 GB.
void write_saved_model(const ExportModel& model, const ExportOptions& options,
                       const std::filesystem::path& path);

/// One GraphDef: x:0 → Identity:0 (Identity_1:0 … Identity_3:0), the same tensors. It has no place
/// for metadata. Error: more than 2 GB.
void write_frozen_graph(const ExportModel& model, const ExportOptions& options,
                        const std::filesystem::path& path);

}  // namespace yolov7::exporting
