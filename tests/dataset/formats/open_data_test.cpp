// Data of any format, opened as training and validation open them: the same images, classes and
// labels as the converted set has, and the same account.
#include "dataset/formats/open_data.hpp"

#include <nlohmann/json.hpp>

#include "dataset/index/read_index.hpp"
#include "dataset/index/ready_set.hpp"
#include "tests/dataset/formats/format_fixture.hpp"
#include "tests/stopping.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class OpenData : public test::FormatFiles {
 protected:
  /// COCO: two images to learn from and one to measure on, 100 × 50 px.
  void write_coco() {
    for (const char* name : {"train/a.png", "train/b.png", "val/c.png"})
      image(std::string("images/") + name);
    file("annotations/instances_train.json", R"({
"images": [{"id": 5, "file_name": "a.png", "width": 100, "height": 50},
           {"id": 6, "file_name": "b.png", "width": 100, "height": 50},
           {"id": 7, "file_name": "gone.png", "width": 100, "height": 50}],
"annotations": [
 {"id": 11, "image_id": 5, "category_id": 9, "bbox": [10.25, 5, 20, 30.125]},
 {"id": 12, "image_id": 5, "category_id": 2, "bbox": [40, 10, 20, 20],
  "segmentation": [[40, 10, 60, 10, 60, 30, 50, 20, 40, 30]]},
 {"id": 13, "image_id": 5, "category_id": 9, "bbox": [90, 40, 20, 20]},
 {"id": 14, "image_id": 5, "category_id": 9, "bbox": [1, 1, 5, 5], "iscrowd": 1},
 {"id": 15, "image_id": 7, "category_id": 9, "bbox": [1, 1, 5, 5]}],
"categories": [{"id": 9, "name": "cat"}, {"id": 2, "name": "a dog"}]})");
    file("annotations/instances_val.json", R"({
"images": [{"id": 5, "file_name": "c.png", "width": 100, "height": 50}],
"annotations": [{"id": 21, "image_id": 5, "category_id": 2, "bbox": [0, 0, 100, 50]}],
"categories": [{"id": 9, "name": "cat"}, {"id": 2, "name": "a dog"}]})");
    test::age(source);
  }
  static Index index_of(const Description& description, const std::string& split) {
    return read_index(description, split, {});
  }
  Index converted(const std::string& split) {
    const fs::path out = folder / "converted";
    if (!fs::exists(out)) {
      ConvertOptions convert_options;
      convert_options.source = source;
      convert_options.out = out;
      convert(convert_options);
    }
    return index_of(read_description(out / "data.yaml"), split);
  }
};

TEST_F(OpenData, IsWhatConvertWrites) {
  write_coco();
  const Description data = open_data(source.string());
  EXPECT_EQ(data.names, (std::vector<std::string>{"a dog", "cat"}));
  const Index train = index_of(data, "train"), val = index_of(data, "val");
  ASSERT_EQ(train.entries.size(), 2u);
  EXPECT_EQ(train.entries[0].picture, source / "images/train/a.png");
  ASSERT_EQ(train.entries[0].labels.size(), 3u);
  const Label& first = train.entries[0].labels[0];
  EXPECT_EQ(first.class_index, 1);
  EXPECT_NEAR(first.box.cx, 0.2025, 1e-12);  // (10.25 + 10) / 100
  EXPECT_NEAR(first.box.h, 0.6025, 1e-12);   // 30.125 / 50
  EXPECT_EQ(train.entries[0].labels[1].polygon.size(), 5u);
  EXPECT_NEAR(train.entries[0].labels[2].box.w, 0.1, 1e-12);  // clipped at the edge
  EXPECT_TRUE(train.entries[1].labels.empty());
  EXPECT_EQ(train.identity, converted("train").identity);
  EXPECT_EQ(val.identity, converted("val").identity);
  EXPECT_EQ(val.label_count(), 1u);
}

