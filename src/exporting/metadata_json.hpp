#pragma once
#include <string>

#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// An object of texts in the order of the keys, a pair a line.
std::string metadata_json(const Metadata& metadata);

}  // namespace yolov7::exporting
