#include "runtime/results/detection_table.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace yolov7::runtime {

std::string detection_row(const Frame& frame, const Detection& d, const std::string& class_name) {
  const bool picture = frame.origin->kind == FrameKind::picture;
  return fmt::format("{},{},{:.3f},{},{},{:.5f},{:.3f},{:.3f},{:.3f},{:.3f},{}\n",
                     text::csv(frame.origin->name), picture ? 0 : frame.number, frame.seconds,
                     d.class_index, text::csv(class_name), d.score, d.box.x1, d.box.y1, d.box.x2,
                     d.box.y2, d.track > 0 ? fmt::format("{}", d.track) : "");
}

DetectionTable::DetectionTable(const std::filesystem::path& path, std::vector<std::string> names)
    : file_(path), names_(std::move(names)) {
  file_.write(detection_table_header);
}

void DetectionTable::write(const Frame& frame, const std::vector<Detection>& detections) {
  for (const Detection& d : detections)
    file_.write(detection_row(frame, d, names_.at(static_cast<std::size_t>(d.class_index))));
  file_.flush();
}

}  // namespace yolov7::runtime
