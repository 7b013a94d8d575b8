#include "dataset/formats/coco.hpp"

#include <fmt/format.h>

#include "tests/dataset/formats/format_fixture.hpp"

namespace yolov7::dataset {
namespace {

class Coco : public test::FormatFiles {
 protected:
  /// One image a.png of 100 × 50 px, the categories 7 = "b" and 3 = "a".
  void coco(const std::string& annotations, const std::string& images = "") {
    image("a.png");
    file("instances_train.json",
         fmt::format(
             R"({{"images": [{{"id": 1, "file_name": "a.png", "width": 100, "height": 50}}{}],
"annotations": [{}],
"categories": [{{"id": 7, "name": "b"}}, {{"id": 3, "name": "a"}}]}})",
             images, annotations));
  }
};

TEST_F(Coco, ClassesGoByIdAndBoxesByCornerAndSize) {
  coco(R"({"id": 900100374545, "image_id": 1, "category_id": 7, "bbox": [10, 5, 20.5, 30]})");
  const AnnotatedSet set = read("coco");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(set.images.size(), 1u);
  ASSERT_EQ(set.images[0].objects.size(), 1u) << said();
  const AnnotatedObject& object = set.images[0].objects[0];
  EXPECT_EQ(object.class_index, 1);
  EXPECT_EQ(object.box, (Xyxy{10, 5, 30.5, 35}));
  EXPECT_EQ(object.id, "900100374545");
  EXPECT_EQ(set.images[0].split, "train");
}

/// The files of the splits of one set have the same licences: one list, each once.
TEST_F(Coco, LicencesOfSeveralFilesAreOneList) {
  for (const char* split : {"train", "val"}) {
    image(fmt::format("{}/{}.png", split, split));
    file(fmt::format("{}/_annotations.coco.json", split),
         fmt::format(R"({{"licenses": [{{"id": 1, "name": "x"}}, {{"id": 2, "name": "{0}"}}],
"images": [{{"id": 1, "file_name": "{0}.png", "width": 100, "height": 50}}],
"annotations": [{{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 20, 30]}}],
"categories": [{{"id": 1, "name": "b"}}]}})",
                     split));
  }
  const AnnotatedSet set = read("coco");
  EXPECT_EQ(set.residue.at("coco.licenses"),
            R"({"id":1,"name":"x"},{"id":2,"name":"train"},{"id":2,"name":"val"})");
  options.to = "coco";
  options.out = folder / "out";
  convert(options);
  source = folder / "out";
  EXPECT_EQ(read("coco").images.size(), 2u) << "what was written is read";
}

// A file that is cut early no longer looks like COCO; its split must not be gone without a word.
TEST_F(Coco, ACutFileOfASplitIsAnError) {
  const char* rest = R"("annotations": [{"id": 1, "image_id": 1, "category_id": 1,
"bbox": [10, 5, 20, 30]}], "categories": [{"id": 1, "name": "b"}]})";
  for (const char* split : {"train", "val"}) {
    image(fmt::format("{}/1.png", split));
    image(fmt::format("{}/2.png", split));
    file(fmt::format("{}/_annotations.coco.json", split),
         fmt::format(R"({{"images": [{{"id": 1, "file_name": "1.png"}},
{{"id": 2, "file_name": "2.png"}}], {})",
                     rest));
  }
  EXPECT_EQ(read("coco").images.size(), 4u) << said();
  for (const char* content : {"", "{\"info\": {"}) {
    file("train/_annotations.coco.json", content);
    EXPECT_NE(fault("coco").find("train/_annotations.coco.json: expected annotations as in "
                                 "val/_annotations.coco.json, found a file of"),
              std::string::npos)
        << content;
  }
  file("train/_annotations.coco.json", R"({"info": {}})");
  read("coco");
  EXPECT_TRUE(noted("no image was read from it")) << said();
  file("train/_annotations.coco.json",
       R"({"images": [{"id": 1, "file_name": "1.png"}], "annotations": [],
"categories": [{"id": 1, "name": "b"}]})");
  read("coco");
  EXPECT_TRUE(noted("none of its 1 images has an annotation")) << said();
}

