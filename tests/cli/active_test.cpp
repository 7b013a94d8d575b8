// yolov7 active select, as a user calls it, with the start that the program brings.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

class Active : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"dataset", "synth", "--out", (scratch / "set").string(), "--train", "12",
                   "--val", "6", "--test", "0", "--img-size", "160", "--seed", "5"})
                  .code,
              0);
    // Two copies of one image: only one may be chosen, and none of a labelled one.
    for (const auto& entry : fs::directory_iterator(scratch / "set/images/train"))
      fs::create_directories(scratch / "pool"),
          fs::copy_file(entry.path(), scratch / "pool" / entry.path().filename());
    const fs::path first = fs::directory_iterator(scratch / "pool")->path();
    fs::copy_file(first, scratch / "pool/copy.jpg");
    for (const auto& entry : fs::directory_iterator(scratch / "set/images/val"))
      fs::copy_file(entry.path(), scratch / "pool" / ("v" + entry.path().filename().string()));
  }
  Outcome select(std::vector<std::string> more) {
    std::vector<std::string> arguments = {
        "active",
        "select",
        (scratch / "pool").string(),
        "--weights",
        std::string(YOLOV7_SOURCE_DIR) + "/weights/yolov7-tiny-synth.pt",
        "--img-size",
        "160"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  /// The validation images as the labelled set: its `train` entry is what counts as labelled.
  std::string labelled() {
    const std::string text = read_text(scratch / "set/data.yaml");
    const std::size_t names = text.find("names");
    write_text(scratch / "set/labelled.yaml",
               "train: images/val\nval: images/val\n" + text.substr(names));
    return (scratch / "set/labelled.yaml").string();
  }
  ScratchFolder scratch;
};

TEST_F(Active, ChoosesWithinTheBudgetLeavesCopiesAndLabelledImagesAndIsRepeatable) {
  const Outcome one = select(
      {"--labelled", labelled(), "--budget", "8", "--out", (scratch / "one").string(), "--json"});
  ASSERT_EQ(one.code, 0) << one.err;
  const auto result = nlohmann::json::parse(one.out);
  EXPECT_EQ(result["images_in_pool"], 19);
  EXPECT_EQ(result["shown_by_labelled_images"], 6);
  EXPECT_EQ(result["chosen"].size(), 8u);
  std::set<std::string> chosen;
  for (const auto& image : result["chosen"]) {
    chosen.insert(image["image"].get<std::string>());
    EXPECT_NE(fs::path(image["image"].get<std::string>()).filename().string()[0], 'v');
    EXPECT_FALSE(image["reason"].get<std::string>().empty());
  }
  EXPECT_EQ(chosen.size(), 8u);
  EXPECT_TRUE(fs::exists(scratch / "one/sheets/sheet_0001.jpg"));
  EXPECT_EQ(nlohmann::json::parse(read_text(scratch / "one/predictions.json"))["images"].size(),
            8u);
  ASSERT_EQ(
      select({"--labelled", labelled(), "--budget", "8", "--out", (scratch / "two").string()}).code,
      0);
  EXPECT_EQ(read_text(scratch / "one/selected.txt"), read_text(scratch / "two/selected.txt"));
  // All that can be chosen: 12 images, of which two show the same with their copy.
  const Outcome all = select({"--labelled", labelled(), "--budget", "100", "--out",
                              (scratch / "all").string(), "--strategy", "random", "--json"});
  ASSERT_EQ(all.code, 0) << all.err;
  EXPECT_EQ(nlohmann::json::parse(all.out)["chosen"].size(), 12u);
  EXPECT_EQ(nlohmann::json::parse(all.out)["shown_by_chosen_images"], 1);
}

TEST_F(Active, AnImageWhosePathNoFileOfResultsCanHoldIsNamed) {
  fs::copy_file(scratch / "pool/copy.jpg", scratch / "pool" / "odd\xff.jpg");
  const Outcome one = select({"--budget", "30", "--strategy", "random", "--keep-similar", "--out",
                              (scratch / "odd").string()});
  EXPECT_EQ(one.code, 1);
  EXPECT_TRUE(has(one.err, "expected a path in UTF-8")) << one.err;
  const auto images = nlohmann::json::parse(read_text(scratch / "odd/predictions.json"))["images"];
  EXPECT_EQ(images.size(), 19u);  // all the others
  for (const auto& image : images)
    EXPECT_TRUE(fs::exists(image["file_name"].get<std::string>())) << image;
}

TEST_F(Active, WhatCannotBeReadIsNamedWhereNothingIsLeft) {
  write_text(scratch / "broken/a.jpg", "no image");
  const Outcome one =
      run({"active", "select", (scratch / "broken").string(), "--weights",
           std::string(YOLOV7_SOURCE_DIR) + "/weights/yolov7-tiny-synth.pt", "--img-size", "160",
           "--budget", "3", "--out", (scratch / "none").string()});
  EXPECT_EQ(one.code, 1);
  EXPECT_TRUE(has(one.err, "a.jpg: ")) << one.err;
  EXPECT_TRUE(has(one.err, "nothing was chosen: 0 images")) << one.err;
  EXPECT_TRUE(has(one.err, ", 1 unreadable, and a budget of 3 images")) << one.err;
}

TEST_F(Active, WrongCallsAreRefused) {
  EXPECT_EQ(select({"--budget", "8"}).code, 2);
  EXPECT_EQ(select({"--out", (scratch / "x").string()}).code, 2);
  EXPECT_EQ(run({"active"}).code, 2);
  EXPECT_TRUE(has(run({"active", "selekt"}).err, "did you mean 'select'?"));
  write_text(scratch / "full/a.txt", "kept");
  EXPECT_NE(select({"--budget", "8", "--out", (scratch / "full").string()}).code, 0);
  EXPECT_EQ(read_text(scratch / "full/a.txt"), "kept");
}

}  // namespace
}  // namespace yolov7::test
