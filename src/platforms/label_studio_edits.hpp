#pragma once
// How much of a prediction people had to change, from what Label Studio keeps of it.
#include <nlohmann/json_fwd.hpp>

#include "platforms/edits.hpp"

namespace yolov7::platforms {

/// What became of the regions of a prediction in the annotation that began with it, told apart by
/// their id. `result`s as Label Studio has them; what has no place in the image is no region.
Edits edits_of(const nlohmann::json& prediction, const nlohmann::json& annotation);

}  // namespace yolov7::platforms
