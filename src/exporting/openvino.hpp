#pragma once
// OpenVINO IR: a folder with model, weights and metadata.yaml.
#include <filesystem>

#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// The network goes through our ONNX file to OpenVINO, which writes it. Always decoded. Errors:
/// those of write_onnx(); this build has no OpenVINO.
void write_openvino(const ExportModel& model, const ExportOptions& options,
                    const std::filesystem::path& path);

}  // namespace yolov7::exporting
