#pragma once
// A model that wants images in 0 … 1 made one that takes their bytes. Included where OpenVINO is.
#include <memory>

namespace ov {
class Model;
}

namespace yolov7::runtime {

/// Bytes go in, [count, 3, height, width], R G B planes; the model wants 0 … 1 in its own order
/// (`channels_last`: [B, H, W, 3]) and type. All outputs become float32. The given model stays as
/// it is.
std::shared_ptr<ov::Model> with_bytes(const ov::Model& model, bool channels_last, int count,
                                      int height, int width);

}  // namespace yolov7::runtime
