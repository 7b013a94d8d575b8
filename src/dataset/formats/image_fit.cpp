#include "dataset/formats/image_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/setting_name.hpp"

namespace yolov7::dataset {
namespace {

/// EXIF orientation n: which sides of the stored image the shown x and y are counted from.
struct Turn {
  bool swapped, mirrored_x, mirrored_y;
};

Turn turn_of(int orientation) {
  switch (orientation) {
    case 2: return {false, true, false};
    case 3: return {false, true, true};
    case 4: return {false, false, true};
    case 5: return {true, false, false};
    case 6: return {true, true, false};
    case 7: return {true, true, true};
    case 8: return {true, false, true};
    default: return {false, false, false};
  }
}

Point turned(const Point& p, const PictureFacts& facts) {
  const Turn turn = turn_of(facts.orientation);
  const double x = turn.swapped ? p.y : p.x, y = turn.swapped ? p.x : p.y;
  return {turn.mirrored_x ? facts.width - x : x, turn.mirrored_y ? facts.height - y : y};
}

/// Whether clockwise becomes counter-clockwise.
bool reverses(int orientation) {
  return orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7;
}

template <class Move>
void move_rings(AnnotatedObject& object, Move move) {
  for (Ring& ring : object.rings)
    for (Point& point : ring) point = move(point);
}

/// Rings and key points.
template <class Move>
void move_points(AnnotatedObject& object, Move move) {
  move_rings(object, move);
  for (KeyPoint& point : object.key_points) point.at = move(point.at);
}

void scale(AnnotatedObject& object, double x, double y) {
  const auto scaled = [&](const Xyxy& b) { return Xyxy{b.x1 * x, b.y1 * y, b.x2 * x, b.y2 * y}; };
  move_points(object, [&](const Point& p) { return Point{p.x * x, p.y * y}; });
  object.mask.reset();  // runs cannot be stretched
  if (object.rotation) {
    Ring corners = corners_of(*object.rotation);
    for (Point& p : corners) p = {p.x * x, p.y * y};
    object.rotation = rotation_of(corners, 1e-6 * (x + y));
    object.box = box_around({corners});
    if (!object.rotation) object.rings = {corners};  // unequal scales make a parallelogram
  } else {
    object.box = scaled(object.box);
  }
}

/// Rotations and masks that stand beside fractions are in pixels already: they come from this
/// program's own side file.
void from_fractions(AnnotatedObject& object, double width, double height) {
  move_points(object, [&](const Point& p) { return Point{p.x * width, p.y * height}; });
  Xyxy& box = object.box;
  box = {box.x1 * width, box.y1 * height, box.x2 * width, box.y2 * height};
}

/// Whether the annotation gives the size of the image as it is stored, and EXIF shows it turned by
/// a quarter: then its boxes are those of the stored image (old versions of labelImg write them
/// so).
bool is_of_stored_image(const AnnotatedImage& image, const PictureFacts& facts) {
  return facts.orientation >= 5 && facts.width != facts.height &&
         image.written_width == facts.height && image.written_height == facts.width;
}

void turn_objects(AnnotatedImage& image, const PictureFacts& facts) {
  for (AnnotatedObject& object : image.objects) {
    object.box = turned(object.box, facts);
    move_points(object, [&](const Point& p) { return turned(p, facts); });
    if (object.rotation) {
      Ring corners = corners_of(*object.rotation);
      for (Point& p : corners) p = turned(p, facts);
      if (reverses(facts.orientation)) std::reverse(corners.begin(), corners.end());
      object.rotation = rotation_of(corners, 1e-6 * facts.width);
    }
    if (object.mask) object.fault = "its mask is of the image before it is turned by EXIF";
  }
}

}  // namespace

Xyxy turned(const Xyxy& box, const PictureFacts& facts) {
  const Point a = turned(Point{box.x1, box.y1}, facts), b = turned(Point{box.x2, box.y2}, facts);
  const Turn turn = turn_of(facts.orientation);
  return {turn.mirrored_x ? b.x : a.x, turn.mirrored_y ? b.y : a.y, turn.mirrored_x ? a.x : b.x,
          turn.mirrored_y ? a.y : b.y};
}

SizeVerdict fit_to_image(AnnotatedImage& image, const PictureFacts& facts, SizeRule rule,
                         const std::string& name, BoxOrientation boxes) {
  SizeVerdict verdict;
  const int width = image.written_width, height = image.written_height;
  if (image.fractions) {
    for (AnnotatedObject& object : image.objects) from_fractions(object, facts.width, facts.height);
    image.fractions = false;
  } else if (is_of_stored_image(image, facts)) {
    turn_objects(image, facts);
    verdict.note = fmt::format(
        "its size {} × {} px is that of {} before it is turned by EXIF (orientation "
        "{}): its boxes are turned with the image",
        width, height, name, facts.orientation);
  } else if (width > 0 && height > 0 && (width != facts.width || height != facts.height)) {
    const std::string sizes =
        fmt::format("says the image is {} × {} px, but {} has {} × {}{}", width, height, name,
                    facts.width, facts.height, facts.orientation > 1 ? " as EXIF shows it" : "");
    if (rule == SizeRule::note) {
      verdict.note = sizes + ": its boxes may be wrong";
    } else if (rule == SizeRule::drop) {
      verdict.fault = sizes + " (--scale-to-image scales the boxes)";
    } else {
      for (AnnotatedObject& object : image.objects)
        scale(object, static_cast<double>(facts.width) / width,
              static_cast<double>(facts.height) / height);
      verdict.note = sizes + ": its boxes are scaled, masks are left out";
    }
  } else if (facts.orientation > 1 &&
             (facts.orientation < 5 || facts.width == facts.height || width == 0 || height == 0)) {
    const std::string start = fmt::format(
        "{} is turned or mirrored by EXIF (orientation {}), and sizes do not tell whether the "
        "boxes "
        "are of the stored image: ",
        name, facts.orientation);
    if (boxes == BoxOrientation::stored) turn_objects(image, facts);
    if (boxes == BoxOrientation::stored)
      verdict.note = start + "they are turned with it, as asked";
    else if (boxes == BoxOrientation::unknown)
      verdict.note = start + fmt::format(
                                 "they are taken as of the image that is shown; {} says "
                                 "which it is",
                                 setting_name("voc-orientation"));
  }
  image.width = facts.width;
  image.height = facts.height;
  return verdict;
}

std::size_t drop_points_outside(AnnotatedObject& object, int width, int height) {
  return std::erase_if(object.key_points, [&](const KeyPoint& point) {
    return !(point.at.x >= 0 && point.at.y >= 0 && point.at.x <= width && point.at.y <= height);
  });
}

bool clip_object(AnnotatedObject& object, int width, int height) {
  const Xyxy box = clip(object.box, width, height);
  const bool changed = !(box == object.box);
  object.box = box;
  move_rings(object, [&](const Point& p) {
    return Point{std::clamp(p.x, 0.0, static_cast<double>(width)),
                 std::clamp(p.y, 0.0, static_cast<double>(height))};
  });
  return changed;
}

AnnotatedImage fitted_copy(AnnotatedImage image, const PictureFacts& facts, SizeRule rule,
                           BoxOrientation boxes) {
  if (!fit_to_image(image, facts, rule, "", boxes).fault.empty()) return {};
  std::erase_if(image.objects, [&](AnnotatedObject& object) {
    if (!object.fault.empty()) return true;
    clip_object(object, image.width, image.height);
    return object.box.width() < 1 || object.box.height() < 1;
  });
  return image;
}

}  // namespace yolov7::dataset
