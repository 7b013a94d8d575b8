#pragma once
// Whether a YAML file describes a data set (data 1), before any of its paths is looked at.
#include <filesystem>

namespace yolov7::dataset {

/// False where it has neither `names` nor `nc`. Errors (file, line, column): no YAML, no mapping;
/// classes that are wrong (`names` and `nc` that disagree, numbers with gaps), a wrong `kpt_shape`.
bool describes_data(const std::filesystem::path& path);

}  // namespace yolov7::dataset
