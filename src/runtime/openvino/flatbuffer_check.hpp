#pragma once
// Whether a TensorFlow Lite file is whole as a FlatBuffer (flatbuffers.dev, "FlatBuffer
// Internals"), told before a reader of others gets it.
#include <filesystem>
#include <string>

namespace yolov7::runtime {

/// Walks the tables of the schema that a model has, without reading tensors. "" where every offset
/// leads into the file, every list ends in it, what every model has is there, constants have the
/// bytes of their shapes, and the channels of each convolution's filter divide those of its input;
/// else the field that was expected, and what was found. Error: the file cannot be read.
std::string tflite_fault(const std::filesystem::path& path);

}  // namespace yolov7::runtime
