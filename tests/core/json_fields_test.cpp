#include "core/json_fields.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/scratch_folder.hpp"

using namespace yolov7;
using nlohmann::json;

namespace {

const json document = json::parse(
    R"({"a": "text", "b": 1.5, "c": {"d": {"e": "deep"}}, "f": [{"g": "1"}, {"g": 2}], "h": null})");

template <class Read>
std::string refusal(Read read) {
  return test::error_of([&] { read(JsonFields(document, "x.json")); });
}

}  // namespace

TEST(JsonFields, ValuesByTheirNames) {
  const JsonFields fields(document, "x.json");
  EXPECT_EQ(fields.text("a"), "text");
  EXPECT_EQ(fields.number("b"), 1.5);
  EXPECT_EQ(fields.object("c").object("d").text("e"), "deep");
  EXPECT_EQ(fields.objects("f").at(0).text("g"), "1");
  EXPECT_TRUE(fields.has("h"));
  EXPECT_FALSE(fields.has("i"));
  EXPECT_EQ(fields.names(), (std::vector<std::string>{"a", "b", "c", "f", "h"}));
}

TEST(JsonFields, WhatIsMissingOrOfAnotherKindIsToldWithItsPlace) {
  EXPECT_EQ(refusal([](auto f) { f.text("i"); }),
            "x.json: expected a text in the field 'i', found no such field");
  EXPECT_EQ(refusal([](auto f) { f.text("b"); }),
            "x.json: expected a text in the field 'b', found a number");
  EXPECT_EQ(refusal([](auto f) { f.number("h"); }),
            "x.json: expected a number in the field 'h', found null");
  EXPECT_EQ(refusal([](auto f) { f.object("c").object("d").number("e"); }),
            "x.json: expected a number in the field 'c.d.e', found a text");
  EXPECT_EQ(refusal([](auto f) { f.objects("f").at(1).text("g"); }),
            "x.json: expected a text in the field 'f[1].g', found a number");
  EXPECT_EQ(refusal([](auto f) { f.objects("a"); }),
            "x.json: expected a list of objects in the field 'a', found a text");
  EXPECT_EQ(test::error_of([] { JsonFields(json::parse("[]"), "x.json"); }),
            "x.json: expected an object, found a list");
  EXPECT_EQ(refusal([](auto f) { f.object("f"); }),
            "x.json: expected an object in the field 'f', found a list");
}
