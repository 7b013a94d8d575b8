// Files of annotation platforms by hand: SuperAnnotate, Darwin, Segment Anything, VoTT, Scalabel,
// Labelbox, with what their real files of the corpus do not have.
#include <fmt/format.h>

#include "dataset/formats/format_table.hpp"
#include "dataset/formats/json_files.hpp"
#include "tests/dataset/formats/format_fixture.hpp"

namespace yolov7::dataset {
namespace {

using PlatformFormats = test::FormatFiles;

TEST_F(PlatformFormats, SuperAnnotateShapes) {
  image("a.png");
  file("classes/classes.json",
       R"([{"id": 3, "name": "y", "color": "#fff"}, {"id": 4, "name": "x"}])");
  file("a.png.json", R"({"metadata": {"name": "a.png", "width": 100, "height": 50}, "tags": ["wet"],
"comments": [{}], "instances": [
{"type": "bbox", "className": "x", "points": {"x1": 30, "y1": 35, "x2": 10, "y2": 5}, "groupId": 2,
 "probability": 40, "attributes": [{"groupName": "doors", "name": "4"}]},
{"type": "rbbox", "classId": 3, "points": {"x1": 10, "y1": 10, "x2": 30, "y2": 10, "x3": 30, "y3": 20,
 "x4": 10, "y4": 20}},
{"type": "polygon", "className": "x", "points": [1, 2, 11, 2, 11, 22], "exclude": [[5, 3, 6, 3, 6, 4]]},
{"type": "ellipse", "className": "x", "cx": 50, "cy": 25, "rx": 10, "ry": 5, "angle": 90},
{"type": "template", "className": "x", "points": []},
{"type": "bbox", "className": "x", "points": {"x1": "a"}},
{"type": "bbox", "classId": 99, "points": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}}]})");
  file("b.json", R"({"metadata": {}, "instances": 5})");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "superannotate");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"y", "x"}));
  ASSERT_EQ(set.images.size(), 1u) << said();
  const auto& objects = set.images[0].objects;
  ASSERT_EQ(objects.size(), 4u) << said();
  EXPECT_EQ(objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(objects[0].group, "2");
  EXPECT_EQ(objects[0].score, 0.4);
  EXPECT_EQ(objects[0].attributes, (std::vector<Attribute>{{"doors", std::string("4")}}));
  EXPECT_EQ(objects[1].class_index, 0);
  ASSERT_TRUE(objects[1].rotation);
  EXPECT_NEAR(objects[1].rotation->degrees, 0, 1e-9);
  EXPECT_EQ(objects[2].rings.size(), 2u);
  EXPECT_NEAR(objects[3].box.x1, 45, 1e-9);  // turned by a quarter
  EXPECT_NEAR(objects[3].box.y1, 15, 1e-9);
  EXPECT_EQ(account.not_boxes.at("template"), 1u);
  EXPECT_TRUE(dropped("instances[5]: expected x1, y1 … of 2 corners as numbers")) << said();
  EXPECT_TRUE(dropped("instances[6]: no class name")) << said();
  EXPECT_TRUE(dropped("expected instances as a list, found 5")) << said();
  EXPECT_TRUE(noted("1 comments on images are not kept")) << said();
}

// A class without an id names no instance that has neither a class nor an id of one; a hole that is
// no ring, and an angle that is no number, are no objects with a part left out.
TEST_F(PlatformFormats, SuperAnnotateFaultsAreNamed) {
  image("a.png");
  file("classes/classes.json", R"([{"name": "y"}, {"id": 4, "name": "x"}])");
  file("a.png.json", R"({"metadata": {"name": "a.png", "width": 100, "height": 50}, "instances": [
{"type": "bbox", "points": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}},
{"type": "polygon", "className": "x", "points": [1, 2, 11, 2, 11, 22], "exclude": [[5, 3]]},
{"type": "ellipse", "className": "x", "cx": 50, "cy": 25, "rx": 10, "ry": 5, "angle": "a"},
{"type": "ellipse", "classId": 4, "cx": 50, "cy": 25, "rx": 10, "ry": 5}]})");
  const AnnotatedSet set = read("superannotate");
  ASSERT_EQ(set.images.size(), 1u) << said();
  ASSERT_EQ(set.images[0].objects.size(), 1u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{40, 20, 60, 30}));
  EXPECT_TRUE(dropped("instances[0]: no class name")) << said();
  EXPECT_TRUE(dropped("instances[1]: expected a hole of at least 3 points, found [5,3]")) << said();
  EXPECT_TRUE(dropped("instances[2]: expected numbers cx, cy, rx, ry and angle")) << said();
}

