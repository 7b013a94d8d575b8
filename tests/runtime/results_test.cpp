// What runtime/results names and writes.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/results/coco_results.hpp"
#include "runtime/results/detection_table.hpp"
#include "runtime/results/labels.hpp"
#include "runtime/results/result_names.hpp"
#include "runtime/results/result_stream.hpp"
#include "runtime/results/tracks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
namespace fs = std::filesystem;

namespace {

Frame frame_of(FrameKind kind, const fs::path& relative, std::size_t number = 0,
               double seconds = 0) {
  auto origin = std::make_shared<FrameOrigin>();
  origin->kind = kind;
  origin->name = "in/" + relative.string();
  origin->relative = relative;
  Frame frame;
  frame.origin = origin;
  frame.number = number;
  frame.seconds = seconds;
  return frame;
}
Frame image(const fs::path& relative) { return frame_of(FrameKind::picture, relative); }
Frame frame(const fs::path& relative, std::size_t number) {
  return frame_of(FrameKind::video, relative, number, 0.5);
}

SourceList sources(const std::vector<std::string>& images,
                   const std::vector<std::string>& videos = {}) {
  SourceList list;
  for (const std::string& one : images) list.pictures.push_back({"in/" + one, one});
  for (const std::string& one : videos)
    list.videos.push_back({"in/" + one, VideoOrigin::file, one});
  return list;
}

// Left 10, top 20, 30 wide, 40 high in an image of 100 × 200 px.
const Detection box{{10, 20, 40, 60}, 0.75f, 1, 0}, followed{{10, 20, 40, 60}, 0.75f, 1, 7};

}  // namespace

TEST(ResultNames, ImagesOfOneStem) {
  const ResultNames names(sources({"img.jpg", "img.png", "sub/img.jpg"}));
  EXPECT_EQ(names.annotated(image("img.png")), "img.png");
  EXPECT_EQ(names.labels(image("img.jpg")), "labels/img.txt");
  EXPECT_EQ(names.labels(image("img.png")), "labels/img_2.txt");
  EXPECT_EQ(names.labels(image("sub/img.jpg")), "labels/sub/img.txt");
  EXPECT_EQ(names.crop(image("img.jpg"), "0 cell", 3), "crops/0 cell/img-3.jpg");
  EXPECT_EQ(names.crop(image("img.png"), "0 cell", 3), "crops/0 cell/img_2-3.jpg");
  EXPECT_NE(names.stems_told_apart().find("img_2 for in/img.png"), std::string::npos)
      << names.stems_told_apart();
  EXPECT_EQ(ResultNames(sources({"a.jpg", "b.jpg"})).stems_told_apart(), "");
}

TEST(ResultNames, FramesAndImages) {
  const ResultNames names(sources({"clip.jpg", "clip_1.jpg"}, {"clip.mp4", "clip_2.mp4"}));
  std::set<fs::path> labels, crops;
  std::set<std::string> ids;
  for (const Frame& one : {image("clip.jpg"), image("clip_1.jpg"), frame("clip.mp4", 1),
                           frame("clip.mp4", 2), frame("clip_2.mp4", 1), frame("clip_2.mp4", 2)}) {
    labels.insert(names.labels(one));
    crops.insert(names.crop(one, "0 cell", 1));
    ids.insert(names.image_id(one));
  }
  EXPECT_EQ(labels.size(), 6u);
  EXPECT_EQ(crops.size(), 6u);
  EXPECT_EQ(ids.size(), 6u);
  EXPECT_EQ(names.labels(image("clip_1.jpg")), "labels/clip_1.txt");
  EXPECT_EQ(names.labels(image("clip.jpg")), "labels/clip.txt");
  EXPECT_EQ(names.annotated(frame("clip.mp4", 1)), "clip.mp4");
}

TEST(ResultNames, AloneAVideoKeepsItsName) {
  const ResultNames names(sources({}, {"sub/clip.mp4"}));
  EXPECT_EQ(names.labels(frame("sub/clip.mp4", 12)), "labels/sub/clip_12.txt");
  EXPECT_EQ(names.crop(frame("sub/clip.mp4", 12), "1 leaf", 2), "crops/1 leaf/sub/clip_12-2.jpg");
  EXPECT_EQ(names.tracks(frame("sub/clip.mp4", 12)), "tracks/sub/clip.txt");
  EXPECT_EQ(names.image_id(frame("sub/clip.mp4", 12)), "\"clip_12\"");
}

TEST(ResultNames, FormatsThatAreOnlyReadAndTheFolderOfTheCrops) {
  const ResultNames names(sources({"a.DNG", "a.DNG.jpg", "crops/0 cell/b-1.jpg"}));
  EXPECT_EQ(names.annotated(image("a.DNG")), "a.DNG.jpg");
  EXPECT_NE(names.annotated(image("a.DNG.jpg")), "a.DNG.jpg");
  EXPECT_EQ(names.annotated(image("crops/0 cell/b-1.jpg")), "crops_2/0 cell/b-1.jpg");
}

TEST(ResultNames, TracksOfImagesAndOfAVideoCalledSo) {
  const ResultNames names(sources({"a.jpg", "b.jpg", "s/a.jpg"}, {"pictures.mp4"}));
  EXPECT_EQ(names.tracks(image("a.jpg")), "tracks/pictures.txt");
  EXPECT_EQ(names.tracks(image("b.jpg")), "tracks/pictures.txt");
  EXPECT_EQ(names.tracks(image("s/a.jpg")), "tracks/s/pictures.txt");
  EXPECT_EQ(names.tracks(frame("pictures.mp4", 1)), "tracks/pictures_2.txt");
}

