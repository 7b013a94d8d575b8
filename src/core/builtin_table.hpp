#pragma once
// The embedded files of configs/; builtin.hpp finds them by name.
#include <string_view>
#include <vector>

namespace yolov7 {

struct BuiltinEntry {
  std::string_view path;  ///< relative to configs/: "training/yolov7-tiny.yaml"
  std::string_view text;
};
const std::vector<BuiltinEntry>& builtin_table();

}  // namespace yolov7
