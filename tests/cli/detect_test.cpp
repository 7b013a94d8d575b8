// `yolov7 detect` on a network whose answers can be worked out by hand: each 32 × 32 cell with a
// red pixel is an object of 16 × 24 px at the cell's centre; its class is 1 if there is green in
// the cell, else 0.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "image/codec/codec.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "tests/cli/program.hpp"

using namespace yolov7;
using namespace yolov7::test;
namespace fs = std::filesystem;

namespace {

/// Objectness logit 20·R − 10, class logits 10 − 20·G and 20·G − 10, box logits 0.
void write_hand_made(const fs::path& path, std::vector<std::string> names = {"cell", "leaf"}) {
  network::Checkpoint checkpoint;
  checkpoint.config =
      "nc: 2\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors:\n  - [16, 24]\n"
      "backbone:\n  [[-1, 1, MP, [32]]]\nhead:\n  [[0, 1, Detect, [nc, anchors]]]\n";
  checkpoint.config_source = "hand-made.yaml";
  checkpoint.class_count = 2;
  checkpoint.names = std::move(names);
  checkpoint.image_size = 64;
  const network::Network network = network::build(checkpoint.config, "hand-made.yaml");
  for (const network::TensorSpec& spec : network.tensors) {
    std::vector<float> values{16, 24};
    using Role = network::TensorSpec::Role;
    if (spec.role == Role::weight)
      values = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, -20, 0, 0, 20, 0};
    if (spec.role == Role::bias) values = {0, 0, 0, 0, -10, 10, -10};
    if (spec.role == Role::anchors) values = {0.5f, 0.75f};
    checkpoint.model.set(spec.name, network::Tensor::from(values, spec.shape));
  }
  network::write_checkpoint(path, checkpoint);
}

const cv::Vec3b red(0, 0, 255), yellow(0, 255, 255);

/// A dark picture with single coloured pixels; PNG, so that they survive.
cv::Mat dark(int width, int height) { return cv::Mat(height, width, CV_8UC3, cv::Scalar(0, 0, 0)); }

class Detect : public ::testing::Test {
 protected:
  void SetUp() override {
    write_hand_made(scratch / "hand.pt");
    fs::create_directories(scratch / "in/sub");
    cv::Mat one = dark(64, 64);
    one.at<cv::Vec3b>(10, 40) = red;  // row 10, column 40: cell (1, 0)
    write_picture(scratch / "in/a.png", one);
    cv::Mat two = one.clone();
    two.at<cv::Vec3b>(50, 3) = yellow;  // cell (0, 1)
    write_picture(scratch / "in/b.png", two);
    write_picture(scratch / "in/sub/c.png", dark(64, 64));
  }

  Outcome detect(std::vector<std::string> more) {
    std::vector<std::string> all{"detect", "--weights", "hand.pt", "--img-size", "64"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, scratch.path());
  }
  nlohmann::json detect_json(std::vector<std::string> more) {
    more.push_back("--json");
    const Outcome outcome = detect(std::move(more));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }
  std::string label(const std::string& name) {
    return read_text(scratch / ("runs/detect/exp/labels/" + name));
  }

  test::ScratchFolder scratch;
};

// σ(10)² = 0.99990920; %g shows six digits.
const std::string cell_line = "0 0.75 0.25 0.25 0.375", leaf_line = "1 0.25 0.75 0.25 0.375";

}  // namespace

TEST_F(Detect, WritesLabelsAndPictures) {
  const Outcome outcome = detect({"--source", "in", "--save-txt"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(label("a.txt"), cell_line + "\n");
  const std::string both = label("b.txt");
  EXPECT_TRUE(has(both, cell_line + "\n") && has(both, leaf_line + "\n") && line_count(both) == 2)
      << both;
  const cv::Mat drawn = read_picture(scratch / "runs/detect/exp/a.png");
  ASSERT_EQ(drawn.size(), cv::Size(64, 64));
  EXPECT_NE(drawn.at<cv::Vec3b>(28, 48), cv::Vec3b(0, 0, 0))
      << "the lower edge of the box of (40, 4) to (56, 28)";
  EXPECT_FALSE(fs::exists(scratch / "runs/detect/exp/c.png"))
      << "a folder is not searched in depth";
  EXPECT_TRUE(has(outcome.out, "image 1/2 in/a.png: 64x64 1 × cell, Done. (")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "image 2/2 in/b.png: 64x64 1 × cell, 1 × leaf, Done. ("))
      << outcome.out;
  EXPECT_TRUE(has(outcome.out, "CPU, float32, ")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "conf-thres=0.25")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "2 images, 3 objects, 0 unreadable")) << outcome.out;
}

TEST_F(Detect, AnImageWithoutItsEndFollowsTheRule) {
  const std::string jpeg = encode_jpeg(dark(64, 64));
  write_text(scratch / "cut.jpg", jpeg.substr(0, jpeg.size() - 2));
  const Outcome kept = detect({"--source", "cut.jpg", "--nosave", "--json"});
  EXPECT_EQ(kept.code, 0) << kept.err;
  EXPECT_EQ(nlohmann::json::parse(kept.out)["truncated"], 1);
  EXPECT_TRUE(has(kept.err, "1 image used although the end of the file is missing")) << kept.err;
  const Outcome dropped = detect({"--source", "cut.jpg", "--nosave", "--truncated", "drop"});
  EXPECT_EQ(dropped.code, 1);
  EXPECT_TRUE(has(dropped.err, "64 of 64 rows are decoded, and --truncated drop uses no such file"))
      << dropped.err;
}

