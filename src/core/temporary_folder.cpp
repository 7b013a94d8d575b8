#include "core/temporary_folder.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <system_error>

#include "core/error.hpp"

namespace yolov7 {
namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder(const std::string& name) {
  const fs::path parent = fs::temp_directory_path();
  std::string pattern = (parent / (name + "-XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw Error(fmt::format("{}: cannot make a folder there", parent.string()));
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace yolov7
