#pragma once
// What people drew in CVAT, to be held against what was read of it.
#include <cstddef>
#include <map>
#include <string>

namespace yolov7::dataset {

/// Shapes in an export "CVAT for images 1.1", by the name of the image: all elements but tags.
/// Those that are alike count once. A skeleton that belongs to the only box of its group counts
/// with the box. Error: `xml` is none.
std::map<std::string, std::size_t> cvat_drawn(const std::string& xml, const std::string& source);

}  // namespace yolov7::dataset