// A directory without entries behind the file, to which the first one leads.
TEST_F(Detect, PagesThatAreNotLookedAtAreSaid) {
  std::string tiff = encode_picture(".tif", dark(64, 64));
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t k = bytes; k-- > 0;)
      value = value << 8 | static_cast<unsigned char>(tiff[at + k]);
    return value;
  };
  const std::size_t directory = number(4, 4), next = directory + 2 + 12 * number(directory, 2);
  for (std::size_t k = 0; k < 4; ++k)
    tiff[next + k] = static_cast<char>(tiff.size() >> (8 * k) & 0xff);
  write_text(scratch / "in/pages.tif", tiff + std::string(6, '\0'));
  const Outcome outcome = detect({"--source", "in", "--nosave", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(
      has(outcome.err, "pages.tif: further images of this file, which are not looked at: 1"))
      << outcome.err;
  EXPECT_TRUE(has(outcome.err, "1 image holds further ones, which are not looked at"))
      << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["with_further_images"], 1);
}

TEST_F(Detect, ABenchmarkNeverReplacesItsInput) {
  fs::create_directories(scratch / "bm");
  fs::create_symlink("../hand.pt", scratch / "bm/benchmark.csv");
  const std::string before = read_text(scratch / "hand.pt");
  const Outcome outcome = run({"benchmark", "--weights", "hand.pt", "--img", "64", "--seconds", "0",
                               "--project", ".", "--name", "bm", "--exist-ok"},
                              scratch.path());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(has(outcome.err, "expected another file than --weights, found the same"))
      << outcome.err;
  EXPECT_TRUE(read_text(scratch / "hand.pt") == before);
}

TEST_F(Detect, LabelsLieInThePictureHoweverItIsScaled) {
  // Twice as large: 128 × 128 shrinks to 64 × 64 by averaging, so the marks are blocks of 32 × 32.
  cv::Mat large = dark(128, 128);
  large(cv::Rect(64, 0, 64, 64)).setTo(cv::Scalar(0, 0, 255));
  write_picture(scratch / "large.png", large);
  ASSERT_EQ(detect({"--source", "large.png", "--save-txt", "--save-conf", "--nosave"}).code, 0);
  const std::string line = label("large.txt");
  ASSERT_EQ(line.rfind(cell_line + " 0.9999", 0), 0u) << line;
  EXPECT_EQ(line.back(), '\n');
  EXPECT_FALSE(fs::exists(scratch / "runs/detect/exp/large.png"));
}

TEST_F(Detect, PluralAndJson) {
  cv::Mat three = dark(128, 96);
  for (const int x : {5, 40, 70}) three.at<cv::Vec3b>(5, x) = red;
  write_picture(scratch / "three.png", three);
  const Outcome outcome =
      run({"detect", "--weights", "hand.pt", "--img-size", "128", "--source", "three.png"},
          scratch.path());
  EXPECT_TRUE(has(outcome.out, ": 96x128 3 × cell, Done.")) << outcome.out;
  const nlohmann::json result = detect_json({"--source", "in/b.png", "--nosave"});
  ASSERT_EQ(result["pictures"].size(), 1u);
  const nlohmann::json& picture = result["pictures"][0];
  EXPECT_EQ(picture["path"], "in/b.png");
  EXPECT_EQ(picture["width"], 64);
  ASSERT_EQ(picture["detections"].size(), 2u);
  for (const nlohmann::json& d : picture["detections"]) {
    EXPECT_NEAR(d["score"].get<double>(), 0.99990920, 1e-6);
    const bool leaf = d["class"] == 1;
    EXPECT_EQ(d["name"], leaf ? "leaf" : "cell");
    const double expected[4] = {leaf ? 8.0 : 40.0, leaf ? 36.0 : 4.0, leaf ? 24.0 : 56.0,
                                leaf ? 60.0 : 28.0};
    for (int i = 0; i < 4; ++i)
      EXPECT_NEAR(d["xyxy"][static_cast<std::size_t>(i)].get<double>(), expected[i], 1e-4);
  }
}

TEST_F(Detect, SaysTheHighestScoreWhenNothingIsFound) {
  const Outcome outcome = detect({"--source", "in/sub/c.png", "--save-txt"});
  EXPECT_EQ(outcome.code, 0);
  // σ(−10)·σ(10) = 0.0000454
  EXPECT_TRUE(has(outcome.out, "nothing found (highest score 0.0000, threshold 0.25)"))
      << outcome.out;
  EXPECT_FALSE(fs::exists(scratch / "runs/detect/exp/labels/c.txt"));
}