TEST_F(PlatformFormats, DarwinBothVersions) {
  image("sub/a.png");
  image("b.png");
  file("a.json", R"({"version": "2.0", "item": {"name": "a.png", "path": "/sub", "slots": [
{"slot_name": "0", "width": 100, "height": 50}]}, "annotations": [
{"name": "x", "bounding_box": {"x": 10, "y": 5, "w": 20, "h": 30}, "slot_names": ["0"], "id": "k1",
 "attributes": {"attributes": ["red"]}, "inference": {"confidence": 0.5}},
{"name": "x", "polygon": {"paths": [[{"x": 1, "y": 2}, {"x": 11, "y": 2}, {"x": 11, "y": 22}]]},
 "bounding_box": {"x": 1, "y": 2, "w": 10, "h": 20}},
{"name": "wet", "tag": {}}, {"name": "l", "line": {"path": []}},
{"name": "x", "bounding_box": {"x": 1, "y": 2, "w": 3, "h": 4}, "slot_names": ["1"]},
{"bounding_box": {"x": 1, "y": 2, "w": 3, "h": 4}},
{"name": "x", "bounding_box": {"x": null, "y": 2, "w": 3, "h": 4}}]})");
  file("b.json", R"({"dataset": "d", "image": {"filename": "b.png", "width": 100, "height": 50},
"annotations": [{"name": "y", "polygon": {"path": [{"x": 1, "y": 2}, {"x": 11, "y": 2},
 {"x": 11, "y": 22}], "additional_paths": [[{"x": 5, "y": 3}, {"x": 6, "y": 3}, {"x": 6, "y": 4}]]}}]})");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "darwin");
  ASSERT_EQ(set.images.size(), 2u) << said();
  ASSERT_EQ(set.images[0].objects.size(), 2u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(set.images[0].objects[0].id, "k1");
  EXPECT_EQ(set.images[0].objects[0].score, 0.5);
  EXPECT_EQ(set.images[0].objects[1].rings.size(), 1u);
  EXPECT_EQ(set.images[0].tags, (std::vector<Attribute>{{"wet", true}}));
  EXPECT_EQ(set.images[1].objects.at(0).rings.size(), 2u);
  EXPECT_EQ(account.not_boxes.at("line"), 1u);
  EXPECT_EQ(account.not_boxes.at("annotation of another slot"), 1u);
  EXPECT_FALSE(account.not_boxes.contains("tag"));
  EXPECT_TRUE(dropped("annotations[5]: no class name")) << said();
  EXPECT_TRUE(dropped("annotations[6]: expected a box with x, y, w and h as numbers")) << said();
}

TEST_F(PlatformFormats, SegmentAnythingHasOneClass) {
  image("a.png");
  file("a.json", R"({"image": {"image_id": 7, "width": 100, "height": 50, "file_name": "a.png"},
"annotations": [{"id": 1, "bbox": [10, 5, 20, 30], "predicted_iou": 0.5, "segmentation":
 [[10, 5, 30, 5, 30, 35]]}, {"id": 2, "bbox": "x"}]})");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "segment-anything");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"object"}));
  ASSERT_EQ(set.images.at(0).objects.size(), 1u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_TRUE(dropped("annotations[1]: expected bbox as [x, y, width, height]")) << said();
  EXPECT_TRUE(noted("every object is of class 'object'")) << said();
}

TEST_F(PlatformFormats, VottAssetsOneByOne) {
  image("a.png");
  image("b.png");
  image("c.png");
  file("1-asset.json",
       R"({"asset": {"name": "a.png", "state": 2, "size": {"width": 100, "height": 50}},
"regions": [{"id": "r", "type": "POLYGON", "tags": ["x", "y"], "boundingBox": {"left": 1, "top": 2,
 "width": 10, "height": 20}, "points": [{"x": 1, "y": 2}, {"x": 11, "y": 2}, {"x": 11, "y": 22}]}]})");
  file("2-asset.json", R"({"asset": {"name": "b.png", "state": 1}, "regions": []})");
  file("3-asset.json", R"({"asset": {"name": "c.png", "state": 0}, "regions": []})");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "vott");
  ASSERT_EQ(set.images.size(), 3u) << said();
  ASSERT_EQ(set.images[0].objects.size(), 2u);
  EXPECT_EQ(set.images[0].objects[0].rings.size(), 1u);
  EXPECT_EQ(set.images[0].objects[1].class_index, 1);
  EXPECT_EQ(set.images[1].state, ImageState::empty_on_purpose);
  EXPECT_EQ(set.images[2].state, ImageState::not_annotated);
}

