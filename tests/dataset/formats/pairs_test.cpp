// A → B → A over all pairs of formats that are written: a set with every feature comes back as the
// table of formats says, and every loss on the way is counted.
#include <fmt/format.h>

#include <algorithm>
#include <opencv2/core/mat.hpp>
#include <set>

#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/convert.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/data_fixture.hpp"
#include "tests/dataset/formats/written_formats.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;

constexpr int width = 128, height = 64;  // powers of two: fractions are exact

/// Draws boxes on a grid of eighths of a pixel, each at another place.
class Boxes {
 public:
  explicit Boxes(unsigned seed) : state_(seed) {}
  Xyxy next() {
    const auto below = [&](unsigned n) {
      state_ = state_ * 1664525u + 1013904223u;
      return (state_ >> 8) % n;
    };
    const double x = 1 + below(400) / 8.0, y = 1 + below(200) / 8.0;
    return {x, y, x + 8 + below(300) / 8.0, y + 8 + below(150) / 8.0};
  }

 private:
  unsigned state_;
};

/// One object for each feature, and one with several.
std::vector<AnnotatedObject> objects_with_every_feature(Boxes& boxes, int frame) {
  std::vector<AnnotatedObject> list;
  const auto add = [&]() -> AnnotatedObject& {
    list.emplace_back();
    list.back().box = boxes.next();
    list.back().class_index = static_cast<int>(list.size() % 2);
    return list.back();
  };
  const auto inner = [](const Xyxy& b) {
    return Ring{
        {b.x1, b.y1}, {b.x2, b.y1}, {b.x2, b.y2}, {(b.x1 + b.x2) / 2, b.y2 - 2}, {b.x1, b.y2}};
  };
  add();
  add().score = 0.5;
  AnnotatedObject& polygon = add();
  polygon.rings = {inner(polygon.box)};
  AnnotatedObject& parts = add();
  parts.rings = {inner(parts.box),
                 {{parts.box.x1 + 1, parts.box.y1 + 1},
                  {parts.box.x1 + 3, parts.box.y1 + 1},
                  {parts.box.x1 + 3, parts.box.y1 + 3}}};
  AnnotatedObject& quad = add();
  const Xyxy& q = quad.box;
  quad.rings = {{{q.x1, q.y1}, {q.x2, q.y1 + 1}, {q.x2 - 1, q.y2}, {q.x1, q.y2}}};
  AnnotatedObject& loose = add();
  loose.rings = {inner({loose.box.x1 + 1, loose.box.y1 + 1, loose.box.x2 - 1, loose.box.y2 - 1})};
  AnnotatedObject& mask = add();  // columns 10 to 19, rows 4 to 13
  mask.box = {10, 4, 20, 14};
  mask.mask = MaskRuns{width, height, {10 * height + 4}};
  for (int column = 0; column < 10; ++column) {
    mask.mask->runs.push_back(10);
    mask.mask->runs.push_back(column < 9 ? height - 10 : height - 14 + (width - 20) * height);
  }
  AnnotatedObject& turned = add();
  turned.rotation = Rotation{{60, 20, 90, 40}, 30};
  turned.box = box_around({corners_of(*turned.rotation)});
  for (const Mark& mark : marks) add().*mark.member = true;
  add().attributes = {{"flag", true}};
  add().attributes = {{"colour", std::string("red")}, {"speed", 2.5}};
  add().group = "7";
  add().z_order = 3;
  add().track = TrackPlace{"4", frame, true, false};
  add().id = "31";
  AnnotatedObject& posed = add();
  posed.class_index = 0;
  posed.key_points = {{"nose", {posed.box.x1 + 1, posed.box.y1 + 2}, false},
                      {"left ear", {posed.box.x1 + 3.5, posed.box.y1}, true}};
  AnnotatedObject& other_pose = add();
  other_pose.class_index = 1;
  other_pose.rings = {inner(other_pose.box)};
  other_pose.key_points = {{"stem", {other_pose.box.x2, other_pose.box.y2}, false}};
  AnnotatedObject& several = add();
  several.difficult = several.occluded = several.truncated = true;
  several.attributes = {{"flag", true}};
  return list;
}

/// Four images: two with objects, one empty on purpose, one not annotated yet.
AnnotatedSet set_with_every_feature(const fs::path& folder, unsigned seed) {
  AnnotatedSet set;
  set.classes = {{"cat", "1", {}, {}, {"nose", "tail", "left ear"}, {{0, 2}, {1, 0}}},
                 {"dog", "2", {}, {}, {"stem"}, {}}};
  Boxes boxes(seed);
  for (int i = 0; i < 4; ++i) {
    AnnotatedImage image;
    const std::string split = i < 2 ? "train" : "val";
    image.written = fmt::format("{}.png", i);
    image.file = folder / image.written;
    test::write_gray(image.file, width, height, 10 + i);
    image.width = width, image.height = height;
    image.split = split;
    image.state = i == 2   ? ImageState::empty_on_purpose
                  : i == 3 ? ImageState::not_annotated
                           : ImageState::annotated;
    if (i < 2) image.objects = objects_with_every_feature(boxes, i);
    if (i == 1) image.tags = {{"wet", true}};
    set.images.push_back(std::move(image));
  }
  return set;
}