TEST_F(Detect, PatternsKeepTheirSubPaths) {
  fs::copy(scratch / "in/a.png", scratch / "in/sub/a.png");
  ASSERT_EQ(detect({"--source", "in/**/*.png", "--save-txt"}).code, 0);
  for (const char* name :
       {"a.png", "b.png", "sub/a.png", "sub/c.png", "labels/a.txt", "labels/sub/a.txt"})
    EXPECT_TRUE(fs::exists(scratch / ("runs/detect/exp/" + std::string(name)))) << name;
}

TEST_F(Detect, AgainIntoTheSameFolderLeavesNothingStale) {
  for (int i = 0; i < 2; ++i)
    ASSERT_EQ(detect({"--source", "in", "--save-txt", "--exist-ok"}).code, 0);
  EXPECT_EQ(label("a.txt"), cell_line + "\n") << "not doubled";
  write_picture(scratch / "in/a.png", dark(64, 64));
  ASSERT_EQ(detect({"--source", "in", "--save-txt", "--exist-ok"}).code, 0);
  EXPECT_FALSE(fs::exists(scratch / "runs/detect/exp/labels/a.txt"));
  EXPECT_TRUE(fs::exists(scratch / "runs/detect/exp/b.png"));
  const std::string whole = read_text(scratch / "in/b.png");
  write_text(scratch / "in/b.png", "no image");
  EXPECT_EQ(detect({"--source", "in", "--save-txt", "--exist-ok"}).code, 1);
  EXPECT_FALSE(fs::exists(scratch / "runs/detect/exp/labels/b.txt"));
  EXPECT_FALSE(fs::exists(scratch / "runs/detect/exp/b.png"));
  EXPECT_TRUE(fs::exists(scratch / "runs/detect/exp/a.png"));
  write_text(scratch / "in/b.png", whole);
  ASSERT_EQ(detect({"--source", "in"}).code, 0);
  EXPECT_TRUE(fs::exists(scratch / "runs/detect/exp2/a.png"));
}

