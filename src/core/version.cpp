#include "core/version.hpp"

namespace yolov7 {

std::string_view program_version() { return YOLOV7_VERSION; }

}  // namespace yolov7
