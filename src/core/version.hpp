#pragma once
// The program's version. It stands once, in the project() call of CMakeLists.txt.
#include <string_view>

namespace yolov7 {

/// "major.minor.patch".
std::string_view program_version();

}  // namespace yolov7
