// Bad input, a table: each gives a non-zero exit, one clear line of error, nothing lost or
// half-written.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

std::size_t error_lines(const std::string& text) {
  std::size_t count = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) count += line.rfind("error: ", 0) == 0 ? 1 : 0;
  return count;
}

/// A drawn data set of a few pictures that each case copies and damages.
class BadInput : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch = new test::ScratchFolder;
    const Outcome drawn =
        run({"dataset", "synth", "--out", (*scratch / "good").string(), "--level", "easy",
             "--train", "6", "--val", "2", "--test", "2", "--img-size", "96", "--seed", "5"});
    ASSERT_EQ(drawn.code, 0) << drawn.err;
  }
  static void TearDownTestSuite() { delete scratch; }
  void SetUp() override {
    data = *scratch / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::copy(*scratch / "good", data, fs::copy_options::recursive);
  }
  Outcome check(const std::vector<std::string>& more = {}) const {
    // Two images of a split need not have every class.
    std::vector<std::string> arguments = {
        "dataset", "check",
        "--data",  (data / "data.yaml").string(),
        "--skip",  "class-not-in-split,untrained-class,absent-class"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  Outcome train(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"train",
                                          "--cfg",
                                          "yolov7-tiny.yaml",
                                          "--weights",
                                          "",
                                          "--data",
                                          (data / "data.yaml").string(),
                                          "--hyp",
                                          "hyp.scratch.tiny.yaml",
                                          "--img",
                                          "96",
                                          "--batch",
                                          "4",
                                          "--epochs",
                                          "1",
                                          "--project",
                                          (data / "runs").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  void expect_failure(const Outcome& outcome, const std::string& part) const {
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    EXPECT_TRUE(has(outcome.err, part)) << "expected: " << part << "\n" << outcome.err;
    EXPECT_EQ(error_lines(outcome.err), 1u) << outcome.err;
  }
  fs::path first_label() const { return data / "labels/train/000000.txt"; }

  static test::ScratchFolder* scratch;
  fs::path data;
};
test::ScratchFolder* BadInput::scratch = nullptr;

TEST_F(BadInput, DataYaml) {
  const fs::path yaml = data / "data.yaml";
  const std::string good = read_text(yaml);
  fs::remove(yaml);
  expect_failure(train(), "data.yaml");
  write_text(yaml, "train: [unclosed\n");
  expect_failure(train(), "data.yaml:");
  write_text(yaml, "train: images/train\nnc: 2\nnames: [a, b]\n");
  expect_failure(train(), "val");
  write_text(yaml, "train: images/train\nval: images/val\nnc: 7\nnames: [a, b, c]\n");
  expect_failure(train(), "7");
  write_text(yaml, "train: images/nowhere\nval: images/val\nnc: 3\nnames: [a, b, c]\n");
  expect_failure(train(), "nowhere");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) bomb += (j ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  write_text(yaml, bomb);
  expect_failure(train(), "more than 2000000 values");
  write_text(yaml, good);
  EXPECT_EQ(check().code, 0);
}

TEST_F(BadInput, ClassOutOfRangeStops) {
  write_text(first_label(), "0 0.5 0.5 0.2 0.2\n12 0.5 0.5 0.2 0.2\n");
  expect_failure(train(), "000000.txt:2: class 12 is out of range 0..");
}

TEST_F(BadInput, BadLabelRowsAreNamed) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"0 0.5 0.5 -0.2 0.2\n", "000000.txt:1"}, {"0 nan 0.5 0.2 0.2\n", "000000.txt:1"},
      {"0 0,5 0,5 0,2 0,2\n", "000000.txt:1"},  {"0 0.5 0.5 0.2\n", "000000.txt:1"},
      {"0 0.5 1.5 0.2 0.2\n", "000000.txt:1"},  {"zero 0.5 0.5 0.2 0.2\n", "000000.txt:1"}};
  for (const auto& [row, part] : rows) {
    write_text(first_label(), row);
    const Outcome outcome = check();
    EXPECT_TRUE(has(outcome.err + outcome.out, part)) << row << outcome.err << outcome.out;
    EXPECT_NE(check({"--strict"}).code, 0) << row;
  }
  // CRLF, a byte order mark and blank lines are fine.
  write_text(first_label(),
             "\xEF\xBB\xBF"
             "0 0.5 0.5 0.2 0.2\r\n\r\n1 0.3 0.3 0.2 0.2\r\n");
  EXPECT_EQ(check({"--strict"}).code, 0) << check({"--strict"}).err;
}

TEST_F(BadInput, MissingLabelsAreLoud) {
  for (const char* name : {"000001.txt", "000002.txt"}) fs::remove(data / "labels/train" / name);
  const Outcome some = check();
  EXPECT_TRUE(has(some.err, "warning: ")) << some.err;
  EXPECT_TRUE(has(some.err, "labels/train/")) << some.err;
  fs::remove_all(data / "labels/train");
  expect_failure(train(), "labels/train");
}