TEST_F(Detect, EqualStemsAreToldApart) {
  write_picture(scratch / "in/a.bmp", read_picture(scratch / "in/b.png"));
  const Outcome outcome = detect({"--source", "in/a.*", "--save-txt", "--save-crop"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(has(outcome.err, "a_2 for in/a.png")) << outcome.err;
  EXPECT_EQ(line_count(label("a.txt")), 2u) << "of a.bmp, the first";
  EXPECT_EQ(label("a_2.txt"), cell_line + "\n");
  std::size_t crops = 0;
  for (const auto& entry : fs::recursive_directory_iterator(scratch / "runs/detect/exp/crops"))
    crops += entry.is_regular_file();
  EXPECT_EQ(crops, 3u) << "as many as objects";
  for (const char* name : {"a.bmp", "a.png"})
    EXPECT_TRUE(fs::exists(scratch / "runs/detect/exp" / name)) << name;
}

TEST_F(Detect, NoSourceIsReplaced) {
  fs::create_directories(scratch / "out/labels");
  fs::create_hard_link(scratch / "in/b.png", scratch / "out/b.png");
  write_text(scratch / "images/c.png", read_text(scratch / "in/a.png"));
  write_text(scratch / "labels/c.txt", "of a person\n");
  write_text(scratch / "list.txt", "in/a.png\n");
  fs::create_symlink("../list.txt", scratch / "out/detections.csv");
  fs::create_symlink("../in", scratch / "out/linked");
  write_text(scratch / "weights.pt", read_text(scratch / "hand.pt"));
  struct Case {
    std::vector<std::string> arguments;
    std::string what;
  };
  const Case cases[] = {
      {{"--source", "in", "--project", ".", "--name", "in"}, "--source in/a.png"},
      {{"--source", "in", "--name", "in/sub/..", "--project", scratch.path().string()},
       "--source in/a.png"},
      {{"--source", "in", "--project", "out", "--name", "linked"}, "--source in/a.png"},
      {{"--source", "in", "--project", ".", "--name", "out"}, "--source in/b.png"},
      {{"--source", "images", "--project", ".", "--name", "./", "--save-txt", "--nosave"},
       "the label file of images/c.png"},
      {{"--source", "list.txt", "--project", ".", "--name", "out", "--save-csv", "--nosave"},
       "--source"}};
  const auto files = [&] {
    std::map<fs::path, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(scratch.path()))
      if (entry.is_regular_file()) all[entry.path()] = read_text(entry.path());
    return all;
  };
  const auto before = files();
  for (const Case& one : cases) {
    std::vector<std::string> arguments = one.arguments;
    arguments.push_back("--exist-ok");
    const Outcome outcome = detect(arguments);
    EXPECT_EQ(outcome.code, 2) << one.what << outcome.err;
    EXPECT_TRUE(has(outcome.err, "expected another file than " + one.what)) << outcome.err;
    EXPECT_TRUE(files() == before) << one.what;
  }
  // Without annotated images the folder of the images itself is a place for the rest.
  EXPECT_EQ(detect({"--source", "in", "--project", ".", "--name", "in", "--exist-ok", "--nosave",
                    "--save-txt"})
                .code,
            0);
  EXPECT_EQ(read_text(scratch / "in/a.png"), before.at(scratch / "in/a.png"));
}

TEST_F(Detect, NoFolderFollowsTheLargestNumber) {
  fs::create_directories(scratch / "runs/detect/exp");
  fs::create_directory(scratch / "runs/detect/exp9223372036854775806");
  EXPECT_EQ(detect({"--source", "in"}).code, 0);
  EXPECT_TRUE(fs::exists(scratch / "runs/detect/exp9223372036854775807"));
  const Outcome none = detect({"--source", "in"});
  EXPECT_EQ(none.code, 1);
  EXPECT_TRUE(has(none.err, "exp9223372036854775807: expected a number that has another one above"))
      << none.err;
}

TEST_F(Detect, FoldersOfAListAreKept) {
  fs::copy(scratch / "in/b.png", scratch / "in/sub/a.png");
  write_text(scratch / "list.txt", "in/a.png\nin/sub/a.png\n");
  ASSERT_EQ(detect({"--source", "list.txt", "--save-txt"}).code, 0);
  EXPECT_TRUE(fs::exists(scratch / "runs/detect/exp/a.png"));
  EXPECT_TRUE(fs::exists(scratch / "runs/detect/exp/sub/a.png"));
  EXPECT_EQ(line_count(label("a.txt")), 1u);
  EXPECT_EQ(line_count(label("sub/a.txt")), 2u);
}

TEST_F(Detect, EachImageHasAnImageIdOfItsOwn) {
  for (const char* name : {"d/a/1.png", "d/b/1.png", "d/b/001.png"})
    write_text(scratch / name, read_text(scratch / "in/a.png"));
  const auto ids = [&](const std::string& source) {
    std::vector<std::pair<nlohmann::json, std::string>> all;
    const Outcome outcome = detect({"--source", source, "--save-json", "--nosave", "--exist-ok"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(has(outcome.err, "would share an image id"), source == "d/**/*.png") << outcome.err;
    for (const auto& one :
         nlohmann::json::parse(read_text(scratch / "runs/detect/exp/predictions.json")))
      all.emplace_back(one["image_id"], one["file_name"]);
    return all;
  };
  using Ids = std::vector<std::pair<nlohmann::json, std::string>>;
  EXPECT_EQ(ids("d/**/*.png"), (Ids{{1, "d/a/1.png"}, {2, "d/b/001.png"}, {3, "d/b/1.png"}}));
  EXPECT_EQ(ids("d/b/001.png"), (Ids{{1, "d/b/001.png"}}));
}

TEST_F(Detect, UnreadablePicturesAreNamedAndTheOthersDone) {
  write_text(scratch / "in/a0.png", "no image");
  write_text(scratch / "in/a1.jpg", "");
  const Outcome outcome = detect({"--source", "in", "--save-txt"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "a0.png") && has(outcome.err, "a1.jpg") &&
              has(outcome.err, "2 of 4 images could not be read"))
      << outcome.err;
  EXPECT_EQ(label("a.txt"), cell_line + "\n");
  EXPECT_FALSE(label("b.txt").empty());
}

TEST_F(Detect, WithoutTheVideoLibraryThePicturesAreDone) {
  write_text(scratch / "in/film.mp4", "whatever");
  write_text(scratch / "in/other.cr2", "II*");
  const std::vector<std::string> without{"YOLOV7_FAILPOINTS=video-library=1,2,3,4,5"};
  const std::vector<std::string> call{"detect", "--weights",  "hand.pt", "--img-size",
                                      "64",     "--save-txt", "--source"};
  auto folder = call, film = call;
  folder.push_back("in"), film.push_back("in/film.mp4");
  const Outcome outcome = run(folder, scratch.path(), without);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err,
                  "in/film.mp4: not looked at: videos, cameras and streams need the "
                  "video library, which cannot be loaded"))
      << outcome.err;
  EXPECT_TRUE(has(outcome.err, "or build it: scripts/build release")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "other.cr2: it is a raw photograph of a camera")) << outcome.err;
  EXPECT_EQ(label("a.txt"), cell_line + "\n");
  EXPECT_TRUE(has(outcome.out, "2 unreadable")) << outcome.out;
  EXPECT_EQ(run(film, scratch.path(), without).code, 1) << "nothing else to look at";
}

TEST_F(Detect, ClassesThresholdAndMostObjects) {
  const auto count = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--source", "in/b.png", "--nosave"});
    return detect_json(std::move(more))["pictures"][0]["detections"].size();
  };
  EXPECT_EQ(count({}), 2u);
  EXPECT_EQ(count({"--classes", "1"}), 1u);
  EXPECT_EQ(count({"--classes", "0", "1"}), 2u);
  EXPECT_EQ(count({"--max-det", "1"}), 1u);
  EXPECT_EQ(count({"--conf", "0.9999999"}), 0u);
  const auto said = [&](const std::string& most) {
    return detect({"--source", "in/b.png", "--nosave", "--max-det", most}).err;
  };
  EXPECT_TRUE(has(said("1"), "in 1 image the limit --max-det 1 is reached")) << said("1");
  EXPECT_FALSE(has(said("3"), "--max-det")) << said("3");
  EXPECT_FALSE(has(said("3"), "--max-nms")) << said("3");
  const Outcome few = detect({"--source", "in/b.png", "--nosave", "--max-nms", "1"});
  EXPECT_TRUE(has(few.err, "in 1 image more boxes than --max-nms 1 exceed the threshold"))
      << few.err;
}

