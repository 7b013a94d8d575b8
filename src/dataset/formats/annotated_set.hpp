#pragma once
// What every annotation format is read into and written from. Coordinates are absolute pixels of
// the image as it is shown (after EXIF orientation), x right, y down, with continuous edges: a box
// that covers the pixel column 3 alone is x1 = 3, x2 = 4. Nothing is clipped while it is read.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dataset/index/label.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::dataset {

using AttributeValue = std::variant<bool, double, std::string>;
struct Attribute {
  std::string name;
  AttributeValue value;
  bool operator==(const Attribute&) const = default;
};

struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};
using Ring = std::vector<Point>;  ///< closed: the last point joins the first

/// A binary mask of the whole image: lengths of runs down the columns, the first one "off".
struct MaskRuns {
  int width = 0, height = 0;
  std::vector<std::uint32_t> runs;
  bool operator==(const MaskRuns&) const = default;
};

/// The box before it was turned, and by how much: degrees clockwise about its centre.
struct Rotation {
  Xyxy box;
  double degrees = 0;
  bool operator==(const Rotation&) const = default;
};

struct TrackPlace {
  std::string id;
  int frame = 0;
  bool keyframe = true, outside = false;
  bool operator==(const TrackPlace&) const = default;
};

/// A named point of an object. Points that nobody labelled are not there.
struct KeyPoint {
  std::string name;
  Point at;
  bool hidden = false;  ///< labelled, but not to be seen
  bool operator==(const KeyPoint&) const = default;
};

struct AnnotatedObject {
  int class_index = -1;
  Xyxy box;  ///< of a rotated object: the box around its corners
  bool crowd = false, ignore = false, difficult = false, truncated = false, occluded = false;
  int z_order = 0;
  int line = 0;             ///< in the annotation file, from 1; 0 = unknown
  std::vector<Ring> rings;  ///< even-odd
  std::optional<MaskRuns> mask;
  std::optional<Rotation> rotation;
  std::optional<TrackPlace> track;
  std::optional<double> score;
  std::vector<Attribute> attributes;
  std::vector<KeyPoint> key_points;  ///< each name once
  std::string group, id, source, author;
  std::string fault;  ///< why it cannot be used, or ""
};

enum class ImageState { annotated, empty_on_purpose, not_annotated };

struct AnnotatedImage {
  std::string written;               ///< the path as the annotation has it
  std::string id;                    ///< as text: ids of 64 bits and of letters occur
  std::filesystem::path annotation;  ///< relative to the source
  int line = 0;                      ///< where it begins there
  bool shares_file = false;  ///< the annotation file has other images, too: messages name this one
  int written_width = 0, written_height = 0;  ///< 0 = not written
  bool fractions = false;  ///< coordinates are fractions of the size; prepare_set() makes pixels
  std::optional<std::size_t> picture;  ///< index into SourceTree::images
  bool missing = false;                ///< no such image; `fault` says so
  bool found_by_guess = false;         ///< not at the path that was written
  std::string fault;                   ///< why it cannot be used, or ""
  std::string split;                   ///< as found; empty = none
  ImageState state = ImageState::annotated;
  std::vector<Attribute> tags;
  std::vector<AnnotatedObject> objects;
  // From the picture itself, by prepare_set():
  std::filesystem::path file;  ///< absolute, or relative to the working directory
  int width = 0, height = 0;   ///< as shown
  std::string content_hash;    ///< empty if the file was not read whole
};

struct AnnotatedClass {
  std::string name, id, supercategory, colour;
  std::vector<std::string> point_names = {};     ///< of its key points, in their order
  std::vector<std::pair<int, int>> joints = {};  ///< lines of the skeleton: places in point_names
};

struct AnnotatedSet {
  std::vector<AnnotatedClass> classes;
  std::vector<AnnotatedImage> images;
  std::map<std::string, std::string> residue;  ///< "coco.info" → JSON text, kept for that format
  bool splits_are_final = false;  ///< the source says which image is in which split: nothing is
                                  ///< drawn, and what has none is left out
  std::string split_rule;         ///< where its splits come from, in words
  bool trusts_size_of_picture = false;  ///< another size in the annotation is a note, not a drop
  bool drops_unused_classes = false;    ///< classes stand in boxes alone: one without a box is none
};

/// The class of this name; a new one goes to the end.
int class_named(AnnotatedSet& set, std::map<std::string, int>& index, const std::string& name);
std::vector<std::string> names_of(const AnnotatedSet& set);
/// Every class has the names of all key points of its objects; what it lacks comes behind.
void complete_point_names(AnnotatedSet& set);
/// "1", "2", …: names of key points where a format has none.
std::string point_number(std::size_t place);
/// Classes whose objects have key points, and no names for them, get so many numbers.
void number_points(AnnotatedSet& set, std::size_t count);
/// Names in place of such numbers; points beyond the list keep theirs.
void name_points(const std::vector<std::string>& names, AnnotatedObject& object);
/// Place of a name among those of the class. Error: it is none of them, a defect of ours.
std::size_t point_place(const AnnotatedClass& owner, const std::string& name);
/// A number of a group that no object of the image has.
std::int64_t free_group(const AnnotatedImage& image);

Xyxy box_around(const std::vector<Ring>& rings);  ///< all 0 where there is no point
double area_of(const std::vector<Ring>& rings);   ///< sum of the areas, px²
/// The box around an ellipse whose half axes `rx`, `ry` are turned by `degrees`.
Xyxy box_of_ellipse(double cx, double cy, double rx, double ry, double degrees);
/// Corners of a turned box, beginning with the one that was at the upper left, clockwise.
Ring corners_of(const Rotation& rotation);
/// Four corners as a turned box; nothing where they are no rectangle to `tolerance_px`.
std::optional<Rotation> rotation_of(const Ring& corners, double tolerance_px);

const Attribute* find_attribute(const std::vector<Attribute>& attributes, std::string_view name);
/// The last attribute of each name, which is what an object of JSON keeps.
std::vector<Attribute> each_name_once(const std::vector<Attribute>& attributes);
bool is_true(const AttributeValue& value);  ///< true, a number other than 0, "true", "yes", "1"
std::string text_of(const AttributeValue& value);

/// A switch of an object under the name that formats write where they have no place for it.
struct Mark {
  const char* name;
  bool AnnotatedObject::*member;
};
inline constexpr Mark marks[] = {{"crowd", &AnnotatedObject::crowd},
                                 {"ignore", &AnnotatedObject::ignore},
                                 {"difficult", &AnnotatedObject::difficult},
                                 {"truncated", &AnnotatedObject::truncated},
                                 {"occluded", &AnnotatedObject::occluded}};
/// Sets the mark of the attribute's name. False: there is none of that name.
bool take_mark(const Attribute& attribute, AnnotatedObject& object);
/// Attributes; those under the names that formats write where they have no place for a property
/// (track_id with frame, keyframe and outside; group_id, z_order, score) go where they belong.
void take_attributes(const std::vector<Attribute>& attributes, AnnotatedObject& object);

}  // namespace yolov7::dataset
