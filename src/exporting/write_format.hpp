#pragma once
// One file of an export from its emitter to its final name: written beside, read back, compared
// with the network that it came from, then renamed; and its certificate.
#include <cstdint>
#include <filesystem>
#include <string>

#include "exporting/file_check.hpp"
#include "exporting/format_table.hpp"

namespace yolov7::exporting {

struct WrittenFormat {
  std::filesystem::path path, certificate;
  std::uint64_t bytes = 0;  ///< of all files of the model
  FileCheck check;
  std::string command;  ///< what uses it
  std::string content;  ///< of the certificate, JSON
};

/// folder / file name of the format for these weights; the name ends before its last suffix.
std::filesystem::path final_path(const Format& format, const ExportOptions& options);

/// Replaces what an earlier export left at `path`, and its certificate; and removes what killed
/// exports left beside it. `verification`: none = not compared. Errors: what the emitter reports; a
/// full disk; the file is not its parent, with the operation at which it becomes another detector.
/// Then nothing is at `path` that was not there before.
WrittenFormat write_format(const Format& format, const ExportModel& model,
                           const ExportOptions& options, const std::filesystem::path& path,
                           const Verification* verification);

}  // namespace yolov7::exporting
