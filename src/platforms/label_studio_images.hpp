#pragma once
// The images of Label Studio's tasks: from a folder of the user, or from the server.
#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

#include "platforms/label_studio.hpp"

namespace yolov7::platforms {

class TaskImages {
 public:
  /// `folder`: where images may lie, or empty. They are put below `work`/images, one folder a task;
  /// what an earlier call left there is taken.
  TaskImages(LabelStudio& server, const std::filesystem::path& folder,
             const std::filesystem::path& work);

  /// The image's path relative to `work`; "" with a `fault` where there is none. `written`: the
  /// member of the task's data; `name` and `key`: what the push wrote down, or "".
  std::string get(std::int64_t task, const std::string& written, const std::string& name,
                  const std::string& key, std::string& fault);
  std::size_t here() const { return here_; }
  std::size_t fetched() const { return fetched_; }

 private:
  bool take_from_folder(const std::string& hash, const std::string& name,
                        const std::filesystem::path& target);
  std::string fetch(const std::string& written, const std::string& hash,
                    const std::filesystem::path& target);

  LabelStudio& server_;
  std::filesystem::path work_;
  std::unordered_multimap<std::string, std::filesystem::path> by_name_;
  std::size_t here_ = 0, fetched_ = 0;
};

}  // namespace yolov7::platforms