TEST(ResultNames, ImageIds) {
  const ResultNames numbers(sources({"a/1.jpg", "b/001.jpg", "b/1.jpg"}, {"7.mp4"}));
  EXPECT_EQ(numbers.image_id(image("a/1.jpg")), "1");
  EXPECT_EQ(numbers.image_id(image("b/001.jpg")), "2");
  EXPECT_EQ(numbers.image_id(image("b/1.jpg")), "3");
  EXPECT_EQ(numbers.image_id(frame("7.mp4", 5)), "\"4_5\"");
  EXPECT_NE(numbers.ids_are_numbers().find("in/a/1.jpg and in/b/001.jpg"), std::string::npos);
  const ResultNames stems(sources({"007.jpg", "x.jpg"}));
  EXPECT_EQ(stems.image_id(image("007.jpg")), "7");
  EXPECT_EQ(stems.image_id(image("x.jpg")), "\"x\"");
  EXPECT_EQ(stems.ids_are_numbers(), "");
}

TEST(Labels, Lines) {
  EXPECT_EQ(label_line(box, {100, 200}, false, false), "1 0.25 0.2 0.3 0.2\n");
  EXPECT_EQ(label_line(followed, {100, 200}, true, true), "1 0.25 0.2 0.3 0.2 0.75 7\n");
}

TEST(Labels, NoFileWithoutObjects) {
  const test::ScratchFolder scratch;
  write_label_file(scratch / "labels/a.txt", "x\n");
  EXPECT_EQ(scratch.read("labels/a.txt"), "x\n");
  write_label_file(scratch / "labels/a.txt", "");
  EXPECT_FALSE(fs::exists(scratch / "labels/a.txt"));
  write_label_file(scratch / "none/a.txt", "");
  EXPECT_FALSE(fs::exists(scratch / "none"));
}

TEST(Tracks, OneFileForEachPath) {
  const test::ScratchFolder scratch;
  TrackFiles files;
  files.write(scratch / "t/a.txt", 1, {followed});
  files.write(scratch / "t/b.txt", 1, {});
  files.write(scratch / "t/a.txt", 2, {followed});
  const std::string rest = ",7,10.000,20.000,30.000,40.000,0.75000,1,-1,-1\n";
  EXPECT_EQ(scratch.read("t/a.txt"), "1" + rest + "2" + rest);
  EXPECT_EQ(scratch.read("t/b.txt"), "");
}

TEST(Tracks, OneFileIsOpenHoweverManyThereAre) {
  const test::ScratchFolder scratch;
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  TrackFiles files;
  const auto before = open_files();
  for (const std::size_t number : {std::size_t{1}, std::size_t{2}})
    for (int i = 0; i < 20; ++i)
      files.write(scratch / ("t/" + std::to_string(i) + ".txt"), number, {followed});
  EXPECT_EQ(open_files(), before + 1);
  const std::string rest = ",7,10.000,20.000,30.000,40.000,0.75000,1,-1,-1\n";
  for (const char* name : {"t/0.txt", "t/19.txt"})
    EXPECT_EQ(scratch.read(name), "1" + rest + "2" + rest) << name;
}

TEST(DetectionTableTest, Rows) {
  const test::ScratchFolder scratch;
  DetectionTable table(scratch / "d.csv", {"cell", "a,b"});
  table.write(image("x.jpg"), {box});
  table.write(frame("f.mp4", 3), {followed});
  EXPECT_EQ(scratch.read("d.csv"),
            "source,frame,seconds,class,name,score,x1,y1,x2,y2,track\n"
            "in/x.jpg,0,0.000,1,\"a,b\",0.75000,10.000,20.000,40.000,60.000,\n"
            "in/f.mp4,3,0.500,1,\"a,b\",0.75000,10.000,20.000,40.000,60.000,7\n");
  table.finish();
}

TEST(CocoResultsTest, AppearWhenTheyAreFinished) {
  const test::ScratchFolder scratch;
  CocoResults results(scratch / "predictions.json", {"cell", "a \"leaf\""});
  results.write(image("x.jpg"), "5", {box});
  results.write(frame("f.mp4", 3), "\"f_3\"", {followed});
  EXPECT_FALSE(fs::exists(scratch / "predictions.json"));
  results.finish();
  const auto json = nlohmann::json::parse(scratch.read("predictions.json"));
  EXPECT_EQ(json, nlohmann::json::parse(R"([
    {"image_id":5,"category_id":1,"bbox":[10,20,30,40],"score":0.75,"file_name":"in/x.jpg",
     "category_name":"a \"leaf\""},
    {"image_id":"f_3","category_id":1,"bbox":[10,20,30,40],"score":0.75,"file_name":"in/f.mp4",
     "category_name":"a \"leaf\"","frame":3,"seconds":0.5,"track_id":7}])"));
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), fs::directory_iterator()), 1);
  EXPECT_EQ(rounded(0.0005, 1000), 0) << "halves to the even neighbour";
}

TEST(ResultStreamTest, ReplacesALinkAndNotWhatItLeadsTo) {
  const test::ScratchFolder scratch;
  scratch.write("precious.txt", "precious");
  fs::create_symlink("precious.txt", scratch / "soft.csv");
  fs::create_hard_link(scratch / "precious.txt", scratch / "hard.csv");
  for (const char* name : {"soft.csv", "hard.csv"}) {
    ResultStream stream(scratch / name);
    stream.write("new");
    stream.close();
    EXPECT_EQ(scratch.read(name), "new");
    EXPECT_FALSE(fs::is_symlink(scratch / name));
  }
  EXPECT_EQ(scratch.read("precious.txt"), "precious");
}
