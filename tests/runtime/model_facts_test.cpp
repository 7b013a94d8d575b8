#include "runtime/openvino/model_facts.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "runtime/joined_detectors.hpp"
#include "runtime/openvino/file_rows.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using Texts = std::vector<std::string>;

TEST(ModelFacts, NamesInEveryForm) {
  EXPECT_EQ(parse_names("{0: 'person', 1: 'it\\'s'}"), (Texts{"person", "it's"}));
  EXPECT_EQ(parse_names("{0: 'a, b', 1: \"c: d\"}"), (Texts{"a, b", "c: d"}));
  EXPECT_EQ(parse_names(R"({"0": "person", "1": "dog"})"), (Texts{"person", "dog"}));
  EXPECT_EQ(parse_names(R"(["a", "b"])"), (Texts{"a", "b"}));
  EXPECT_EQ(parse_names("['a']"), Texts{"a"});
  EXPECT_EQ(parse_names("{1: 'b', 0: 'a'}"), (Texts{"a", "b"}));
  EXPECT_EQ(parse_names(R"({"0": "a", "1": "b", "10": "k", "2": "c", "3": "d", "4": "e", "5": "f",
                            "6": "g", "7": "h", "8": "i", "9": "j"})"),
            (Texts{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}))
      << "sorted as texts";
  EXPECT_EQ(parse_names("{1: 'a', 2: 'b'}"), Texts{}) << "there is a class 0";
  EXPECT_EQ(parse_names("{0: 'a', 0: 'b'}"), Texts{});
  EXPECT_EQ(parse_names("nothing"), Texts{});
  EXPECT_EQ(parse_names("{0: 'open"), Texts{});
}

TEST(ModelFacts, LayoutsByShape) {
  const auto layout = [](const std::vector<OutputShape>& outputs, ModelMetadata metadata = {}) {
    return model_facts(metadata, outputs, "x").layout;
  };
  EXPECT_EQ(layout({{1, 25200, 85}}), "v5");
  EXPECT_EQ(layout({{-1, -1, 85}}), "v5");
  EXPECT_EQ(layout({{1, 84, 8400}}), "v8");
  EXPECT_EQ(layout({{1, 5, -1}}), "v8");
  const ModelMetadata names{{"names", "{0: 'a', 1: 'b'}"}};
  EXPECT_EQ(layout({{-1, 7}}, names), "end2end-ort");
  EXPECT_EQ(layout({{1, 100, 6}}, names), "nms6");
  EXPECT_EQ(layout({{1, 6300, 6}}), "v5") << "one class";
  EXPECT_EQ(model_facts({}, {{1, 25200, 85}}, "x", {.channels_last = true}).layout, "tf")
      << "TensorFlow's files have boxes in shares of the image";
  EXPECT_EQ(model_facts({}, {{1, 84, 8400}}, "x").notes.size(), 3U)
      << "layout, names and stride are assumed";
  EXPECT_NE(test::error_of([&] { layout({{1, 1000}}); }), "no error");
  EXPECT_NE(test::error_of([&] { layout({{1, 100, 6}}); }), "no error") << "no class names";
  EXPECT_NE(test::error_of([&] { layout({{1, 25200, 85}}, names); }), "no error") << "two names";
  EXPECT_NE(test::error_of([&] { layout({{1, 3, 8, 8, 7}}, names); }), "no error") << "no anchors";
  EXPECT_NE(test::error_of([&] {
              layout({{1, 2}}, {{"layout", "end2end-trt"}});
            }).find("TensorRT alone"),
            std::string::npos);
}

// Outputs of files that other programs write (export 0), told by their shapes.
TEST(ModelFacts, FilesOfOtherPrograms) {
  // Older official exports give the boxes, and the maps of the levels besides.
  const std::vector<OutputShape> four{
      {1, 3, 80, 80, 85}, {1, 25200, 85}, {1, 3, 40, 40, 85}, {1, 3, 20, 20, 85}};
  const ModelFacts official = model_facts({}, four, "x");
  EXPECT_EQ(official.layout, "v5");
  EXPECT_EQ(official.output, 1U);
  EXPECT_EQ(official.names.size(), 80U);
  EXPECT_EQ(official.notes.size(), 4U) << "layout, outputs, names and stride";
  // Those without decoding do not tell their anchors.
  EXPECT_NE(test::error_of([&] {
              model_facts({}, {{1, 3, 80, 80, 85}, {1, 3, 40, 40, 85}, {1, 3, 20, 20, 85}}, "x");
            }).find("export with --grid"),
            std::string::npos);
  // v8-style TensorFlow files have boxes in shares, and no layout of ours.
  EXPECT_TRUE(model_facts({}, {{1, 84, 8400}}, "x", {.channels_last = true}).shares);
  EXPECT_FALSE(model_facts({}, {{1, 84, 8400}}, "x").shares);
  EXPECT_FALSE(
      model_facts({{"layout", "v8"}}, {{1, 84, 8400}}, "x", {.channels_last = true}).shares)
      << "ours are in pixels";
  // Suppression inside, without a name: as many classes as the graph shows.
  const ModelFacts suppressing = model_facts({}, {{-1, 7}}, "x", {.classes = 3});
  EXPECT_EQ(suppressing.names, (Texts{"class0", "class1", "class2"}));
  EXPECT_EQ(model_facts({}, {{-1, 7}}, "x", {.names = {"cat"}}).names, Texts{"cat"});
  EXPECT_NE(test::error_of([&] {
              model_facts({}, {{-1, 7}}, "x");
            }).find("give them with names"),
            std::string::npos);
  EXPECT_EQ(model_facts({{"labels", "a_b c"}}, {{1, 6300, 7}}, "x").names, (Texts{"a_b", "c"}));
}

