// Key points of each format that has them: names, places, marks, joints, and which box they are of.
#include <fmt/format.h>

#include <map>

#include "dataset/formats/cvat_skeletons.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/index/read_index.hpp"
#include "tests/dataset/formats/format_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using Points = std::vector<KeyPoint>;
using Joints = std::vector<std::pair<int, int>>;
using Names = std::vector<std::string>;

class KeyPoints : public test::FormatFiles {
 protected:
  /// The only image of what was read.
  static const AnnotatedImage& only(const AnnotatedSet& set) { return set.images.at(0); }
};

constexpr const char* coco = R"({"images": [{"id": 1, "file_name": "a.png", "width": 100,
"height": 50}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 3, "bbox": [10, 5, 40, 30], "num_keypoints": 2,
 "keypoints": [12, 6, 2, 0, 0, 0, 20.5, 7.25, 1]},
{"id": 2, "image_id": 1, "category_id": 3, "bbox": [60, 5, 10, 10], "keypoints": [0,0,0,0,0,0,0,0,0]},
{"id": 3, "image_id": 1, "category_id": 3, "bbox": [70, 5, 20, 20],
 "segmentation": [[70, 5, 90, 5, 90, 25, 80, 10, 70, 25]], "keypoints": [75, 6, 2, 120, 6, 2, 80, 7, 2]}],
"categories": [{"id": 3, "name": "cat", "keypoints": ["nose", "ear", "tail"],
 "skeleton": [[1, 2], [2, 3], [9, 1]]}]})";

TEST_F(KeyPoints, OfCocoWithNamesMarksAndSkeleton) {
  image("a.png");
  file("instances_train.json", coco);
  const AnnotatedSet set = read("coco");
  EXPECT_EQ(set.classes[0].point_names, (Names{"nose", "ear", "tail"}));
  EXPECT_EQ(set.classes[0].joints, (Joints{{0, 1}, {1, 2}}));
  const auto& objects = only(set).objects;
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[0].key_points,
            (Points{{"nose", {12, 6}, false}, {"tail", {20.5, 7.25}, true}}));
  EXPECT_TRUE(objects[1].key_points.empty());
  // 120 lies beyond the image of 100 px: no place in it is right.
  EXPECT_EQ(objects[2].key_points, (Points{{"nose", {75, 6}, false}, {"tail", {80, 7}, false}}));
  EXPECT_EQ(account.not_boxes.at("key point outside of its image"), 1u);
  EXPECT_FALSE(noted("'keypoints' of")) << said();
}

TEST_F(KeyPoints, ToYoloPoseAndBack) {
  image("a.png");
  file("instances_train.json", coco);
  ConvertOptions there;
  there.source = source;
  there.out = folder / "yolo";
  const Conversion out = convert(there);
  // Fractions of 100 × 50 px by hand; points that nobody labelled are zeros.
  EXPECT_EQ(test::read_text(folder / "yolo/labels/train/a.txt"),
            "0 0.3 0.4 0.4 0.6 0.12 0.12 2 0 0 0 0.205 0.145 1\n"
            "0 0.65 0.2 0.1 0.2 0 0 0 0 0 0 0 0 0\n"
            "0 0.8 0.3 0.2 0.4 0.75 0.12 2 0 0 0 0.8 0.14 2\n");
  const std::string yaml = test::read_text(folder / "yolo/data.yaml");
  EXPECT_NE(yaml.find("kpt_shape: [3, 3]\n"), std::string::npos) << yaml;
  std::map<std::string, std::string> beside;
  for (const ConversionLoss& loss : out.losses)
    beside[fmt::format("{} {}", loss.count, loss.what)] = loss.where;
  EXPECT_EQ(beside["1 polygon of a set with key points"], extra_line);
  EXPECT_EQ(beside["2 joint of key points"], extra_line);
  // Training takes the boxes.
  const Index index = read_index(read_description(folder / "yolo/data.yaml"), "train", {});
  ASSERT_EQ(index.entries.at(0).labels.size(), 3u);
  EXPECT_TRUE(index.entries[0].labels[2].polygon.empty());
  const AnnotatedSet before = read("coco");
  source = folder / "yolo";
  const AnnotatedSet set = read("yolo");
  EXPECT_EQ(set.classes[0].point_names, (Names{"nose", "ear", "tail"}));
  EXPECT_EQ(set.classes[0].joints, (Joints{{0, 1}, {1, 2}}));
  for (std::size_t i = 0; i < 3; ++i) {
    const Points &a = before.images[0].objects[i].key_points, &b = only(set).objects[i].key_points;
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
      EXPECT_EQ(a[k].name, b[k].name);
      EXPECT_NEAR(a[k].at.x, b[k].at.x, 1e-9);
      EXPECT_EQ(a[k].hidden, b[k].hidden);
    }
  }
  EXPECT_EQ(only(set).objects[2].rings.at(0).size(), 5u);
}

