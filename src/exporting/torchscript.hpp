#pragma once
// TorchScript: LibTorch writes and reads these files, in a library that the program loads when one
// is asked for (export 7).
#include <filesystem>

#include "exporting/export_model.hpp"
#include "runtime/openvino/inner_values.hpp"
#include "runtime/openvino/model_file.hpp"

namespace yolov7::exporting {

/// LibTorch's part.
struct ScriptLibrary {
  /// `form` of the model is raw or decoded. `lite`: for the interpreter of mobile devices.
  void (*write)(const ExportModel& model, const ExportOptions& options, const Metadata& metadata,
                bool lite, const std::filesystem::path& path);
  /// `names`: of the classes, for a file that has none.
  runtime::ModelFile (*open)(const std::filesystem::path& path,
                             const runtime::DetectorOptions& options,
                             const std::vector<std::string>& names);
  /// By the names that write() leaves (ExportModel::value_names).
  std::unique_ptr<runtime::InnerValues> (*inner_values)(const std::filesystem::path& path);
};

/// Suppression is left out. Batch, height and width of the file are open. Errors: the model has no
/// script library; a weight that float16 cannot hold.
void write_torchscript(const ExportModel& model, const ExportOptions& options,
                       const std::filesystem::path& path);
/// The same for PyTorch Mobile, which has an interpreter of its own.
void write_torchscript_lite(const ExportModel& model, const ExportOptions& options,
                            const std::filesystem::path& path);

}  // namespace yolov7::exporting