TEST_F(Detect, RoundsTheImageSizeWithAWarning) {
  const Outcome outcome = run(
      {"detect", "--weights", "hand.pt", "--source", "in/a.png", "--img", "50"}, scratch.path());
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "50") && has(outcome.err, "32") && has(outcome.err, "64 is used"))
      << outcome.err;
}

TEST_F(Detect, NamesAreHarmless) {
  write_hand_made(scratch / "odd.pt", {"\x1b[31mred", "<script>"});
  const Outcome outcome =
      run({"detect", "--weights", "odd.pt", "--img", "64", "--source", "in/b.png"}, scratch.path());
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(has(outcome.out + outcome.err, "\x1b"));
  EXPECT_TRUE(has(outcome.out, "\\x1b[31mred")) << outcome.out;
}

TEST_F(Detect, WrongCalls) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> table = {
      {{"--source", "in", "--update"}, "downloaded"},
      {{"--source", "in", "--device", "0"}, "expected cpu, found '0'"},
      {{"--source", "in", "--classes", "2"}, "expected 0 to 1, found 2"},
      {{"--source", "in", "--precision", "float16"}, "float16"},
      {{"--source", "in", "--nms", "fast"}, "cluster-spm-dist"},
      {{"--source", "in", "--merge-nms", "--nms", "diou"}, "expected --nms hard, found diou"},
      {{"--source", "in", "--cluster-weighted"}, "expected a --nms cluster"},
      {{"--source", "in", "--nms", "wbf", "--wbf-weights", "1", "2"},
       "expected 1 (one for each list of boxes), found 2"},
  };
  for (const auto& [arguments, expected] : table) {
    const Outcome outcome = detect(arguments);
    EXPECT_EQ(outcome.code, 2) << expected << outcome.err;
    EXPECT_TRUE(has(outcome.err, expected)) << expected << '\n' << outcome.err;
  }
  EXPECT_EQ(detect({"--source", "in", "--no-trace", "--nosave"}).code, 0);
  const Outcome empty = detect({"--source", "in/*.gif"});
  EXPECT_EQ(empty.code, 1);
  EXPECT_TRUE(has(empty.err, "bmp, jpg, jpeg, png")) << empty.err;
}

TEST_F(Detect, OptionsThatNothingLooksAtAreNamed) {
  const std::vector<std::string> call{"--source", "in/a.png", "--nosave", "--nms", "soft-linear"};
  std::vector<std::string> idle = call, used = call;
  idle.insert(idle.end(), {"--track-iou", "0.3", "--tile-overlap", "0.1", "--soft-sigma", "0.4"});
  used.insert(used.end(), {"--track", "--track-iou", "0.3", "--tile", "64", "--tile-overlap", "0.1",
                           "--soft-nt", "0.4"});
  const Outcome outcome = detect(idle);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const char* said :
       {"--track-iou has no effect without --track", "--tile-overlap has no effect without --tile",
        "--soft-sigma has no effect with --nms soft-linear"})
    EXPECT_TRUE(has(outcome.err, said)) << said << '\n' << outcome.err;
  EXPECT_FALSE(has(detect(used).err, "no effect"));
}

TEST_F(Detect, AWindowNeedsADisplay) {
  const Outcome outcome =
      Process(
          {"detect", "--weights", "hand.pt", "--img-size", "64", "--source", "in", "--view-img"},
          scratch.path(), {"DISPLAY=", "WAYLAND_DISPLAY=", "SDL_VIDEODRIVER="})
          .wait();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(
      has(outcome.err, "--view-img: expected a display (DISPLAY or WAYLAND_DISPLAY), found none"))
      << outcome.err;
}

TEST_F(Detect, WeightsAreTakenAsTheyAreNamed) {
  const auto weights = [&](std::vector<std::string> paths) {
    std::vector<std::string> all{"detect", "--source", "in", "--weights"};
    all.insert(all.end(), paths.begin(), paths.end());
    return run(all, scratch.path());
  };
  for (const char* name : {"yolov7.pt", "HAND.PT"}) {
    const Outcome missing = weights({name});
    EXPECT_EQ(missing.code, 1);
    EXPECT_TRUE(has(missing.err, name) && has(missing.err, "downloaded")) << missing.err;
  }
}