TEST_F(KeyPoints, OfYoloByTheShapeThatDataYamlGives) {
  image("images/train/a.png");
  file("labels/train/a.txt", "0 0.5 0.5 0.2 0.4 0.5 0.5 0 0 0.45 0.4\n1 0.2 0.2 0.1 0.1\n");
  file("data.yaml", "train: images/train\nval: images/train\nnames: [x, y]\nkpt_shape: [3, 2]\n");
  const AnnotatedSet set = read("yolo");
  ASSERT_EQ(only(set).objects.size(), 2u);
  EXPECT_EQ(only(set).objects[0].key_points,
            (Points{{"1", {50, 25}, false}, {"3", {45, 20}, false}}));
  EXPECT_TRUE(only(set).objects[1].key_points.empty());
}

TEST_F(KeyPoints, OfLabelMeByTheGroup) {
  image("a.png");
  file("a.json", R"({"imagePath": "a.png", "imageWidth": 100, "imageHeight": 50, "shapes": [
{"label": "cat", "shape_type": "rectangle", "points": [[10, 5], [50, 35]], "group_id": 4},
{"label": "cat", "shape_type": "rectangle", "points": [[60, 5], [70, 35]], "group_id": 5},
{"label": "cat", "shape_type": "rectangle", "points": [[70, 5], [80, 35]], "group_id": 5},
{"label": "nose", "shape_type": "point", "points": [[12, 6]], "group_id": 4},
{"label": "ear", "shape_type": "point", "points": [[13, 7]], "group_id": 4, "flags": {"hidden": true}},
{"label": "nose", "shape_type": "point", "points": [[61, 6]], "group_id": 5},
{"label": "nose", "shape_type": "point", "points": [[14, 6]], "group_id": 4},
{"label": "nose", "shape_type": "point", "points": [[90, 6]]}]})");
  const AnnotatedSet set = read("labelme");
  ASSERT_EQ(only(set).objects.size(), 3u);
  EXPECT_EQ(only(set).objects[0].key_points,
            (Points{{"nose", {12, 6}, false}, {"ear", {13, 7}, true}}));
  EXPECT_EQ(only(set).objects[0].group, "");
  EXPECT_EQ(only(set).objects[1].group, "5");
  EXPECT_EQ(account.not_boxes.at("point"), 3u);  // of two boxes, a second nose, of no box
  EXPECT_EQ(set.classes[0].point_names, (Names{"nose", "ear"}));
}

TEST_F(KeyPoints, OfLabelStudioByTheParent) {
  image("a.png");
  file("tasks.json", R"([{"id": 1, "data": {"image": "a.png"}, "annotations": [{"id": 1, "result": [
{"id": "b", "type": "rectanglelabels", "original_width": 100, "original_height": 50,
 "value": {"x": 10, "y": 10, "width": 40, "height": 60, "rectanglelabels": ["cat"]}},
{"id": "p", "type": "keypointlabels", "parentID": "b", "original_width": 100, "original_height": 50,
 "value": {"x": 12, "y": 12, "width": 0.5, "keypointlabels": ["nose"]}},
{"id": "q", "type": "keypointlabels", "original_width": 100, "original_height": 50,
 "value": {"x": 12, "y": 12, "width": 0.5, "keypointlabels": ["nose"]}}]}]}])");
  const AnnotatedSet set = read("label-studio");
  ASSERT_EQ(only(set).objects.size(), 1u);
  EXPECT_EQ(only(set).objects[0].key_points, (Points{{"nose", {12, 6}, false}}));
  EXPECT_EQ(account.not_boxes.at("keypointlabels"), 1u);
}

TEST_F(KeyPoints, NamesOfLabelStudiosPointsAreNoClasses) {
  image("a.png");
  file("instances_train.json", coco);
  ConvertOptions there;
  there.source = source;
  there.out = folder / "tasks";
  there.to = "label-studio";
  convert(there);
  source = folder / "tasks";
  const AnnotatedSet set = read("label-studio");
  EXPECT_EQ(names_of(set), (Names{"cat"}));
  ASSERT_EQ(only(set).objects.size(), 3u) << said();
  EXPECT_EQ(only(set).objects[0].key_points.size(), 2u);
}

