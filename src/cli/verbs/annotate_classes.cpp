#include "cli/verbs/annotate_classes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/arrange/class_map.hpp"
#include "image/boxes/nms.hpp"

namespace yolov7::cli {
namespace {

int place_of(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

}  // namespace

AnnotateClasses annotate_classes(const std::vector<std::string>& teacher,
                                 const std::vector<std::string>& map,
                                 const std::vector<std::string>& known, const std::string& known_of,
                                 bool drop_unknown) {
  const dataset::ClassMap mapped =
      dataset::join_classes({{"the teacher", teacher}}, dataset::parse_class_changes(map));
  AnnotateClasses classes;
  classes.names = known.empty() ? mapped.names : known;
  std::vector<int> teachers(classes.names.size(), 0);
  for (std::size_t k = 0; k < teacher.size(); ++k) {
    int place = mapped.of[0][k];
    if (place >= 0) {
      const std::string& name = mapped.names[static_cast<std::size_t>(place)];
      place = place_of(classes.names, name);
      if (place < 0 && !drop_unknown)
        throw Error(fmt::format(
            "expected the classes of {} ({}), found '{}' of the teacher{}; {} '{}=NAME' renames "
            "it, '{}=' leaves it out, {} leaves out all such classes",
            known_of, text::printable(text::join(known, ", ")), text::printable(name),
            text::did_you_mean(name, known), setting_name("map"), text::printable(teacher[k]),
            text::printable(teacher[k]), setting_name("drop-unknown")));
    }
    classes.of.push_back(place);
    if (place < 0)
      classes.left_out.push_back(teacher[k]);
    else
      classes.merged |= ++teachers[static_cast<std::size_t>(place)] > 1;
  }
  for (std::size_t k = 0; k < classes.names.size(); ++k)
    if (teachers[k] == 0) classes.untaught.push_back(classes.names[k]);
  if (classes.left_out.size() == teacher.size())
    throw Error(
        fmt::format("expected a class of {} that the teacher knows, found none: it knows {}",
                    known_of, text::printable(text::join(teacher, ", "))));
  return classes;
}

std::vector<Detection> renamed(const std::vector<Detection>& detections,
                               const AnnotateClasses& classes, double iou_thres) {
  std::vector<Detection> kept;
  for (Detection one : detections) {
    one.class_index = classes.of[static_cast<std::size_t>(one.class_index)];
    if (one.class_index >= 0) kept.push_back(one);
  }
  sort_by_score(kept);
  if (!classes.merged) return kept;
  NmsOptions options;
  options.iou_thres = iou_thres;
  options.max_det = static_cast<int>(kept.size());
  return select_detections({&kept, 1}, options);
}

}  // namespace yolov7::cli
