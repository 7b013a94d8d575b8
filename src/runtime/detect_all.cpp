#include "runtime/detect_all.hpp"

#include "runtime/tiles.hpp"

namespace yolov7::runtime {

std::vector<DetectResult> detect_all(Detector& detector, std::span<const cv::Mat> pictures,
                                     const LookOptions& options, DetectBuffers& buffers) {
  if (options.tile <= 0)
    return detect_whole(detector, pictures, options.image_size, options.nms, buffers);
  std::vector<DetectResult> results;
  for (const cv::Mat& picture : pictures)
    results.push_back(detect_tiled(detector, picture, options, buffers));
  return results;
}

}  // namespace yolov7::runtime