TEST(ModelFacts, SizesAndThresholdsComeFromTheMetadata) {
  EXPECT_EQ(model_facts({{"imgsz", "[320, 416]"}}, {{-1, -1, 85}}, "x").image_size, 416);
  EXPECT_EQ(model_facts({}, {{1, 6300, 85}}, "x", {.input = {320, 320}}).image_size, 320);
  const ModelFacts own = model_facts(
      {{"names", "['a']"}, {"args", "{'batch': 1, 'iou_thres': 0.45, 'conf_thres': 0.25}"}},
      {{-1, 7}}, "x");
  EXPECT_EQ(own.iou_thres, 0.45);
  EXPECT_EQ(own.conf_thres, 0.25);
  EXPECT_LT(model_facts({{"names", "['a']"}}, {{-1, 7}}, "x").iou_thres, 0) << "not told";
  const ModelFacts wanted =
      model_facts({{"confidence_threshold", "0.4"}, {"iou_threshold", "7"}}, {{1, 6300, 85}}, "x");
  EXPECT_EQ(wanted.wanted_conf_thres, 0.4);
  EXPECT_LT(wanted.wanted_iou_thres, 0) << "no threshold";
}

TEST(ModelFacts, PreparationOfImagesIsTold) {
  const auto facts = [](const ModelMetadata& metadata) {
    return model_facts(metadata, {{1, 6300, 85}}, "x");
  };
  EXPECT_EQ(facts({}).fill, 114);
  EXPECT_TRUE(facts({}).rgb);
  EXPECT_EQ(facts({{"pad_value", "0"}}).fill, 0);
  EXPECT_TRUE(facts({{"reverse_input_channels", "YES"}}).rgb);
  EXPECT_FALSE(facts({{"reverse_input_channels", "False"}}).rgb);
}

TEST(ModelFacts, ContradictionsNameBothSides) {
  const auto error = [](const ModelMetadata& metadata, const std::vector<OutputShape>& outputs,
                        const FileSurroundings& more = {}) {
    return test::error_of([&] { model_facts(metadata, outputs, "x", more); });
  };
  EXPECT_EQ(
      error({{"imgsz", "[640, 640]"}}, {{1, 6300, 85}}, {.input = {320, 320}}),
      "x: expected an input of 640 x 640 as the metadata tells it (imgsz), found 320 x 320 in "
      "the graph");
  EXPECT_EQ(error({{"stride", "64"}}, {{1, 6300, 85}}, {.input = {320, 352}}),
            "x: expected an input with sides that are multiples of the stride 64 that the metadata "
            "tells, found 352 x 320 in the graph");
  EXPECT_EQ(error({{"names", "['a', 'b']"}}, {{1, 6300, 7}}, {.names = {"a", "c"}}),
            "x: names: expected the class names of the file (a, b), found a, c");
  EXPECT_EQ(error({{"layout", "v8"}}, {{1, 5}}),
            "x: expected outputs of the layout v8, found [1, 5]");
  EXPECT_EQ(error({{"layout", "nms6"}, {"names", "['a']"}}, {{1, 100, 7}}),
            "x: expected outputs of the layout nms6, found [1, 100, 7]");
  EXPECT_EQ(
      error({{"scale_values", "1"}}, {{1, 6300, 85}}),
      "x: scale_values: this program prepares images with '255', the metadata of the file asks "
      "for '1'");
  EXPECT_EQ(error({{"scale_values", "255.0"}, {"resize_type", "fit_to_window_letterbox"}},
                  {{1, 6300, 85}}),
            "no error");
  EXPECT_EQ(error({{"stride", "99999"}}, {{1, 6300, 85}}),
            "x: stride: expected 1 ... 1024, found 99999");
}

namespace {

Prediction rows_of(const ModelFacts& facts, const std::vector<std::size_t>& shape,
                   const std::vector<float>& values, int count) {
  Prediction prediction;
  const FileOutput output{shape, values.data()};
  append_rows(facts, {&output, 1}, count, 100, 200, prediction);
  return prediction;
}

ModelFacts facts_of(const char* layout, std::size_t classes) {
  ModelFacts facts;
  facts.layout = layout;
  for (std::size_t i = 0; i < classes; ++i) facts.names.push_back("class" + std::to_string(i));
  return facts;
}

}  // namespace