TEST_F(Detect, AnEnsembleAndThreePassesFindWhatOneDoes) {
  const auto one = detect_json({"--source", "in/b.png", "--nosave"});
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--weights", "hand.pt", "hand.pt"},
                                             {"--weights", "hand.pt", "hand.pt", "--nms", "wbf"}}) {
    std::vector<std::string> all{"detect",   "--img-size", "64",    "--source",
                                 "in/b.png", "--nosave",   "--json"};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = run(all, scratch.path());
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const nlohmann::json both = nlohmann::json::parse(outcome.out);
    EXPECT_TRUE(has(both["detector"].get<std::string>(), "2 networks"));
    EXPECT_EQ(both["weights"], "hand.pt");
    EXPECT_EQ(both["ensemble"].size(), 2u);
    ASSERT_EQ(both["pictures"][0]["detections"].size(), 2u);
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t k = 0; k < 4; ++k)
        EXPECT_NEAR(both["pictures"][0]["detections"][i]["xyxy"][k].get<double>(),
                    one["pictures"][0]["detections"][i]["xyxy"][k].get<double>(), 1e-4);
  }
  write_hand_made(scratch / "other.pt", {"cell", "tree"});
  const Outcome names =
      run({"detect", "--weights", "hand.pt", "other.pt", "--source", "in"}, scratch.path());
  EXPECT_EQ(names.code, 1);
  EXPECT_TRUE(has(names.err, "expected the class names of hand.pt (cell, leaf), found cell, tree"))
      << names.err;
  // The object of the first pass is there whatever the two others say.
  const nlohmann::json augmented = detect_json({"--source", "in/a.png", "--nosave", "--augment"});
  EXPECT_TRUE(has(augmented["detector"].get<std::string>(), "three passes"));
  bool found = false;
  for (const auto& d : augmented["pictures"][0]["detections"])
    found = found || std::abs(d["xyxy"][0].get<double>() - 40) < 1e-3;
  EXPECT_TRUE(found);
}

TEST_F(Detect, CropsCsvAndJson) {
  const Outcome outcome =
      detect({"--source", "in", "--nosave", "--save-crop", "--save-csv", "--save-json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const fs::path folder = scratch / "runs/detect/exp";
  EXPECT_EQ(read_picture(folder / "crops/0 cell/a-1.jpg").size(), cv::Size(16, 24));
  EXPECT_TRUE(fs::exists(folder / "crops/1 leaf/b-1.jpg") ||
              fs::exists(folder / "crops/1 leaf/b-2.jpg"));
  const std::string csv = read_text(folder / "detections.csv");
  EXPECT_EQ(csv.rfind("source,frame,seconds,class,name,score,x1,y1,x2,y2,track\n", 0), 0u);
  EXPECT_TRUE(has(csv, "in/a.png,0,0.000,0,cell,0.99991,40.000,4.000,56.000,28.000,\n")) << csv;
  EXPECT_EQ(line_count(csv), 4u);
  const nlohmann::json json = nlohmann::json::parse(read_text(folder / "predictions.json"));
  ASSERT_EQ(json.size(), 3u);
  EXPECT_EQ(json[0]["image_id"], "a");
  EXPECT_EQ(json[0]["category_id"], 0);
  EXPECT_EQ(json[0]["bbox"], nlohmann::json({40.0, 4.0, 16.0, 24.0}));
  EXPECT_EQ(json[0]["score"], 0.99991);
  EXPECT_TRUE(fs::is_empty(folder) == false && !fs::exists(folder / ".predictions.json.partial"));
}

TEST_F(Detect, HowManyAtOnceDoesNotMatter) {
  // Thirty pictures of three sizes, on one worker, on many, and in batches: the same boxes in the
  // same order.
  fs::create_directories(scratch / "many");
  for (int i = 0; i < 30; ++i) {
    cv::Mat one = dark(64, i % 3 == 0 ? 64 : 96);
    one.at<cv::Vec3b>(10 + i % 3 * 20, 2 * i) = i % 2 == 0 ? red : yellow;
    write_picture(scratch / ("many/" + std::to_string(100 + i) + ".png"), one);
  }
  std::string wanted;
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--performance", "latency"},
                                             {"--performance", "throughput", "--nstreams", "3"},
                                             {"--batch-size", "7"},
                                             {}}) {
    std::vector<std::string> all{"--source", "many", "--nosave"};
    all.insert(all.end(), more.begin(), more.end());
    nlohmann::json result = detect_json(all);
    ASSERT_EQ(result["pictures"].size(), 30u);
    for (auto& picture : result["pictures"]) picture.erase("milliseconds");
    std::string text;
    for (const auto& picture : result["pictures"]) {
      text += picture["path"].get<std::string>();
      for (const auto& d : picture["detections"])
        text += " " + std::to_string(d["class"].get<int>()) +
                std::to_string(std::lround(d["xyxy"][0].get<double>())) + "," +
                std::to_string(std::lround(d["xyxy"][1].get<double>()));
      text += "\n";
    }
    if (wanted.empty()) wanted = text;
    EXPECT_EQ(text, wanted);
  }
}

