#pragma once
// Command lines that stand under the options of a verb: in --help, on its reference page and in its
// manual page.
#include <string_view>
#include <vector>

namespace yolov7::cli {

/// Of the verb with these words ("dataset check"). They share the names of their files: data/ is a
/// data set, images/ a folder of images, best.pt a trained network.
std::vector<std::string_view> examples_of(std::string_view title);

}  // namespace yolov7::cli
