#pragma once
// Files of other programs, named for what they are. Nothing here decides whether a file is read:
// that is up to the containers and the pickle's allow-list.
#include <filesystem>
#include <string>
#include <string_view>

namespace yolov7::network {

/// "ultralytics (YOLOv8 or later)" for "ultralytics.nn.tasks.DetectionModel": the program whose
/// checkpoints name such classes; "" = unknown.
std::string_view foreign_program(std::string_view class_path);

/// What a file is that begins so and is no checkpoint, and what to do about it: "an ONNX model: …";
/// "" = unknown. Content decides; the extension only where a format has no mark of its own.
std::string foreign_file(std::string_view first_bytes, const std::filesystem::path& path);

}  // namespace yolov7::network
