// A set with a rare class, written with pasted objects: counts, marks, labels, pixels.
#include "dataset/paste/paste_set.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/synth/synth.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::TemporaryFolder;

/// Drawn shapes by Zipf's law: the last classes are rare.
fs::path drawn_set(const TemporaryFolder& folder, bool polygons) {
  SynthOptions o;
  o.train = 24, o.val = 4, o.test = 4;
  o.image_size = 128;
  o.zipf = 1.5;
  o.seed = 2;
  o.polygons = polygons;
  const fs::path out = folder / (polygons ? "polygons" : "boxes");
  synthesize(o, out);
  return out / "data.yaml";
}

PasteOptions options(const fs::path& data, const fs::path& out) {
  PasteOptions o;
  o.data = data, o.out = out;
  o.plan.balance = 30;
  o.plan.seed = 4;
  return o;
}

std::map<std::string, std::string> content(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() != ".cache")
      files[fs::relative(entry.path(), folder).string()] = test::read_text(entry.path());
  return files;
}

class PasteSet : public testing::TestWithParam<bool> {};

TEST_P(PasteSet, CountsAreThoseOfTheWrittenLabels) {
  const TemporaryFolder folder;
  const fs::path data = drawn_set(folder, GetParam());
  const Index before = read_index(read_description(data), "train", {});
  const PasteReport report = paste_set(options(data, folder / "out"));
  const Description description = read_description(folder / "out" / "data.yaml");
  const Index after = read_index(description, "train", {});
  EXPECT_TRUE(after.problems.empty());
  EXPECT_GT(report.drawn, 0u);
  EXPECT_EQ(after.entries.size(), before.entries.size() + report.drawn);
  const auto counts = after.class_histogram(), old = before.class_histogram();
  ASSERT_EQ(report.classes.size(), counts.size());
  std::size_t rose = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const PasteClass& one = report.classes[c];
    EXPECT_EQ(one.before, old[c]);
    EXPECT_EQ(one.after, counts[c]) << one.name;
    EXPECT_EQ(one.by_polygon + one.by_grabcut + one.by_box, one.pasted);
    if (GetParam()) {
      EXPECT_EQ(one.by_polygon, one.pasted);
    }
    if (old[c] < 10 && one.pasted > 0) {
      EXPECT_GE(counts[c], 2 * old[c]) << one.name;
      ++rose;
    }
  }
  EXPECT_GT(rose, 0u);
  // The measured splits are as they were.
  for (const char* split : {"val", "test"}) {
    const Index one = read_index(read_description(data), split, {}),
                other = read_index(description, split, {});
    ASSERT_EQ(one.entries.size(), other.entries.size());
    for (std::size_t i = 0; i < one.entries.size(); ++i) {
      EXPECT_EQ(one.entries[i].content_hash, other.entries[i].content_hash);
      ASSERT_EQ(one.entries[i].labels.size(), other.entries[i].labels.size());
      for (std::size_t k = 0; k < one.entries[i].labels.size(); ++k) {
        const Label &a = one.entries[i].labels[k], &b = other.entries[i].labels[k];
        EXPECT_EQ(a.class_index, b.class_index);
        EXPECT_EQ(a.polygon.size(), b.polygon.size());
        EXPECT_NEAR(a.box.cx, b.box.cx, 1e-6);  // rows of 32-bit floats, written anew from pixels
        EXPECT_NEAR(a.box.h, b.box.h, 1e-6);
      }
    }
  }
  // Marks and certificate.
  const std::string marks = test::read_text(folder / "out" / "annotations.extra.jsonl");
  std::size_t pasted = 0;
  for (const std::string_view line : text::lines(marks))
    pasted += line.find("\"pasted\"") != std::string_view::npos ? 1 : 0;
  std::size_t sum = 0;
  for (const PasteClass& one : report.classes) sum += one.pasted;
  EXPECT_EQ(pasted, sum);
  const nlohmann::json account = read_json(folder / "out" / "paste.json");
  EXPECT_EQ(account["images"]["drawn"], report.drawn);
  EXPECT_EQ(account["options"]["seed"], 4);
}

INSTANTIATE_TEST_SUITE_P(Labels, PasteSet, testing::Bool());

TEST(PasteSetFiles, AreTheSameForTheSameSeedAndAnyNumberOfThreads) {
  const TemporaryFolder folder;
  const fs::path data = drawn_set(folder, true);
  PasteOptions o = options(data, folder / "one");
  o.threads = 1;
  paste_set(o);
  o.out = folder / "three";
  o.threads = 3;
  paste_set(o);
  EXPECT_TRUE(content(folder / "one") == content(folder / "three"));
  o.out = folder / "other";
  o.plan.seed = 5;
  paste_set(o);
  EXPECT_FALSE(content(folder / "one") == content(folder / "other"));
}

TEST(PasteSetFiles, AnImageWithoutALabelFileStaysWithoutOne) {
  const TemporaryFolder folder;
  const fs::path data = drawn_set(folder, false);
  const fs::path label = fs::directory_iterator(data.parent_path() / "labels" / "val")->path();
  fs::remove(label);
  paste_set(options(data, folder / "out"));
  const fs::path labels = folder / "out" / "labels" / "val";
  EXPECT_FALSE(fs::exists(labels / label.filename()));
  EXPECT_EQ(std::distance(fs::directory_iterator(labels), fs::directory_iterator()), 3);
}

TEST(PasteSetFiles, WhatCouldNotBeReadIsNamed) {
  const TemporaryFolder folder;
  const fs::path data = drawn_set(folder, false);
  test::write_text(data.parent_path() / "images" / "train" / "broken.jpg", "no image");
  const PasteReport report = paste_set(options(data, folder / "out"));
  ASSERT_EQ(report.source.drops.size(), 1u);
  EXPECT_EQ(report.source.drops[0].file.filename(), "broken.jpg");
  const auto account = nlohmann::json::parse(test::read_text(folder / "out" / "paste.json"));
  EXPECT_EQ(account["source"]["dropped"].size(), 1u);
  EXPECT_EQ(account["source"]["dropped"][0]["kind"], "image");
}

TEST(PasteSetFiles, AreRefusedWhereNothingCanBePasted) {
  const TemporaryFolder folder;
  const fs::path data = drawn_set(folder, false);
  PasteOptions o = options(data, folder / "out");
  o.cut = "polygon";  // there is none
  EXPECT_NE(error_of([&] { paste_set(o); }).find("no object could be cut out"), std::string::npos);
  o = options(data, folder / "out");
  o.plan.share = 0;
  EXPECT_NE(error_of([&] { paste_set(o); }).find("nothing to paste"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "out"));
  test::write_text(folder / "mine" / "a.txt", "keep");
  o = options(data, folder / "mine");
  EXPECT_NE(error_of([&] { paste_set(o); }), "");
  o = options(data, data.parent_path() / "images" / "train" / "inside");
  EXPECT_NE(error_of([&] { paste_set(o); }), "");
}

}  // namespace
}  // namespace yolov7::dataset