TEST(FileRows, SharesBecomePixels) {
  const Prediction p =
      rows_of(facts_of("tf", 1), {1, 1, 6}, {0.5F, 0.25F, 0.125F, 0.5F, 0.75F, 1}, 1);
  EXPECT_EQ(p.decoded, (std::vector<float>{100, 25, 25, 50, 0.75F, 1}));
}

TEST(FileRows, TurnedRowsWithoutObjectness) {
  // Two rows of two classes, column by column.
  const Prediction p =
      rows_of(facts_of("v8", 2), {1, 6, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 0.1F, 0.2F, 0.3F, 0.4F}, 1);
  EXPECT_EQ(p.decoded, (std::vector<float>{1, 3, 5, 7, 1, 0.1F, 0.3F, 2, 4, 6, 8, 1, 0.2F, 0.4F}));
  const Prediction one = rows_of(facts_of("v8", 1), {1, 5, 1}, {1, 2, 3, 4, 0.5F}, 1);
  EXPECT_EQ(one.decoded, (std::vector<float>{1, 2, 3, 4, 0.5F, 1}))
      << "suppression takes the objectness of a single class";
}

TEST(FileRows, TurnedRowsInShares) {
  ModelFacts facts = facts_of("v8", 1);
  facts.shares = true;
  EXPECT_EQ(rows_of(facts, {1, 5, 1}, {0.5F, 0.25F, 0.125F, 0.5F, 0.75F}, 1).decoded,
            (std::vector<float>{100, 25, 25, 50, 0.75F, 1}));
}

// A graph of open sides can give what its layout does not have; nothing is read beyond it.
TEST(FileRows, OutputsOfOtherSidesAreRefused) {
  const std::vector<float> values(64, 0);
  const auto error = [&](const char* layout, const std::vector<std::size_t>& shape, int count) {
    return test::error_of([&] { rows_of(facts_of(layout, 2), shape, values, count); });
  };
  EXPECT_EQ(error("v5", {1, 2, 6}, 1),
            "the model: expected outputs of the layout v5 for 1 image and 2 classes, found others");
  EXPECT_NE(error("v5", {1, 2, 7}, 2), "no error") << "one image of two";
  EXPECT_NE(error("v8", {1, 7, 2}, 1), "no error");
  EXPECT_NE(error("nms6", {1, 2, 7}, 1), "no error");
  EXPECT_NE(error("end2end-ort", {2, 6}, 1), "no error");
  EXPECT_NE(error("raw", {1, 1, 1, 2, 7}, 1), "no error") << "no level is known";
  EXPECT_EQ(error("v5", {1, 2, 7}, 1), "no error");
}

TEST(FileRows, RawMapsAreDecoded) {
  ModelFacts facts = facts_of("raw", 1);
  network::Level level;
  level.stride = 8;
  level.anchors = {{10, 20}};
  facts.levels = {level};
  // Zeros at cells (0, 0) and (1, 0): their centres, the anchor, one half.
  const Prediction p = rows_of(facts, {1, 1, 1, 2, 6}, std::vector<float>(12, 0), 1);
  EXPECT_EQ(p.decoded, (std::vector<float>{4, 4, 10, 20, 0.5F, 0.5F, 12, 4, 10, 20, 0.5F, 0.5F}));
}

TEST(FileRows, DetectionsStayAsTheyAre) {
  // Two boxes over each other in image 1, one in image 0; then suppression has nothing to do.
  const std::vector<float> values{0, 0, 0,    10, 10, 1, 0.75F, 1, 0, 0,    8,
                                  8, 0, 0.5F, 1,  0,  0, 8,     8, 0, 0.25F};
  const Prediction p = rows_of(facts_of("end2end-ort", 2), {3, 7}, values, 2);
  ASSERT_EQ(p.rows, 2U);
  EXPECT_TRUE(p.suppressed);
  NmsOptions options;
  options.conf_thres = 0.1;
  const auto first = suppress(p, 0, 2, options).detections,
             second = suppress(p, 1, 2, options).detections;
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].class_index, 1);
  EXPECT_EQ(first[0].score, 0.75F);
  EXPECT_EQ(first[0].box, (Xyxy{0, 0, 10, 10}));
  EXPECT_EQ(second.size(), 2U);
  options.conf_thres = 0.3;
  EXPECT_EQ(suppress(p, 1, 2, options).detections.size(), 1U) << "the threshold still holds";
}

TEST(FileRows, AScoreThatIsNoNumberIsCounted) {
  // x1, y1, x2, y2, score, class: no number, an unused row, a box.
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values{0, 0, 8, 8, nan, 0, 0, 0, 0, 0, 0, 0, 1, 1, 9, 9, 0.5F, 1};
  const Prediction p = rows_of(facts_of("nms6", 2), {1, 3, 6}, values, 1);
  ASSERT_EQ(p.rows, 2U);
  const NmsResult kept = suppress(p, 0, 2, {});
  ASSERT_EQ(kept.detections.size(), 1U);
  EXPECT_EQ(kept.detections[0].score, 0.5F);
  EXPECT_EQ(kept.dropped_not_finite, 1U);
}
