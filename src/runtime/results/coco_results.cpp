#include "runtime/results/coco_results.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/json.hpp"

namespace yolov7::runtime {

double rounded(double value, double parts) { return std::nearbyint(value * parts) / parts; }

std::string coco_result(const std::string& image_id, std::int64_t category_id, const Detection& d,
                        const std::string& more) {
  return fmt::format("{{\"image_id\":{},\"category_id\":{},\"bbox\":[{},{},{},{}],\"score\":{}{}}}",
                     image_id, category_id, rounded(d.box.x1, 1e3), rounded(d.box.y1, 1e3),
                     rounded(d.box.width(), 1e3), rounded(d.box.height(), 1e3),
                     rounded(static_cast<double>(d.score), 1e5), more);
}

CocoResults::CocoResults(std::filesystem::path path, std::vector<std::string> names)
    : path_(std::move(path)),
      partial_(path_.parent_path() / fmt::format(".{}.partial", path_.filename().string())),
      names_(std::move(names)),
      file_(partial_) {
  file_.write("[");
}

void CocoResults::write(const Frame& frame, const std::string& image_id,
                        const std::vector<Detection>& detections) {
  for (const Detection& d : detections) {
    std::string more =
        fmt::format(",\"file_name\":{},\"category_name\":{}", json_text(frame.origin->name),
                    json_text(names_.at(static_cast<std::size_t>(d.class_index))));
    if (frame.origin->kind != FrameKind::picture)
      more += fmt::format(",\"frame\":{},\"seconds\":{}", frame.number, frame.seconds);
    if (d.track > 0) more += fmt::format(",\"track_id\":{}", d.track);
    file_.write((first_ ? "\n" : ",\n") + coco_result(image_id, d.class_index, d, more));
    first_ = false;
  }
}

void CocoResults::finish() {
  file_.write("\n]\n");
  file_.close();
  std::filesystem::rename(partial_, path_);
}

}  // namespace yolov7::runtime