TEST_F(BadInput, ValWithoutObjectsTrainsWithAWarning) {
  for (const auto& entry : fs::directory_iterator(data / "labels/val"))
    write_text(entry.path(), "");
  const Outcome outcome = train();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "val split has no object")) << outcome.err;
}

TEST_F(BadInput, BrokenPicturesAreNamedAndLeftOut) {
  const std::string jpeg = read_text(data / "images/train/000000.jpg");
  write_text(data / "images/train/000001.jpg", jpeg.substr(0, jpeg.size() / 2));
  write_text(data / "images/train/000002.jpg", "");
  write_text(data / "images/train/000003.jpg", "this is no image");
  write_text(data / "images/train/._000004.jpg", "resource fork");
  // A PNG header of 100,000 × 100,000 pixels.
  std::string png("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\x86\xa0\0\1\x86\xa0\x08\2\0\0\0", 29);
  write_text(data / "images/train/000004.jpg", png + std::string(100, 'x'));
  const Outcome outcome = train();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const char* name : {"000001.jpg", "000002.jpg", "000003.jpg", "000004.jpg"})
    EXPECT_TRUE(has(outcome.err, name)) << name << outcome.err;
  EXPECT_FALSE(has(outcome.err, "._000004"));
  // detect: named, counted, the others are done, exit 1.
  const Outcome detected = run({"detect", "--weights", (data / "runs/exp/weights/best.pt").string(),
                                "--source", (data / "images/train").string(), "--img", "96",
                                "--project", (data / "runs").string(), "--name", "d"});
  EXPECT_EQ(detected.code, 1);
  EXPECT_TRUE(has(detected.err, "000003.jpg")) << detected.err;
  EXPECT_TRUE(fs::exists(data / "runs/d/000005.jpg"));
}

