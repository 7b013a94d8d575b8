// LabelMe, CreateML, VIA, Label Studio, Supervisely and Datumaro by hand, with bad input.
#include <fmt/format.h>

#include "dataset/formats/format_table.hpp"
#include "tests/dataset/formats/format_fixture.hpp"

namespace yolov7::dataset {
namespace {

using JsonFormats = test::FormatFiles;

TEST_F(JsonFormats, LabelMeShapes) {
  image("a.png");
  file("a.json", R"({"version": "5.0.0", "flags": {"wet": true, "dry": false}, "shapes": [
{"label": "x", "points": [[30, 35], [10, 5]], "shape_type": "rectangle", "group_id": 3,
 "flags": {"difficult": true, "red": true}},
{"label": "y", "points": [[50, 25], [50, 35]], "shape_type": "circle"},
{"label": "y", "points": [[1, 2], [11, 2], [11, 22]]},
{"label": "y", "points": [[1, 2], [3, 4]], "shape_type": "line"},
{"label": "y", "points": [[1, 2]], "shape_type": "polygon"},
{"label": "", "points": [[1, 2], [30, 40]], "shape_type": "rectangle"},
{"label": "y", "points": "none", "shape_type": "rectangle"}],
"imagePath": "..\\other\\A.JPG", "imageData": null, "imageHeight": 50, "imageWidth": 100})");
  file("cut.json", R"({"version": "5.0.0", "shapes": [{"label": "x", "points": [[1,)");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "labelme");
  ASSERT_EQ(set.images.size(), 1u) << said();
  const auto& objects = set.images[0].objects;
  ASSERT_EQ(objects.size(), 3u) << said();
  EXPECT_EQ(objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_TRUE(objects[0].difficult);
  EXPECT_EQ(objects[0].group, "3");
  EXPECT_EQ(objects[1].box, (Xyxy{40, 15, 60, 35}));
  EXPECT_EQ(objects[2].box, (Xyxy{1, 2, 11, 22}));
  EXPECT_EQ(account.not_boxes.at("line"), 1u);
  EXPECT_EQ(set.images[0].tags.size(), 1u);
  EXPECT_TRUE(dropped("shapes[4]: expected 3 points or more of a polygon")) << said();
  EXPECT_TRUE(dropped("no class name")) << said();
  EXPECT_TRUE(dropped("the file ends too early")) << said();
  EXPECT_TRUE(noted("the name differs in upper and lower case")) << said();
}

TEST_F(JsonFormats, CreateMlHasItsCentre) {
  image("valid/a.png");
  file("valid/_annotations.createml.json", R"([{"image": "a.png", "annotations": [
{"label": "x", "coordinates": {"x": 20, "y": 20, "width": 20, "height": 30}},
{"label": "x", "coordinates": {"x": "20", "y": 20, "width": 20, "height": 30}},
{"label": "x"}, {"coordinates": {"x": 20, "y": 20, "width": 20, "height": 30}}]},
{"image": "gone.png", "annotations": {}}, 5])");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "createml");
  ASSERT_EQ(set.images.size(), 1u);
  EXPECT_EQ(set.images[0].split, "val");
  ASSERT_EQ(set.images[0].objects.size(), 1u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(account.boxes.dropped, 3u);
  EXPECT_TRUE(dropped("expected annotations as a list, found {}")) << said();
}

TEST_F(JsonFormats, ViaNeedsToKnowItsClass) {
  image("a.png");
  const auto with = [&](const std::string& attributes) {
    file("via.json", fmt::format(R"({{"a.png123": {{"filename": "a.png", "size": 123, "regions": [
{{"shape_attributes": {{"name": "rect", "x": 10, "y": 5, "width": 20, "height": 30}},
"region_attributes": {0}}},
{{"shape_attributes": {{"name": "polygon", "all_points_x": [1, 5, 5], "all_points_y": [2, 2]}},
"region_attributes": {0}}},
{{"shape_attributes": {{"name": "point", "cx": 1, "cy": 2}}, "region_attributes": {0}}}],
"file_attributes": {{}}}}}})",
                                 attributes));
    return names_of(read("auto"));
  };
  EXPECT_EQ(with(R"({"kind": "dog"})"), std::vector<std::string>{"dog"});
  EXPECT_EQ(account.from, "via");
  EXPECT_EQ(account.not_boxes.at("point"), 1u);
  EXPECT_TRUE(dropped("expected all_points_x and all_points_y of one length")) << said();
  EXPECT_EQ(with("{}"), std::vector<std::string>{"object"});
  EXPECT_EQ(with(R"({"kind": {"dog": true, "cat": false, "hen": true}})"),
            (std::vector<std::string>{"dog", "hen"}));
  const std::string two = R"({"kind": "dog", "age": "3"})";
  EXPECT_EQ(test::error_of([&] { with(two); }),
            "class-attribute: expected the attribute that is the class in " + source.string() +
                ", one of age, kind");
  options.read.class_attribute = "kind";
  EXPECT_EQ(with(two), std::vector<std::string>{"dog"});
}

