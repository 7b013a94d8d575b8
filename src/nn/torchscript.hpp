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
/// file. What config.txt does not tell (files of other programs have none, or one of their own) is
/// found by its outputs for black images, and said: the layout; the sides, since traced files have
/// those of their tracing baked in; names by their number. Errors, before anything of the file is
/// run: a precision other than float32, no TorchScript, code that reaches out of a network
/// (nn/script_code.hpp), a layout or stride that there is not. Then: what LibTorch reports; no
/// sides that the file takes; outputs that do not fit the metadata.
runtime::ModelFile open_script(const std::filesystem::path& path,
                               const runtime::DetectorOptions& options,
                               const std::vector<std::string>& names = {});

/// The values in such a file, by the places of the operations that make them.
std::unique_ptr<runtime::InnerValues> script_values(const std::filesystem::path& path);

}  // namespace yolov7::nn
