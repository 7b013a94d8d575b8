#pragma once
// A model file as OpenVINO has it. Included where OpenVINO is.
#include <filesystem>
#include <memory>

namespace ov {
class Core;
class Model;
}  // namespace ov

namespace yolov7::runtime {

/// Of a file, or of a folder (SavedModel, OpenVINO). Errors: what OpenVINO cannot read.
std::shared_ptr<ov::Model> read_model_file(ov::Core& core, const std::filesystem::path& path);

}  // namespace yolov7::runtime