TEST_F(PlatformFormats, ScalabelConfigurationAndShapes) {
  image("v/a.png");
  image("b.png");
  file("labels_val.json", R"({"frames": [{"name": "a.png", "videoName": "v", "attributes": {"scene":
"city"}, "labels": [{"id": 0, "category": "car", "box2d": {"x1": 10, "y1": 5, "x2": 30, "y2": 35},
 "attributes": {"occluded": true, "crowd": true, "colour": "red"}},
{"id": 1, "category": "car", "box2d": null, "poly2d": [{"vertices": [[1, 2], [11, 2], [11, 22]],
 "types": "LLL", "closed": true}]},
{"id": 2, "category": "lane", "poly2d": [{"vertices": [[1, 2], [11, 2]], "types": "LL", "closed":
 false}]}, {"id": 3, "category": "car", "box3d": {}}, {"id": 4, "box2d": {"x1": 1, "y1": 2, "x2": 3,
 "y2": 4}}, {"id": 5, "category": "car", "box2d": {"x1": "a"}}]}, {"name": "b.png", "labels": null}],
"config": {"imageSize": {"width": 100, "height": 50}, "categories": [{"name": "bus"}, {"name": "car"}]}})");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "scalabel");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"bus", "car"}));
  ASSERT_EQ(set.images.size(), 2u) << said();
  EXPECT_EQ(set.images[0].split, "val");
  ASSERT_EQ(set.images[0].objects.size(), 2u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_TRUE(set.images[0].objects[0].occluded);
  EXPECT_TRUE(set.images[0].objects[0].crowd);
  EXPECT_EQ(set.images[0].objects[0].attributes.size(), 1u);
  EXPECT_EQ(set.images[0].objects[1].box, (Xyxy{1, 2, 11, 22}));
  EXPECT_EQ(set.images[1].state, ImageState::not_annotated);
  EXPECT_EQ(account.not_boxes.at("poly2d"), 1u);
  EXPECT_EQ(account.not_boxes.at("box3d"), 1u);
  EXPECT_TRUE(dropped("labels[4]: no category")) << said();
  EXPECT_TRUE(dropped("labels[5]: expected box2d with x1, y1, x2 and y2 as numbers")) << said();
}

