// CVAT for video 1.1: tracks of shapes over frames.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <pugixml.hpp>
#include <set>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/cvat_shapes.hpp"
#include "dataset/formats/cvat_tracks.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

/// CVAT knows tracks alone: what is none gets an attribute that says so.
constexpr const char* no_track = "not tracked";

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".xml"))
    if (is_cvat(tree, file, "track") && !is_cvat(tree, file, "image")) return true;
  return false;
}

/// The first element of this name below `node`, at any depth.
pugi::xml_node below(const pugi::xml_node& node, const char* name) {
  return node.find_node(
      [name](const pugi::xml_node& one) { return std::string_view(one.name()) == name; });
}

CvatFrames read_frames(const pugi::xml_node& meta) {
  CvatFrames frames;
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

struct File {
  const Reading& reading;
  fs::path path;
  LineTable lines;
  CvatLabels labels;
  CvatFrames frames;
  AnnotatedSet& set;
  std::map<std::string, int>& index;
};

void read_track(const pugi::xml_node& node, File& file, ObjectsByFrame& result) {
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
          {"box", file.path, object.line, 1,
           fmt::format("expected a frame 0..{}, found '{}'", most_frames, text::printable(frame))});
      continue;
    }
    const pugi::xml_attribute key = child.attribute("keyframe");
    object.track = TrackPlace{id, static_cast<int>(*number), !key || is_yes(key.value()),
                              is_yes(child.attribute("outside").value())};
    object.group = node.attribute("group_id").value();
    shapes.push_back(std::move(object));
  }
  add_track(std::move(shapes), file.frames, result);
}

void add_images(ObjectsByFrame& objects, const File& file) {
  const CvatFrames& frames = file.frames;
  constexpr int most_frames = 1'000'000;
  if (frames.stop >= 0 && (frames.stop - frames.start) / frames.step >= most_frames)
    throw Error(fmt::format("{}: expected at most {} frames, found {} to {}", frames.source,
                            most_frames, frames.start, frames.stop));
  if (frames.stop >= 0)
    for (int frame = frames.start; frame <= frames.stop; frame += frames.step) objects[frame];
  for (auto& [frame, list] : objects) {
    check_stop(file.reading.stop);
    AnnotatedImage image;
    image.annotation = file.path;
    image.shares_file = true;
    image.id = std::to_string(frame);
    image.written_width = frames.width;
    image.written_height = frames.height;
    image.objects = std::move(list);
    for (AnnotatedObject& object : image.objects)
      if (std::erase_if(object.attributes,
                        [](const Attribute& one) { return one.name == no_track; }) > 0)
        object.track.reset();
    const fs::path folder = file.path.parent_path();
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
    File file{reading, path, LineTable(xml), read_cvat_labels(meta), read_frames(meta), set, index};
    for (const std::string& name : file.labels.names) class_named(set, index, name);
    file.frames.source = (reading.tree.root / path).string();
    ObjectsByFrame objects;
    for (const pugi::xml_node& node : root.children("track")) read_track(node, file, objects);
    add_images(objects, file);
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
    const CvatShapeText text = cvat_shape_text(object, CvatPoints::attributes);
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

AnnotatedSet with_marks(AnnotatedSet set) {
  for (AnnotatedImage& image : set.images)
    for (AnnotatedObject& object : image.objects)
      if (!object.track) object.attributes.push_back({no_track, true});
  return set;
}

/// The number of the track, where that is one.
std::optional<std::size_t> number_of_track(const std::string& id) {
  const auto number = text::parse_int(id);
  if (!number || *number < 0 || *number > 1'000'000'000 || std::to_string(*number) != id)
    return std::nullopt;
  return static_cast<std::size_t>(*number);
}

void write(const Writing& writing) {
  const AnnotatedSet set = with_marks(writing.set);
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
      count, count - 1, cvat_labels_xml(set, CvatPoints::attributes), width, height);
  std::size_t number = 0;
  std::set<std::size_t> taken;
  for (const auto& [key, shapes] : tracks)
    if (const auto own = number_of_track(key.first)) number = std::max(number, *own + 1);
  for (const auto& [key, shapes] : tracks) {
    const auto own = number_of_track(key.first);
    const bool kept = own && taken.insert(*own).second;
    out += track_xml(shapes, kept ? *own : number++, count, writing);
  }
  for (const std::vector<Shape>& shapes : single)
    out += track_xml(shapes, number++, count, writing);
  write_text_file(writing, "annotations.xml", out + "</annotations>\n");
  copy_frames(writing, "images");
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
  holds.polygon = holds.quad = holds.rotation = holds.occluded = holds.attributes = holds.group =
      holds.z_order = holds.track = Keep::yes;
  format.limits_words =
      "numbers of tracks are kept where they are whole numbers; names of images become "
      "frame_000000, "
      "frame_000001, ….";
  holds.crowd = holds.ignore = holds.difficult = holds.truncated = holds.score = holds.key_points =
      Keep::attribute;
  return format;
}

}  // namespace yolov7::dataset
