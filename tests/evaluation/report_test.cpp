#include "evaluation/report/report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/evaluation/fake_detector.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;
using namespace yolov7::evaluation::testing;

namespace {

constexpr int size = 128;

/// Two classes of three have objects; one of each is found, and one thing that is not there.
struct Measured {
  explicit Measured(bool hybrid = false, float score = 0.9f)
      : split({"cell", "a,\"b\"\x1b", "none"}) {
    split.picture(200, 100, "one/7.png");
    split.picture(200, 100, "two/leaf.png");
    split.object(0, 0, {20, 30, 80, 90});
    split.object(1, 1, {50, 25, 100, 75});
    FakeDetector detector(split, 3, size);
    detector.answer(0, {20, 30, 80, 90}, score, 0);
    detector.answer(1, {50, 25, 100, 75}, score / 2, 1);
    if (score > 0.1f) detector.answer(1, {150, 25, 180, 75}, 0.125f, 0);
    ValidationOptions options;
    options.image_size = size;
    options.keep_detections = true;
    options.save_hybrid = hybrid;
    options.pictures = 3;
    result = evaluate(detector, split.index(), options);
  }
  Split split;
  ValidationResult result;
};

bool any(const std::vector<std::string>& lines, const std::string& part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST(Report, Files) {
  const Measured m;
  const test::ScratchFolder scratch;
  ReportOptions options;
  options.label_files = options.with_confidence = true;
  options.detections_json = scratch / "best_predictions.json";
  options.weights = "best.pt";
  options.weights_hash = "abc";
  write_report(scratch / "", m.result, m.split.index(), options);
  for (const char* name :
       {"results.json", "per_class.csv", "confusion_matrix.csv", "confusion_matrix.png",
        "PR_curve.png", "P_curve.png", "R_curve.png", "F1_curve.png", "test_batch0_labels.jpg",
        "test_batch0_pred.jpg", "best_predictions.json", "ground_truth.json", "labels/7.txt",
        "labels/leaf.txt"})
    EXPECT_TRUE(std::filesystem::exists(scratch / name)) << name;
  EXPECT_FALSE(std::filesystem::exists(scratch / "test_batch1_labels.jpg"));  // there is one batch
  EXPECT_EQ(nlohmann::json::parse(scratch.read("best_predictions.json")).size(), 3u);

  // Class, targets, P, R, F1, AP50, AP; COCO's AP50 and AP. Class 1 at q* and everywhere: one of
  // one found.
  const auto csv = lines_of(scratch.read("per_class.csv"));
  ASSERT_EQ(csv.size(), 4u);
  EXPECT_EQ(csv[0],
            "class,targets,official_P,official_R,official_F1,official_AP50,official_AP50:95,COCO_"
            "AP50,COCO_AP");
  EXPECT_EQ(csv[2].substr(0, csv[2].find(",1,")), "\"a,\"\"b\"\"\\x1b\"");
  EXPECT_EQ(csv[3], "none,0,,,,,,,");

  const auto confusion = lines_of(scratch.read("confusion_matrix.csv"));
  ASSERT_EQ(confusion.size(), 5u);
  EXPECT_EQ(confusion[1], "cell,1,0,0,0");  // the score of 0.125 is below 0.25
  EXPECT_EQ(confusion[4], "background,0,0,0,0");
}

TEST(Report, ResultsJson) {
  const Measured m;
  ReportOptions options;
  options.weights_hash = "abc";
  const nlohmann::json j = to_json(m.result, m.split.index(), options);
  EXPECT_EQ(j["pictures"], 2);
  EXPECT_EQ(j["labels"], 2);
  EXPECT_EQ(j["predictions"], 3);
  EXPECT_NEAR(j["coco"]["map50"].get<double>(), 1, 1e-12);
  EXPECT_EQ(j["coco"]["stats"].size(), 12u);
  EXPECT_EQ(j["coco"]["ground_truth"], "labels");
  EXPECT_EQ(j["weights_hash"], "abc");
  EXPECT_EQ(j["dataset_identity"], "identity");
  EXPECT_EQ(j["conf_thres"], 0.001);
  EXPECT_EQ(j["per_class"].size(), 2u);
  EXPECT_EQ(j["per_class"][0]["name"], "cell");
  EXPECT_FALSE(j.contains("invalid"));
  for (const char* key : {"pre", "inference", "nms", "total"})
    EXPECT_GE(j["times_ms"][key].get<double>(), 0) << key;
  EXPECT_TRUE(to_json(Measured(true).result, m.split.index()).contains("invalid"));
}

// Evaluation 1.11: "class cx cy w h conf", %g, best first; boxes 0.25 0.6 0.3 0.6 and the like of a
// 200 × 100 px picture.
TEST(Report, LabelFiles) {
  const Measured m;
  const test::ScratchFolder scratch;
  ReportOptions options;
  options.label_files = options.with_confidence = true;
  std::filesystem::create_directories(scratch / "labels");
  scratch.write("labels/7.txt", "of an earlier run\n");
  write_report(scratch / "", m.result, m.split.index(), options);
  EXPECT_EQ(scratch.read("labels/7.txt"), "0 0.25 0.6 0.3 0.6 0.9\n");
  EXPECT_EQ(scratch.read("labels/leaf.txt"),
            "1 0.375 0.5 0.25 0.5 0.45\n0 0.825 0.5 0.15 0.5 0.125\n");
  options.with_confidence = false;
  write_report(scratch / "", m.result, m.split.index(), options);
  EXPECT_EQ(scratch.read("labels/7.txt"), "0 0.25 0.6 0.3 0.6\n");
  // Nothing found: no file, and none of an earlier run either.
  write_report(scratch / "", Measured(false, 0.0001f).result, m.split.index(), options);
  EXPECT_FALSE(std::filesystem::exists(scratch / "labels/7.txt"));
}

TEST(Report, LabelFilesOfOneStemKeepTheirFolders) {
  Split split({"a"});
  split.picture(100, 100, "x/p.png");
  split.picture(100, 100, "y/p.png");
  FakeDetector detector(split, 1, size);
  detector.answer(0, {0, 0, 50, 50}, std::vector<float>{1.0f});
  detector.answer(1, {50, 50, 100, 100}, std::vector<float>{1.0f});
  ValidationOptions options;
  options.image_size = size;
  options.keep_detections = true;
  const test::ScratchFolder scratch;
  ReportOptions report;
  report.label_files = true;
  write_report(scratch / "", evaluate(detector, split.index(), options), split.index(), report);
  EXPECT_EQ(scratch.read("labels/x/p.txt"), "0 0.25 0.25 0.5 0.5\n");
  EXPECT_EQ(scratch.read("labels/y/p.txt"), "0 0.75 0.75 0.5 0.5\n");
  EXPECT_FALSE(std::filesystem::exists(scratch / "labels/p.txt"));
}

// A file that is missing in the list would be written without a look at what it replaces.
TEST(Report, EveryFileIsInTheList) {
  const Measured m;
  const test::ScratchFolder scratch;
  ValidationResult result = m.result;
  result.options.analyses.calibration = result.options.analyses.errors =
      result.options.analyses.breakdown = result.options.analyses.error_list = true;
  const CocoGroundTruth truth = ground_truth_of(m.split.index());
  result.analyses = analyse(truth, {{1, 1, {20, 30, 60, 60}, 0.9}, {2, 1, {0, 0, 9, 9}, 0.8}}, {},
                            result.options.analyses);
  ReportOptions options;
  options.label_files = true;
  options.detections_json = "x_predictions.json";
  std::set<std::filesystem::path> planned;
  for (const auto& file : report_files(m.split.index(), result.options, options))
    EXPECT_TRUE(planned.insert(file).second) << file << " twice";
  options.detections_json = scratch / "x_predictions.json";
  write_report(scratch / "", result, m.split.index(), options);
  std::size_t written = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path())) {
    if (!entry.is_regular_file()) continue;
    ++written;
    EXPECT_TRUE(planned.contains(entry.path().lexically_relative(scratch.path()))) << entry;
  }
  EXPECT_GE(written, 17u);  // 8 and one of sheets twice, 5 of analyses, 2 JSON, 2 label files
}

