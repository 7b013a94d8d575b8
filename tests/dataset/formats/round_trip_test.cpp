// A set written in each format and read again holds what the table of formats promises.
#include <fmt/format.h>

#include <algorithm>

#include "core/json.hpp"
#include "tests/dataset/formats/format_fixture.hpp"
#include "tests/dataset/formats/written_formats.hpp"
#include "tests/stopping.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;

/// One set with everything in it, as COCO: 3 images of 100 × 50 px in two splits.
class RoundTrip : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    for (const char* name : {"train/a.png", "train/b.png", "val/c.png"})
      test::write_gray(source / "images" / name, 100, 50, shade_++);
    test::write_text(source / "annotations/instances_train.json", R"({
"images": [{"id": 5, "file_name": "a.png", "width": 100, "height": 50},
           {"id": 6, "file_name": "b.png", "width": 100, "height": 50}],
"annotations": [
 {"id": 11, "image_id": 5, "category_id": 1, "bbox": [10.25, 5, 20, 30.125],
  "attributes": {"occluded": true, "difficult": true, "truncated": true, "speed": 2.5}},
 {"id": 12, "image_id": 5, "category_id": 2, "bbox": [40, 10, 20, 20],
  "segmentation": [[40, 10, 60, 10, 60, 30, 50, 20, 40, 30]]},
 {"id": 13, "image_id": 5, "category_id": 1, "bbox": [60, 10, 20, 10],
  "attributes": {"rotation": 30, "z_order": 2, "group_id": "7"}}],
"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "a dog"}]})");
    test::write_text(source / "annotations/instances_val.json", R"({
"images": [{"id": 5, "file_name": "c.png", "width": 100, "height": 50}],
"annotations": [{"id": 21, "image_id": 5, "category_id": 2, "bbox": [0, 0, 100, 50]},
 {"id": 22, "image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}],
"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "a dog"}]})");
  }
  static ConvertOptions options(const fs::path& from, const fs::path& to,
                                const std::string& format) {
    ConvertOptions result;
    result.source = from;
    result.out = to;
    result.to = format;
    return result;
  }
  /// "a dog" has a blank, which some formats cannot hold.
  static std::string plain(std::string name) {
    std::replace(name.begin(), name.end(), '_', ' ');
    std::replace(name.begin(), name.end(), '-', ' ');
    return name;
  }

  test::TemporaryFolder folder;
  fs::path source = folder / "source";

 private:
  int shade_ = 1;
};

