// CVAT for video 1.1: tracks of shapes over frames.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/cvat_shapes.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".xml"))
    if (is_cvat(tree, file, "track") && !is_cvat(tree, file, "image")) return true;
  return false;
}

/// Frames are numbers in the video, not in the task.
struct Frames {
  int start = 0, stop = -1, step = 1;  ///< stop < 0: not written
  int width = 0, height = 0;
};

/// The first element of this name below `node`, at any depth.
pugi::xml_node below(const pugi::xml_node& node, const char* name) {
  return node.find_node(
      [name](const pugi::xml_node& one) { return std::string_view(one.name()) == name; });
}

Frames read_frames(const pugi::xml_node& meta) {
  Frames frames;
  const auto whole = [&](const char* name) {
    return whole_number(text::trim(below(meta, name).text().get()));
  };
  frames.start = whole("start_frame");
  if (below(meta, "stop_frame")) frames.stop = whole("stop_frame");
  const std::string filter = below(meta, "frame_filter").text().get();
  if (const auto step = filter.find("step="); step != std::string::npos)
    frames.step =
        std::max(1, whole_number(filter.substr(
                        step + 5, filter.find_first_not_of("0123456789", step + 5) - (step + 5))));
  const pugi::xml_node size = below(meta, "original_size");
  frames.width = whole_number(child_text(size, "width"));
  frames.height = whole_number(child_text(size, "height"));
  return frames;
}

using ByFrame = std::map<int, std::vector<AnnotatedObject>>;

double along(double a, double b, double t) { return a + (b - a) * t; }

Xyxy along(const Xyxy& a, const Xyxy& b, double t) {
  return {along(a.x1, b.x1, t), along(a.y1, b.y1, t), along(a.x2, b.x2, t), along(a.y2, b.y2, t)};
}

/// What stands between two key frames: boxes move on straight lines, also towards a key frame that
/// is outside; rotation takes the shorter way. Other shapes stay as they are.
AnnotatedObject between(const AnnotatedObject& a, const AnnotatedObject& b, int frame) {
  AnnotatedObject object = a;
  object.track->frame = frame;
  object.track->keyframe = false;
  const double t = static_cast<double>(frame - a.track->frame) /
                   static_cast<double>(b.track->frame - a.track->frame);
  if (!a.rings.empty() || a.mask || b.mask || !b.rings.empty()) return object;
  if (!a.rotation && !b.rotation) {
    object.box = along(a.box, b.box, t);
    return object;
  }
  const Rotation from = a.rotation.value_or(Rotation{a.box, 0}),
                 to = b.rotation.value_or(Rotation{b.box, 0});
  const double turn = std::remainder(to.degrees - from.degrees, 360);
  object.rotation = Rotation{along(from.box, to.box, t), from.degrees + turn * t};
  object.box = box_around({corners_of(*object.rotation)});
  return object;
}

/// Adds the shapes of a track to their frames; what is outside is no object.
void add_track(const std::vector<AnnotatedObject>& shapes, const Frames& frames, ByFrame& result) {
  constexpr int most_frames = 10'000'000;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const AnnotatedObject& shape = shapes[i];
    if (shape.track->outside) continue;
    result[shape.track->frame].push_back(shape);
    const int first = shape.track->frame;
    if (i + 1 < shapes.size()) {
      for (int frame = first + frames.step; frame < shapes[i + 1].track->frame;
           frame += frames.step)
        result[frame].push_back(between(shape, shapes[i + 1], frame));
      continue;
    }
    for (int frame = first + frames.step; frame <= std::min(frames.stop, most_frames);
         frame += frames.step) {
      AnnotatedObject held = shape;
      held.track->frame = frame;
      held.track->keyframe = false;
      result[frame].push_back(std::move(held));
    }
  }
}

struct File {
  const Reading& reading;
  LineTable lines;
  CvatLabels labels;
  Frames frames;
  AnnotatedSet& set;
  std::map<std::string, int>& index;
};

void read_track(const pugi::xml_node& node, File& file, ByFrame& result) {
  const std::string label = node.attribute("label").value(), id = node.attribute("id").value();
  std::vector<AnnotatedObject> shapes;
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() != pugi::node_element) continue;
    const std::string element = child.name();
    if (!is_cvat_box(element)) {
      ++file.reading.account.not_boxes[element == "track" ? "part of a skeleton" : element];
      continue;
    }
    AnnotatedObject object =
        read_cvat_shape(child, file.lines, file.frames.width, file.frames.height);
    take_cvat_label(label, file.labels, file.set, file.index, object);
    take_cvat_attributes(child, label, file.labels, object);
    const std::string frame = child.attribute("frame").value();
    const auto number = text::parse_int(text::trim(frame));
    constexpr int most_frames = 10'000'000;
    if (!number || *number < 0 || *number > most_frames) {
      ++file.reading.account.boxes.in;
      file.reading.account.drop(
          {"box",
           {},
           object.line,
           1,
           fmt::format("expected a frame 0..{}, found '{}'", most_frames, text::printable(frame))});
      continue;
    }
    const pugi::xml_attribute key = child.attribute("keyframe");
    object.track = TrackPlace{id, static_cast<int>(*number), !key || is_yes(key.value()),
                              is_yes(child.attribute("outside").value())};
    object.group = node.attribute("group_id").value();
    shapes.push_back(std::move(object));
  }
  std::stable_sort(shapes.begin(), shapes.end(),
                   [](const AnnotatedObject& a, const AnnotatedObject& b) {
                     return a.track->frame < b.track->frame;
                   });
  add_track(shapes, file.frames, result);
}