TEST_F(Detect, PrecisionAutoSaysWhy) {
  const Outcome outcome = detect({"--source", "in", "--precision", "auto", "--nosave"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  // Which one depends on the processor; the reason does not.
  const bool faster =
      has(outcome.out, "precision bfloat16: ") &&
      has(outcome.out, "times as fast as float32; all 3 boxes in 2 images are those of float32") &&
      has(outcome.out, "CPU, bfloat16");
  const bool slower =
      has(outcome.out, "precision float32: bfloat16 gives the same boxes, but is slower") &&
      has(outcome.out, "CPU, float32");
  const bool absent =
      has(outcome.out,
          "precision float32: precision bfloat16: expected a CPU with AVX512_BF16 or AMX") &&
      has(outcome.out, "CPU, float32");
  EXPECT_TRUE(faster || slower || absent) << outcome.out;
  // A picture that cannot be read is none to compare on, and is named as in any run.
  write_text(scratch / "in/a0.png", "no image");
  const Outcome damaged = detect({"--source", "in", "--precision", "auto", "--nosave"});
  EXPECT_EQ(damaged.code, 1);
  EXPECT_TRUE(has(damaged.out, "precision ") &&
              has(damaged.out, "2 images, 3 objects, 1 unreadable"))
      << damaged.out << damaged.err;
  const Outcome nothing = detect({"--source", "in/sub/c.png", "--precision", "auto", "--nosave"});
  EXPECT_TRUE(has(nothing.out, "nothing is found in 1 images") ||
              has(nothing.out, "expected a CPU with AVX512_BF16"))
      << nothing.out;
}

TEST_F(Detect, CompiledNetworksAreKeptByWeights) {
  const auto kept = [&] {
    std::size_t count = 0;
    if (fs::exists(scratch / "compiled"))
      for (const auto& entry : fs::directory_iterator(scratch / "compiled"))
        count += entry.path().extension() == ".blob";
    return count;
  };
  ASSERT_EQ(detect({"--source", "in", "--nosave", "--model-cache", "none"}).code, 0);
  EXPECT_EQ(kept(), 0u);
  const auto objects = [&] {
    return detect_json({"--source", "in", "--nosave", "--model-cache", "compiled"})["objects"]
        .get<int>();
  };
  EXPECT_EQ(objects(), 3);
  EXPECT_EQ(kept(), 1u);
  EXPECT_EQ(fs::status(scratch / "compiled").permissions(), fs::perms::owner_all)
      << "nobody else writes there";
  EXPECT_EQ(objects(), 3) << "from the cache";
  EXPECT_EQ(kept(), 1u);
  // Other weights of the same shape are another entry, and give their own answer.
  network::Checkpoint checkpoint = network::read_checkpoint(scratch / "hand.pt");
  std::vector<float> never(7, -10.0f);
  for (const auto& [name, tensor] : checkpoint.model.entries())
    if (name.ends_with(".bias"))
      checkpoint.model.set(name, network::Tensor::from(never, tensor.shape));
  std::vector<float> nothing(21, 0.0f);
  for (const auto& [name, tensor] : checkpoint.model.entries())
    if (name.ends_with(".weight"))
      checkpoint.model.set(name, network::Tensor::from(nothing, tensor.shape));
  network::write_checkpoint(scratch / "hand.pt", checkpoint);
  EXPECT_EQ(objects(), 0);
  EXPECT_EQ(kept(), 2u);
  // A damaged entry is made again.
  for (const auto& entry : fs::directory_iterator(scratch / "compiled"))
    write_text(entry.path(), "damaged");
  EXPECT_EQ(objects(), 0);
}

TEST_F(Detect, AFolderOfPicturesIsTracked) {
  // The object goes one cell to the right in each picture: boxes of 16 px, 32 apart, do not
  // overlap, so it is another each time; standing still it keeps its number.
  fs::create_directories(scratch / "walk");
  for (int i = 0; i < 4; ++i) {
    cv::Mat one = dark(128, 64);
    one.at<cv::Vec3b>(10, 3) = red;
    one.at<cv::Vec3b>(50, 3 + 32 * i) = yellow;
    write_picture(scratch / ("walk/" + std::to_string(i) + ".png"), one);
  }
  std::vector<std::string> all{"detect",   "--weights", "hand.pt", "--img-size", "128",
                               "--source", "walk",      "--track", "--save-txt", "--json"};
  const Outcome outcome = run(all, scratch.path());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json result = nlohmann::json::parse(outcome.out);
  std::vector<std::uint64_t> cells, leaves;
  for (const auto& picture : result["pictures"])
    for (const auto& d : picture["detections"])
      (d["class"] == 0 ? cells : leaves).push_back(d["track"].get<std::uint64_t>());
  EXPECT_EQ(cells, std::vector<std::uint64_t>(4, cells.at(0)));
  std::sort(leaves.begin(), leaves.end());
  EXPECT_EQ(std::unique(leaves.begin(), leaves.end()) - leaves.begin(), 4);
  const std::string first = label("0.txt");
  EXPECT_TRUE(has(first, " " + std::to_string(cells[0]) + "\n"))
      << "the number ends the line: " << first;
}

// The object is out of sight for two images that cannot be read.
TEST_F(Detect, AnUnreadableImageIsAFrameOfItsFolder) {
  fs::create_directories(scratch / "walk");
  for (const char* name : {"0.png", "3.png"})
    fs::copy_file(scratch / "in/a.png", scratch / "walk" / name);
  for (const char* name : {"1.png", "2.png"}) write_text(scratch / "walk" / name, "no image");
  const auto numbers = [&](const std::string& buffer) {
    const Outcome outcome =
        detect({"--source", "walk", "--track", "--track-buffer", buffer, "--nosave", "--json"});
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    const nlohmann::json result = nlohmann::json::parse(outcome.out);
    std::vector<std::uint64_t> tracks;
    for (const auto& picture : result["pictures"])
      for (const auto& d : picture["detections"]) tracks.push_back(d["track"].get<std::uint64_t>());
    return tracks;
  };
  EXPECT_EQ(numbers("1"), (std::vector<std::uint64_t>{1, 2})) << "it is forgotten";
  EXPECT_EQ(numbers("3"), (std::vector<std::uint64_t>{1, 1}));
}

TEST_F(Detect, LoadsNeitherLibTorchNorFFmpeg) {
  // The dynamic linker's own account of the files it opens.
  ::setenv("LD_DEBUG", "files", 1);
  const Outcome outcome = detect({"--source", "in/a.png", "--nosave"});
  ::unsetenv("LD_DEBUG");
  ASSERT_EQ(outcome.code, 0);
  EXPECT_TRUE(has(outcome.err, "libopenvino_intel_cpu_plugin"))
      << "what is opened at run time is listed too";
  for (const char* name :
       {"libtorch", "libc10", "libyolov7-training", "libyolov7-video", "libavcodec"})
    EXPECT_FALSE(has(outcome.err, name)) << name;
}

TEST_F(Detect, ASignalLeavesFinishedFiles) {
  for (const int signal : {SIGTERM, SIGHUP}) {
    const std::string name = signal == SIGTERM ? "term" : "hup";
    fs::create_directories(scratch / name);
    for (int i = 0; i < 400; ++i)
      fs::copy_file(scratch / "in/b.png", scratch / (name + "/" + std::to_string(i) + ".png"));
    // 257 parts of each image, so that the run is not over before the signal comes.
    Process process(
        {"detect", "--weights", "hand.pt", "--img-size", "64", "--source", name, "--tile", "4",
         "--tile-overlap", "0", "--save-json", "--nosave", "--name", name},
        scratch.path());
    const fs::path folder = scratch / ("runs/detect/" + name);
    for (int i = 0; i < 1000 && !fs::exists(folder / ".predictions.json.partial"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    process.send(signal);
    const Outcome outcome = process.wait();
    EXPECT_EQ(outcome.code, 130) << outcome.err;
    EXPECT_TRUE(has(outcome.err, "error: interrupted")) << outcome.err;
    EXPECT_FALSE(fs::exists(folder / ".predictions.json.partial"));
    EXPECT_TRUE(nlohmann::json::parse(read_text(folder / "predictions.json")).is_array());
  }
}

// As NightlyTiles, with a network that needs no training: the same sizes, 345 tiles of 320 px that
// share 64. They begin at multiples of 256, so that a mark lies at the centre of a cell in each
// tile that has it, and its box is the same in all.
TEST_F(Detect, SmallMarksInALargeImageAreFoundInParts) {
  const int width = 320 + 22 * 256, height = 320 + 14 * 256;
  cv::Mat large = dark(width, height);
  std::vector<std::pair<int, int>> wanted;  // upper left corners
  for (int y = 0; y < height / 32; ++y)
    for (int x = 0; x < width / 32; ++x)
      if ((7 * x + 3 * y) % 13 == 0) {
        large(cv::Rect(32 * x + 12, 32 * y + 12, 8, 8)).setTo(red);
        wanted.emplace_back(32 * x + 8, 32 * y + 4);
      }
  ASSERT_GT(wanted.size(), 1500u);
  write_picture(scratch / "large.png", large);
  const auto look = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{"detect",    "--weights",  "hand.pt", "--source",
                                 "large.png", "--nosave",   "--json",  "--max-det",
                                 "3000",      "--img-size", "320"};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = run(all, scratch.path());
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  };
  const auto corners = [](const nlohmann::json& result) {
    std::vector<std::pair<int, int>> found;
    for (const auto& one : result["pictures"][0]["detections"]) {
      const auto& box = one["xyxy"];
      if (std::abs(box[2].get<double>() - box[0].get<double>() - 16) < 0.5 &&
          std::abs(box[3].get<double>() - box[1].get<double>() - 24) < 0.5)
        found.emplace_back(static_cast<int>(std::lround(box[0].get<double>())),
                           static_cast<int>(std::lround(box[1].get<double>())));
    }
    return found;
  };
  const nlohmann::json at_once = look({}), in_parts = look({"--tile", "320"});
  EXPECT_EQ(corners(at_once).size(), 0u) << "a box of the whole image would be 300 px wide";
  std::vector<std::pair<int, int>> found = corners(in_parts);
  EXPECT_LE(in_parts["pictures"][0]["detections"].size(),
            found.size() + at_once["pictures"][0]["detections"].size())
      << "what the whole image shows comes besides, once";
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(found, wanted) << "each once, in however many tiles it lies";
  // All the parts at once are 345 × 320 × 320 × 3 floats: 424 MB.
  EXPECT_LT(in_parts["peak_memory_bytes"].get<double>(),
            at_once["peak_memory_bytes"].get<double>() + (128 << 20))
      << "the parts come one at a time";
}
