// Networks that answer NaN or infinity: because their weights hold them, or because values grow
// beyond float32 on the way. Neither is a network that finds nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
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

/// Largest pixel of each 32 × 32 cell, one convolution that multiplies by 1.2e38, Detect with
/// weights of 0. White in a cell: 3 · 1.2e38 is infinite in float32 and 0 · ∞ is NaN, in all 7
/// columns of the cell's row. Dark cells and the grey border of val's images stay finite. `nan`:
/// the first weight of the convolution is NaN.
void write_overflowing(const fs::path& path, bool nan) {
  network::Checkpoint c;
  c.config =
      "nc: 2\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors:\n  - [16, 24]\n"
      "backbone:\n  [[-1, 1, MP, [32]], [-1, 1, Conv, [8, 1, 1]]]\n"
      "head:\n  [[1, 1, Detect, [nc, anchors]]]\n";
  c.config_source = "overflowing.yaml";
  c.class_count = 2;
  c.names = {"cell", "leaf"};
  c.image_size = 64;
  using Role = network::TensorSpec::Role;
  for (const network::TensorSpec& spec : network::build(c.config, c.config_source).tensors) {
    std::size_t count = 1;
    for (const auto side : spec.shape) count *= static_cast<std::size_t>(side);
    const bool convolution = spec.name.rfind("model.1.", 0) == 0;
    float value = 0;
    if (spec.role == Role::weight && convolution) value = 1.2e38f;
    if (spec.role == Role::bn_weight || spec.role == Role::bn_var) value = 1;
    std::vector<float> values(count, value);
    if (spec.role == Role::anchors) values = {0.5f, 0.75f};
    if (spec.role == Role::anchor_grid) values = {16, 24};
    if (nan && spec.role == Role::weight && convolution)
      values[0] = std::numeric_limits<float>::quiet_NaN();
    c.model.set(spec.name, network::Tensor::from(values, spec.shape));
  }
  network::write_checkpoint(path, c);
}

class NotFinite : public ::testing::Test {
 protected:
  void SetUp() override {
    write_overflowing(scratch / "nan.pt", true);
    write_overflowing(scratch / "large.pt", false);
    fs::create_directories(scratch / "images/val");
    fs::create_directories(scratch / "labels/val");
    const cv::Mat dark(64, 64, CV_8UC3, cv::Scalar::all(0));
    cv::Mat some = dark.clone();
    some(cv::Rect(0, 0, 8, 8)).setTo(cv::Scalar::all(255));  // one of four cells
    write_picture(scratch / "images/val/dark.png", dark);
    write_picture(scratch / "images/val/some.png", some);
    for (const char* name : {"dark", "some", "white"})
      write_text(scratch / ("labels/val/" + std::string(name) + ".txt"), "0 0.5 0.5 0.25 0.25\n");
    write_text(scratch / "data.yaml",
               "train: images/val\nval: images/val\nnc: 2\nnames: [cell, leaf]\n");
  }
  void add_white() {
    write_picture(scratch / "images/val/white.png", cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(255)));
  }
  Outcome program(std::vector<std::string> arguments) { return run(arguments, scratch.path()); }

  test::ScratchFolder scratch;
};

const std::string tensor =
    "NaN or infinity in 1 of 10 tensors: model.1.conv.weight (1 of 24 values)";

}  // namespace

TEST_F(NotFinite, WeightsAreNamedByEveryVerbThatUsesThem) {
  const std::vector<std::vector<std::string>> calls = {
      {"detect", "--weights", "nan.pt", "--source", "images/val", "--img", "64"},
      {"val", "--weights", "nan.pt", "--data", "data.yaml", "--img", "64"},
      {"benchmark", "--weights", "nan.pt", "--img", "64", "--seconds", "0"},
      {"reparam", "--weights", "nan.pt", "--out", "out.pt"},
      {"train", "--weights", "nan.pt", "--data", "data.yaml", "--img", "64", "--epochs", "1"}};
  for (const auto& call : calls) {
    const Outcome outcome = program(call);
    EXPECT_EQ(outcome.code, 1) << call[0];
    EXPECT_TRUE(has(outcome.err, "nan.pt: expected finite weights, found " + tensor))
        << call[0] << ": " << outcome.err;
  }
  EXPECT_FALSE(fs::exists(scratch / "out.pt"));
  EXPECT_FALSE(fs::exists(scratch / "runs/detect"));
}

