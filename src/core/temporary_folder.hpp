#pragma once
// A folder for what is of no use after this process.
#include <filesystem>
#include <string>

namespace yolov7 {

/// <temporary folder>/<name>-XXXXXX, removed with everything in it by the destructor. Error: it
/// cannot be made.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace yolov7
