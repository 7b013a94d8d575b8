#include "active/collector.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "dataset/synth/synth_scene.hpp"
#include "tests/kept_messages.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::active {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::read_text;
using test::write_text;

class Collecting : public testing::Test {
 protected:
  static cv::Mat scene(std::size_t number) {
    return dataset::draw_synth_picture(dataset::standard_level(), 320, 11, 0, number, false)
        .picture;
  }
  Collector open(CollectOptions options = {}) {
    options.folder = place();
    return Collector(options, {"cat", "dog"}, "best.pt");
  }
  static Collected offer(Collector& collector, std::size_t number, float score, double now = 0) {
    const std::vector<Detection> found = {{{10, 20, 40, 60}, score, 1}, {{0, 0, 9, 9}, 0.1f, 0}};
    const cv::Mat bgr = scene(number);
    return collector.offer({.bgr = bgr, .source = "/videos/a.mp4", .frame = 7, .detections = found},
                           now);
  }
  fs::path place() const { return scratch / "kept"; }
  std::vector<json> lines() const {
    std::vector<json> all;
    std::istringstream text(read_text(place() / "collected.jsonl"));
    for (std::string line; std::getline(text, line);) all.push_back(json::parse(line));
    return all;
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& entry : fs::recursive_directory_iterator(place()))
      if (entry.is_regular_file()) sum += entry.file_size();
    return sum;
  }
  test::ScratchFolder scratch;
};

TEST_F(Collecting, KeepsDoubtfulFramesOnceWithTheirDetections) {
  Collector collector = open();
  EXPECT_EQ(offer(collector, 0, 0.9f), Collected::not_doubtful);
  EXPECT_EQ(offer(collector, 0, 0.2f), Collected::not_doubtful);  // below what counts
  EXPECT_EQ(offer(collector, 0, 0.7f), Collected::not_doubtful);
  EXPECT_EQ(offer(collector, 0, 0.69f), Collected::kept);
  EXPECT_EQ(offer(collector, 0, 0.5f), Collected::similar);
  EXPECT_EQ(offer(collector, 1, 0.25f), Collected::kept);
  collector.finish();
  const CollectCounts& counts = collector.counts();
  EXPECT_EQ(counts.looked_at, 6u);
  EXPECT_EQ(counts.doubtful, 3u);
  EXPECT_EQ(counts.kept, 2u);
  EXPECT_EQ(counts.similar, 1u);
  const auto all = lines();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["image"], "000001_a.jpg");
  EXPECT_EQ(all[0]["frame"], 7);
  EXPECT_EQ(all[0]["model"], "best.pt");
  EXPECT_EQ(all[0]["detections"].size(), 2u);
  EXPECT_EQ(all[0]["detections"][0]["class"], "dog");
  const json coco = json::parse(read_text(place() / "predictions.json"));
  EXPECT_EQ(coco["images"][1]["file_name"], "images/000002_a.jpg");
  EXPECT_TRUE(fs::exists(place() / "images/000002_a.jpg"));
  EXPECT_EQ(coco["annotations"].size(), 4u);
  EXPECT_EQ(coco["annotations"][0]["bbox"], json({10.0, 20.0, 30.0, 40.0}));
  EXPECT_EQ(coco["annotations"][0]["category_id"], 2);
}

TEST_F(Collecting, AtMostSoManyInAnHour) {
  Collector collector = open({.folder = {}, .per_hour = 2});
  EXPECT_EQ(offer(collector, 0, 0.5f, 1000), Collected::kept);
  EXPECT_EQ(offer(collector, 1, 0.5f, 2000), Collected::kept);
  EXPECT_EQ(offer(collector, 2, 0.5f, 4599), Collected::over_rate);
  EXPECT_EQ(offer(collector, 2, 0.5f, 4600), Collected::kept);  // 3,600 s after the first
  EXPECT_EQ(offer(collector, 3, 0.5f, 4601), Collected::over_rate);
  EXPECT_EQ(collector.counts().over_rate, 2u);
}

TEST_F(Collecting, TheLimitsHoldOverSeveralRuns) {
  {
    Collector first = open({.folder = {}, .per_hour = 2});
    EXPECT_EQ(offer(first, 0, 0.5f, 1000), Collected::kept);
    EXPECT_EQ(offer(first, 1, 0.5f, 1000), Collected::kept);
    EXPECT_THROW(open(), Error);  // one process at a time
  }
  Collector second = open({.folder = {}, .per_hour = 2});
  EXPECT_EQ(offer(second, 2, 0.5f, 1500), Collected::over_rate);
  EXPECT_EQ(offer(second, 0, 0.5f, 9000), Collected::similar);
  EXPECT_EQ(offer(second, 2, 0.5f, 9000), Collected::kept);
  EXPECT_EQ(lines().back()["image"], "000003_a.jpg");
}

TEST_F(Collecting, TheFolderStaysBelowItsLimit) {
  const test::KeptMessages messages;
  const double limit = 0.15;  // MB: a few images
  Collector collector =
      open({.folder = {}, .per_hour = 0, .megabytes = limit, .keep_similar = true});
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 30; ++i)
    kept += offer(collector, i % 3, 0.5f) == Collected::kept ? 1 : 0;
  collector.finish();
  EXPECT_GT(kept, 0u);
  EXPECT_EQ(collector.counts().over_space, 30 - kept);
  EXPECT_GT(collector.counts().over_space, 0u);
  EXPECT_LE(static_cast<double>(bytes()), limit * 1048576);
}

TEST_F(Collecting, ImageFilesAreCopiedAsTheyAre) {
  const cv::Mat bgr = scene(0);
  fs::create_directories(scratch / "in");
  write_picture(scratch / "in/photo one.png", bgr);
  const std::vector<Detection> found = {{{1, 2, 3, 4}, 0.5f, 0}};
  Collector collector = open();
  EXPECT_EQ(collector.offer({.bgr = bgr,
                             .file = scratch / "in/photo one.png",
                             .source = (scratch / "in/photo one.png").string(),
                             .detections = found},
                            0),
            Collected::kept);
  EXPECT_EQ(read_text(place() / "images/000001_photo one.png"),
            read_text(scratch / "in/photo one.png"));
}

TEST_F(Collecting, StrangeFoldersAreRefused) {
  write_text(place() / "notes.txt", "mine");
  EXPECT_THROW(open(), Error);
  EXPECT_FALSE(fs::exists(place() / "images"));
  fs::remove_all(place());
  write_text(place() / "collected.jsonl", "{\"image\": 3}\n");
  EXPECT_THROW(open(), Error);
  write_text(place() / "collected.jsonl",
             R"({"image":"a.jpg","time":0,"width":1,"height":1,"detections":[{"class":"cow"}]})"
             "\n");
  try {
    open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("found 'cow'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace yolov7::active
