#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "versions/diff.hpp"

namespace yolov7::versions {
using nlohmann::json;
namespace {

std::string class_name(const Shape& shape, const ClassList& classes) {
  const auto place = static_cast<std::size_t>(shape.class_index);
  return shape.class_index >= 0 && place < classes.classes.size()
             ? classes.classes[place].name
             : std::to_string(shape.class_index);
}

json box_json(const Shape& shape, const ClassList& classes) {
  if (!shape.is_box) return {{"row", shape.row}};
  return {{"class", class_name(shape, classes)},
          {"box", {shape.box.x1, shape.box.y1, shape.box.x2, shape.box.y2}}};
}

json items_json(const std::vector<Item>& items) {
  json list = json::array();
  for (const Item& item : items) list.push_back({{"path", item.path}, {"split", item.split}});
  return list;
}

json pairs_json(const std::vector<std::pair<Item, Item>>& pairs) {
  json list = json::array();
  for (const auto& [before, after] : pairs)
    list.push_back({{"before", {{"path", before.path}, {"split", before.split}}},
                    {"after", {{"path", after.path}, {"split", after.split}}}});
  return list;
}

json image_json(const ImageDiff& image, const ClassList& before, const ClassList& after) {
  json boxes = json::array();
  for (const ShapeDiff& one : image.boxes) {
    json box = {{"change", box_change_names[static_cast<std::size_t>(one.kind)]}};
    if (one.before >= 0)
      box["before"] = box_json(image.before.shapes[static_cast<std::size_t>(one.before)], before);
    if (one.after >= 0)
      box["after"] = box_json(image.after.shapes[static_cast<std::size_t>(one.after)], after);
    if (one.before >= 0 && one.after >= 0) box["iou"] = one.iou;
    boxes.push_back(std::move(box));
  }
  return {{"path", image.path},
          {"split", image.split},
          {"boxes", std::move(boxes)},
          {"order_only", image.order_only},
          {"now_annotated", image.now_annotated},
          {"no_longer_annotated", image.no_longer_annotated},
          {"image_properties", image.image_properties}};
}

json counts_json(const std::array<std::size_t, box_changes>& counts) {
  json value = json::object();
  for (std::size_t i = 0; i < box_changes; ++i) value[box_change_names[i]] = counts[i];
  return value;
}

std::string counts_text(const std::array<std::size_t, box_changes>& counts) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < box_changes; ++i)
    if (counts[i] > 0) parts.push_back(fmt::format("{} {}", counts[i], box_change_names[i]));
  return parts.empty() ? "none" : text::join(parts, ", ");
}

/// "images added (2): a.jpg (train), b.jpg (val)"
template <class List, class Text>
void add_line(std::vector<std::string>& lines, const List& list, const char* what, std::size_t most,
              const Text& text_of_one) {
  if (list.empty()) return;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min<std::size_t>(list.size(), most); ++i)
    shown.push_back(text_of_one(list[i]));
  if (list.size() > most) shown.push_back(fmt::format("and {} more", list.size() - most));
  lines.push_back(fmt::format("{} ({}): {}", what, list.size(), text::join(shown, ", ")));
}

void add_class_lines(std::vector<std::string>& lines, const Diff& diff, std::size_t most) {
  const auto as_it_is = [](const std::string& name) { return name; };
  add_line(lines, diff.classes_added, "classes added", most, as_it_is);
  add_line(lines, diff.classes_removed, "classes removed", most, as_it_is);
  add_line(lines, diff.classes_renamed, "classes renamed", most,
           [](const PathPair& one) { return fmt::format("{} is now {}", one.before, one.after); });
  add_line(lines, diff.classes_with_other_properties,
           "classes with another id, supercategory or colour", most, as_it_is);
  if (diff.classes_reordered) lines.emplace_back("the order of the classes differs");
  if (diff.other_kpt_shape) lines.emplace_back("kpt_shape, the shape of the key points, differs");
  if (diff.other_recipe) lines.emplace_back("the recipe differs");
}

}  // namespace

json to_json(const Diff& diff, const ClassList& before, const ClassList& after) {
  json labels = json::array(), by_class = json::object(), renamed = json::array();
  for (const ImageDiff& image : diff.labels) labels.push_back(image_json(image, before, after));
  for (const auto& [name, counts] : diff.by_class) by_class[name] = counts_json(counts);
  for (const PathPair& one : diff.classes_renamed)
    renamed.push_back({{"before", one.before}, {"after", one.after}});
  return {{"equal", diff.empty()},
          {"classes",
           {{"added", diff.classes_added},
            {"removed", diff.classes_removed},
            {"renamed", std::move(renamed)},
            {"reordered", diff.classes_reordered},
            {"other_properties", diff.classes_with_other_properties}}},
          {"other_kpt_shape", diff.other_kpt_shape},
          {"other_recipe", diff.other_recipe},
          {"images",
           {{"added", items_json(diff.images_added)},
            {"removed", items_json(diff.images_removed)},
            {"replaced", pairs_json(diff.images_replaced)},
            {"renamed", pairs_json(diff.images_renamed)},
            {"moved_to_another_split", pairs_json(diff.images_moved)}}},
          {"labels", std::move(labels)},
          {"boxes", counts_json(diff.boxes)},
          {"boxes_by_class", std::move(by_class)}};
}

std::vector<std::string> summary_lines(const Diff& diff, std::size_t most) {
  if (diff.empty()) return {"no difference"};
  std::vector<std::string> lines;
  add_class_lines(lines, diff, most);
  const auto item_text = [](const Item& item) {
    return fmt::format("{} ({})", item.path, item.split);
  };
  add_line(lines, diff.images_added, "images added", most, item_text);
  add_line(lines, diff.images_removed, "images removed", most, item_text);
  add_line(lines, diff.images_replaced, "images with other content", most,
           [](const auto& pair) { return pair.second.path; });
  add_line(lines, diff.images_renamed, "images renamed", most, [](const auto& pair) {
    return fmt::format("{} is now {}", pair.first.path, pair.second.path);
  });
  add_line(lines, diff.images_moved, "images moved to another split", most, [](const auto& pair) {
    return fmt::format("{} ({} to {})", pair.second.path, pair.first.split, pair.second.split);
  });
  add_line(lines, diff.labels, "images whose annotations differ", most, [](const ImageDiff& image) {
    std::array<std::size_t, box_changes> counts{};
    for (const ShapeDiff& box : image.boxes) ++counts[static_cast<std::size_t>(box.kind)];
    std::string note = image.order_only            ? "same rows in another order"
                       : image.now_annotated       ? "newly annotated"
                       : image.no_longer_annotated ? "no longer annotated"
                                                   : "";
    if (image.image_properties)
      note += std::string(note.empty() ? "" : "; ") + "other properties of the image";
    if (note.empty() || !image.boxes.empty())
      note += (note.empty() ? "" : "; ") + counts_text(counts);
    return fmt::format("{} ({})", image.path, note);
  });
  lines.push_back(fmt::format("boxes: {}", counts_text(diff.boxes)));
  for (std::size_t i = 0; i < std::min(most, diff.by_class.size()); ++i)
    lines.push_back(
        fmt::format("  {}: {}", diff.by_class[i].first, counts_text(diff.by_class[i].second)));
  if (diff.by_class.size() > most)
    lines.push_back(fmt::format("  and {} more classes", diff.by_class.size() - most));
  return lines;
}

}  // namespace yolov7::versions