TEST_P(RoundTrip, BoxesAndWhatTheTablePromises) {
  const Format& format = format_named(GetParam(), "--to");
  Conversion first, second;
  ConvertOptions reading;
  reading.source = source;
  const AnnotatedSet before = read_annotations_of(reading, first);
  const Conversion out = convert(options(source, folder / "out", GetParam()));
  EXPECT_EQ(out.from, "coco");
  EXPECT_EQ(detect_format(walk_source(folder / "out")).name, GetParam());
  reading.source = folder / "out";
  reading.from = GetParam();
  reading.read.unpack_folder = folder / "unpacked";
  AnnotatedSet after = read_annotations_of(reading, second);
  ASSERT_EQ(after.images.size(), GetParam() == "openimages" ? 2u : 3u);
  // By their pixels, since names change.
  for (const AnnotatedImage& one : before.images) {
    const auto same = std::find_if(
        after.images.begin(), after.images.end(),
        [&](const AnnotatedImage& other) { return other.content_hash == one.content_hash; });
    if (same == after.images.end()) {
      EXPECT_TRUE(one.objects.empty()) << one.written;
      continue;
    }
    ASSERT_EQ(same->objects.size(), one.objects.size()) << one.written;
    const auto sort = [](std::vector<AnnotatedObject> objects) {
      std::sort(objects.begin(), objects.end(),
                [](const auto& a, const auto& b) { return a.box.x1 < b.box.x1; });
      return objects;
    };
    const auto expected = sort(one.objects), found = sort(same->objects);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const AnnotatedObject &a = expected[i], &b = found[i];
      // 12 digits of numbers up to 100; TFRecord has fractions of 100 px as float32.
      const double tolerance = GetParam() == "tfrecord" ? 6e-6 : 1e-8;
      EXPECT_NEAR(b.box.x1, a.box.x1, tolerance);
      EXPECT_NEAR(b.box.y1, a.box.y1, tolerance);
      EXPECT_NEAR(b.box.x2, a.box.x2, tolerance);
      EXPECT_NEAR(b.box.y2, a.box.y2, tolerance);
      if (GetParam() != "widerface") {
        EXPECT_EQ(plain(names_of(after)[static_cast<std::size_t>(b.class_index)]),
                  names_of(before)[static_cast<std::size_t>(a.class_index)]);
      }
      const Holds& holds = format.holds;
      if (holds.difficult != Keep::no) {
        EXPECT_EQ(b.difficult, a.difficult);
      }
      if (holds.truncated != Keep::no) {
        EXPECT_EQ(b.truncated, a.truncated);
      }
      if (holds.occluded != Keep::no) {
        EXPECT_EQ(b.occluded, a.occluded);
      }
      const bool only_quads = GetParam() == "dota";
      if (holds.polygon != Keep::no && !a.rings.empty() && !only_quads) {
        EXPECT_EQ(b.rings, a.rings);
      }
      if (holds.z_order == Keep::yes) {
        EXPECT_EQ(b.z_order, a.z_order);
      }
      if (holds.group == Keep::yes) {
        EXPECT_EQ(b.group, a.group);
      }
      if (holds.score == Keep::yes) {
        EXPECT_EQ(b.score, a.score);
      }
      if (holds.rotation == Keep::yes || (holds.rotation != Keep::no && GetParam() != "voc")) {
        ASSERT_EQ(b.rotation.has_value(), a.rotation.has_value());
        if (a.rotation) {
          EXPECT_NEAR(b.rotation->degrees, a.rotation->degrees, tolerance);
        }
      }
    }
  }
}

TEST_P(RoundTrip, LossesAreNamed) {
  const Format& format = format_named(GetParam(), "--to");
  const Conversion out = convert(options(source, folder / "out", GetParam()));
  const auto lost = [&](const char* what) {
    return std::any_of(out.losses.begin(), out.losses.end(), [&](const ConversionLoss& loss) {
      return loss.what == what && loss.where.empty() && loss.count == 1;
    });
  };
  EXPECT_EQ(lost("rotation"), format.holds.rotation == Keep::no);
  EXPECT_EQ(lost("polygon"), format.holds.polygon == Keep::no);
  EXPECT_EQ(lost("difficult"), format.holds.difficult == Keep::no);
  EXPECT_EQ(lost("score"), format.holds.score == Keep::no);
  EXPECT_EQ(lost("image without a box"), GetParam() == "openimages");
}

TEST_P(RoundTrip, AStopEndsReaderAndWriter) {
  const Format& format = format_named(GetParam(), "--to");
  Conversion account;
  ConvertOptions reading;
  reading.source = source;
  const AnnotatedSet set = read_annotations_of(reading, account);
  fs::create_directory(folder / "stopped");
  EXPECT_TRUE(test::is_stopped([&] {
    format.write({set, folder / "stopped", reading.write, account, test::stopped()});
  }));
  convert(options(source, folder / "out", GetParam()));
  const SourceTree tree = walk_source(folder / "out");
  const ImageFinder finder(tree);
  EXPECT_TRUE(test::is_stopped([&] {
    format.read({tree, finder, reading.read, account, test::stopped()});
  }));
  EXPECT_TRUE(test::is_stopped(
      [&] { walk_source(folder / "out", {}, "a folder with annotations", test::stopped()); }));
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip, testing::ValuesIn(written_formats()), format_of_test);

class Chains : public test::FormatFiles {};