TEST_F(OpenData, TheAccountNamesWhatIsLeftOut) {
  write_coco();
  const test::KeptMessages said;
  const Description data = open_data(source.string());
  const json account_json = json::parse(data.ready->account);
  EXPECT_EQ(account_json["from"], "coco");
  EXPECT_EQ(account_json["clipped"], 1);
  EXPECT_EQ(account_json["boxes"]["in"], 6);
  EXPECT_EQ(account_json["boxes"]["out"], 4);  // without the crowd and the box of the lost image
  EXPECT_EQ(account_json["boxes"]["dropped"], 2);
  EXPECT_EQ(account_json["annotations"]["dropped"], 1);
  EXPECT_EQ(account_json["splits"]["train"]["boxes"], 3);
  EXPECT_EQ(data.ready->dropped, 3u);
  const std::string text = said.text();
  EXPECT_NE(text.find("crowd region of class 'cat' on image 'a.png': no box to learn from"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("gone.png"), std::string::npos) << text;
  EXPECT_NE(text.find("read as COCO JSON"), std::string::npos) << text;
  EXPECT_NE(test::error_of([&] {
              open_data(source.string(), {false, true, 0, {}});
            }).find("expected that nothing is dropped, found 1 annotations and 2 boxes"),
            std::string::npos);
}

TEST_F(OpenData, OneFileFindsImagesBesideItsFolder) {
  write_coco();
  const Description data = open_data((source / "annotations/instances_val.json").string());
  EXPECT_TRUE(data.train.empty());
  const Index val = index_of(data, "val");
  ASSERT_EQ(val.entries.size(), 1u);
  EXPECT_EQ(val.entries[0].picture.filename(), "c.png");
  // The images of the other split are none of this file's.
  const json account_json = json::parse(data.ready->account);
  EXPECT_EQ(account_json["pictures"]["in"], 1);
  EXPECT_TRUE(account_json["dropped"].empty());
  EXPECT_NE(account_json["notes"].dump().find("2 further images around it"), std::string::npos);
  EXPECT_EQ(test::error_of([&] { index_of(data, "train"); }),
            (source / "annotations/instances_val.json").string() +
                ": expected a split 'train' with images, found none");
}

TEST_F(OpenData, ASecondCallDecodesNothing) {
  write_coco();
  EXPECT_EQ(open_data(source.string()).ready->pictures_read, 3u);
  const Description again = open_data(source.string());
  EXPECT_EQ(again.ready->pictures_read, 0u);
  EXPECT_EQ(again.ready->cache_file, source / "annotations.yolov7-index");
  EXPECT_EQ(open_data(source.string(), {true, false, 0, {}}).ready->pictures_read, 3u);
}

TEST_F(OpenData, WithoutSplitsTheTrainingImagesAreValToo) {
  image("a.png");
  file("a.xml",
       "<annotation><filename>a.png</filename><object><name>x</name><bndbox><xmin>10</xmin>"
       "<ymin>5</ymin><xmax>30</xmax><ymax>35</ymax></bndbox></object></annotation>");
  const test::KeptMessages said;
  const Description data = open_data("voc:" + source.string());
  EXPECT_EQ(index_of(data, "train").identity, index_of(data, "val").identity);
  EXPECT_NE(said.text(log::Level::warning).find("there is no val split"), std::string::npos);
  EXPECT_EQ(json::parse(data.ready->account)["split_rule"], "everything in train");
}

TEST_F(OpenData, SplitsOfOtherNamesAreNotLostSilently) {
  image("one/a.png");
  image("two/b.png");
  file("coco_one/instances_one.json", R"({"images": [{"id": 1, "file_name": "one/a.png"}],
"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]}],
"categories": [{"id": 1, "name": "x"}]})");
  const test::KeptMessages said;
  const Description data = open_data(source.string());
  EXPECT_EQ(index_of(data, "train").label_count(), 1u);
  EXPECT_NE(said.text().find("the split 'one' is neither train, val nor test: its images are taken "
                             "into train"),
            std::string::npos)
      << said.text();
}

