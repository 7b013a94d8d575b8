#pragma once
// The lines that build a TensorRT engine from an exported ONNX file (export 8).
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// For TensorRT 8.6 to 10. `engine`: what is built; empty = beside the file, with its name.
std::string trtexec_line(const ExportModel& model, const ExportOptions& options,
                         const std::filesystem::path& onnx,
                         const std::filesystem::path& engine = {});

/// The versions, and the line for each: options of trtexec came and went.
std::vector<std::pair<std::string, std::string>> trtexec_lines(
    const ExportModel& model, const ExportOptions& options, const std::filesystem::path& onnx,
    const std::filesystem::path& engine = {});

}  // namespace yolov7::exporting
