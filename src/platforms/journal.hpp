#pragma once
// What was sent to a server and how it is called there: an SQLite file, so that an upload which was
// broken off goes on without sending anything twice.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/database.hpp"

namespace yolov7::platforms {

class Journal {
 public:
  /// Opens or makes the file; `place`: service, server and project, which keeps several apart in
  /// one file. Errors name the file: it cannot be made, it is something else.
  Journal(const std::filesystem::path& file, std::string place);

  /// "" = nothing is known.
  std::string get(const std::string& key, const std::string& step) const;
  /// On the disk when the call returns.
  void set(const std::string& key, const std::string& step, const std::string& value);
  void set_all(const std::map<std::string, std::string>& values, const std::string& step);

  const std::filesystem::path& file() const { return database_.path(); }

 private:
  std::string place_;
  mutable Database database_;
};

/// `given`, or .yolov7/platforms.sqlite in the folder of `source`, which readers of data sets pass
/// over. The folder is made. Error: it cannot be written.
std::filesystem::path journal_file(const std::string& given, const std::filesystem::path& source);

}  // namespace yolov7::platforms
