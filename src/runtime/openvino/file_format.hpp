#pragma once
// What a model file is, by its content, before a reader gets it.
#include <filesystem>
#include <string>

namespace yolov7::runtime {

enum class FileFormat { onnx, openvino, tflite, saved_model, frozen_graph, torchscript };

struct RecognisedFile {
  FileFormat format = FileFormat::onnx;
  std::filesystem::path path;  ///< what a reader is given: of an OpenVINO folder, its .xml
};

/// "an ONNX model", ….
std::string format_text(FileFormat format);

/// Nothing of the file is executed, and its tensors are not read. Errors, one line with what was
/// expected and what was found: no such file; an empty file or folder; a file of another format
/// than its name says; one that is cut or damaged, with the byte; one of a format that this program
/// does not run, with what runs it.
RecognisedFile recognise_file(const std::filesystem::path& path);

}  // namespace yolov7::runtime