TEST_F(KeyPoints, OfDatumaroByTheGroup) {
  image("images/train/a.png");
  file("annotations/train.json", R"({"categories": {"label": {"labels": [{"name": "cat"}]},
"points": {"items": [{"label_id": 0, "labels": ["nose", "ear"], "joints": [[1, 2]]}]}},
"items": [{"id": "a", "image": {"path": "a.png", "size": [50, 100]}, "annotations": [
{"id": 1, "type": "bbox", "label_id": 0, "group": 3, "bbox": [10, 5, 40, 30]},
{"id": 2, "type": "points", "label_id": 0, "group": 3, "points": [12, 6, 13, 7], "visibility": [1, 2]},
{"id": 3, "type": "points", "label_id": 0, "group": 0, "points": [1, 2]}]}]})");
  const AnnotatedSet set = read("datumaro");
  ASSERT_EQ(only(set).objects.size(), 1u);
  EXPECT_EQ(only(set).objects[0].key_points,
            (Points{{"nose", {12, 6}, true}, {"ear", {13, 7}, false}}));
  EXPECT_EQ(only(set).objects[0].group, "");
  EXPECT_EQ(set.classes[0].joints, (Joints{{0, 1}}));
  EXPECT_EQ(account.not_boxes.at("points"), 1u);
}

TEST_F(KeyPoints, OfCvatByTheGroup) {
  image("images/a.png");
  file("annotations.xml", R"(<annotations><version>1.1</version><meta><task><labels>
<label><name>cat</name></label>
<label><name>pose</name><type>skeleton</type><svg>&lt;line data-type="edge" data-node-from="2"
 data-node-to="1"&gt;&lt;/line&gt;&lt;circle data-node-id="1" data-label-name="nose"&gt;&lt;/circle&gt;&lt;circle
 data-node-id="2" data-label-name="ear"&gt;&lt;/circle&gt;</svg></label>
<label><name>nose</name><type>points</type><parent>pose</parent></label></labels></task></meta>
<image id="0" name="a.png" width="100" height="50">
<skeleton label="pose" group_id="2"><points label="nose" outside="0" occluded="1" points="12,6"/>
<points label="ear" outside="1" occluded="0" points="13,7"/></skeleton>
<skeleton label="pose"><points label="nose" outside="0" points="1,1"/></skeleton>
<box label="cat" xtl="10" ytl="5" xbr="50" ybr="35" group_id="2"/></image></annotations>)");
  const AnnotatedSet set = read("cvat");
  EXPECT_EQ(names_of(set), (Names{"cat"}));
  ASSERT_EQ(only(set).objects.size(), 1u);
  EXPECT_EQ(only(set).objects[0].key_points, (Points{{"nose", {12, 6}, true}}));
  EXPECT_EQ(set.classes[0].point_names, (Names{"nose", "ear"}));
  EXPECT_EQ(set.classes[0].joints, (Joints{{1, 0}}));
  EXPECT_EQ(account.not_boxes.at("skeleton"), 1u);
}

TEST_F(KeyPoints, ToCvatAsSkeletonsAndBack) {
  image("a.png");
  file("instances_train.json", coco);
  ConvertOptions there;
  there.source = source;
  there.out = folder / "cvat";
  there.to = "cvat";
  for (const ConversionLoss& loss : convert(there).losses) EXPECT_EQ(loss.what, "object id");
  const std::string xml = test::read_text(folder / "cvat/annotations.xml");
  // Points of the first object by hand; the ear is not labelled.
  for (const char* part :
       {"<name>cat skeleton</name><type>skeleton</type>",
        "<name>ear</name><type>points</type><attributes></attributes><parent>cat skeleton</parent>",
        "data-node-from=&quot;1&quot; stroke-width=&quot;0.5&quot; data-node-to=&quot;2&quot;",
        "<skeleton label=\"cat skeleton\" source=\"manual\" z_order=\"0\" group_id=\"1\">",
        "<points label=\"nose\" source=\"manual\" outside=\"0\" occluded=\"0\" points=\"12,6\">",
        "<points label=\"ear\" source=\"manual\" outside=\"1\" occluded=\"0\" points=\"10,5\">",
        "<points label=\"tail\" source=\"manual\" outside=\"0\" occluded=\"1\" "
        "points=\"20.5,7.25\">"})
    EXPECT_NE(xml.find(part), std::string::npos) << part << "\n" << xml;
  EXPECT_EQ(xml.find("key_points"), std::string::npos);

  ConvertOptions back;
  back.source = folder / "cvat";
  back.from = "cvat";
  back.out = folder / "again";
  back.to = "coco";
  const Conversion account_back = convert(back);
  EXPECT_TRUE(account_back.not_boxes.empty());
  source = folder / "again";
  const AnnotatedSet set = read("coco");
  EXPECT_EQ(names_of(set), (Names{"cat"}));
  EXPECT_EQ(set.classes[0].point_names, (Names{"nose", "ear", "tail"}));
  EXPECT_EQ(set.classes[0].joints, (Joints{{0, 1}, {1, 2}}));
  ASSERT_EQ(only(set).objects.size(), 3u);
  EXPECT_EQ(only(set).objects[0].key_points,
            (Points{{"nose", {12, 6}, false}, {"tail", {20.5, 7.25}, true}}));
  EXPECT_TRUE(only(set).objects[0].group.empty());
  EXPECT_TRUE(only(set).objects[1].key_points.empty());
  EXPECT_EQ(only(set).objects[2].key_points,
            (Points{{"nose", {75, 6}, false}, {"tail", {80, 7}, false}}));
}

