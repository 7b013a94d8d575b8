// Small objects in one large picture: generated scenes laid side by side, looked at whole and in
// parts.
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <sstream>

#include "image/boxes/box.hpp"
#include "image/codec/codec.hpp"
#include "tests/cli/program.hpp"

using namespace yolov7;
using namespace yolov7::test;
namespace fs = std::filesystem;

namespace {

struct Truth {
  int class_index;
  Xyxy box;
};

/// The training pictures of a generated set, row by row on a canvas, with their objects.
cv::Mat mosaic(const fs::path& set, cv::Size size, std::vector<Truth>& truth) {
  cv::Mat canvas(size, CV_8UC3, cv::Scalar::all(114));
  int x = 0, y = 0, row = 0;
  std::vector<fs::path> pictures;
  for (const auto& entry : fs::recursive_directory_iterator(set))
    if (entry.path().string().find("train") != std::string::npos && is_picture_name(entry.path()))
      pictures.push_back(entry.path());
  std::sort(pictures.begin(), pictures.end());
  for (const fs::path& path : pictures) {
    const cv::Mat picture = read_picture(path);
    if (x + picture.cols > size.width) x = 0, y += row, row = 0;
    if (y + picture.rows > size.height) break;
    picture.copyTo(canvas(cv::Rect({x, y}, picture.size())));
    std::string label = path.string();
    label.replace(label.rfind("images"), 6, "labels");
    std::istringstream lines(read_text(fs::path(label).replace_extension(".txt")));
    CxcywhNormalized box;
    for (int c; lines >> c >> box.cx >> box.cy >> box.w >> box.h;) {
      Xyxy pixels = to_pixels(box, picture.cols, picture.rows);
      truth.push_back({c, {pixels.x1 + x, pixels.y1 + y, pixels.x2 + x, pixels.y2 + y}});
    }
    x += picture.cols;
    row = std::max(row, picture.rows);
  }
  return canvas;
}

/// Share of the objects with a detection of their class and IoU 0.5, each detection once.
double recall(const nlohmann::json& detections, const std::vector<Truth>& truth) {
  std::vector<unsigned char> taken(detections.size(), 0);
  std::size_t found = 0;
  for (const Truth& one : truth) {
    std::size_t best = detections.size();
    double most = 0.5;
    for (std::size_t i = 0; i < detections.size(); ++i) {
      const auto& b = detections[i]["xyxy"];
      const double o = iou({b[0], b[1], b[2], b[3]}, one.box);
      if (!taken[i] && detections[i]["class"] == one.class_index && o >= most) most = o, best = i;
    }
    if (best == detections.size()) continue;
    taken[best] = 1;
    ++found;
  }
  return static_cast<double>(found) / static_cast<double>(truth.size());
}

}  // namespace

TEST(NightlyTiles, SmallObjectsInALargePicture) {
  test::ScratchFolder scratch;
  // A detector that knows the shapes, trained on other pictures than those that it is shown.
  ASSERT_EQ(run({"dataset", "synth", "--out", "lessons", "--level", "easy", "--train", "200",
                 "--val", "8", "--test", "1", "--img-size", "320"},
                scratch.path())
                .code,
            0);
  const Outcome trained =
      run({"train", "--cfg", "yolov7-tiny.yaml", "--data", "lessons/data.yaml", "--epochs", "8",
           "--img-size", "320", "--batch-size", "16", "--notest"},
          scratch.path());
  ASSERT_EQ(trained.code, 0) << trained.err;
  ASSERT_EQ(run({"dataset", "synth", "--out", "set", "--level", "easy", "--train", "600", "--val",
                 "1", "--test", "1", "--img-size", "160", "--seed", "1"},
                scratch.path())
                .code,
            0);
  std::vector<Truth> truth;
  write_picture(scratch / "large.jpg", mosaic(scratch / "set", {6000, 4000}, truth));
  ASSERT_GT(truth.size(), 500u);
  const auto look = [&](std::vector<std::string> more) {
    std::vector<std::string> all{"detect",       "--weights", "runs/train/exp/weights/last.pt",
                                 "--source",     "large.jpg", "--nosave",
                                 "--json",       "--max-det", "2000",
                                 "--conf-thres", "0.1"};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = run(all, scratch.path());
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  };
  const nlohmann::json at_once = look({}), in_parts = look({"--tile", "320"}),
                       parts = in_parts["pictures"][0]["detections"];
  const double whole = recall(at_once["pictures"][0]["detections"], truth),
               tiled = recall(parts, truth);
  std::printf("%zu objects: recall %.3f whole, %.3f in parts with %zu boxes\n", truth.size(), whole,
              tiled, parts.size());
  EXPECT_LT(whole, 0.5);
  EXPECT_GE(tiled, 0.95);
  EXPECT_LT(in_parts["peak_memory_bytes"].get<double>(),
            at_once["peak_memory_bytes"].get<double>() + (128 << 20))
      << "the parts have an input shape of their own, for which the network is compiled besides; "
         "they come one at a time";
  EXPECT_LT(parts.size(), 2 * truth.size()) << "an object is not found once for every part";
}
