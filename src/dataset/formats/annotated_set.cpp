#include "dataset/formats/annotated_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {

int class_named(AnnotatedSet& set, std::map<std::string, int>& index, const std::string& name) {
  const auto [place, fresh] = index.emplace(name, static_cast<int>(set.classes.size()));
  if (fresh) set.classes.push_back({name, {}, {}, {}});
  return place->second;
}

std::vector<std::string> names_of(const AnnotatedSet& set) {
  std::vector<std::string> names;
  for (const AnnotatedClass& one : set.classes) names.push_back(one.name);
  return names;
}

std::string point_number(std::size_t place) { return std::to_string(place + 1); }

void number_points(AnnotatedSet& set, std::size_t count) {
  std::vector<bool> posed(set.classes.size());
  for (const AnnotatedImage& image : set.images)
    for (const AnnotatedObject& object : image.objects)
      if (!object.key_points.empty() && object.class_index >= 0 &&
          static_cast<std::size_t>(object.class_index) < posed.size())
        posed[static_cast<std::size_t>(object.class_index)] = true;
  for (std::size_t i = 0; i < posed.size(); ++i)
    for (std::size_t k = 0; k < count && posed[i]; ++k) {
      std::vector<std::string>& names = set.classes[i].point_names;
      if (names.size() == k) names.push_back(point_number(k));
    }
}

void name_points(const std::vector<std::string>& names, AnnotatedObject& object) {
  for (KeyPoint& point : object.key_points) {
    const auto number = text::parse_int(point.name);
    if (number && *number >= 1 && *number <= static_cast<std::int64_t>(names.size()))
      point.name = names[static_cast<std::size_t>(*number - 1)];
  }
}

std::size_t point_place(const AnnotatedClass& owner, const std::string& name) {
  const auto found = std::find(owner.point_names.begin(), owner.point_names.end(), name);
  if (found == owner.point_names.end())
    throw Error(
        fmt::format("the class '{}' does not know its key point '{}': a defect of this program",
                    text::printable(owner.name), text::printable(name)));
  return static_cast<std::size_t>(found - owner.point_names.begin());
}

std::int64_t free_group(const AnnotatedImage& image) {
  std::int64_t highest = 0;
  for (const AnnotatedObject& object : image.objects)
    if (const auto number = text::parse_int(object.group); number && *number < (1LL << 52))
      highest = std::max(highest, *number);
  return highest + 1;
}

void complete_point_names(AnnotatedSet& set) {
  std::vector<std::set<std::string>> known;
  for (const AnnotatedClass& one : set.classes)
    known.emplace_back(one.point_names.begin(), one.point_names.end());
  for (const AnnotatedImage& image : set.images)
    for (const AnnotatedObject& object : image.objects) {
      const auto place = static_cast<std::size_t>(object.class_index);
      if (object.class_index < 0 || place >= known.size()) continue;  // it has a fault
      for (const KeyPoint& point : object.key_points)
        if (known[place].insert(point.name).second)
          set.classes[place].point_names.push_back(point.name);
    }
}

Xyxy box_around(const std::vector<Ring>& rings) {
  constexpr double far = std::numeric_limits<double>::infinity();
  Xyxy box{far, far, -far, -far};
  for (const Ring& ring : rings)
    for (const Point& point : ring) {
      box.x1 = std::min(box.x1, point.x), box.x2 = std::max(box.x2, point.x);
      box.y1 = std::min(box.y1, point.y), box.y2 = std::max(box.y2, point.y);
    }
  return box.x1 > box.x2 ? Xyxy{} : box;
}

double area_of(const std::vector<Ring>& rings) {
  double sum = 0;
  for (const Ring& ring : rings) {
    double twice = 0;  // the shoelace formula
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const Point &a = ring[i], &b = ring[(i + 1) % ring.size()];
      twice += a.x * b.y - b.x * a.y;
    }
    sum += std::abs(twice) / 2;
  }
  return sum;
}

Xyxy box_of_ellipse(double cx, double cy, double rx, double ry, double degrees) {
  const double angle = degrees * std::numbers::pi / 180, c = std::cos(angle), s = std::sin(angle);
  const double x = std::hypot(rx * c, ry * s), y = std::hypot(rx * s, ry * c);
  return {cx - x, cy - y, cx + x, cy + y};
}

