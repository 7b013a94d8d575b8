#pragma once
// Network, hyper-parameter and data-set files that are part of the program, found by base name.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7 {

/// The built-in file that a path means: "cfg/training/yolov7-tiny.yaml", "yolov7-tiny" and
/// "data/hyp.scratch.tiny.yaml" all work without files. Where training and deploy files share a
/// base name, a "deploy" component in the path chooses.
std::optional<std::string_view> builtin_file(std::string_view path);
/// Where that file stands in configs/ ("deploy/yolov7-tiny.yaml"); "" = none is meant.
std::string_view builtin_path(std::string_view path);
/// Base names (without extension) in a folder: "training", "deploy", "hyp", "data".
std::vector<std::string> builtin_names(std::string_view folder);

/// Where a file stands that is delivered beside the program because it is too large to be part of
/// it: ../share/yolov7/<relative> from the folder of the library, in a build folder as in an
/// installation. The file need not be there.
std::filesystem::path delivered_file(const std::filesystem::path& relative);

}  // namespace yolov7