TEST_F(BadInput, NamesAndPathsAreHarmless) {
  write_text(data / "data.yaml",
             "path: .\ntrain: images/train\nval: images/val\nnc: 3\nnames: "
             "[\"<script>alert('`x`')</script>\", \"\\e[31mred\", 'a \"quoted\" name']\n");
  const fs::path odd = data.parent_path() / "päth with blanks 图";
  fs::rename(data, odd);
  data = odd;
  const Outcome outcome = train({"--verbose"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Outcome validated =
      run({"val", "--weights", (data / "runs/exp/weights/best.pt").string(), "--data",
           (data / "data.yaml").string(), "--img", "96", "--verbose", "--project",
           (data / "runs").string(), "--name", "v"});
  EXPECT_EQ(validated.code, 0) << validated.err;
  for (const std::string& text : {outcome.err, outcome.out, validated.err, validated.out})
    EXPECT_FALSE(has(text, "\x1b")) << text;
  EXPECT_TRUE(has(validated.out + validated.err, "\\x1b[31mred")) << validated.out;
}

TEST_F(BadInput, ClassesInAnotherOrderAreMatchedByName) {
  ASSERT_EQ(train().code, 0);
  const std::string weights = (data / "runs/exp/weights/best.pt").string();
  const std::string good = read_text(data / "data.yaml");
  std::string names = good.substr(good.find("names:"));
  // The generator writes names in some order; here the last is put first and the labels follow.
  const Outcome same =
      run({"val", "--weights", weights, "--data", (data / "data.yaml").string(), "--img", "96",
           "--project", (data / "runs").string(), "--name", "a", "--json"});
  ASSERT_EQ(same.code, 0) << same.err;
  const auto classes =
      nlohmann::json::parse(run({"info", "--weights", weights, "--json"}).out)["classes"]
          .get<std::vector<std::string>>();
  ASSERT_EQ(classes.size(), 3u);
  write_text(data / "data.yaml", "path: .\ntrain: images/train\nval: images/val\nnc: 3\nnames: [" +
                                     classes[2] + ", " + classes[0] + ", " + classes[1] + "]\n");
  for (const auto& entry : fs::directory_iterator(data / "labels/val")) {
    std::istringstream lines(read_text(entry.path()));
    std::string out;
    for (std::string line; std::getline(lines, line);)
      out += std::to_string((line[0] - '0' + 1) % 3) + line.substr(1) + "\n";
    write_text(entry.path(), out);
  }
  const Outcome other =
      run({"val", "--weights", weights, "--data", (data / "data.yaml").string(), "--img", "96",
           "--project", (data / "runs").string(), "--name", "b", "--json"});
  ASSERT_EQ(other.code, 0) << other.err;
  EXPECT_TRUE(has(other.err, "class")) << other.err;
  // The mean over the classes is summed in another order.
  EXPECT_NEAR(nlohmann::json::parse(same.out)["coco"]["map50"].get<double>(),
              nlohmann::json::parse(other.out)["coco"]["map50"].get<double>(), 1e-12);
}

TEST_F(BadInput, Configs) {
  const auto info = [&](const std::string& config) {
    write_text(data / "net.yaml", config);
    return run({"info", "--cfg", (data / "net.yaml").string()});
  };
  const std::string head =
      "nc: 3\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors: [[10,13, 16,30, "
      "33,23]]\nbackbone:\n";
  expect_failure(info(head + "  [[-1, 1, Convv, [32, 3, 1]]]\nhead: []\n"), "Convv");
  expect_failure(
      info(head +
           "  [[-1, 1, Conv, [32, 3, 1, None, 1, __import__('os').system('x')]]]\nhead: []\n"),
      "net.yaml:");
  std::string many = head;
  for (int i = 0; i < 10'000; ++i) many += "  - [-1, 1, Conv, [8, 1, 1]]\n";
  expect_failure(info(many + "head: []\n"), "10000");
  expect_failure(
      info(head + "  - [-1, 1, Conv, [60000, 7, 1]]\n  - [-1, 1, Conv, [60000, 7, 1]]\nhead: []\n"),
      "parameters");
}

TEST_F(BadInput, CutAndForeignCheckpoints) {
  ASSERT_EQ(train().code, 0);
  const std::string whole = read_text(data / "runs/exp/weights/best.pt");
  const auto detect = [&] {
    return run({"detect", "--weights", (data / "cut.pt").string(), "--source",
                (data / "images/val").string(), "--img", "96", "--project",
                (data / "runs").string()});
  };
  for (const double share : {0.0, 0.3, 0.9, 0.999}) {
    write_text(
        data / "cut.pt",
        whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
    expect_failure(detect(), "cut.pt");
  }
  std::string flipped = whole;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  write_text(data / "cut.pt", flipped);
  expect_failure(detect(), "cut.pt");
}

TEST_F(BadInput, PasteWithoutPolygonsIsNoError) {
  write_text(data / "hyp.yaml", "paste_in: 1.0\ncopy_paste: 1.0\n");
  auto outcome =
      run({"train", "--cfg", "yolov7-tiny.yaml", "--weights", "", "--data",
           (data / "data.yaml").string(), "--hyp", (data / "hyp.yaml").string(), "--img", "96",
           "--batch", "4", "--epochs", "1", "--project", (data / "runs").string()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  write_text(data / "hyp.yaml", "paste_inn: 1.0\n");
  outcome = run({"train", "--cfg", "yolov7-tiny.yaml", "--weights", "", "--data",
                 (data / "data.yaml").string(), "--hyp", (data / "hyp.yaml").string(), "--project",
                 (data / "runs").string()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "did you mean 'paste_in'?")) << outcome.err;
}

TEST_F(BadInput, ABatchWithoutAnObjectTrains) {
  for (int i = 0; i < 6; ++i)
    if (i != 3) write_text(data / ("labels/train/00000" + std::to_string(i) + ".txt"), "");
  write_text(data / "hyp.yaml", "mosaic: 0.0\nmixup: 0.0\npaste_in: 0.0\n");
  const Outcome outcome =
      run({"train", "--cfg", "yolov7-tiny.yaml", "--weights", "", "--data",
           (data / "data.yaml").string(), "--hyp", (data / "hyp.yaml").string(), "--img", "96",
           "--batch", "1", "--epochs", "1", "--project", (data / "runs").string()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST_F(BadInput, MetricsFiles) {
  const auto metrics = [&](const std::string& gt, const std::string& dt) {
    write_text(data / "gt.json", gt);
    write_text(data / "dt.json", dt);
    return run({"metrics", "--ground-truth", (data / "gt.json").string(), "--detections",
                (data / "dt.json").string()});
  };
  const std::string gt =
      R"({"images":[{"id":1,"width":9,"height":9}],"categories":[{"id":1,"name":"a"}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,5,5],"area":25,"iscrowd":0}]})";
  EXPECT_EQ(metrics(gt, R"([{"image_id":1,"category_id":1,"bbox":[1,1,5,5],"score":0.9}])").code,
            0);
  expect_failure(metrics(gt, R"([{"image_id":2,"category_id":1,"bbox":[1,1,5,5],"score":0.9}])"),
                 "dt.json");
  expect_failure(metrics(gt, R"([{"image_id":1,"category_id":1,"bbox":[1,1,5],"score":0.9}])"),
                 "dt.json");
  expect_failure(metrics(gt, R"([{"image_id":1,)"), "dt.json:1:");
  expect_failure(metrics(std::string(5000, '['), "[]"), "gt.json");
}

}  // namespace
}  // namespace yolov7::test
