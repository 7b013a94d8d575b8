#pragma once
// TorchScript files: written from a network, and run (export 7).
#include <filesystem>

#include "exporting/torchscript.hpp"

namespace yolov7::nn {

/// See exporting::ScriptLibrary. The metadata stands in the file as config.txt, JSON with texts as
/// values.
void write_script(const exporting::ExportModel& model, const exporting::ExportOptions& options,
                  const exporting::Metadata& metadata, bool lite,
                  const std::filesystem::path& path);

/// Such a file is a program, which LibTorch's interpreter runs. Computes in the types of the
/// file. Errors, before anything of the file is run: a precision other than float32, no
/// TorchScript, no config.txt with layout, names and stride in it. Then: what LibTorch reports;
/// outputs that do not fit the metadata.
runtime::ModelFile open_script(const std::filesystem::path& path,
                               const runtime::DetectorOptions& options);

}  // namespace yolov7::nn