void add_images(ByFrame& objects, const fs::path& path, const File& file) {
  const Frames& frames = file.frames;
  if (frames.stop >= 0 && (frames.stop - frames.start) / frames.step < 10'000'000)
    for (int frame = frames.start; frame <= frames.stop; frame += frames.step) objects[frame];
  for (auto& [frame, list] : objects) {
    check_stop(file.reading.stop);
    AnnotatedImage image;
    image.annotation = path;
    image.shares_file = true;
    image.id = std::to_string(frame);
    image.written_width = frames.width;
    image.written_height = frames.height;
    image.objects = std::move(list);
    const fs::path folder = path.parent_path();
    file.reading.finder.assign_by_stem(image, fmt::format("frame_{:06}", frame),
                                       {folder / "images", folder}, file.reading.account.notes);
    file.set.images.push_back(std::move(image));
  }
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  for (const fs::path& path : reading.tree.with_extension(".xml")) {
    if (!is_cvat(reading.tree, path, "track")) continue;
    const std::string xml = reading.tree.read(path);
    pugi::xml_document document;
    parse_xml(xml, (reading.tree.root / path).string(), document);
    const pugi::xml_node root = document.child("annotations"), meta = root.child("meta");
    File file{reading, LineTable(xml), read_cvat_labels(meta), read_frames(meta), set, index};
    for (const std::string& name : file.labels.names) class_named(set, index, name);
    ByFrame objects;
    for (const pugi::xml_node& node : root.children("track")) read_track(node, file, objects);
    add_images(objects, path, file);
  }
  return set;
}

struct Shape {
  int frame;
  const AnnotatedObject* object;
};

/// The shapes of one track, with a key frame outside wherever it pauses.
std::string track_xml(const std::vector<Shape>& shapes, std::size_t number, int frames,
                      const Writing& writing) {
  const AnnotatedObject& first = *shapes.front().object;
  std::string out = fmt::format(
      "  <track id=\"{}\" label=\"{}\" source=\"{}\"{}>\n", number,
      xml_text(class_name(writing, first)),
      first.source.empty() ? "manual" : xml_text(first.source),
      first.group.empty() ? "" : fmt::format(" group_id=\"{}\"", xml_text(first.group)));
  const auto add = [&](const AnnotatedObject& object, int frame, bool outside) {
    const CvatShapeText text = cvat_shape_text(object);
    const bool key = outside || !object.track || object.track->keyframe;
    out += fmt::format(
        "    <{0} frame=\"{1}\" outside=\"{2}\" occluded=\"{3}\" keyframe=\"{4}\" {5} "
        "z_order=\"{6}\">\n{7}    </{0}>\n",
        text.element, frame, outside ? 1 : 0, object.occluded ? 1 : 0, key ? 1 : 0, text.geometry,
        object.z_order, text.children);
  };
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    add(*shapes[i].object, shapes[i].frame, false);
    const int next = i + 1 < shapes.size() ? shapes[i + 1].frame : frames;
    if (next > shapes[i].frame + 1) add(*shapes[i].object, shapes[i].frame + 1, true);
  }
  return out + "  </track>\n";
}

void write(const Writing& writing) {
  const AnnotatedSet& set = writing.set;
  std::map<std::pair<std::string, int>, std::vector<Shape>> tracks;  // by id and class
  std::vector<std::vector<Shape>> single;
  for (std::size_t i = 0; i < set.images.size(); ++i)
    for (const AnnotatedObject& object : set.images[i].objects) {
      const Shape shape{static_cast<int>(i), &object};
      if (object.track)
        tracks[{object.track->id, object.class_index}].push_back(shape);
      else
        single.push_back({shape});
    }
  const int count = static_cast<int>(set.images.size());
  int width = 0, height = 0;
  for (const AnnotatedImage& image : set.images) {
    const bool same =
        image.width == set.images.front().width && image.height == set.images.front().height;
    if (!same)
      throw Error(
          fmt::format("{}: cvat-video holds images of one size, found {} × {} and {} × {} "
                      "px; cvat holds several",
                      setting_name("to"), set.images.front().width, set.images.front().height,
                      image.width, image.height));
    width = image.width, height = image.height;
  }
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n  <version>1.1</version>\n"
      "  <meta>\n    <task>\n      <size>{}</size>\n      <mode>interpolation</mode>\n"
      "      <start_frame>0</start_frame>\n      <stop_frame>{}</stop_frame>\n"
      "      <frame_filter></frame_filter>\n      {}\n"
      "      <original_size><width>{}</width><height>{}</height></original_size>\n"
      "    </task>\n  </meta>\n",
      count, count - 1, cvat_labels_xml(set), width, height);
  std::size_t number = 0;
  for (const auto& [key, shapes] : tracks) out += track_xml(shapes, number++, count, writing);
  for (const std::vector<Shape>& shapes : single)
    out += track_xml(shapes, number++, count, writing);
  write_text_file(writing, "annotations.xml", out + "</annotations>\n");
  copy_frames(writing, "images");
  count_lost_polygons(writing);
}

}  // namespace

Format cvat_video_format() {
  Format format;
  format.name = "cvat-video";
  format.title = "CVAT for video 1.1";
  format.description = "XML with a <track> for each object over frame_000000, frame_000001, …";
  format.detect = detect;
  format.read = read;
  format.write = write;
  Holds& holds = format.holds;
  holds.polygon = holds.rotation = holds.occluded = holds.attributes = holds.group = holds.z_order =
      holds.track = Keep::yes;
  holds.crowd = holds.ignore = holds.difficult = holds.truncated = holds.score = Keep::attribute;
  return format;
}

}  // namespace yolov7::dataset