TEST_F(Coco, EveryFaultIsNamedAndTheRestIsKept) {
  coco(R"({"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]},
{"id": 2, "image_id": 9, "category_id": 3, "bbox": [1, 2, 3, 4]},
{"id": 3, "image_id": 1, "category_id": 5, "bbox": [1, 2, 3, 4]},
{"id": 4, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3]},
{"id": 5, "image_id": 1, "category_id": 3, "bbox": [1, 2, "3", 4]},
{"id": 6, "image_id": 1, "category_id": 3, "bbox": [1, 2, 1e308, 1e308]},
{"id": 7, "image_id": 1, "category_id": 3},
{"id": 8, "image_id": 1, "bbox": [1, 2, 3, 4]},
{"id": 9, "image_id": 1, "category_id": 3, "bbox": [1, 2, 0, 4]},
{"id": 10, "image_id": 1, "category_id": 3, "bbox": [200, 2, 10, 4]},
{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]},
{"id": 12, "image_id": 1.5e300, "category_id": 3, "bbox": [1, 2, 3, 4]},
7,
{"id": 14, "image_id": 1, "caption": "a cat"})");
  const AnnotatedSet set = read("coco");
  EXPECT_EQ(account.boxes.in, 13u);
  EXPECT_EQ(account.boxes.out, 2u) << said();  // the first one, and the clipped one of 1e308
  EXPECT_EQ(account.not_boxes.at("caption"), 1u);
  for (const char* reason :
       {"expected the id of an image in image_id, found '9'", "category 5 is not defined",
        "expected bbox as [x, y, width, height], found [1,2,3]", "found [1,2,\"3\",4]",
        "it has neither bbox nor segmentation", "expected a category id, found nothing",
        "object 9: box of class 'a' under 1 px", "object 10: box of class 'a' under 1 px",
        "with the same corners as object 1", "annotations[12]: expected an object, found 7"})
    EXPECT_TRUE(dropped(reason)) << reason << "\n" << said();
}

TEST_F(Coco, ImagesWithoutIdOrNameOrFileAreNamed) {
  coco(R"({"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]})",
       R"(, {"id": 1, "file_name": "b.png"}, {"file_name": "c.png"}, {"id": 4, "file_name": ""},
          {"id": 5, "file_name": "../../../etc/passwd"}, {"id": 6, "file_name": "C:\\x\\gone.png"},
          {"id": 7, "file_name": "\\\\server\\share\\gone.png"}, {"id": 8, "file_name": 3})");
  read("coco");
  EXPECT_EQ(account.annotations.in, 8u);
  EXPECT_EQ(account.annotations.out, 1u) << said();
  for (const char* reason :
       {"the image id 1 is used by an image before, 'a.png', on which all boxes of this id stand",
        "expected an image id", "no file name is written", "etc/passwd", "gone.png"})
    EXPECT_TRUE(dropped(reason)) << reason << "\n" << said();
}

TEST_F(Coco, ASplitMayStandAnywhereInTheNameOfTheFile) {
  const std::pair<const char*, const char*> files[] = {{"train_annotations.json", "train"},
                                                       {"val-coco.json", "val"},
                                                       {"person_keypoints_test2017.json", "test"}};
  for (const auto& [name, split] : files) {
    image(fmt::format("{}.png", split));
    file(name, fmt::format(R"({{"images": [{{"id": 1, "file_name": "{}.png"}}], "annotations": [
{{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 20, 30]}}],
"categories": [{{"id": 1, "name": "b"}}]}})",
                           split));
  }
  const AnnotatedSet set = read("coco");
  ASSERT_EQ(set.images.size(), 3u) << said();
  for (const AnnotatedImage& one : set.images)
    EXPECT_EQ(one.written, one.split + ".png") << one.annotation.string();
}

/// train/1.png and val/1.png beside train.json and val.json, which both write "1.png".
TEST_F(Coco, ImagesMayLieInAFolderCalledLikeTheirFile) {
  for (const char* split : {"train", "val"}) {
    image(fmt::format("{}/1.png", split));
    file(fmt::format("{}.json", split), R"({"images": [{"id": 1, "file_name": "1.png"}],
"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 20, 30]}],
"categories": [{"id": 1, "name": "b"}]})");
  }
  const AnnotatedSet set = read("coco");
  ASSERT_EQ(set.images.size(), 2u) << said();
  for (const AnnotatedImage& one : set.images) EXPECT_EQ(one.file, source / one.split / "1.png");
  EXPECT_FALSE(noted("the name is the same")) << said();
}

TEST_F(Coco, TheParentOfRoboflowIsNoClass) {
  image("train/a.png");
  const std::string text =
      R"({"images": [{"id": 0, "file_name": "a.png", "width": 100, "height": 50}],
"annotations": [{"id": 0, "image_id": 0, "category_id": %, "bbox": [0, 0, 10, 10]}],
"categories": [{"id": 0, "name": "fish", "supercategory": "none"},
{"id": 1, "name": "shark", "supercategory": "fish"}]})";
  const auto with = [&](const std::string& category) {
    std::string one = text;
    file("train/_annotations.coco.json", one.replace(one.find('%'), 1, category));
    return names_of(read("coco"));
  };
  EXPECT_EQ(with("1"), std::vector<std::string>{"shark"});
  EXPECT_EQ(with("0"), (std::vector<std::string>{"fish", "shark"}));  // a box uses it
}

