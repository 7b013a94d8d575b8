#include "core/value.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

TEST(Yaml, TreeKnowsItsPlaces) {
  const Value root = parse_yaml("nc: 3\nnames: [a, 'b', \"c\"]\nbox:\n  gain: 0.05\n", "x.yaml");
  EXPECT_EQ(root.at("nc").integer(), 3);
  EXPECT_EQ(root.at("names").sequence[1].text(), "b");
  EXPECT_DOUBLE_EQ(root.at("box").at("gain").number(), 0.05);
  EXPECT_EQ(root.at("box").at("gain").where(), "x.yaml:4:9");
  EXPECT_EQ(root.find("missing"), nullptr);
}

TEST(Yaml, ConversionsSayWhatWasFoundAndWhere) {
  const Value root = parse_yaml("nc: abc\nflag: '1'\nempty:\n", "x.yaml");
  EXPECT_EQ(test::error_of([&] { root.at("nc").integer(); }),
            "x.yaml:1:5: expected a whole number, found 'abc'");
  EXPECT_EQ(test::error_of([&] { root.at("flag").number(); }),
            "x.yaml:2:7: expected a number, found '1'");
  EXPECT_TRUE(root.at("empty").is_null());
  EXPECT_EQ(test::error_of([&] { root.at("val"); }),
            "x.yaml:1:1: expected a key 'val', found none");
}

TEST(Yaml, RefusesWhatCouldHurt) {
  EXPECT_NE(test::error_of([] { parse_yaml("a: 1\na: 2\n", "x"); }).find("the key 'a' twice"),
            std::string::npos);
  EXPECT_NE(test::error_of([] { parse_yaml("a: [1\n", "x"); }).find("x:"), std::string::npos);
  EXPECT_NE(test::error_of([] { parse_yaml("", "x"); }).find("empty file"), std::string::npos);
  EXPECT_NE(test::error_of([] { parse_yaml(std::string_view("a\0b", 3), "x"); }).find("zero byte"),
            std::string::npos);
  EXPECT_EQ(test::error_of([] { parse_yaml("a: &a {nc: 2}\nb:\n  <<: *a\n", "x"); }),
            "x:3:3: found a merge key ('<<'), which is not read: write out the entries that it "
            "brings");
  EXPECT_EQ(parse_yaml("\"<<\": 1\n", "x").at("<<").integer(), 1);
  // Nine levels of nine aliases each: 9^9 values if expanded.
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) bomb += (j ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_NE(test::error_of([&] { parse_yaml(bomb, "bomb"); }).find("more than 2000000 values"),
            std::string::npos);
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  EXPECT_NE(test::error_of([&] { parse_yaml(deep, "deep"); }).find("64 nested levels"),
            std::string::npos);
}

TEST(Yaml, ScalarsComeBackAsTheyWere) {
  for (const std::string text : {"plain", "with blank", "yes", "1.5", "-a", "it's \"q\"", "a: b",
                                 "#x", "", "line\nfeed", "\x1b[0m", "`x`"}) {
    const Value root = parse_yaml("k: " + yaml_scalar(text) + "\n", "x");
    EXPECT_EQ(root.at("k").text(), text);
    EXPECT_TRUE((text != "1.5" && text != "yes") || root.at("k").quoted);
  }
}

// PyYAML reads the plain ones as 31, 1000, 5 and a date.
TEST(Yaml, NumbersAndDatesOfOtherReadersAreQuoted) {
  EXPECT_EQ(yaml_scalar("0x1F"), "\"0x1F\"");
  EXPECT_EQ(yaml_scalar("1_000"), "\"1_000\"");
  EXPECT_EQ(yaml_scalar("0b101"), "\"0b101\"");
  EXPECT_EQ(yaml_scalar("2024-05-01"), "\"2024-05-01\"");
  for (const std::string plain : {"640x480", "0.2.0", "2024-05-01-run", "7up", "images/1_2"})
    EXPECT_EQ(yaml_scalar(plain), plain);
}

// Plain texts of block style that flow style would cut.
TEST(Yaml, FlowTextHasTheSameTexts) {
  const Value root = parse_yaml("- bus, coach\n- which?\n- a[0]\n- b{1}\n- 1.5\n", "x");
  const std::string flow = yaml_flow(root);
  EXPECT_EQ(flow, "[\"bus, coach\", \"which?\", \"a[0]\", \"b{1}\", 1.5]");
  const Value again = parse_yaml(flow, "y");
  ASSERT_EQ(again.sequence.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(again.sequence[i].text(), root.sequence[i].text());
}

TEST(Json, DepthAndSyntaxAreBounded) {
  EXPECT_EQ(parse_json("{\"a\": [1, 2]}", "x")["a"][1], 2);
  EXPECT_EQ(test::error_of([] { parse_json("{\n  \"a\": ,\n}", "x.json"); }),
            "x.json:2:8: expected JSON, found a syntax error");
  const std::pair<const char*, const char*> kinds[] = {
      {"[1,NaN]", "x.json:1:4: NaN is no JSON number"},
      {"[\n -Infinity]", "x.json:2:2: -Infinity is no JSON number"},
      {"[nan]", "x.json:1:2: nan is no JSON number"},
      {"[\"\xC3\xA9\", inf]", "x.json:1:7: inf is no JSON number"},  // é is one column
      {"[True]",
       "x.json:1:2: expected JSON, found a syntax error: 'True' is a word of Python; JSON has "
       "true, false and null"},
      {"{'a': 1}", "x.json:1:2: expected JSON, found a syntax error: texts stand in double quotes"},
      {"[1] // one", "x.json:1:5: expected JSON, found a syntax error: JSON has no comments"},
      {"[1, 2", "x.json:1:6: expected JSON, found a syntax error: the file ends too early"},
      {"", "x.json:1:1: expected JSON, found a syntax error: the file is empty"},
      {"{}\n{}",
       "x.json:2:1: expected JSON, found a syntax error: the file goes on behind its value"},
      {"[\"\xE9\"]", "x.json:1:3: expected JSON, found a text that is not UTF-8"},
      {"\xFF\xFE[", "x.json:1:1: expected JSON in UTF-8, found UTF-16"}};
  for (const auto& [text, expected] : kinds)
    EXPECT_EQ(test::error_of([&, t = text] { parse_json(t, "x.json"); }), expected) << text;
  const std::string deep = std::string(100'000, '[');
  EXPECT_NE(test::error_of([&] { parse_json(deep, "x"); }).find("nested levels"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7