TEST_F(PlatformFormats, LabelboxLines) {
  image("a.png");
  image("b.png");
  file(
      "export.ndjson",
      R"({"data_row": {"id": "k", "external_id": "a.png"}, "media_attributes": {"width": 100, "height": 50}, "projects": {"p": {"labels": [{"annotations": {"objects": [{"name": "x", "bounding_box": {"top": 5, "left": 10, "height": 30, "width": 20}, "classifications": [{"name": "colour", "radio_answer": {"name": "red"}}]}, {"name": "x", "polygon": [{"x": 1, "y": 2}, {"x": 11, "y": 2}, {"x": 11, "y": 22}]}, {"name": "m", "annotation_kind": "ImageSegmentationMask", "mask": {"url": "https://x"}}, {"bounding_box": {"top": 1}}], "classifications": [{"name": "wet", "checklist_answers": [{"name": "yes"}, {"name": "very"}]}]}}, {"annotations": {"objects": []}}]}}}

{"data_row": {"external_id": "b.png"}, "projects": {}}
{"data_row": 5}
{broken
)");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "labelbox");
  ASSERT_EQ(set.images.size(), 2u) << said();
  ASSERT_EQ(set.images[0].objects.size(), 2u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(set.images[0].objects[0].attributes,
            (std::vector<Attribute>{{"colour", std::string("red")}}));
  EXPECT_EQ(set.images[0].tags, (std::vector<Attribute>{{"wet", std::string("yes, very")}}));
  EXPECT_EQ(set.images[1].state, ImageState::not_annotated);
  EXPECT_EQ(account.not_boxes.at("ImageSegmentationMask"), 1u);
  EXPECT_TRUE(noted("has 2 labels (of several people or projects): the first one counts"))
      << said();
  EXPECT_TRUE(dropped("expected a box with left, top, width and height")) << said();
  EXPECT_TRUE(dropped("no image: no file name is written") || dropped("no image")) << said();
  EXPECT_TRUE(dropped("line 5")) << said();
}

TEST_F(PlatformFormats, LabelboxReadsAllFiles) {
  image("a.png");
  for (int i = 0; i < 1000; ++i)
    file(fmt::format("{:04}.ndjson", i), R"({"data_row": {"external_id": "gone.png"}})");
  file(
      "last.ndjson",
      R"({"data_row": {"external_id": "a.png"}, "projects": {"p": {"labels": [{"annotations": {"objects": [{"name": "x", "bounding_box": {"top": 5, "left": 10, "height": 30, "width": 20}}]}}]}}})");
  const AnnotatedSet set = read("labelbox");
  ASSERT_EQ(set.images.size(), 1u);
  EXPECT_EQ(set.images[0].written, "a.png");
  EXPECT_EQ(account.annotations.in, 1001u);
}

TEST_F(PlatformFormats, CrowdHumanBoxes) {
  image("Images/1,2.png");
  file(
      "annotation_val.odgt",
      R"({"ID": "1,2", "gtboxes": [{"tag": "person", "fbox": [10, 5, 20, 30], "vbox": [12, 6, 10, 10], "hbox": [14, 5, 5, 5], "head_attr": {"ignore": 1}, "extra": {"box_id": 4, "occ": 1}}, {"tag": "mask", "fbox": [60, 5, 20, 30], "vbox": [60, 5, 20, 30], "hbox": [60, 5, 20, 30], "extra": {"ignore": 1}}, {"tag": "person", "fbox": [1, 2]}]}
{"gtboxes": []}
)");
  AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "crowdhuman");
  ASSERT_EQ(set.images.size(), 1u) << said();
  EXPECT_EQ(set.images[0].split, "val");
  ASSERT_EQ(set.images[0].objects.size(), 2u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(set.images[0].objects[0].id, "4");
  EXPECT_TRUE(set.images[0].objects[0].occluded);
  EXPECT_TRUE(set.images[0].objects[1].ignore);
  EXPECT_EQ(account.not_boxes.at("visible box of a person"), 1u);
  EXPECT_EQ(account.not_boxes.at("head box of a person"), 1u);
  EXPECT_TRUE(dropped("gtboxes[2]: expected a box [x, y, width, height], found [1,2]")) << said();
  EXPECT_TRUE(dropped("expected an ID, found nothing")) << said();
  EXPECT_TRUE(noted("of the three boxes of each person the full one is read")) << said();
  options.read.crowdhuman_box = "head";
  set = read("crowdhuman");
  EXPECT_EQ(set.images.at(0).objects.at(0).box, (Xyxy{14, 5, 19, 10}));
  EXPECT_TRUE(set.images[0].objects[0].ignore);
  EXPECT_EQ(names_of(set)[static_cast<std::size_t>(set.images[0].objects[0].class_index)], "head");
}

TEST_F(PlatformFormats, MotSequences) {
  for (const char* name : {"1", "2", "3"}) image(std::string("train/S/img1/00000") + name + ".png");
  file("train/S/seqinfo.ini",
       "[Sequence]\nimDir=img1\nseqLength=3\nimWidth=100\nimHeight=50\nimExt=.png\n");
  file("train/S/gt/gt.txt",
       "1,7,10,5,20,30,1,1,0.5\n3,7,12,5,20,30,0,8,1\n1,8,1,2,3\n0,8,1,2,3,4,1,1,1\n"
       "1,8,1,2,30,40,1,99,1\n1,8,x,2,3,4,1,1,1\n2,-1,10,5,20,30,1,-1,-1,-1\n");
  file("train/S/det/det.txt", "1,-1,10,5,20,30,0.9,-1,-1,-1\n");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "mot");
  ASSERT_EQ(set.images.size(), 3u) << said();
  EXPECT_EQ(set.images[0].split, "train");
  ASSERT_EQ(set.images[0].objects.size(), 1u) << said();
  const AnnotatedObject& first = set.images[0].objects[0];
  EXPECT_EQ(first.box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(first.track, (TrackPlace{"7", 1, true, false}));
  EXPECT_EQ(first.attributes, (std::vector<Attribute>{{"visibility", 0.5}}));
  EXPECT_EQ(names_of(set)[static_cast<std::size_t>(first.class_index)], "pedestrian");
  EXPECT_FALSE(set.images[1].objects.at(0).track);
  EXPECT_TRUE(set.images[2].objects.at(0).ignore);
  EXPECT_EQ(names_of(set)[static_cast<std::size_t>(set.images[2].objects[0].class_index)],
            "distractor");
  EXPECT_TRUE(dropped("expected 6 columns or more, found 5")) << said();
  EXPECT_TRUE(dropped("expected a frame 1..10000000 in column 1, found '0'")) << said();
  EXPECT_TRUE(dropped("expected a class 1..13 in column 8, found '99'")) << said();
  EXPECT_TRUE(dropped("expected a number in column 3, found 'x'")) << said();
  EXPECT_TRUE(noted("these are detections, no truth")) << said();
}

/// Each sequence has the frames of its own folder, with those that gt.txt has no row of.
TEST_F(PlatformFormats, MotSequencesHaveTheirOwnFrames) {
  for (const char* place :
       {"A/img1/000001.jpg", "A/img1/000003.jpg", "A/img1/cover.jpg", "B/img1/000002.jpg"})
    image(place);
  file("A/gt/gt.txt", "1,7,10,5,20,30,1,1,1\n");
  file("B/gt/gt.txt", "2,7,10,5,20,30,1,1,1\n");
  const AnnotatedSet set = read("mot");
  std::vector<std::string> frames;
  for (const AnnotatedImage& one : set.images)
    frames.push_back(one.annotation.begin()->string() + " " + one.id);
  EXPECT_EQ(frames, (std::vector<std::string>{"A 1", "A 3", "B 2"})) << said();
}

TEST_F(PlatformFormats, LabelMeWebToolObjects) {
  image("Images/s/a.png");
  file("Annotations/s/a.xml",
       "<annotation><filename>a.png</filename><imagesize><nrows>50</nrows><ncols>100</ncols>"
       "</imagesize><object><name>x</name><deleted>0</deleted><occluded>yes</occluded>"
       "<attributes>a=1, b</attributes><parts><hasparts>1</hasparts><ispartof/></parts><id>0</id>"
       "<polygon><pt><x>1</x><y>2</y></pt><pt><x>11</x><y>2</y></pt><pt><x>11</x><y>22</y></pt>"
       "</polygon></object>\n<object><name>y</name><deleted>1</deleted></object>"
       "<object><name>y</name><id>1</id><parts><ispartof>0</ispartof></parts><segm><box><xmin>10"
       "</xmin><ymin>5</ymin><xmax>30</xmax><ymax>35</ymax></box></segm></object>\n"
       "<object><name>y</name><polygon><pt><x>a</x><y>2</y></pt></polygon></object></annotation>");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "labelme-webtool");
  ASSERT_EQ(set.images.size(), 1u) << said();
  EXPECT_EQ(set.images[0].split, "s");
  const auto& objects = set.images[0].objects;
  ASSERT_EQ(objects.size(), 2u) << said();
  EXPECT_EQ(objects[0].box, (Xyxy{1, 2, 11, 22}));
  EXPECT_TRUE(objects[0].occluded);
  EXPECT_EQ(objects[0].group, "0");
  EXPECT_EQ(objects[0].attributes, (std::vector<Attribute>{{"a", std::string("1")}, {"b", true}}));
  EXPECT_EQ(objects[1].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(objects[1].group, "0");
  EXPECT_EQ(account.not_boxes.at("deleted object"), 1u);
  EXPECT_TRUE(dropped("expected a point's x and y as numbers, found 'a' and '2'")) << said();
}

TEST_F(PlatformFormats, CvatRestTasks) {
  for (const char* name : {"data/b.png", "data/a.png"}) image(name);
  file("manifest.jsonl",
       "{\"version\":\"1.1\"}\n{\"type\":\"images\"}\n"
       "{\"name\":\"b\",\"extension\":\".png\",\"width\":100,\"height\":50}\n"
       "{\"name\":\"a\",\"extension\":\".png\",\"width\":100,\"height\":50}\n");
  file("labels.json",
       R"({"results": [{"id": 3, "name": "x", "attributes": [{"id": 9, "name": "red"}]}]})");
  file("annotations.json", R"([{"version": 0, "tags": [{"frame": 1, "label_id": 3}], "shapes": [
{"type": "rectangle", "frame": 0, "label_id": 3, "points": [10, 5, 30, 35], "rotation": 90, "group": 2,
 "attributes": [{"spec_id": 9, "value": "yes"}], "z_order": 1, "occluded": true},
{"type": "polygon", "frame": 0, "label": "y", "points": [1, 2, 11, 2, 11, 22]},
{"type": "ellipse", "frame": 0, "label_id": 3, "points": [50, 25, 60, 20]},
{"type": "rectangle", "frame": -1, "label_id": 3, "points": [1, 2, 3, 4]},
{"type": "rectangle", "frame": 0, "label_id": 5, "points": [1, 2, 3, 4]},
{"type": "points", "frame": 0, "label_id": 3, "points": [1, 2]}], "tracks": [{"id": 4, "label_id": 3,
 "shapes": [{"type": "rectangle", "frame": 0, "points": [60, 5, 70, 15]}]}]}])");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "cvat-rest");
  ASSERT_EQ(set.images.size(), 2u) << said();
  EXPECT_EQ(set.images[0].written, "b.png");
  const auto& objects = set.images[0].objects;
  ASSERT_EQ(objects.size(), 4u) << said();
  ASSERT_TRUE(objects[0].rotation);
  EXPECT_NEAR(objects[0].box.x1, 5, 1e-9);  // 20 × 30 about (20, 20), turned by a quarter
  EXPECT_NEAR(objects[0].box.y1, 10, 1e-9);
  EXPECT_EQ(objects[0].attributes, (std::vector<Attribute>{{"red", std::string("yes")}}));
  EXPECT_EQ(objects[0].group, "2");
  EXPECT_EQ(objects[1].box, (Xyxy{1, 2, 11, 22}));
  EXPECT_EQ(objects[2].box, (Xyxy{40, 20, 60, 30}));
  EXPECT_EQ(objects[3].track, (TrackPlace{"4", 0, true, false}));
  EXPECT_EQ(set.images[1].objects.at(0).track, (TrackPlace{"4", 1, false, false}));
  EXPECT_EQ(set.images[1].tags, (std::vector<Attribute>{{"x", true}}));
  EXPECT_EQ(account.not_boxes.at("points"), 1u);
  EXPECT_TRUE(dropped("shapes[3]: expected a frame 0..10000000, found -1")) << said();
  EXPECT_TRUE(dropped("label_id is 5, which no file of labels beside it names")) << said();
}

