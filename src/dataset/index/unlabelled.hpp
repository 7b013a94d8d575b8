#pragma once
// Images that nobody has labelled, for a training beside those that are.
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/index/index.hpp"

namespace yolov7::dataset {

/// The images of a folder, a list or one image, whatever labels lie beside them. Those that cannot
/// be read are problems, counted as corrupt. `identity` is that of the images. Errors: no usable
/// image; those of collect_pictures(); stopped_error().
Index read_unlabelled(const std::string& path, const std::vector<std::string>& names, bool recheck,
                      const std::stop_token& stop);

}  // namespace yolov7::dataset
