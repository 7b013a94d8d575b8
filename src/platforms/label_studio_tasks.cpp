#include "platforms/label_studio_tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/image_output.hpp"

namespace yolov7::platforms {
using dataset::AnnotatedImage;
namespace {

constexpr std::size_t mark_length = 12;

void require_labels(const std::optional<LabelControl>& control, const char* kind,
                    const std::vector<bool>& used, const dataset::AnnotatedSet& set,
                    const LabelProject& project) {
  std::vector<std::string> lacking;
  for (std::size_t i = 0; i < used.size(); ++i)
    if (used[i] && (!control || !text::contains(control->labels, set.classes[i].name)))
      lacking.push_back("'" + text::printable(set.classes[i].name) + "'");
  if (lacking.empty()) return;
  throw Error(fmt::format(
      "project {} ({}): expected the labels {} in <{}> of its labelling configuration, found {}; "
      "add them there first",
      project.id, text::printable(project.title), text::join(lacking, ", "), kind,
      control ? "it without them" : "no such tag for an image"));
}

}  // namespace

std::vector<std::string> task_keys(const dataset::AnnotatedSet& set) {
  std::unordered_map<std::string, int> seen;
  std::vector<std::string> keys;
  for (const AnnotatedImage& image : set.images) {
    const int number = ++seen[image.content_hash];
    keys.push_back(image.content_hash + (number == 1 ? "" : fmt::format("-{}", number)));
  }
  return keys;
}

std::string mark_of(const std::string& key) {
  const std::size_t dash = key.find('-');
  return key.substr(0, mark_length) + (dash == std::string::npos ? "" : "x" + key.substr(dash + 1));
}

std::string upload_name(const AnnotatedImage& image, const std::string& key) {
  constexpr std::size_t longest = 40;  // the server cuts long names
  std::string stem = image.file.stem().string();
  std::size_t end = std::min(stem.size(), longest);
  while (end > 0 && end < stem.size() && (static_cast<unsigned char>(stem[end]) & 0xC0) == 0x80)
    --end;
  return mark_of(key) + "_" + stem.substr(0, end) + image.file.extension().string();
}

std::string mark_in(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::size_t dash = name.find('-'), line = name.find('_', dash);
  if (dash == std::string::npos || line == std::string::npos) return "";
  return name.substr(dash + 1, line - dash - 1);
}

void require_classes(const dataset::AnnotatedSet& set, const LabelProject& project) {
  std::vector<bool> boxes(set.classes.size()), polygons(set.classes.size());
  for (const AnnotatedImage& image : set.images)
    for (const dataset::AnnotatedObject& object : image.objects)
      (dataset::sole_polygon(object) != nullptr && !object.rotation
           ? polygons
           : boxes)[static_cast<std::size_t>(object.class_index)] = true;
  require_labels(project.boxes, "RectangleLabels", boxes, set, project);
  require_labels(project.polygons, "PolygonLabels", polygons, set, project);
}

}  // namespace yolov7::platforms
