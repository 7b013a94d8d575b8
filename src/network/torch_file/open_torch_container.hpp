#pragma once
// Which container a file of torch.save is.
#include <filesystem>
#include <memory>

#include "network/torch_file/torch_container.hpp"

namespace yolov7::network {

/// Chosen by the first bytes. Error for anything else, tar-based files by name.
std::unique_ptr<TorchContainer> open_torch_container(const std::filesystem::path& path);

}  // namespace yolov7::network
