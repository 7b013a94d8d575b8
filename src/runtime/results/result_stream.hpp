#pragma once
// A text file of results that grows while a run goes on.
#include <filesystem>
#include <fstream>
#include <string_view>

namespace yolov7::runtime {

/// What stood under the name is replaced, never written into: it may be a link to something else.
/// Every call can throw: the file cannot be written.
class ResultStream {
 public:
  /// `goes_on`: behind what an earlier stream of this run wrote there.
  explicit ResultStream(const std::filesystem::path& path, bool goes_on = false);
  void write(std::string_view text);
  void flush();
  void close();

 private:
  void check() const;
  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace yolov7::runtime
