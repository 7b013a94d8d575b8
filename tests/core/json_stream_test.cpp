// Large JSON piece by piece.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

/// "member=piece" for each piece.
std::vector<std::string> pieces_of(const std::string& text) {
  std::vector<std::string> pieces;
  stream_json(text, "a.json", [&](const std::string& member, nlohmann::json& piece) {
    pieces.push_back(member + "=" + piece.dump());
  });
  return pieces;
}

TEST(JsonStream, ArraysOfTheOutermostObjectComeByElement) {
  EXPECT_EQ(pieces_of(R"({"a": [1, {"b": [2, {"c": null}]}, []], "d": {"e": [3]}, "f": [], "g": "x",
                          "h": [[4, 5], true]})"),
            (std::vector<std::string>{"a=1", R"(a={"b":[2,{"c":null}]})", "a=[]", R"(d={"e":[3]})",
                                      R"(g="x")", "h=[4,5]", "h=true"}));
}

TEST(JsonStream, AnOutermostArrayComesByElement) {
  EXPECT_EQ(pieces_of("\xEF\xBB\xBF[1.5, [2], {\"a\": [3]}, 18446744073709551615]"),
            (std::vector<std::string>{"=1.5", "=[2]", R"(={"a":[3]})", "=18446744073709551615"}));
}

TEST(JsonStream, FaultsAreThoseOfTheWholeReader) {
  const auto fault = [](const std::string& text) {
    return test::error_of([&] { pieces_of(text); });
  };
  EXPECT_EQ(fault("{\"a\": [1,\n2, NaN]}"), "a.json:2:4: NaN is no JSON number");
  EXPECT_EQ(fault("{\"a\": [1"),
            "a.json:1:9: expected JSON, found a syntax error: the file ends too early");
  EXPECT_EQ(fault(std::string(200, '[')),
            "a.json: expected at most 100 nested levels of JSON, found more");
  EXPECT_EQ(fault("[1e999]"),
            "a.json: expected JSON, found a number that is too large for any number type");
  EXPECT_EQ(fault(R"({"a": [1], "b": {"a": 2}, "a": [3]})"),
            "a.json: expected each member of the document once, found 'a' twice");
  EXPECT_EQ(fault("7"), "a.json: expected a JSON object or array, found a single value");
}

}  // namespace
}  // namespace yolov7
