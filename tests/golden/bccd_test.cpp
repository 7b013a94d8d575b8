// The official BCCD checkpoint through the built program: conversion, `val` at two sizes, its boxes
// one by one, `detect`.
#include <gtest/gtest.h>

#include <map>

#include "cli/program.hpp"
#include "equivalence/proof.hpp"
#include "golden/reference.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class Bccd : public testing::Test {
 protected:
  test::ScratchFolder scratch;
  const fs::path checkpoint = golden::shared_dir() / "checkpoints" / "official-yolov7-tiny-bccd.pt";
  const fs::path pictures = golden::shared_dir() / "datasets" / "bccd";
  const fs::path reference = golden::golden_dir() / "checkpoint-bccd.json";

  std::string convert() {
    const std::string out = (scratch / "bccd").string();
    const Outcome outcome = run({"dataset", "convert", "--from", "voc", "--source",
                                 pictures.string(), "--to", "yolo", "--out", out});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return out + "/data.yaml";
  }
};

/// What a reference prints with three digits, or with six: `within` and half a unit of its last
/// digit.
void expect_near(const json& expected, const json& found, double within, const std::string& what) {
  EXPECT_NEAR(found.get<double>(), expected.get<double>(), within) << what;
}

std::map<std::string, std::vector<Detection>> by_picture(const json& predictions) {
  std::map<std::string, std::vector<Detection>> result;
  for (const json& one : predictions) {
    const auto b = one.at("bbox").get<std::vector<double>>();
    const std::string picture = one.at("image_id").is_string()
                                    ? one.at("image_id").get<std::string>()
                                    : std::to_string(one.at("image_id").get<long long>());
    result[picture].push_back({{b[0], b[1], b[0] + b[2], b[1] + b[3]},
                               one.at("score").get<float>(),
                               one.at("category_id").get<int>()});
  }
  for (auto& [picture, boxes] : result)
    std::stable_sort(boxes.begin(), boxes.end(),
                     [](const Detection& a, const Detection& b) { return a.score > b.score; });
  return result;
}

/// Share of the reference's boxes with a partner of the same class, IoU ≥ 0.99 and |Δ score| ≤
/// 0.005.
double matched_share(const json& expected, const json& found) {
  const auto reference = by_picture(expected);
  const auto mine = by_picture(found);
  std::size_t matched = 0, all = 0;
  for (const auto& [picture, boxes] : reference) {
    const auto other = mine.find(picture);
    if (other != mine.end()) matched += equivalence::match_boxes(boxes, other->second).matched;
    all += boxes.size();
  }
  std::printf("golden.bccd: %zu of %zu boxes matched one to one\n", matched, all);
  return static_cast<double>(matched) / static_cast<double>(all);
}

// Each number within 0.002 (what another JPEG decoder and another convolution order change at
// most).
TEST_F(Bccd, ValGivesTheOfficialNumbers) {
  YOLOV7_REQUIRE_REFERENCE(reference);
  YOLOV7_REQUIRE_REFERENCE(pictures);
  const json expected = golden::load(reference);
  const std::string data = convert();
  for (const auto& [key, wanted] : expected.at("results").items()) {
    SCOPED_TRACE(key);
    const std::string size = key.substr(key.find('-') + 1);
    const Outcome outcome = run({"val",          "--weights",   checkpoint.string(),
                                 "--data",       data,          "--task",
                                 "test",         "--img-size",  size,
                                 "--batch-size", "16",          "--conf-thres",
                                 "0.001",        "--iou-thres", "0.65",
                                 "--save-json",  "--project",   scratch.path().string(),
                                 "--name",       key,           "--json"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const json found = json::parse(outcome.out);
    EXPECT_EQ(found.at("pictures"), wanted.at("images"));
    EXPECT_EQ(found.at("labels"), wanted.at("labels"));
    const json& stats = found.at("coco").at("stats");
    ASSERT_EQ(stats.size(), 12u);
    for (std::size_t i = 0; i < 12; ++i)
      expect_near(wanted.at("coco_stats")[i], stats[i], 0.002, "COCO number " + std::to_string(i));
    const json& official = found.at("official");
    expect_near(wanted.at("yolo_metric").at("P"), official.at("precision"), 0.002, "P");
    expect_near(wanted.at("yolo_metric").at("R"), official.at("recall"), 0.002, "R");
    expect_near(wanted.at("yolo_metric").at("mAP50"), official.at("map50"), 0.002, "mAP50");
    expect_near(wanted.at("yolo_metric").at("mAP"), official.at("map"), 0.002, "mAP");
    const fs::path theirs = golden::golden_dir() / ("checkpoint-bccd-" + key + "-predictions.json");
    if (!fs::exists(theirs)) continue;
    const json mine = golden::load(scratch /
                                   (key + "/" + checkpoint.stem().string() + "_predictions.json")),
               boxes = golden::load(theirs);
    EXPECT_EQ(mine.size(), boxes.size());
    EXPECT_GE(matched_share(boxes, mine), 0.995);
  }
}

// The official boxes are rounded to whole pixels of the picture before they are written.
TEST_F(Bccd, DetectAgreesWithinAPixel) {
  YOLOV7_REQUIRE_REFERENCE(reference);
  YOLOV7_REQUIRE_REFERENCE(pictures);
  const json expected = golden::load(reference).at("detect").at("images");
  ASSERT_EQ(expected.size(), 4u);
  std::map<std::string, fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(pictures))
    files[entry.path().stem().string()] =
        entry.path().extension() == ".xml" ? files[entry.path().stem().string()] : entry.path();
  for (const auto& [name, rows] : expected.items()) {
    SCOPED_TRACE(name);
    const Outcome outcome =
        run({"detect", "--weights", checkpoint.string(), "--source", files.at(name).string(),
             "--img-size", "320", "--conf-thres", "0.25", "--iou-thres", "0.45", "--project",
             scratch.path().string(), "--name", name, "--json"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const json picture = json::parse(outcome.out).at("pictures").at(0);
    const double width = picture.at("width"), height = picture.at("height");
    const json& found = picture.at("detections");
    ASSERT_EQ(found.size(), rows.size());
    std::vector<char> taken(found.size(), 0);
    for (const json& row : rows) {
      const double x1 = (row[1].get<double>() - row[3].get<double>() / 2) * width,
                   y1 = (row[2].get<double>() - row[4].get<double>() / 2) * height;
      const double x2 = (row[1].get<double>() + row[3].get<double>() / 2) * width,
                   y2 = (row[2].get<double>() + row[4].get<double>() / 2) * height;
      bool matched = false;
      for (std::size_t j = 0; j < found.size() && !matched; ++j) {
        const json& box = found[j].at("xyxy");
        const auto near = [&](std::size_t i, double wanted) {
          return std::abs(box[i].get<double>() - wanted) <= 1;
        };
        matched = taken[j] == 0 && found[j].at("class") == static_cast<int>(row[0].get<double>()) &&
                  near(0, x1) && near(1, y1) && near(2, x2) && near(3, y2) &&
                  std::abs(found[j].at("score").get<double>() - row[5].get<double>()) <= 0.005;
        if (matched) taken[j] = 1;
      }
      EXPECT_TRUE(matched) << row.dump();
    }
  }
}

}  // namespace
}  // namespace yolov7::test
