#include "evaluation/batch_pictures.hpp"

#include <opencv2/imgproc.hpp>

#include "image/drawing/contact_sheet.hpp"

namespace yolov7::evaluation {
namespace {

cv::Mat picture_of(const dataset::Batch& batch, int index) {
  const std::size_t plane =
      static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
  // OpenCV wants writable pointers for views that are only read here.
  auto* start =
      const_cast<std::uint8_t*>(batch.pixels.data()) + static_cast<std::size_t>(index) * 3 * plane;
  const auto view = [&](std::size_t channel) {
    return cv::Mat(batch.height, batch.width, CV_8U, start + channel * plane);
  };
  const std::vector<cv::Mat> planes = {view(2), view(1), view(0)};
  cv::Mat bgr;
  cv::merge(planes, bgr);
  return bgr;
}

std::vector<SheetPicture> pictures_of(const dataset::Batch& batch, const dataset::Index& index) {
  std::vector<SheetPicture> sheet;
  for (int i = 0; i < std::min(batch.count, static_cast<int>(contact_sheet_pictures)); ++i)
    sheet.push_back({picture_of(batch, i),
                     {},
                     index.entries[batch.origins[static_cast<std::size_t>(i)].entry]
                         .picture.filename()
                         .string()});
  return sheet;
}

}  // namespace

cv::Mat label_sheet(const dataset::Batch& batch, const dataset::Index& index) {
  std::vector<SheetPicture> sheet = pictures_of(batch, index);
  for (const auto& [sample, class_index, cx, cy, w, h] : batch.targets) {
    const auto i = static_cast<std::size_t>(sample);
    if (i < sheet.size())
      sheet[i].detections.push_back({to_pixels({cx, cy, w, h}, batch.width, batch.height), 1.0f,
                                     static_cast<int>(class_index)});
  }
  DrawOptions options;
  options.hide_conf = true;
  return contact_sheet(sheet, index.names, options);
}

cv::Mat prediction_sheet(const dataset::Batch& batch, std::span<const NmsResult> predictions,
                         const dataset::Index& index) {
  std::vector<SheetPicture> sheet = pictures_of(batch, index);
  for (std::size_t i = 0; i < sheet.size(); ++i)
    for (const Detection& d : predictions[i].detections)
      if (d.score > 0.25f) sheet[i].detections.push_back(d);
  return contact_sheet(sheet, index.names, {});
}

}  // namespace yolov7::evaluation
