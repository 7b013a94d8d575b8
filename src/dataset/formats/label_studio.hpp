#pragma once
// Pieces of Label Studio's JSON that files and servers share.
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::dataset {

/// A region in percent of the image, for the controls "label" (rectangles) and "polygon"; `number`
/// makes the id of an object that has none.
nlohmann::json label_studio_region(const AnnotatedObject& object, const AnnotatedImage& image,
                                   const std::string& class_name, std::size_t number);
/// A labelling configuration with these two controls for the image `$image`.
std::string label_studio_config(const std::vector<std::string>& classes);

}  // namespace yolov7::dataset