TEST_F(JsonFormats, LabelStudioTurnsInPixels) {
  image("images/x y.png");
  // 10, 5 is the corner; 40 × 10 px turned by 90 degrees about it hang to the left: x 0 to 10.
  file("tasks.json", R"([{"id": 1, "data": {"image": "/data/local-files/?d=images/x%20y.png"},
"annotations": [
{"id": 1, "updated_at": "2024-01-01T00:00:00Z", "result": []},
{"id": 2, "updated_at": "2024-01-02T00:00:00Z", "result": [
 {"id": "r", "type": "rectanglelabels", "original_width": 100, "original_height": 50,
  "value": {"x": 10, "y": 10, "width": 40, "height": 20, "rotation": 90,
            "rectanglelabels": ["a", "b"]}},
 {"id": "s", "type": "rectangle", "original_width": 100, "original_height": 50,
  "value": {"x": 50, "y": 50, "width": 10, "height": 20}},
 {"id": "s", "type": "labels", "value": {"labels": ["c"]}},
 {"id": "t", "type": "rectanglelabels", "original_width": 0, "original_height": 50,
  "value": {"x": 50, "y": 50, "width": 10, "height": 20, "rectanglelabels": ["c"]}},
 {"id": "u", "type": "keypointlabels", "value": {"keypointlabels": ["c"]}}]},
{"id": 3, "updated_at": "2024-01-03T00:00:00Z", "was_cancelled": true, "result": []}]}])");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "label-studio");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"a", "b", "c"}));
  const auto& objects = set.images.at(0).objects;
  ASSERT_EQ(objects.size(), 3u) << said();
  EXPECT_NEAR(objects[0].box.x1, 0, 1e-9);
  EXPECT_NEAR(objects[0].box.y1, 5, 1e-9);
  EXPECT_NEAR(objects[0].box.x2, 10, 1e-9);
  EXPECT_NEAR(objects[0].box.y2, 45, 1e-9);
  EXPECT_EQ(objects[1].class_index, 1);
  EXPECT_EQ(objects[2].box, (Xyxy{50, 25, 60, 35}));
  EXPECT_EQ(account.not_boxes.at("keypointlabels"), 1u);
  EXPECT_TRUE(dropped("expected original_width and original_height above 0")) << said();
  EXPECT_TRUE(noted("the newest of 2 annotations is taken")) << said();
}

TEST_F(JsonFormats, LabelStudioCountsWhatAModelProposed) {
  image("a.png");
  const std::string region = R"({"id": "r", "type": "rectanglelabels", "original_width": 100,
"original_height": 50, "value": {"x": 10, "y": 10, "width": 20, "height": 20,
"rectanglelabels": ["a"]}})";
  file("tasks.json",
       fmt::format(R"([{{"id": 1, "data": {{"image": "a.png"}}, "annotations": [{{"id": 1,
"result": [{0}]}}], "predictions": [{{"id": 2, "result": [{0}, {0}]}}, {{"result": []}}, 7]}}])",
                   region));
  const AnnotatedSet set = read("label-studio");
  EXPECT_EQ(set.images.at(0).objects.size(), 1u);
  EXPECT_EQ(account.boxes.in, 1u);
  EXPECT_EQ(account.not_boxes.at("region of a prediction"), 2u);
}

/// Two uploads of one name: which of them the only image is, nobody can tell.
TEST_F(JsonFormats, LabelStudioJoinsNoTwoUploads) {
  image("a.png");
  const auto task = [](const char* place, int x) {
    return fmt::format(R"({{"id": {1}, "data": {{"image": "/data/upload/{0}-a.png"}},
"annotations": [{{"id": {1}, "result": [{{"id": "r", "type": "rectanglelabels",
"original_width": 100, "original_height": 50,
"value": {{"x": {1}, "y": 10, "width": 20, "height": 20, "rectanglelabels": ["a"]}}}}]}}]}})",
                       place, x);
  };
  file("tasks.json", "[" + task("1/0123abcd", 10) + "," + task("2/89abcdef", 50) + "]");
  const AnnotatedSet set = read("label-studio");
  ASSERT_EQ(set.images.size(), 1u) << said();
  ASSERT_EQ(set.images[0].objects.size(), 1u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 15}));
  EXPECT_TRUE(dropped("its image a.png already belongs to '/data/upload/1/0123abcd-a.png'"))
      << said();
}

