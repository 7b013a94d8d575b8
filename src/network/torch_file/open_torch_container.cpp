#include "network/torch_file/open_torch_container.hpp"

#include <fmt/format.h>

#include <fstream>

#include "core/error.hpp"
#include "network/torch_file/foreign.hpp"
#include "network/torch_file/legacy_container.hpp"
#include "network/torch_file/zip_container.hpp"

namespace yolov7::network {

std::unique_ptr<TorchContainer> open_torch_container(const std::filesystem::path& path) {
  std::string first(300, '\0');
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return std::make_unique<ZipContainer>(path);  // which says what is wrong
  if (std::ifstream in(path, std::ios::binary); in) {
    in.read(first.data(), static_cast<std::streamsize>(first.size()));
    first.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (LegacyContainer::begins_one(first)) return std::make_unique<LegacyContainer>(path);
  if (first.size() > 262 && first.compare(257, 5, "ustar") == 0)
    throw Error(fmt::format("{}: the tar-based format of PyTorch before 0.1.11 is unsupported",
                            path.string()));
  if (const std::string found = foreign_file(first, path); !found.empty())
    throw Error(fmt::format("{}: expected a checkpoint, found {}", path.string(), found));
  return std::make_unique<ZipContainer>(path);
}

}  // namespace yolov7::network
