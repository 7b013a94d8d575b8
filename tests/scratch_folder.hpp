#pragma once
// What nearly every test needs: a folder of its own, files as text, and the message of an error.
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

#include "core/error.hpp"

namespace yolov7::test {

/// Parents are made.
inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// "" where there is no file.
inline std::string read_text(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Removed at the end. Its name has a space, a colon and a letter beyond ASCII, as users' folders
/// do.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& name = "yolov7:tëst") {
    std::string pattern =
        (std::filesystem::canonical(std::filesystem::temp_directory_path()) / (name + " XXXXXX"))
            .string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }
  /// Parents are made.
  std::filesystem::path write(const std::filesystem::path& name, const std::string& content) const {
    write_text(path_ / name, content);
    return path_ / name;
  }
  std::string read(const std::filesystem::path& name) const { return read_text(path_ / name); }
  /// Entries, folders counted as one each.
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_),
                                                  std::filesystem::directory_iterator{}));
  }

 private:
  std::filesystem::path path_;
};

/// The message of the yolov7::Error that `action` throws; "no error" if it throws none.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace yolov7::test