TEST_F(PlatformFormats, CvatRestCountsWhatItLeavesOut) {
  image("a.png");
  file("labels.json", R"({"results": [{"id": 3, "name": "x"}]})");
  file("annotations.json", R"({"version": 0, "tags": [{"frame": -1, "label_id": 3},
{"frame": 0, "label_id": 3, "attributes": [{"spec_id": 9, "value": "yes"}]}], "shapes": [
{"type": "rectangle", "frame": 0, "label_id": 3, "points": [10, 5, 30, 35]},
{"type": "rectangle", "frame": 0, "label_id": 3, "points": [40, 5, 60, 35], "outside": true}],
"tracks": []})");
  const AnnotatedSet set = read("cvat-rest");
  EXPECT_EQ(set.images.at(0).tags, (std::vector<Attribute>{{"x", true}}));
  EXPECT_EQ(account.boxes.in, 2u);
  EXPECT_EQ(account.boxes.out, 1u);
  EXPECT_TRUE(dropped("shapes[1]: it is marked as outside")) << said();
  EXPECT_EQ(account.not_boxes.at("tag without a frame"), 1u);
  EXPECT_EQ(account.not_boxes.at("attribute of a tag"), 1u);
}

TEST_F(PlatformFormats, ImageNetHasNoBoxes) {
  for (const char* name : {"train/cat/a.png", "train/cat/b.png", "train/dog/a.png"}) image(name);
  EXPECT_NE(fault("auto").find("expected annotations with boxes, found 3 images in folders named "
                               "after classes: such a set (ImageNet) says what an image shows and "
                               "not where"),
            std::string::npos)
      << fault("auto");
  EXPECT_FALSE(has_sign(walk_source(source), "none.json",
                        [](const auto& members, auto) { return !members.empty(); }));
}

TEST_F(PlatformFormats, FoldersOfImagesWithoutAnnotationsAreNoImageNet) {
  for (const char* name : {"images/train/a.png", "images/val/b.png"}) image(name);
  EXPECT_NE(fault("auto").find("found the signs of none"), std::string::npos);
}

}  // namespace
}  // namespace yolov7::dataset