/// What can be compared of an object, as text.
std::string text_of(const AnnotatedObject& o, const AnnotatedSet& set) {
  const auto number = [](double value) { return fmt::format("{:.4f}", value + 0.0); };
  const auto box = [&](const Xyxy& b) {
    return number(b.x1) + " " + number(b.y1) + " " + number(b.x2) + " " + number(b.y2);
  };
  std::string text = set.classes[static_cast<std::size_t>(o.class_index)].name + " " + box(o.box);
  for (const Mark& mark : marks)
    if (o.*mark.member) text += std::string(" ") + mark.name;
  for (const Ring& ring : o.rings) {
    text += " ring";
    for (const Point& p : ring) text += " " + number(p.x) + "," + number(p.y);
  }
  if (o.mask) text += fmt::format(" mask {}", fmt::join(o.mask->runs, ","));
  if (o.rotation) text += " turned " + box(o.rotation->box) + " by " + number(o.rotation->degrees);
  if (o.track) text += " track " + o.track->id;
  std::set<std::string> points;
  for (const KeyPoint& p : o.key_points)
    points.insert(p.name + " " + number(p.at.x) + "," + number(p.at.y) +
                  (p.hidden ? " hidden" : ""));
  for (const std::string& one : points) text += " point " + one;
  if (o.score) text += " score " + number(*o.score);
  if (o.z_order != 0) text += fmt::format(" z {}", o.z_order);
  if (!o.group.empty()) text += " group " + o.group;
  std::set<std::string> attributes;
  for (const Attribute& one : o.attributes)
    attributes.insert(one.name + "=" + dataset::text_of(one.value));
  for (const std::string& one : attributes) text += " " + one;
  return text;
}

/// One line for each object, tag, joint and image, which is told by its shade: some formats name
/// images anew.
std::vector<std::string> lines_of(const AnnotatedSet& set) {
  std::vector<std::string> all;
  for (const AnnotatedClass& one : set.classes)
    for (const auto& [a, b] : one.joints)
      all.push_back(one.name + " joins " + one.point_names[static_cast<std::size_t>(a)] + " and " +
                    one.point_names[static_cast<std::size_t>(b)]);
  for (const AnnotatedImage& image : set.images) {
    const std::string shade = std::to_string(read_picture(image.file).at<cv::Vec3b>(0, 0)[0]);
    for (const AnnotatedObject& object : image.objects)
      all.push_back(shade + " " + text_of(object, set));
    for (const Attribute& tag : image.tags) all.push_back(shade + " tag " + tag.name);
    all.push_back(shade +
                  (image.state == ImageState::not_annotated ? " not annotated" : " is seen"));
  }
  return all;
}

/// What one has and the other lacks; "" where they are equal.
std::string difference(std::vector<std::string> found, std::vector<std::string> expected) {
  std::sort(found.begin(), found.end());
  std::sort(expected.begin(), expected.end());
  std::string text;
  std::vector<std::string> only;
  std::set_difference(expected.begin(), expected.end(), found.begin(), found.end(),
                      std::back_inserter(only));
  for (const std::string& line : only) text += "\n  lacks " + line;
  only.clear();
  std::set_difference(found.begin(), found.end(), expected.begin(), expected.end(),
                      std::back_inserter(only));
  for (const std::string& line : only) text += "\n  has   " + line;
  return text;
}

class Pairs : public testing::TestWithParam<std::string> {
 protected:
  AnnotatedSet through(const AnnotatedSet& set, const std::string& name, const std::string& step,
                       Conversion& account) {
    const Format& format = *find_format(name);
    const fs::path out = folder / step;
    fs::create_directories(out);
    account.names = names_of(set);
    for (const AnnotatedImage& image : set.images) account.boxes.out += image.objects.size();
    format.write({set, out, write_options, account, {}});
    ConvertOptions options;
    options.source = out;
    options.from = name;
    options.read.unpack_folder = folder / (step + " unpacked");
    Conversion reading;
    return read_annotations_of(options, reading);
  }

  test::TemporaryFolder folder;
  WriteOptions write_options;
};

/// Every property that is in the set and not in the format is counted, once for each object.
void expect_losses_counted(const AnnotatedSet& set, const Format& format) {
  AnnotatedSet kept = set;
  Format marks_alone = format;
  marks_alone.limits = nullptr;
  keep_what_it_holds(kept, marks_alone);
  for (const Loss& loss : losses(set, format)) {
    if (loss.where != Keep::no) continue;
    EXPECT_GT(loss.count, 0u) << format.name << " " << loss.what;
    for (const Loss& after : losses(kept, format))
      EXPECT_FALSE(after.what == loss.what && after.where == Keep::no)
          << format.name << " keeps " << loss.what;
  }
}

TEST_P(Pairs, ThereAndBackAsTheTableSays) {
  const AnnotatedSet whole = set_with_every_feature(folder / "images", 7);
  Conversion account;
  AnnotatedSet first = through(whole, GetParam(), "first", account);
  AnnotatedSet expected = whole;
  keep_what_it_holds(expected, *find_format(GetParam()));
  EXPECT_EQ(difference(lines_of(first), lines_of(expected)), "") << GetParam() << " alone";
  expect_losses_counted(whole, *find_format(GetParam()));
  for (const std::string& other : written_formats()) {
    Conversion there, back;
    const AnnotatedSet second = through(first, other, other + " there", there);
    const AnnotatedSet third = through(second, GetParam(), other + " back", back);
    AnnotatedSet promised = first;
    keep_what_it_holds(promised, *find_format(other));
    keep_what_it_holds(promised, *find_format(GetParam()));
    EXPECT_EQ(difference(lines_of(third), lines_of(promised)), "")
        << GetParam() << " by way of " << other;
    fs::remove_all(folder / (other + " there"));
    fs::remove_all(folder / (other + " back"));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Pairs, testing::ValuesIn(written_formats()), format_of_test);

}  // namespace
}  // namespace yolov7::dataset
