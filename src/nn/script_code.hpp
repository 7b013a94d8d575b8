#pragma once
// The program in a TorchScript file, looked at before LibTorch gets it.
#include <filesystem>
#include <string>
#include <string_view>

namespace yolov7::nn {

/// "" or the first word of the code that reaches out of the network: reading and writing of files,
/// code that runs while the file is loaded, operations of other libraries. Tracings and scripts of
/// detectors have none of them.
std::string outward_word(std::string_view code);

/// Looks at every text of code. Error: a word of outward_word(), with its place; what LibTorch
/// cannot read.
void require_inward_code(const std::filesystem::path& path);

}  // namespace yolov7::nn
