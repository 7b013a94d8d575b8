#pragma once
// Model repositories of Triton Inference Server and of OpenVINO Model Server, and the configuration
// of DeepStream, around the files of an export (export 8).
#include <filesystem>
#include <string>
#include <vector>

#include "exporting/format_table.hpp"
#include "exporting/serving_tensors.hpp"

namespace yolov7::exporting {

/// A written file, and the format that it has.
struct ExportedFile {
  const Format* format = nullptr;
  std::filesystem::path path;
};

struct ServedFile {
  std::string server;          ///< "triton", "ovms", "deepstream"
  std::string name;            ///< of the model
  std::filesystem::path path;  ///< the model's folder, or the configuration
  std::string command;         ///< what starts the server, or builds what is still missing
};

/// Refused before anything is written: Error (usage) where --triton, --ovms or --deepstream is
/// given and the options make a file that the server cannot run, or a folder that is to be replaced
/// holds the weights, the images or --out.
void check_serving(const ExportOptions& options, std::span<const Format* const> chosen);

/// Everything that ExportOptions::triton, ovms and deepstream ask for, of the formats that honour
/// the option. A model's folder from an
/// earlier export is replaced, other models in a repository stay. Errors: a folder of another kind
/// is in the way, a damaged config.json, a file cannot be written.
std::vector<ServedFile> write_served(const std::vector<ExportedFile>& files,
                                     const ExportModel& model, const ExportOptions& options);

/// The name under which a server offers the format's file: of the weights, followed by the format
/// where several chosen formats are offered, or would be if none of them had failed.
std::string served_name(const ExportOptions& options, const Format& format, bool several);
/// Text of config.pbtxt, ModelConfig of Triton's model_config.proto. `most`: images of a batch.
std::string triton_config(const Format& format, const ServedModel& served, const std::string& name,
                          const Metadata& metadata, int most);
/// Text of DeepStream's configuration of nvinfer for the engine's ONNX file.
std::string deepstream_config(const ExportModel& model, const ExportOptions& options,
                              const std::filesystem::path& onnx,
                              const std::filesystem::path& labels);

}  // namespace yolov7::exporting
