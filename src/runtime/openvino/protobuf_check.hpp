#pragma once
// Whether a file is whole as a protocol buffer (protobuf.dev, "Encoding"), told before a reader of
// others gets it: theirs report a fault by line numbers of their own source.
#include <cstdint>
#include <filesystem>
#include <string>

namespace yolov7::runtime {

enum class ProtobufKind {
  onnx,          ///< ModelProto of onnx.proto
  saved_model,   ///< SavedModel of saved_model.proto
  frozen_graph,  ///< GraphDef of graph.proto
};

/// Walks the messages that a file of this kind consists of, without reading tensors. "" where
/// every length fits, texts are UTF-8, and what no such file lacks is there; else what is wrong and
/// at which byte. Error: the file cannot be read.
std::string protobuf_fault(const std::filesystem::path& path, ProtobufKind kind);

}  // namespace yolov7::runtime
