#include <fmt/format.h>

#include <filesystem>
#include <limits>

#include "cli/verb.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

namespace yolov7::cli {

std::string make_run_folder(const std::string& project, const std::string& name, bool exist_ok) {
  namespace fs = std::filesystem;
  if (name.empty()) throw usage_error("--name: expected a folder name, found an empty text");
  const fs::path first = fs::path(project) / name;
  file::make_folder(first.parent_path().empty() ? fs::path(".") : first.parent_path());
  if (exist_ok) {
    file::make_folder(first);
    return first.string();
  }
  // The largest number directly behind the name in the last path component, plus one; 2 if there is
  // none.
  const std::string stem = first.filename().string();
  for (;;) {
    std::error_code error;
    if (fs::create_directory(first, error)) return first.string();
    long long largest = 1;
    for (const fs::directory_entry& entry : fs::directory_iterator(
             first.parent_path().empty() ? fs::path(".") : first.parent_path())) {
      const std::string other = entry.path().filename().string();
      if (other.size() <= stem.size() || other.rfind(stem, 0) != 0) continue;
      if (const auto number = text::parse_int(std::string_view(other).substr(stem.size())))
        largest = std::max<long long>(largest, *number);
    }
    if (largest == std::numeric_limits<long long>::max())
      throw Error(
          fmt::format("{}{}: expected a number that has another one above it, so that the "
                      "next folder can be made; use another --name",
                      first.string(), largest));
    const fs::path next = first.parent_path() / fmt::format("{}{}", stem, largest + 1);
    // Another process may take the same name in between: then look again.
    if (fs::create_directory(next, error)) return next.string();
    if (error)
      throw Error(fmt::format("{}: cannot make this folder: {}", next.string(), error.message()));
  }
}

}  // namespace yolov7::cli
