#include "compression/plan/calibration_images.hpp"

#include <memory>
#include <utility>

#include "image/codec/codec.hpp"
#include "image/letterbox.hpp"

namespace yolov7::compression {

std::vector<std::filesystem::path> some_images(std::vector<std::filesystem::path> images,
                                               std::size_t count) {
  if (images.size() <= count) return images;
  std::vector<std::filesystem::path> kept;
  for (std::size_t i = 0; i < count; ++i) kept.push_back(images[i * images.size() / count]);
  return kept;
}

CalibrationImages letterboxed(std::vector<std::filesystem::path> images, int height, int width) {
  const auto files = std::make_shared<const std::vector<std::filesystem::path>>(std::move(images));
  CalibrationImages all;
  all.count = files->size();
  all.height = height, all.width = width;
  all.name = [files](std::size_t i) { return (*files)[i].string(); };
  all.load = [files, height, width](std::size_t i, std::vector<std::uint8_t>& planes) {
    const cv::Mat bgr = read_picture((*files)[i]);
    LetterboxOptions shape;
    shape.automatic = false;
    to_planes(letterbox(bgr, letterbox_geometry(bgr.size(), {width, height}, shape)), planes);
  };
  return all;
}

}  // namespace yolov7::compression