TEST_F(OpenData, DataYamlIsReadAsBefore) {
  const fs::path yaml = test::write_small_set(folder / "small", 3);
  for (const std::string& data : {yaml.string(), (folder / "small").string()}) {
    const Description description = open_data(data);
    EXPECT_EQ(description.ready, nullptr) << data;
    EXPECT_EQ(description.file, yaml) << data;
  }
  // Roboflow's package leaves paths of the computer that it ran on.
  test::write_text(yaml,
                   "train: /elsewhere/images/train\nval: /elsewhere/images/train\nnames: [a, b]\n");
  const Description searched = open_data((folder / "small").string());
  ASSERT_NE(searched.ready, nullptr);
  EXPECT_EQ(index_of(searched, "train").label_count(), 3u);
}

TEST_F(OpenData, ADataYamlThatIsWrongIsNoReasonToSearch) {
  const fs::path yaml = test::write_small_set(folder / "small", 3);
  const auto said = [&](const std::string& text) {
    test::write_text(yaml, text);
    return test::error_of([&] { open_data((folder / "small").string()); });
  };
  EXPECT_EQ(said("train: images/train\nval: images/train\nnc: 3\nnames: [a, b]\n"),
            yaml.string() + ":3:5: expected nc = 2, the number of names, found nc = 3");
  EXPECT_NE(said("names: [a, b\ntrain: images\n").find("data.yaml:"), std::string::npos);
  EXPECT_NE(said("names: {0: a, 2: b}\ntrain: images\n").find("expected class numbers 0..1"),
            std::string::npos);
  EXPECT_NE(said("- a\n").find("expected a mapping with train, val"), std::string::npos);
  // dataset convert and FORMAT:PATH read it otherwise, and agree.
  test::write_text(yaml, "train: images/train\nval: images/train\nnc: 3\nnames: [a, b]\n");
  EXPECT_NE(test::error_of([&] {
              open_data("yolo:" + (folder / "small").string());
            }).find("data.yaml:3:5: expected nc = 2"),
            std::string::npos);
}

TEST_F(OpenData, ADataYamlOfSomethingElseIsNone) {
  write_coco();
  file("data.yaml", "steps: 3\n");
  EXPECT_EQ(index_of(open_data(source.string()), "val").label_count(), 1u);
}

TEST_F(OpenData, KeyPointsAreNotUsedWhichIsSaid) {
  image("a.png");
  file("instances_train.json", R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 40, 30], "keypoints": [12, 6, 2]}],
"categories": [{"id": 1, "name": "cat", "keypoints": ["nose"]}]})");
  const test::KeptMessages said;
  open_data(source.string());
  EXPECT_NE(said.text().find("lost: 1 of key points, for which training has no place"),
            std::string::npos)
      << said.text();
}

TEST_F(OpenData, FormatsAreNamedWhereSeveralFit) {
  write_coco();
  file("labels/train/a.txt", "0 0.5 0.5 0.1 0.1\n");
  EXPECT_NE(test::error_of([&] {
              open_data(source.string());
            }).find("found the signs of several: yolo, coco; FORMAT:PATH as the data chooses"),
            std::string::npos);
  EXPECT_EQ(json::parse(open_data("coco:" + source.string()).ready->account)["from"], "coco");
  EXPECT_NE(test::error_of([&] { open_data((folder / "gone").string()); }), "no error");
}

TEST_F(OpenData, PathsThatHoldFromAnyFolder) {
  write_coco();
  const fs::path here = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_EQ(absolute_data("source"), source.string());
  EXPECT_EQ(absolute_data("coco:source"), "coco:" + source.string());
  EXPECT_EQ(absolute_data("gone"), "gone");
  fs::current_path(here);
}

TEST_F(OpenData, StopsWhereItIsTold) {
  write_coco();
  EXPECT_TRUE(test::is_stopped([&] {
    open_data(source.string(), {false, false, 0, test::stopped()});
  }));
}

}  // namespace
}  // namespace yolov7::dataset