TEST_F(KeyPoints, CvatSkeletonsHaveALabelOfTheirOwn) {
  AnnotatedSet set;
  set.classes = {{"cat", "1", {}, {}, {"nose"}, {}}, {"cat skeleton", "2", {}, {}, {}, {}}};
  EXPECT_EQ(cvat_skeleton_label(set, 0), "cat skeleton skeleton");
}

TEST_F(KeyPoints, OfSuperviselyByTheInstance) {
  image("set/img/a.png");
  file("meta.json",
       R"({"classes": [{"title": "cat", "shape": "any", "color": "#112233"}], "tags": []})");
  file("set/ann/a.png.json", R"({"size": {"height": 50, "width": 100}, "tags": [], "objects": [
{"classTitle": "cat", "geometryType": "graph", "instance": "i1",
 "nodes": {"nose": {"loc": [12, 6]}, "ear": {"loc": [13, 7], "disabled": true}}},
{"classTitle": "cat", "geometryType": "graph", "nodes": {"nose": {"loc": [1, 1]}}},
{"classTitle": "cat", "geometryType": "rectangle", "instance": "i1",
 "points": {"exterior": [[10, 5], [49, 34]], "interior": []}}]})");
  const AnnotatedSet set = read("supervisely");
  ASSERT_EQ(only(set).objects.size(), 1u);
  EXPECT_EQ(only(set).objects[0].key_points,
            (Points{{"ear", {13, 7}, true}, {"nose", {12, 6}, false}}));  // in the order of JSON
  EXPECT_EQ(account.not_boxes.at("graph"), 1u);
}

TEST_F(KeyPoints, AreTurnedWithTheirImage) {
  AnnotatedImage turned;
  turned.written_width = 100, turned.written_height = 50;
  AnnotatedObject object;
  object.box = {10, 5, 50, 35};
  object.key_points = {{"nose", {12, 6}, false}};
  turned.objects = {object};
  PictureFacts facts;
  facts.width = 50, facts.height = 100, facts.orientation = 6;  // shown after a quarter clockwise
  EXPECT_EQ(fit_to_image(turned, facts, SizeRule::drop, "a.jpg").fault, "");
  EXPECT_EQ(turned.objects[0].key_points[0].at, (Point{44, 12}));  // 50 − 6, 12
}

TEST_F(KeyPoints, ThatHaveNoPlaceAreCounted) {
  image("a.png");
  file("instances_train.json", coco);
  ConvertOptions there;
  there.source = source;
  there.to = "kitti";
  there.out = folder / "kitti";
  const Conversion out = convert(there);
  const auto lost = [&](const std::string& what) -> std::size_t {
    for (const ConversionLoss& loss : out.losses)
      if (loss.what == what && loss.where.empty()) return loss.count;
    return 0;
  };
  EXPECT_EQ(lost("key points"), 2u);
  EXPECT_EQ(lost("joint of key points"), 2u);
}

TEST_F(KeyPoints, AsTextAreWhatTheyWere) {
  AnnotatedObject object;
  object.key_points = {{"a \"b\"", {1.5, 2}, false}, {"c", {3, 4}, true}};
  EXPECT_EQ(key_points_text(object), R"([["a \"b\"",1.5,2.0],["c",3.0,4.0,"hidden"]])");
  AnnotatedObject back;
  EXPECT_TRUE(take_key_points({key_points_name, key_points_text(object)}, back));
  EXPECT_EQ(back.key_points, object.key_points);
  for (const char* other : {"yes", "[1, 2]", R"([["a", 1, 2], ["a", 3, 4]])"})
    EXPECT_FALSE(take_key_points({key_points_name, std::string(other)}, back)) << other;
}

TEST_F(KeyPoints, TooManyNumbersOrDoubledNamesAreNoted) {
  image("a.png");
  file("instances_train.json", R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 40, 30], "keypoints": [1, 2]}],
"categories": [{"id": 1, "name": "cat", "keypoints": ["nose", "nose"]}]})");
  const AnnotatedSet set = read("coco");
  EXPECT_TRUE(only(set).objects[0].key_points.empty());
  EXPECT_TRUE(noted("expected keypoints as x, y, visibility of each")) << said();
  EXPECT_TRUE(noted("called by their numbers")) << said();
  EXPECT_EQ(set.classes[0].point_names, (Names{"1", "2"}));
}

}  // namespace
}  // namespace yolov7::dataset
