#pragma once
// Stands between the writers and the files: no result replaces a source, and none replaces another
// result of the same run.
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace yolov7 {

/// Knows the sources by device and inode, and by folder and name, so that links of both kinds are
/// seen; and the results that were claimed. From any thread.
class OutputGuard {
 public:
  /// `what` the file is to the user: "--weights". What does not exist is left out.
  void protect(const std::filesystem::path& source, const std::string& what);
  /// Before a result is written, removed or replaced. Results of an earlier run may be replaced.
  /// Errors (usage): it is a source; it is a result of this run already.
  void claim(const std::filesystem::path& result);
  /// The same for one of many numbered results (frames, crops), whose names cannot be equal among
  /// themselves: it is not remembered, so that a stream's run does not grow.
  void check(const std::filesystem::path& result) const;
  /// Whether claim() would take it.
  bool allows(const std::filesystem::path& result) const;

 private:
  using File = std::pair<dev_t, ino_t>;
  static std::optional<File> file_of(const std::filesystem::path& path);
  std::string place(const std::filesystem::path& path) const;
  std::string complaint(const std::filesystem::path& path) const;

  mutable std::mutex mutex_;
  std::map<File, std::string> files_;                    // what they are to the user
  std::unordered_map<std::string, std::string> places_;  // the same
  std::unordered_set<std::string> results_;              // places
  mutable std::unordered_map<std::string, std::string> real_folders_;
};

}  // namespace yolov7
