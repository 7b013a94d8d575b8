// The generator's folder: the same bytes for any number of threads, readable by our own reader, all
// or nothing.
#include "dataset/synth/synth.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/index.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/synth/synth_frames.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::TemporaryFolder;

SynthOptions small(const std::string& level = "standard") {
  SynthOptions o;
  o.level = level;
  o.train = 20, o.val = 10, o.test = 0;
  o.image_size = 96;
  o.seed = 3;
  return o;
}

std::map<std::string, std::string> content(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder).string()] = test::read_text(entry.path());
  return files;
}

TEST(Synth, TheSameBytesForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  SynthOptions o = small();
  o.threads = 1;
  synthesize(o, folder / "one");
  o.threads = 3;
  synthesize(o, folder / "three");
  const auto one = content(folder / "one");
  EXPECT_EQ(one.size(), 2u * 30 + 2);
  EXPECT_TRUE(one == content(folder / "three"));
  o.seed = 4;
  synthesize(o, folder / "other");
  EXPECT_NE(content(folder / "other").at("images/train/000000.jpg"),
            one.at("images/train/000000.jpg"));
}

TEST(Synth, IsReadByOurOwnReader) {
  const TemporaryFolder folder;
  for (const bool polygons : {false, true}) {
    SynthOptions o = small();
    o.polygons = polygons;
    const fs::path out = folder / (polygons ? "polygons" : "boxes");
    const SynthReport report = synthesize(o, out);
    const Description description = read_description(out / "data.yaml");
    EXPECT_EQ(description.names, report.names);
    EXPECT_TRUE(description.test.empty());
    ASSERT_EQ(report.splits.size(), 2u);
    for (const SynthSplit& split : report.splits) {
      const Index index = read_index(description, split.name, {});
      EXPECT_TRUE(index.problems.empty());
      EXPECT_EQ(index.entries.size(), split.pictures);
      EXPECT_EQ(index.empty, split.empty);
      EXPECT_EQ(index.label_count(), split.objects);
      EXPECT_EQ(index.class_histogram(), split.objects_per_class);
      for (const Entry& entry : index.entries)
        for (const Label& label : entry.labels) EXPECT_EQ(label.polygon.empty(), !polygons);
    }
  }
}

TEST(Synth, BoxesAreTheExtentsOfThePolygons) {
  const TemporaryFolder folder;
  SynthOptions o = small();
  synthesize(o, folder / "boxes");
  o.polygons = true;
  synthesize(o, folder / "polygons");
  const Index boxes = read_index(read_description(folder / "boxes" / "data.yaml"), "train", {});
  const Index polygons =
      read_index(read_description(folder / "polygons" / "data.yaml"), "train", {});
  ASSERT_EQ(boxes.entries.size(), polygons.entries.size());
  for (std::size_t i = 0; i < boxes.entries.size(); ++i) {
    EXPECT_EQ(boxes.entries[i].content_hash, polygons.entries[i].content_hash);
    ASSERT_EQ(boxes.entries[i].labels.size(), polygons.entries[i].labels.size());
    for (std::size_t k = 0; k < boxes.entries[i].labels.size(); ++k) {
      const CxcywhNormalized &a = boxes.entries[i].labels[k].box,
                             &b = polygons.entries[i].labels[k].box;
      for (const double d : {a.cx - b.cx, a.cy - b.cy, a.w - b.w, a.h - b.h})
        EXPECT_NEAR(d, 0, 2e-7);  // written as 32-bit floats
    }
  }
}

TEST(Synth, ATenthOfThePicturesIsEmpty) {
  for (const std::size_t n : {0u, 4u, 5u, 10u, 205u}) {
    const auto empty = empty_shots(0.10, synth_shots(0, n, 8, 0), 8, 0);
    EXPECT_EQ(empty.size(), n);
    EXPECT_EQ(static_cast<std::size_t>(std::count(empty.begin(), empty.end(), true)), (n + 5) / 10);
  }
  const auto shots = synth_shots(0, 205, 8, 0);
  EXPECT_NE(empty_shots(0.10, shots, 8, 0), empty_shots(0.10, shots, 8, 1));
}