Ring corners_of(const Rotation& rotation) {
  const double angle = rotation.degrees * std::numbers::pi / 180;
  const double c = std::cos(angle), s = std::sin(angle);
  const Xyxy& box = rotation.box;
  const double cx = (box.x1 + box.x2) / 2, cy = (box.y1 + box.y2) / 2;
  Ring ring;
  for (const Point& p :
       {Point{box.x1, box.y1}, {box.x2, box.y1}, {box.x2, box.y2}, {box.x1, box.y2}}) {
    const double dx = p.x - cx, dy = p.y - cy;  // y runs down, so this turns clockwise
    ring.push_back({cx + dx * c - dy * s, cy + dx * s + dy * c});
  }
  return ring;
}

std::optional<Rotation> rotation_of(const Ring& corners, double tolerance_px) {
  if (corners.size() != 4) return std::nullopt;
  double cx = 0, cy = 0;
  for (const Point& p : corners) cx += p.x / 4, cy += p.y / 4;
  const double width = std::hypot(corners[1].x - corners[0].x, corners[1].y - corners[0].y);
  const double height = std::hypot(corners[2].x - corners[1].x, corners[2].y - corners[1].y);
  if (!(width > 0) || !(height > 0)) return std::nullopt;
  Rotation result;
  result.box = {cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2};
  result.degrees =
      std::atan2(corners[1].y - corners[0].y, corners[1].x - corners[0].x) * 180 / std::numbers::pi;
  if (result.degrees < 0) result.degrees += 360;
  const Ring again = corners_of(result);
  for (std::size_t i = 0; i < 4; ++i)
    if (std::hypot(again[i].x - corners[i].x, again[i].y - corners[i].y) > tolerance_px)
      return std::nullopt;
  return result;
}

const Attribute* find_attribute(const std::vector<Attribute>& attributes, std::string_view name) {
  for (const Attribute& one : attributes)
    if (one.name == name) return &one;
  return nullptr;
}

std::vector<Attribute> each_name_once(const std::vector<Attribute>& attributes) {
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < attributes.size(); ++i) last[attributes[i].name] = i;
  std::vector<Attribute> kept;
  for (std::size_t i = 0; i < attributes.size(); ++i)
    if (last[attributes[i].name] == i) kept.push_back(attributes[i]);
  return kept;
}

bool is_true(const AttributeValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  if (const double* number = std::get_if<double>(&value)) return *number != 0;
  const std::string word = text::lower(std::get<std::string>(value));
  return word == "true" || word == "yes" || word == "1";
}

std::string text_of(const AttributeValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const double* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  return std::get<std::string>(value);
}

bool take_mark(const Attribute& attribute, AnnotatedObject& object) {
  for (const Mark& mark : marks)
    if (attribute.name == mark.name) {
      object.*mark.member = is_true(attribute.value);
      return true;
    }
  return false;
}

void take_attributes(const std::vector<Attribute>& attributes, AnnotatedObject& object) {
  if (const Attribute* id = find_attribute(attributes, "track_id"))
    object.track = TrackPlace{text_of(id->value)};
  for (const Attribute& one : attributes) {
    const std::optional<double> number = text::parse_double(text_of(one.value));
    const bool whole = number && std::abs(*number) < 1e9;
    const bool tracked = object.track.has_value();
    if (one.name == "group_id") {
      object.group = text_of(one.value);
    } else if (one.name == "z_order" && whole) {
      object.z_order = static_cast<int>(*number);
    } else if (one.name == "score" && number && std::isfinite(*number)) {
      object.score = number;
    } else if (one.name == "frame" && whole && tracked) {
      object.track->frame = static_cast<int>(*number);
    } else if (one.name == "keyframe" && tracked) {
      object.track->keyframe = is_true(one.value);
    } else if (one.name == "outside" && tracked) {
      object.track->outside = is_true(one.value);
    } else if (one.name != "track_id") {
      object.attributes.push_back(one);
    }
  }
}

}  // namespace yolov7::dataset
