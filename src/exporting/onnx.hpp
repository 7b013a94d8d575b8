#pragma once
// ONNX files (onnx.ai), operator sets 12 to 18, in the four forms of export 2.
#include <filesystem>
#include <string>

#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// Errors: more than 2 GB, weights that float16 cannot hold, a form with float16 outputs that the
/// operation of TensorRT lacks.
void write_onnx(const ExportModel& model, const ExportOptions& options,
                const std::filesystem::path& path);

/// In the form that TensorRT's parser takes: of open sides the batch alone, its own operation for
/// suppression, float32, since its builder chooses the types.
void write_tensorrt_onnx(const ExportModel& model, const ExportOptions& options,
                         const std::filesystem::path& path);

}  // namespace yolov7::exporting
