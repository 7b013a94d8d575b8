#pragma once
// A new version from a folder.
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "versions/snapshot.hpp"
#include "versions/store.hpp"
#include "versions/working_set.hpp"

namespace yolov7::versions {

struct CreateOptions {
  std::filesystem::path store;   ///< made where there is none
  std::filesystem::path source;  ///< a data.yaml, or a folder or file of any annotation format
  std::string from = "auto";     ///< its format
  std::string name;              ///< of the data set; "" = the name of its folder
  std::string message, author;   ///< author "" = the user's name
  bool recheck = false;          ///< read every file, whatever size and times say
  int threads = 0;               ///< 0 = usable cores
  std::stop_token stop = {};
  /// Looks at what was read before anything is written; may be empty. What it throws ends the call.
  std::function<void(const WorkingSet&)> accept = {};
};

struct Created {
  Entry entry;
  bool already_there = false;                  ///< the newest version of the name has this content
  Snapshot snapshot;                           ///< its counts; content and texts are empty
  std::optional<dataset::Conversion> account;  ///< of another format than data.yaml
  bool unpacked = false;                       ///< its images come out of annotation files
};

/// Errors: those of reading the source; a file that cannot be read or changes meanwhile; a full
/// disk; stopped_error(). The store is then as it was, but for objects that `gc` removes.
Created create(const CreateOptions& options);

std::string user_name();
/// The name of a folder with "_" for what require_name() does not take.
std::string name_of_folder(const std::filesystem::path& folder);

}  // namespace yolov7::versions
