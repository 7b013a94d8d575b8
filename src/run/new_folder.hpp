#pragma once
// A run folder that is gone again where the run never began.
#include <filesystem>
#include <utility>

namespace yolov7::run {

/// Of a folder that this process has just made: the destructor removes it, with the files of a run
/// that was being prepared, unless keep() was called. A folder with any other file in it stays.
class NewFolder {
 public:
  explicit NewFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  ~NewFolder();
  void keep() { folder_.clear(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace yolov7::run
