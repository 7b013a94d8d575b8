#pragma once
// ONNX files in ONNX Runtime.
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/openvino/model_file.hpp"

namespace yolov7::runtime {

/// `names`: of the classes, for a file that has none. Errors: as open_model_file(); the file is of
/// another format than ONNX; a precision other than the file's own; no library of ONNX Runtime.
ModelFile open_ort_file(const std::filesystem::path& path, const DetectorOptions& options,
                        const std::vector<std::string>& names = {});

}  // namespace yolov7::runtime
