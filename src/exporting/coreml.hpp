#pragma once
// Core ML packages with an ML program (export 6; field numbers of Model.proto, coremltools,
// BSD-3-Clause). They need iOS 15 or macOS 12.
#include <filesystem>

#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// Makes a folder of Manifest.json and Data/com.apple.CoreML. Input `image`: R G B, W × H. Output
/// `output0`: [1, N, 5 + nc], or [1, 4 + nc, N] without objectness. With suppression: a pipeline
/// with optional inputs `iouThreshold` and `confidenceThreshold`, and outputs `confidence` [n, nc],
/// objectness · class, and `coordinates` [n, 4], centre and size as parts of the image's sides.
/// With ExportOptions::mlmodel: one file instead, a network of the older form for iOS 13 and macOS
/// 10.15 (with suppression iOS 14), with the same inputs and outputs.
/// With ExportOptions::int8 weights are palettes (coreml_program.hpp), for iOS 16 and macOS 13.
/// float16 is that of weights and of what is computed with them; decoding is in float32.
/// Errors: a batch of more than one, more than 2 GB of program, weights that float16 cannot hold.
void write_coreml(const ExportModel& model, const ExportOptions& options,
                  const std::filesystem::path& path);

}  // namespace yolov7::exporting