TEST_F(Chains, LabelFilesComeBackByteByByte) {
  image("images/train/a.png", 97, 53);
  image("images/train/b.png", 97, 53);
  file("data.yaml", "train: images/train\nval: images/train\nnames: [x, y]\n");
  const std::string labels =
      "1 0.512345678901 0.3 0.2 0.400000000001\n0 0.25 0.25 0.1 0.1\n"
      "0 0.1 0.2 0.3 0.2 0.3 0.4 0.123456789012 0.35\n";
  file("labels/train/a.txt", labels);
  file("labels/train/b.txt", "");
  fs::path from = source;
  int step = 0;
  for (const char* format : {"coco", "cvat", "label-studio", "datumaro", "yolo"}) {
    ConvertOptions one;
    one.source = from;
    one.out = folder / fmt::format("{}", step++);
    one.to = format;
    EXPECT_EQ(convert(one).boxes.dropped, 0u) << format;
    from = one.out;
  }
  EXPECT_EQ(test::read_text(from / "labels/train/a.txt"), labels);
  EXPECT_EQ(test::read_text(from / "labels/train/b.txt"), "");
  EXPECT_TRUE(fs::exists(from / "labels/train/b.txt"));
}

TEST_F(Chains, NamesOfImagesThatAreNoTextAreChanged) {
  image("caf\xE9.png");  // Latin-1
  file("caf\xE9.txt", "0 0.5 0.5 0.2 0.4\n");
  ConvertOptions one;
  one.source = source;
  one.out = folder / "coco";
  one.from = "yolo";
  one.to = "coco";
  EXPECT_EQ(convert(one).renamed.size(), 1u);
  EXPECT_TRUE(fs::exists(folder / "coco/images/train/caf_.png"));
  Conversion again;
  one.source = folder / "coco";
  one.from = "coco";
  EXPECT_EQ(read_annotations_of(one, again).images.at(0).objects.size(), 1u);
}

TEST_F(Chains, ALossIsCountedOnce) {
  image("a.png");
  file("instances_train.json", R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 30, 20],
 "segmentation": [[10, 5, 40, 5, 40, 25], [12, 7, 14, 7, 14, 9]]}],
"categories": [{"id": 1, "name": "x"}]})");
  for (const std::string& format : written_formats()) {
    ConvertOptions one;
    one.source = source;
    one.out = folder / format;
    one.to = format;
    const Conversion out = convert(one);
    const auto count = std::count_if(
        out.losses.begin(), out.losses.end(),
        [](const ConversionLoss& loss) { return loss.what == "polygon of several parts"; });
    EXPECT_EQ(count, format == "coco" ? 0 : 1) << format;
  }
}

TEST_F(Chains, AnAttributeThatStandsTwiceIsCountedWhereOneStays) {
  image("images/a.png");
  file("annotations.xml",
       "<annotations><meta><task><labels><label><name>car</name><attributes><attribute><name>f"
       "</name><input_type>checkbox</input_type></attribute></attributes></label></labels></task>"
       "</meta><image id=\"0\" name=\"a.png\" width=\"100\" height=\"50\">"
       "<box label=\"car\" xtl=\"10\" ytl=\"5\" xbr=\"30\" ybr=\"35\"><attribute name=\"f\">"
       "true</attribute><attribute name=\"f\">false</attribute></box></image></annotations>");
  for (const auto& [name, once] : {std::pair("coco", true),
                                   {"datumaro", true},
                                   {"label-studio", true},
                                   {"labelme", true},
                                   {"yolo", true},
                                   {"voc", false},
                                   {"supervisely", false},
                                   {"cvat", false}}) {
    EXPECT_EQ(lost(write(name), "attribute of a name that its object has again"), once ? 1u : 0u)
        << name;
    ConvertOptions written;
    written.source = folder / name;
    written.from = name;
    Conversion again;
    const AnnotatedSet set = read_annotations_of(written, again);
    const std::vector<Attribute>& attributes = set.images.at(0).objects.at(0).attributes;
    ASSERT_EQ(attributes.size(), once ? 1u : 2u) << name;
    EXPECT_EQ(text_of(attributes.back().value), "false") << name;
  }
}

