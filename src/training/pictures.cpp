#include "training/pictures.hpp"

#include <opencv2/imgproc.hpp>

#include "image/codec.hpp"
#include "image/contact_sheet.hpp"

namespace yolov7::training {
namespace {

cv::Mat picture_of(const dataset::Batch& batch, int index) {
  const std::size_t plane = static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
  // OpenCV wants writable pointers for views that are only read here.
  auto* start = const_cast<std::uint8_t*>(batch.pixels.data()) + static_cast<std::size_t>(index) * 3 * plane;
  const auto view = [&](std::size_t channel) { return cv::Mat(batch.height, batch.width, CV_8U, start + channel * plane); };
  const std::vector<cv::Mat> planes = {view(2), view(1), view(0)};
  cv::Mat bgr;
  cv::merge(planes, bgr);
  return bgr;
}

}  // namespace

void write_batch_picture(const std::filesystem::path& path, const dataset::Batch& batch, const std::vector<std::string>& names) {
  std::vector<SheetPicture> sheet;
  const int shown = std::min(batch.count, static_cast<int>(contact_sheet_pictures));
  for (int i = 0; i < shown; ++i) sheet.push_back({picture_of(batch, i), {}, {}});
  for (const auto& [sample, class_index, cx, cy, w, h] : batch.targets) {
    if (static_cast<int>(sample) >= shown) continue;
    const Xyxy box = to_pixels({cx, cy, w, h}, batch.width, batch.height);
    sheet[static_cast<std::size_t>(sample)].detections.push_back({box, 1.0f, static_cast<int>(class_index)});
  }
  DrawOptions options;
  options.hide_conf = true;
  write_picture(path, contact_sheet(sheet, names, options));
}

}  // namespace yolov7::training