TEST_F(NotFinite, InfoAndConvertShowSuchWeights) {
  for (const auto& call : std::vector<std::vector<std::string>>{
           {"info", "--weights", "nan.pt"},
           {"convert", "nan.pt", "--to", "safetensors", "--out", "copy.st"}}) {
    const Outcome outcome = program(call);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(has(outcome.err, "warning: nan.pt: expected finite weights, found " + tensor))
        << outcome.err;
  }
}

TEST_F(NotFinite, ReparamRefusesWhatFloat16CannotHold) {
  const Outcome outcome =
      program({"reparam", "--weights", "large.pt", "--out", "out.pt", "--half"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "out.pt as float16: expected finite weights, found NaN or infinity"))
      << outcome.err;
  EXPECT_FALSE(fs::exists(scratch / "out.pt"));
}

TEST_F(NotFinite, DetectCountsAndNamesImagesAndHasNoResultWhereNoRowIsFinite) {
  add_white();
  const Outcome outcome = program({"detect", "--weights", "large.pt", "--source", "images/val",
                                   "--img", "64", "--save-txt", "--save-json", "--json"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err,
                  "warning: image 2/3 images/val/some.png: 1 of 4 rows of the "
                  "prediction are not finite and are left out"))
      << outcome.err;
  EXPECT_TRUE(has(outcome.err,
                  "error: image 3/3 images/val/white.png: no result: expected finite "
                  "numbers from the network, found NaN or infinity in all 4 rows"))
      << outcome.err;
  EXPECT_TRUE(has(outcome.err, "error: the predictions of 2 images are not finite")) << outcome.err;
  const auto result = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(result["pictures"].size(), 2u) << "white.png has no result, not an empty one";
  EXPECT_EQ(result["not_finite"], nlohmann::json::parse(R"([
      {"path": "images/val/some.png", "rows_not_finite": 1, "rows": 4},
      {"path": "images/val/white.png", "rows_not_finite": 4, "rows": 4}])"));
  EXPECT_TRUE(fs::exists(scratch / "runs/detect/exp/some.png"));
  EXPECT_FALSE(fs::exists(scratch / "runs/detect/exp/white.png"));
}

TEST_F(NotFinite, DetectOfDarkImagesFindsNothing) {
  const Outcome outcome = program(
      {"detect", "--weights", "large.pt", "--source", "images/val/dark.png", "--img", "64"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "nothing found (highest score 0.2500")) << outcome.out;
}

TEST_F(NotFinite, ValMeasuresWhatIsFiniteAndFails) {
  const Outcome outcome =
      program({"val", "--weights", "large.pt", "--data", "data.yaml", "--img", "64", "--json"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "some.png: 1 of 9 rows of the prediction are not finite"))
      << outcome.err;
  EXPECT_TRUE(has(outcome.err, "error: the predictions of 1 of 2 images are not finite"))
      << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["images_not_finite"], 1);
}

TEST_F(NotFinite, ValEndsWhereNoRowIsFinite) {
  add_white();
  const Outcome outcome =
      program({"val", "--weights", "large.pt", "--data", "data.yaml", "--img", "64"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err,
                  "white.png: expected finite numbers from the network, found NaN or "
                  "infinity in all 9 rows"))
      << outcome.err;
}

TEST_F(NotFinite, BenchmarkRefusesToTimeSuchANetwork) {
  const Outcome outcome =
      program({"benchmark", "--weights", "large.pt", "--img", "64", "--seconds", "0"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "found NaN or infinity in 4 of 4 rows")) << outcome.err;
  EXPECT_FALSE(fs::exists(scratch / "runs/benchmark"));
}
