#include "evaluation/report/worst_pictures.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/log.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/contact_sheet.hpp"
#include "image/drawing/text.hpp"

namespace yolov7::evaluation {
namespace {

Detection shown(const Ltwh& box, double score, std::int64_t class_index) {
  Detection d;
  d.box = {box.left, box.top, box.left + box.width, box.top + box.height};
  d.score = static_cast<float>(score);
  d.class_index = static_cast<int>(class_index);
  return d;
}

}  // namespace

cv::Mat worst_pictures(const ValidationResult& result, const dataset::Index& index,
                       const std::vector<std::string>& names) {
  if (!result.analyses.breakdown) return {};
  // Two names for each class: what was missed, what was found although it is not there.
  std::vector<std::string> titles;
  for (const char* kind : {"missed", "false"})
    for (std::size_t c = 0; c < names.size(); ++c)
      titles.push_back(fmt::format("{} {}", kind, class_label(static_cast<int>(c), names)));
  const auto classes = static_cast<std::int64_t>(names.size());
  std::vector<SheetPicture> pictures;
  for (const PictureErrors& one : result.analyses.breakdown->pictures) {
    if (pictures.size() == contact_sheet_pictures ||
        (one.missed_objects.empty() && one.false_boxes.empty()))
      break;
    const dataset::Entry& entry = index.entries.at(static_cast<std::size_t>(one.image - 1));
    try {
      SheetPicture picture{read_picture(entry.picture),
                           {},
                           fmt::format("{}: {} missed, {} false", entry.picture.filename().string(),
                                       one.missed, one.false_detections)};
      for (const CocoAnnotation& object : one.missed_objects)
        picture.detections.push_back(shown(object.box, 1, object.category - 1));
      for (const CocoDetection& d : one.false_boxes)
        picture.detections.push_back(shown(d.box, d.score, classes + d.category - 1));
      pictures.push_back(std::move(picture));
    } catch (const Error& error) {
      log::warning(fmt::format("the sheet of the worst images: {}", error.what()));
    }
  }
  DrawOptions draw;
  draw.hide_conf = true;
  return pictures.empty() ? cv::Mat() : contact_sheet(pictures, titles, draw);
}

}  // namespace yolov7::evaluation