TEST(Report, Console) {
  const Measured m;
  const auto lines = console_lines(m.result, m.split.index(), true);
  EXPECT_EQ(lines.at(0), "official metric (conf 0.001, IoU 0.65)");
  EXPECT_EQ(lines.at(1),
            "               Class      Images      Labels           P           R      mAP@.5  "
            "mAP@.5:.95");
  EXPECT_EQ(lines.at(2).substr(0, 44), "                 all           2           2");
  EXPECT_EQ(lines.at(3).substr(0, 44), "                cell           2           1");
  EXPECT_TRUE(any(lines, "COCO metric: mAP50 1.0000, mAP 1.0000"));
  EXPECT_TRUE(any(
      lines, "1 of 3 classes have no object in this split and take no part in the means: none"));
  EXPECT_TRUE(any(
      lines, " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 1.000"));
  EXPECT_FALSE(any(lines, "nothing was found"));
  EXPECT_FALSE(any(console_lines(m.result, m.split.index(), false), "cell"));
}

TEST(Report, ConsoleSaysWhatIsWrong) {
  const Measured hybrid(true), nothing(false, 0.0001f);
  EXPECT_TRUE(any(console_lines(hybrid.result, hybrid.split.index(), false), "INVALID"));
  EXPECT_TRUE(any(console_lines(nothing.result, nothing.split.index(), false),
                  "nothing was found: the highest score is 0.0001, the threshold 0.001"));
  Split empty({"a"});
  empty.picture(100, 100);
  FakeDetector detector(empty, 1, size);
  ValidationOptions options;
  options.image_size = size;
  EXPECT_TRUE(any(console_lines(evaluate(detector, empty.index(), options), empty.index(), false),
                  "no object in this split"));
}
