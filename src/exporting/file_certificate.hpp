#pragma once
// What is written beside an exported file: what it is, what it was written from and how, what it
// was compared with, and what came out (export 0). The time of checking stands here alone, so that
// model files of two exports are equal to the byte.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "exporting/file_check.hpp"

namespace yolov7::exporting {

/// `written`: where the file is now; `place`: where it will be. Errors: it cannot be read,
/// stopped_error().
nlohmann::json file_certificate(const Format& format, const ExportModel& model,
                                const ExportOptions& options, const FileCheck& check,
                                const std::filesystem::path& written,
                                const std::filesystem::path& place, const std::stop_token& stop);

/// A certificate that was read.
struct CertifiedFile {
  const Format* format = nullptr;
  ExportOptions options;               ///< how it was written; no paths
  std::filesystem::path weights;       ///< where they were, seen from the certificate's folder
  std::filesystem::path images, data;  ///< the same; empty = there were none
  std::string weights_sha256, verdict, date;
  struct Part {
    std::string name, sha256;
  };
  std::vector<Part> parts;  ///< files, or the only one
};
/// Error: it is no certificate of an export, or a damaged one; with `source` in front.
CertifiedFile read_file_certificate(const nlohmann::json& certificate, const std::string& source);

/// What changed since the certificate, a line each: "best.onnx: SHA-256 … in the certificate, …
/// found". Errors: a file that cannot be read, stopped_error().
std::vector<std::string> changed_parts(const CertifiedFile& certified,
                                       const std::filesystem::path& file,
                                       const std::stop_token& stop);

}  // namespace yolov7::exporting