TEST(Synth, SaysWhatItMade) {
  const TemporaryFolder folder;
  SynthOptions o = small("easy");
  o.classes = 2;
  const SynthReport report = synthesize(o, folder / "out");
  const nlohmann::json json = read_json(folder / "out" / "synth.json");
  EXPECT_EQ(json.at("level"), "easy");
  EXPECT_EQ(json.at("seed"), 3);
  EXPECT_EQ(json.at("generator_version"), 2);
  EXPECT_EQ(json.at("names"), (std::vector<std::string>{"circle", "square"}));
  EXPECT_EQ(json.at("splits").at("train").at("pictures"), 20);
  EXPECT_EQ(json.at("splits").at("train").at("objects"), report.splits[0].objects);
  EXPECT_EQ(json.at("splits").at("val").at("empty"), 0);
}

// The sequence: the level's shapes, then formula-00, formula-01, …. The synth start knows eight
// shapes and formula-00 to formula-55.
TEST(Synth, SkipsKindsOfTheSequence) {
  const auto names = [](const char* level, int classes, int skip) {
    SynthOptions o = small(level);
    o.classes = classes, o.skip_classes = skip;
    const SynthLevel made = synth_level(o);
    std::vector<std::string> result;
    for (int i = 0; i < made.class_count(); ++i) result.push_back(made.class_name(i));
    return result;
  };
  EXPECT_EQ(names("standard", 3, 6),
            (std::vector<std::string>{"hexagon", "crescent", "formula-00"}));
  EXPECT_EQ(names("standard", 2, 64), (std::vector<std::string>{"formula-56", "formula-57"}));
  EXPECT_EQ(names("formula", 2, 64), (std::vector<std::string>{"formula-56", "formula-57"}));
  EXPECT_EQ(names("formula", 0, 0).size(), 64U);
  EXPECT_EQ(names("formula", 0, 0).back(), "formula-55");
  EXPECT_EQ(names("formula", 64, 128).back(), "formula-183");
  EXPECT_NE(error_of([&] { names("easy", 1, 129); }).find("skip 0 to 128 classes, found 129"),
            std::string::npos);
}

TEST(Synth, APoolOfFramesOfUnequalClassesHalfOfThemEmpty) {
  const TemporaryFolder folder;
  SynthOptions o = small();
  o.train = 200, o.val = 20;
  o.image_size = 64;
  o.frames = 0.7, o.zipf = 1, o.empty = 0.5;
  const SynthReport report = synthesize(o, folder / "out");
  ASSERT_EQ(report.splits.size(), 2u);
  const SynthSplit &train = report.splits[0], &val = report.splits[1];
  EXPECT_EQ(train.scenes, 60u);
  EXPECT_EQ(val.scenes, 20u) << "where something is measured each scene stands once";
  EXPECT_EQ(val.empty, 10u);
  EXPECT_TRUE(train.empty <= 100 && train.empty >= 90) << train.empty;
  // 1 : 1/2 : … : 1/8: the first class has 1 / 2.718 of the objects, the last an eighth of it.
  EXPECT_GT(train.objects_per_class[0], 3 * train.objects_per_class[7]);
  const std::string scenes = test::read_text(folder / "out" / "scenes.csv");
  EXPECT_EQ(std::count(scenes.begin(), scenes.end(), '\n'), 221);
  EXPECT_NE(scenes.find("train,000000.jpg,0,0\n"), std::string::npos);
  EXPECT_EQ(read_json(folder / "out" / "synth.json").at("splits").at("train").at("scenes"), 60);
  EXPECT_FALSE(fs::exists(folder / "plain" / "scenes.csv"));
  o.frames = 1;
  EXPECT_NE(error_of([&] { synthesize(o, folder / "a"); }).find("below 1"), std::string::npos);
}

TEST(Synth, RefusesWhatItCannotDo) {
  const TemporaryFolder folder;
  SynthOptions o = small("medium");
  EXPECT_NE(error_of([&] { synthesize(o, folder / "a"); }).find("'medium'"), std::string::npos);
  o = small();
  o.val = 0;
  EXPECT_NE(error_of([&] { synthesize(o, folder / "a"); }).find("val 0"), std::string::npos);
  o = small();
  o.image_size = 31;
  EXPECT_NE(error_of([&] { synthesize(o, folder / "a"); }).find("found 31"), std::string::npos);
  o = small();
  o.classes = 9;
  EXPECT_NE(error_of([&] { synthesize(o, folder / "a"); }).find("8 classes, found 9"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "a"));
  test::write_text(folder / "b" / "mine.txt", "keep");
  EXPECT_NE(error_of([&] { synthesize(small(), folder / "b"); }).find("nothing is overwritten"),
            std::string::npos);
  EXPECT_EQ(content(folder / "b").size(), 1u);
}

}  // namespace
}  // namespace yolov7::dataset
