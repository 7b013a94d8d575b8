#pragma once
// Pieces of Label Studio's JSON that files and servers share.
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::dataset {

/// A region in percent of the image, for the controls "label" (rectangles) and "polygon"; `number`
/// makes the id of an object that has none. Key points are regions of their own
/// (label_studio_points()), unless they stand in `meta`: where the project has no control for them.
nlohmann::json label_studio_region(const AnnotatedObject& object, const AnnotatedImage& image,
                                   const std::string& class_name, std::size_t number,
                                   bool points_in_meta = false);
/// A labelling configuration with these two controls for the image `$image`.
/// `points`: names of key points, which need a control of their own.
std::string label_studio_config(const std::vector<std::string>& classes,
                                const std::vector<std::string>& points = {});
/// The key points of an object as regions that name its own one as their parent.
std::vector<nlohmann::json> label_studio_points(const AnnotatedObject& object,
                                                const AnnotatedImage& image,
                                                const nlohmann::json& region);

}  // namespace yolov7::dataset
