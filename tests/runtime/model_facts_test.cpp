#include "runtime/openvino/model_facts.hpp"

#include <gtest/gtest.h>

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
  EXPECT_EQ(model_facts({}, {{1, 25200, 85}}, "x", true).layout, "tf")
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

TEST(ModelFacts, HowImagesAreToBePrepared) {
  const auto facts = [](ModelMetadata metadata) {
    metadata.insert({{"layout", "v5"}, {"names", "['a']"}, {"stride", "32"}});
    return model_facts(metadata, {{1, 25200, 6}}, "x");
  };
  EXPECT_EQ(facts({}).fill, 114);
  EXPECT_TRUE(facts({}).rgb);
  const ModelFacts ours = facts({{"pad_value", "114"}, {"reverse_input_channels", "True"}});
  EXPECT_EQ(ours.fill, 114);
  EXPECT_TRUE(ours.rgb);
  EXPECT_TRUE(ours.notes.empty());
  const ModelFacts other = facts({{"pad_value", "0"}, {"reverse_input_channels", "NO"}});
  EXPECT_EQ(other.fill, 0);
  EXPECT_FALSE(other.rgb);
  EXPECT_EQ(other.notes.size(), 2U) << "both are said";
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