TEST_F(JsonFormats, SuperviselyCornersArePixels) {
  image("ds/img/a.png");
  file("meta.json", R"({"classes": [{"title": "y", "color": "#00FF00"}, {"title": "x"}]})");
  file("ds/ann/a.png.json", R"({"size": {"height": 50, "width": 100}, "tags": [{"name": "wet"}],
"objects": [{"classTitle": "x", "geometryType": "rectangle",
"points": {"exterior": [[29, 34], [10, 5]], "interior": []}, "tags": [{"name": "crowd"}]},
{"classTitle": "x", "geometryType": "bitmap"}, {"classTitle": "x", "geometryType": "point"}]})");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "supervisely");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"y", "x"}));
  ASSERT_EQ(set.images.at(0).objects.size(), 1u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_TRUE(set.images[0].objects[0].crowd);
  EXPECT_TRUE(dropped("the pixels of bitmaps are not read")) << said();
  EXPECT_EQ(account.not_boxes.at("point"), 1u);
}

TEST_F(JsonFormats, SuperviselyCountsBoxesThatBecomeLarger) {
  image("a.png");
  file("instances_train.json", R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 0.5, 20]},
{"id": 2, "image_id": 1, "category_id": 1, "bbox": [40, 5, 1, 20]}],
"categories": [{"id": 1, "name": "x"}]})");
  options.prepare.keep_degenerate = true;
  EXPECT_EQ(lost(write("supervisely"), "width or height under 1 px"), 1u);
  source = folder / "supervisely";
  const AnnotatedSet set = read("supervisely");
  ASSERT_EQ(set.images.at(0).objects.size(), 2u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 11, 25}));
  EXPECT_EQ(set.images[0].objects[1].box, (Xyxy{40, 5, 41, 25}));
}

TEST_F(JsonFormats, DatumaroSizesAreHeightThenWidth) {
  image("images/train/a.png");
  file("annotations/train.json", R"({"info": {}, "items": [{"id": "a", "image": {"path": "a.png",
"size": [50, 100]}, "annotations": [
{"id": 1, "type": "bbox", "label_id": 1, "bbox": [10, 5, 20, 30], "group": 4, "z_order": 2,
 "attributes": {"occluded": true, "is_crowd": true}},
{"id": 2, "type": "bbox", "label_id": null, "bbox": [10, 5, 20, 30]},
{"id": 3, "type": "bbox", "label_id": 7, "bbox": [10, 5, 20, 30]},
{"id": 4, "type": "caption", "caption": "x"}, 9]}],
"categories": {"label": {"labels": [{"name": "x"}, {"name": "y"}]}}})");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "datumaro");
  ASSERT_EQ(set.images.at(0).objects.size(), 1u) << said();
  const AnnotatedObject& object = set.images[0].objects[0];
  EXPECT_EQ(object.box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(object.class_index, 1);
  EXPECT_TRUE(object.crowd);
  EXPECT_TRUE(object.occluded);
  EXPECT_EQ(object.group, "4");
  EXPECT_TRUE(dropped("no class: label_id is null")) << said();
  EXPECT_TRUE(dropped("label_id 7 is out of range 0..1")) << said();
}

/// Files of one list: what is broken is one line with the file, never a crash or half a set.
TEST_F(JsonFormats, DatumaroCountsGroupsAndIdsThatAreNoNumbers) {
  image("a.png");
  file("instances_train.json", R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [
{"id": "k1", "image_id": 1, "category_id": 1, "bbox": [10, 5, 20, 30],
 "attributes": {"group_id": "left"}},
{"id": 5, "image_id": 1, "category_id": 1, "bbox": [40, 5, 20, 30],
 "attributes": {"group_id": "3"}}], "categories": [{"id": 1, "name": "x"}]})");
  const Conversion out = write("datumaro");
  EXPECT_EQ(lost(out, "group that is 0 or no whole number"), 1u);
  EXPECT_EQ(lost(out, "object id that is no whole number"), 1u);
  source = folder / "datumaro";
  const AnnotatedSet set = read("datumaro");
  ASSERT_EQ(set.images.at(0).objects.size(), 2u) << said();
  EXPECT_EQ(set.images[0].objects[0].group, "");
  EXPECT_EQ(set.images[0].objects[1].group, "3");
  EXPECT_EQ(set.images[0].objects[1].id, "5");
}

TEST_F(JsonFormats, BrokenFilesGetOneLine) {
  image("a.png");
  const std::string deep = std::string(500, '[') + std::string(500, ']');
  for (const char* format : {"coco", "createml", "via", "label-studio", "datumaro"}) {
    const std::string name = format;
    const std::string good =
        name == "coco"       ? R"({"images": [], "annotations": [)"
        : name == "createml" ? R"([{"image": "a.png", "annotations": [)"
        : name == "via"      ? R"({"k": {"filename": "a.png", "file_attributes": {}, "regions": [)"
        : name == "datumaro" ? R"({"info": {}, "items": [)"
                             : R"([{"data": {}, "annotations": [)";
    for (const std::string& rest : {std::string(), deep, std::string("NaN"), std::string("1e999"),
                                    std::string("\"\xC3\x28\"")}) {
      file("a.json", good + rest);
      const std::string message = fault(format);
      EXPECT_NE(message.find("a.json"), std::string::npos) << name << ": " << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << name << ": " << message;
      EXPECT_LT(message.size(), 500u) << name;
    }
  }
}

}  // namespace
}  // namespace yolov7::dataset