TEST_F(Coco, MasksPolygonsAndAttributesOfCvat) {
  coco(R"({"id": 1, "image_id": 1, "category_id": 3, "bbox": [10, 10, 20, 10], "iscrowd": 0,
"attributes": {"occluded": true, "rotation": 90, "track_id": 4, "speed": 2.5, "kind": "x"},
"segmentation": []},
{"id": 2, "image_id": 1, "category_id": 3, "iscrowd": 1,
"segmentation": {"size": [50, 100], "counts": [100, 50, 4850]}},
{"id": 3, "image_id": 1, "category_id": 3, "segmentation": [[0, 0, 10, 0, 10, 20]]},
{"id": 4, "image_id": 1, "category_id": 3, "bbox": [0, 0, 4, 4],
"segmentation": {"size": [50, 100], "counts": [100, 50]}},
{"id": 5, "image_id": 1, "category_id": 3, "bbox": [0, 0, 5, 5], "segmentation": [[1, 2, 3]]})");
  const AnnotatedSet set = read("coco");
  ASSERT_EQ(set.images.size(), 1u);
  const auto& objects = set.images[0].objects;
  ASSERT_EQ(objects.size(), 5u) << said();
  // Turned by 90 degrees about (20, 15): 10 wide, 20 high.
  EXPECT_NEAR(objects[0].box.x1, 15, 1e-9);
  EXPECT_NEAR(objects[0].box.y2, 25, 1e-9);
  EXPECT_EQ(objects[0].rotation->box, (Xyxy{10, 10, 30, 20}));
  EXPECT_TRUE(objects[0].occluded);
  EXPECT_EQ(objects[0].track->id, "4");
  EXPECT_EQ(objects[0].attributes.size(), 2u);
  // 100 off = columns 0 and 1 of 50 rows; 50 on = column 2.
  EXPECT_EQ(objects[1].box, (Xyxy{2, 0, 3, 50}));
  EXPECT_TRUE(objects[1].crowd);
  EXPECT_EQ(objects[2].box, (Xyxy{0, 0, 10, 20}));
  EXPECT_FALSE(objects[3].mask);
  EXPECT_TRUE(noted("the runs of a mask do not fill its 100 × 50 px")) << said();
  EXPECT_TRUE(noted("expected a polygon of 3 points or more")) << said();
}

TEST_F(Coco, ASizeThatIsNotTheImagesIsDroppedOrScaled) {
  image("a.png", 200, 100);
  file("a.json",
       R"({"images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 50}],
"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 20, 10]}],
"categories": [{"id": 1, "name": "a"}]})");
  EXPECT_NE(fault("coco").find("says the image is 100 × 50 px, but a.png has 200 × 100"),
            std::string::npos);
  options.prepare.scale_to_image = true;
  const AnnotatedSet set = read("coco");
  EXPECT_EQ(set.images.at(0).objects.at(0).box, (Xyxy{20, 10, 60, 30}));
}

TEST_F(Coco, BrokenFilesGetOneLine) {
  image("a.png");
  const std::pair<std::string, const char*> cases[] = {
      {R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"id": 1,)",
       "the file ends too early"},
      {R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"bbox": [NaN]}]})",
       "NaN is no JSON number"},
      {"{\"images\": [{\"file_name\": \"\xFF\"}], \"annotations\": []}", "not UTF-8"},
      {"{\"images\": [], \"annotations\": " + std::string(200, '[') + std::string(200, ']') + "}",
       "at most 100 nested levels"},
      {R"({"images": 3, "annotations": "x", "categories": {}})", "no image to convert"}};
  for (const auto& [text, words] : cases) {
    file("a.json", text);
    const std::string message = fault("coco");
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST_F(Coco, WithoutAnnotationsItIsNoFileOfLabels) {
  image("a.png");
  const std::string images =
      R"({"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "x"}]})";
  file("instances_train.json", images);
  EXPECT_NE(fault("coco").find("instances_train.json: expected the key 'annotations' beside its 1 "
                               "images, found none"),
            std::string::npos)
      << fault("coco");
  std::filesystem::rename(source / "instances_train.json", source / "image_info_test.json");
  const AnnotatedSet set = read("coco");
  EXPECT_EQ(set.images.at(0).state, ImageState::not_annotated);
  EXPECT_TRUE(noted("it has no 'annotations': its 1 images are not annotated")) << said();
  file("image_info_test.json", images.substr(0, images.size() - 1) + R"(, "annotations": []})");
  EXPECT_EQ(read("coco").images.at(0).state, ImageState::annotated);
}

TEST_F(Coco, NoFileOfTheFormatIsSaidSo) {
  image("a.png");
  file("x.json", "{}");
  EXPECT_EQ(fault("coco"),
            source.string() +
                ": expected annotations of COCO JSON, found none among 1 files and 1 "
                "images");
}

}  // namespace
}  // namespace yolov7::dataset
