// yolov7 annotate, as a user calls it, with the start that the program brings.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/sha256.hpp"
#include "image/boxes/box.hpp"
#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string weights = std::string(YOLOV7_SOURCE_DIR) + "/weights/yolov7-tiny-synth.pt";

struct Row {
  int class_index = 0;
  CxcywhNormalized box;
};

std::vector<Row> rows_of(const fs::path& file) {
  std::vector<Row> rows;
  std::istringstream text(read_text(file));
  for (Row row; text >> row.class_index >> row.box.cx >> row.box.cy >> row.box.w >> row.box.h;)
    rows.push_back(row);
  return rows;
}

std::size_t lines_of(const fs::path& file) {
  const std::string text = read_text(file);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

class Annotate : public testing::Test {
 protected:
  /// One set for all tests: drawing is what takes time.
  static void SetUpTestSuite() {
    set = new ScratchFolder;
    ASSERT_EQ(run({"dataset", "synth", "--out", (*set / "set").string(), "--train", "16", "--val",
                   "40", "--test", "0", "--img-size", "320", "--seed", "5"})
                  .code,
              0);
    fs::create_directories(*set / "pool");
    for (const auto& entry : fs::directory_iterator(*set / "set/images/train"))
      fs::copy_file(entry.path(), *set / "pool" / entry.path().filename());
  }
  static void TearDownTestSuite() {
    delete set;
    set = nullptr;
  }
  Outcome annotate(const std::string& out, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"annotate", "--out", place(out), "--img-size", "320"};
    const auto usual = [&](const char* name, const std::string& value) {
      if (std::find(more.begin(), more.end(), name) != more.end()) return;
      arguments.insert(arguments.end(), {name, value});
    };
    usual("--teacher", weights);
    usual("--source", (*set / "pool").string());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  std::string place(const std::string& name) { return (scratch / name).string(); }
  static std::string data() { return (*set / "set/data.yaml").string(); }
  static ScratchFolder* set;
  ScratchFolder scratch;
};
ScratchFolder* Annotate::set = nullptr;

TEST_F(Annotate, ThePromisedPrecisionHoldsOnImagesThatNobodyLabelled) {
  const Outcome done = annotate("out", {"--labelled", data(), "--min-precision", "0.7",
                                        "--doubt-share", "0.5", "--drop-unknown", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  const json report = json::parse(done.out);
  EXPECT_EQ(report["precision_measured"], true);
  EXPECT_EQ(report["images"]["looked_at"], 16);
  const json& images = report["images"];
  EXPECT_EQ(
      images["complete"].get<int>() + images["doubtful"].get<int>() + images["empty"].get<int>(),
      16);
  EXPECT_EQ(report["labelled"]["images"], 40);
  std::size_t boxes = 0, right = 0, files = 0;
  for (const auto& entry : fs::directory_iterator(scratch / "out/set/labels/train")) {
    ++files;
    std::vector<Row> truth = rows_of(*set / "set/labels/train" / entry.path().filename());
    for (const Row& row : rows_of(entry.path())) {
      ++boxes;
      const auto same = std::find_if(truth.begin(), truth.end(), [&](const Row& one) {
        return one.class_index == row.class_index &&
               iou(to_pixels(one.box, 1000, 1000), to_pixels(row.box, 1000, 1000)) > 0.5;
      });
      if (same == truth.end()) continue;
      ++right;
      truth.erase(same);
    }
  }
  EXPECT_EQ(files, images["complete"].get<std::size_t>());
  EXPECT_EQ(boxes, report["written_boxes"].get<std::size_t>());
  ASSERT_GT(boxes, 20u) << done.out;
  EXPECT_GE(static_cast<double>(right) / static_cast<double>(boxes), 0.7);
  for (const json& one : report["classes"])
    if (one["annotated"] == true)
      EXPECT_GE(one["measured"]["bound"].get<double>(), 0.7);
    else
      EXPECT_FALSE(one["reason"].get<std::string>().empty());
  EXPECT_EQ(lines_of(scratch / "out/review.txt"), images["doubtful"].get<std::size_t>());
  EXPECT_EQ(lines_of(scratch / "out/empty.txt"), images["empty"].get<std::size_t>());
  EXPECT_EQ(json::parse(read_text(scratch / "out/review.json"))["images"].size(),
            images["doubtful"].get<std::size_t>());
}

TEST_F(Annotate, LabelsSayThatAMachineMadeThem) {
  const std::vector<std::string> plain = {"--conf", "0.5", "--doubt", "0.5"};
  ASSERT_EQ(annotate("yolo", plain).code, 0);
  const std::string side = read_text(scratch / "yolo/set/annotations.extra.jsonl");
  const json line = json::parse(side.substr(0, side.find('\n')));
  EXPECT_EQ(line["attributes"]["origin"], "machine");
  EXPECT_EQ(line["attributes"]["teacher"], sha256_of_file(weights));
  EXPECT_EQ(line["attributes"]["threshold"], 0.5);
  EXPECT_GE(line["score"].get<double>(), 0.5);
  // A version has the marks where the format is named; else it says that they stay behind.
  const std::string store = place("store");
  EXPECT_TRUE(has(
      run({"dataset", "version", "create", place("yolo/set"), "--name", "plain", "--store", store})
          .err,
      "as the source takes it along"));
  ASSERT_EQ(run({"dataset", "version", "create", "yolo:" + place("yolo/set"), "--name", "marked",
                 "--store", store})
                .code,
            0);
  ASSERT_EQ(run({"dataset", "version", "checkout", "marked@v1", "--store", store, "--format",
                 "coco", "--out", place("checkout")})
                .code,
            0);
  EXPECT_TRUE(has(read_text(scratch / "checkout/annotations/instances_train.json"),
                  "\"origin\":\"machine\""));
  std::vector<std::string> coco = plain;
  coco.insert(coco.end(), {"--to", "coco"});
  ASSERT_EQ(annotate("coco", coco).code, 0);
  json found;
  for (const auto& entry : fs::recursive_directory_iterator(scratch / "coco/set"))
    if (entry.path().extension() == ".json") found = json::parse(read_text(entry.path()));
  ASSERT_FALSE(found["annotations"].empty());
  EXPECT_EQ(found["annotations"][0]["attributes"]["origin"], "machine");
  EXPECT_EQ(found["annotations"].size(), lines_of(scratch / "yolo/set/annotations.extra.jsonl"));
  // A format without a place for it: the loss is said.
  std::vector<std::string> csv = plain;
  csv.insert(csv.end(), {"--to", "csv"});
  const Outcome lost = annotate("csv", csv);
  ASSERT_EQ(lost.code, 0);
  EXPECT_TRUE(has(lost.out, "of attributes, for which csv has no place")) << lost.out;
  EXPECT_TRUE(has(lost.out, "precision not measured"));
}

// Nine tenths of the detections may be doubtful: complete images have such, and they are regions.
TEST_F(Annotate, WhatItWasNotSureOfIsAnIgnoredRegion) {
  const std::vector<std::string> shared = {"--conf", "0.8", "--doubt-share", "0.9", "--json"};
  const Outcome done = annotate("yolo", shared);
  ASSERT_EQ(done.code, 0) << done.err;
  const json report = json::parse(done.out);
  const std::size_t regions = report["ignored_regions"].get<std::size_t>();
  EXPECT_GT(regions, 0u);
  EXPECT_LE(regions, report["images"]["doubtful_boxes_of_complete"].get<std::size_t>());
  std::istringstream side(read_text(scratch / "yolo/set/annotations.extra.jsonl"));
  std::size_t found = 0, labels = 0;
  for (std::string line; std::getline(side, line);) {
    const json one = json::parse(line);
    EXPECT_EQ(one["attributes"]["origin"], "machine");
    if (one.value("ignore", false)) {
      ++found;
      EXPECT_TRUE(one.contains("box")) << line;
      EXPECT_LT(one["score"].get<double>(), 0.8);
      EXPECT_GE(one["score"].get<double>(), 0.25);
    } else {
      ++labels;
    }
  }
  EXPECT_EQ(found, regions);
  EXPECT_EQ(labels, report["written_boxes"].get<std::size_t>());
  // A format without a place for regions has the labels alone.
  std::vector<std::string> csv = shared;
  csv.insert(csv.end(), {"--to", "csv"});
  const json plain = json::parse(annotate("csv", csv).out);
  EXPECT_EQ(plain["ignored_regions"], 0);
  EXPECT_EQ(plain["written_boxes"], report["written_boxes"]);
}

TEST_F(Annotate, SeveralTeachersAndPassesAreFused) {
  const Outcome one = annotate("one", {"--conf", "0.5", "--json"}),
                two = annotate("two", {"--teacher", weights, weights, "--conf", "0.5", "--json"}),
                passes = annotate("passes", {"--augment", "--conf", "0.5", "--json"});
  ASSERT_EQ(one.code, 0) << one.err;
  ASSERT_EQ(two.code, 0) << two.err;
  ASSERT_EQ(passes.code, 0) << passes.err;
  EXPECT_EQ(json::parse(one.out)["suppression"], "hard");
  EXPECT_EQ(json::parse(two.out)["suppression"], "wbf");
  EXPECT_EQ(json::parse(passes.out)["suppression"], "wbf");
  // The same network twice is that network: each cluster has the same box twice.
  EXPECT_EQ(json::parse(two.out)["images"]["complete"], json::parse(one.out)["images"]["complete"]);
  EXPECT_EQ(json::parse(two.out)["teacher_sha256"],
            sha256_of_file(weights) + "+" + sha256_of_file(weights));
}

TEST_F(Annotate, ImagesThatPeopleHaveLabelledAreLeftOut) {
  // The same images where their label files are, then with a data set that names 10 of the 16.
  const Outcome refused =
      annotate("a", {"--source", (*set / "set/images/train").string(), "--conf", "0.5"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(has(refused.err, "expected images without labels, found none: 16 are labelled"))
      << refused.err;
  EXPECT_FALSE(fs::exists(scratch / "a"));
  const fs::path part = scratch / "part";
  fs::create_directories(part / "images/train"), fs::create_directories(part / "labels/train");
  std::size_t number = 0;
  for (const auto& entry : fs::directory_iterator(*set / "set/images/train")) {
    fs::copy_file(entry.path(), part / "images/train" / entry.path().filename());
    const fs::path label = entry.path().stem().string() + ".txt";
    if (number++ < 10)
      fs::copy_file(*set / "set/labels/train" / label, part / "labels/train" / label);
  }
  const std::string text = read_text(*set / "set/data.yaml");
  write_text(part / "data.yaml",
             "train: images/train\nval: images/train\n" + text.substr(text.find("names")));
  for (const std::string& source :
       {(part / "data.yaml").string(), part.string(), (part / "images/train").string()}) {
    const Outcome done =
        annotate("b", {"--source", source, "--conf", "0.5", "--drop-unknown", "--json"});
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(json::parse(done.out)["images"]["labelled_already"], 10) << source;
    EXPECT_EQ(json::parse(done.out)["images"]["looked_at"], 6) << source;
    fs::remove_all(scratch / "b");
  }
  for (const auto& entry : fs::directory_iterator(part / "labels/train"))
    EXPECT_EQ(read_text(entry.path()),
              read_text(*set / "set/labels/train" / entry.path().filename()));
}

TEST_F(Annotate, ClassesGoByName) {
  const std::string text = read_text(data());
  const std::string first = "circle", second = "square";
  const Outcome typo = annotate("t", {"--conf", "0.5", "--map", first + "x=thing"});
  EXPECT_EQ(typo.code, 1);
  EXPECT_TRUE(has(typo.err, "did you mean '" + first + "'?")) << typo.err;
  // The labels call one class otherwise.
  std::string other = text;
  other.replace(other.find(first), first.size(), "thing");
  fs::copy(*set / "set", scratch / "other", fs::copy_options::recursive);
  write_text(scratch / "other/data.yaml", other);
  const std::string labelled = (scratch / "other/data.yaml").string();
  const Outcome unknown = annotate("u", {"--conf", "0.5", "--labelled", labelled});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_TRUE(has(unknown.err, "found '" + first + "' of the teacher")) << unknown.err;
  EXPECT_FALSE(fs::exists(scratch / "u"));
  const std::vector<std::string> low = {"--conf",          "0.5", "--labelled", labelled,
                                        "--min-precision", "0.5", "--json"};
  const auto with = [&](const std::string& out, std::vector<std::string> more) {
    more.insert(more.end(), low.begin(), low.end());
    return annotate(out, more);
  };
  const Outcome mapped = with("m", {"--map", first + "=thing", "--drop-unknown"});
  ASSERT_EQ(mapped.code, 0) << mapped.err;
  EXPECT_EQ(json::parse(mapped.out)["classes"][0]["name"], "thing");
  EXPECT_GT(json::parse(mapped.out)["classes"][0]["measured"]["correct"], 0);
  const Outcome dropped = with("d", {"--drop-unknown"});
  ASSERT_EQ(dropped.code, 0) << dropped.err;
  EXPECT_EQ(json::parse(dropped.out)["classes"][0]["reason"], "the teacher does not know it");
  EXPECT_EQ(json::parse(dropped.out)["classes_left_out"][0], first);
  EXPECT_TRUE(has(dropped.err, "the teacher does not know the class 'thing'")) << dropped.err;
  // A threshold for one class: the others are not annotated, and make images doubtful.
  const Outcome single = annotate("s", {"--conf", second + "=0.5", "--json"});
  EXPECT_EQ(json::parse(single.out)["classes"][0]["reason"], "no threshold is given for it");
}

TEST_F(Annotate, APromiseThatNoClassKeepsWritesNothing) {
  const Outcome done =
      annotate("out", {"--labelled", data(), "--min-precision", "0.9999", "--drop-unknown"});
  EXPECT_EQ(done.code, 1);
  EXPECT_TRUE(has(done.err, "expected a class whose precision is at least 0.9999")) << done.err;
  EXPECT_TRUE(has(done.err, "without a fault would be needed")) << done.err;
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST_F(Annotate, BadInputAndWrongCallsAreRefused) {
  const std::string pool = (*set / "pool").string();
  EXPECT_EQ(annotate("x", {}).code, 2);  // neither --labelled nor --conf
  EXPECT_EQ(run({"annotate", "--teacher", weights, "--source", pool, "--conf", "0.5"}).code, 2);
  EXPECT_EQ(run({"annotate", "--source", pool, "--out", place("x"), "--conf", "0.5"}).code, 2);
  EXPECT_EQ(run({"annotate", "--teacher", weights, "--out", place("x"), "--conf", "0.5"}).code, 2);
  EXPECT_EQ(annotate("x", {"--conf", "1.5"}).code, 2);
  EXPECT_EQ(annotate("x", {"--conf", "0.5", "0.6"}).code, 2);
  EXPECT_EQ(annotate("x", {"--conf", "nobody=0.5"}).code, 2);
  EXPECT_EQ(annotate("x", {"--conf", "0.5", "--to", "imagenet"}).code, 2);
  const Outcome absent = run({"annotate", "--teacher", "absent.pt", "--source", pool, "--out",
                              place("x"), "--conf", "0.5"});
  EXPECT_EQ(absent.code, 1);
  EXPECT_TRUE(has(absent.err, "--teacher absent.pt: no such file")) << absent.err;
  fs::create_directories(scratch / "nothing");
  EXPECT_EQ(annotate("x", {"--source", (scratch / "nothing").string(), "--conf", "0.5"}).code, 1);
  EXPECT_NE(annotate("set/images", {"--source", "absent", "--conf", "0.5"}).code, 0);
  EXPECT_FALSE(fs::exists(scratch / "x"));
  write_text(scratch / "full/a.txt", "kept");
  EXPECT_EQ(annotate("full", {"--conf", "0.5"}).code, 1);
  EXPECT_EQ(read_text(scratch / "full/a.txt"), "kept");
  // Into the folder that is read.
  EXPECT_EQ(run({"annotate", "--teacher", weights, "--source", pool, "--conf", "0.5", "--out",
                 pool + "/out"})
                .code,
            1);
  // An image that cannot be read, and one whose path review.json cannot hold, are named, and the
  // others are annotated.
  fs::copy(*set / "pool", scratch / "pool");
  const fs::path first = fs::directory_iterator(*set / "pool")->path();
  fs::copy_file(first, scratch / "pool" / ("odd\xff" + first.extension().string()));
  write_text(scratch / "pool/broken.jpg", "no image");
  const Outcome broken =
      annotate("rest", {"--source", (scratch / "pool").string(), "--conf", "0.5", "--json"});
  EXPECT_EQ(broken.code, 1);
  EXPECT_TRUE(has(broken.err, "broken.jpg")) << broken.err;
  EXPECT_TRUE(has(broken.err, "expected a path in UTF-8, which review.json can hold"))
      << broken.err;
  EXPECT_EQ(json::parse(broken.out)["images"]["looked_at"], 16);
}

}  // namespace
}  // namespace yolov7::test