TEST_F(Chains, TracksKeepWhatIsNoKeyFrame) {
  image("a.png");
  file("instances_train.json", R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 30, 20],
 "attributes": {"track_id": "4", "frame": 0, "keyframe": false}}],
"categories": [{"id": 1, "name": "x"}]})");
  for (const std::string& name : written_formats()) {
    if (find_format(name)->holds.track == Keep::no) continue;
    ConvertOptions one;
    one.source = source;
    one.out = folder / name;
    one.to = name;
    convert(one);
    Conversion again;
    one.source = folder / name;
    one.from = name;
    const AnnotatedSet set = read_annotations_of(one, again);
    const AnnotatedObject& object = set.images.at(0).objects.at(0);
    ASSERT_TRUE(object.track) << name;
    EXPECT_EQ(object.track->id, "4") << name;
    EXPECT_FALSE(object.track->keyframe) << name;
    EXPECT_FALSE(object.track->outside) << name;
    EXPECT_TRUE(object.attributes.empty()) << name;
  }
}

TEST_F(Chains, YoloKeepsPolygonsNearTheirBoxesInItsSideFile) {
  image("a.png");  // 100 px wide: half a pixel is a fraction of 0.005
  file("instances_train.json", R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 30, 20],
 "segmentation": [[10.5, 5, 40, 5, 40, 25, 20, 25, 15, 20]]}],
"categories": [{"id": 1, "name": "x"}]})");
  ConvertOptions one;
  one.source = source;
  one.out = folder / "yolo";
  convert(one);
  EXPECT_EQ(test::read_text(folder / "yolo/labels/train/a.txt"), "0 0.25 0.3 0.3 0.4\n");
  Conversion again;
  one.source = folder / "yolo";
  const AnnotatedSet set = read_annotations_of(one, again);
  const AnnotatedObject& object = set.images.at(0).objects.at(0);
  EXPECT_NEAR(object.box.x1, 10, 1e-9);
  ASSERT_EQ(object.rings.size(), 1u);
  ASSERT_EQ(object.rings[0].size(), 5u);
  EXPECT_NEAR(object.rings[0][0].x, 10.5, 1e-9);
  EXPECT_NEAR(object.rings[0][4].y, 20, 1e-9);
}

TEST_F(Chains, YoloKeepsCrowdsInItsSideFile) {
  image("a.png");
  file("instances_train.json", R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [
{"id": 3, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40], "iscrowd": 1},
{"id": 4, "image_id": 1, "category_id": 1, "bbox": [5, 6, 7, 8], "attributes": {"speed": 3}}],
"categories": [{"id": 1, "name": "x"}]})");
  ConvertOptions one;
  one.source = source;
  one.out = folder / "yolo";
  const Conversion out = convert(one);
  EXPECT_EQ(out.boxes.out, 1u);
  EXPECT_EQ(out.boxes.dropped, 1u);
  EXPECT_EQ(test::read_text(folder / "yolo/labels/train/a.txt"), "0 0.085 0.2 0.07 0.16\n");
  Conversion again;
  one.source = folder / "yolo";
  const AnnotatedSet set = read_annotations_of(one, again);
  ASSERT_EQ(set.images.at(0).objects.size(), 2u);
  EXPECT_FALSE(set.images[0].objects[0].crowd);
  EXPECT_EQ(set.images[0].objects[0].id, "4");
  EXPECT_EQ(set.images[0].objects[0].attributes.at(0).name, "speed");
  EXPECT_TRUE(set.images[0].objects[1].crowd);
  EXPECT_NEAR(set.images[0].objects[1].box.x2, 31, 1e-9);
  // A label that was edited since no longer has what stood beside it.
  test::write_text(folder / "yolo/labels/train/a.txt", "0 0.5 0.5 0.1 0.1\n");
  Conversion edited;
  EXPECT_EQ(read_annotations_of(one, edited).images.at(0).objects.at(0).id, "");
  EXPECT_TRUE(std::any_of(edited.notes.begin(), edited.notes.end(), [](const Problem& note) {
    return note.reason.find("has changed since") != std::string::npos;
  }));
}

}  // namespace
}  // namespace yolov7::dataset
