#include "cli/verbs/annotate_regions.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "dataset/formats/set_marks.hpp"

namespace yolov7::cli {

dataset::AnnotatedObject machine_object(const Detection& found, const std::string& teacher,
                                        int width, int height) {
  dataset::AnnotatedObject object;
  object.class_index = found.class_index;
  object.box = clip(found.box, width, height);
  object.score = text::parse_double(text::general(found.score, 6));
  object.attributes = {{dataset::origin_attribute, std::string(dataset::machine_origin)},
                       {"teacher", teacher}};
  return object;
}

std::size_t add_doubtful_regions(std::span<const Detection> detections,
                                 const active::JudgedImage& judged, double doubt,
                                 const std::string& teacher, dataset::AnnotatedImage& image) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const Detection& one = detections[i];
    const bool label =
        std::find(judged.labels.begin(), judged.labels.end(), i) != judged.labels.end();
    if (label || one.score < static_cast<float>(doubt)) continue;
    dataset::AnnotatedObject object = machine_object(one, teacher, image.width, image.height);
    if (object.box.width() < 1 || object.box.height() < 1) continue;
    object.ignore = true;
    image.objects.push_back(std::move(object));
    ++count;
  }
  return count;
}

}  // namespace yolov7::cli
