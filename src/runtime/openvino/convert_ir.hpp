#pragma once
// A model file that OpenVINO reads as OpenVINO IR.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace yolov7::runtime {

struct IrOptions {
  bool half = false;  ///< weights are stored as float16, arithmetic stays as it is
  /// Section, key and value of what the file tells of itself (rt_info).
  struct Info {
    std::string section, key, value;
  };
  std::vector<Info> info;
};

/// Writes `xml` and, beside it, the .bin. Errors: what OpenVINO cannot read or write; this build
/// has no OpenVINO.
void convert_to_ir(const std::filesystem::path& model, const std::filesystem::path& xml,
                   const IrOptions& options);

}  // namespace yolov7::runtime
