// yolov7 compare on two result files.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/program.hpp"

using namespace yolov7::test;

namespace {

/// One object on each of `pictures` images, found by b and not by a, which finds things
/// of a category that is not listed on all of them but the last.
struct Files {
  explicit Files(int pictures) {
    std::string images, annotations, of_a, of_b;
    for (int i = 1; i <= pictures; ++i) {
      const std::string comma = i > 1 ? "," : "", id = std::to_string(i);
      images += comma + R"({"id":)" + id + "}";
      annotations += comma + R"({"id":)" + id + R"(,"image_id":)" + id +
                     R"(,"category_id":1,"bbox":[0,0,10,10],"area":100})";
      const auto box = [&](const char* category) {
        return comma + R"({"image_id":)" + id + R"(,"category_id":)" + category +
               R"(,"bbox":[0,0,10,10],"score":0.5})";
      };
      if (i < pictures) of_a += box("0");
      of_b += box("1");
    }
    truth = scratch
                .write("gt.json", R"({"images":[)" + images +
                                      R"(],"categories":[{"id":1,"name":"a"}],"annotations":[)" +
                                      annotations + "]}")
                .string();
    a = scratch.write("a.json", "[" + of_a + "]").string();
    b = scratch.write("b.json", "[" + of_b + "]").string();
  }
  Outcome compare(const std::vector<std::string>& more) const {
    std::vector<std::string> all{"compare", a, b, "--ground-truth", truth, "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
  ScratchFolder scratch;
  std::string truth, a, b;
};

std::string verdict(const Outcome& outcome) {
  return nlohmann::json::parse(outcome.out).at("map").at("verdict").get<std::string>();
}

}  // namespace

TEST(Compare, NoVerdictFromTooLittle) {
  const Files six(6), one(1);
  const Outcome enough = six.compare({"--bootstrap", "40"});
  ASSERT_EQ(enough.code, 0) << enough.err;
  EXPECT_EQ(verdict(enough), "b is better");
  const Outcome draws = six.compare({"--bootstrap", "1"});
  ASSERT_EQ(draws.code, 0) << draws.err;
  EXPECT_EQ(verdict(draws), "no difference is shown");
  EXPECT_TRUE(has(draws.err, "1 draws are too few for an interval of 95 %")) << draws.err;
  const Outcome images = one.compare({"--bootstrap", "40"});
  ASSERT_EQ(images.code, 0) << images.err;
  EXPECT_EQ(verdict(images), "no difference is shown");
  EXPECT_TRUE(has(images.err, "1 images are too few")) << images.err;
}

TEST(Compare, WhatIsLeftOutOfResultFilesIsSaid) {
  const Files files(6);
  const Outcome outcome = files.compare({"--bootstrap", "40", "--img-size", "320"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "5 of 5 detections are of categories that")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "no detection on 1 images on which")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "--img-size has no effect beside two result files")) << outcome.err;
}
