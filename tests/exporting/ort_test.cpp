// ONNX files in ONNX Runtime, against the reference interpreter. The library of the Python package
// that the peers have; without it these tests are skipped.
#include <gtest/gtest.h>

#include <cstdlib>

#include "exporting/onnx.hpp"
#include "runtime/onnxruntime/ort_detector.hpp"
#include "runtime/onnxruntime/ort_library.hpp"
#include "tests/exporting/read_back.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

namespace fs = std::filesystem;

/// "" where there is none.
std::string library_of_peers() {
  std::error_code error;
  const fs::path lib = fs::path(YOLOV7_SOURCE_DIR) / ".deps/peers/lib";
  for (const auto& python : fs::directory_iterator(lib, error)) {
    const fs::path folder = python.path() / "site-packages/onnxruntime/capi";
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (entry.path().filename().string().starts_with("libonnxruntime.so"))
        return entry.path().string();
  }
  return {};
}

constexpr int height = 32, width = 40;

class OrtDetector : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("YOLOV7_ONNXRUNTIME") == nullptr)
      ::setenv("YOLOV7_ONNXRUNTIME", library_of_peers().c_str(), 1);
    if (*std::getenv("YOLOV7_ONNXRUNTIME") == '\0')
      GTEST_SKIP() << "no ONNX Runtime (scripts/setup installs it among the peers)";
  }
  static std::vector<std::uint8_t> pixels(int count) {
    std::vector<std::uint8_t> bytes;
    for (const float value : unit_noise(static_cast<std::size_t>(count * 3 * height * width), 3))
      bytes.push_back(static_cast<std::uint8_t>(value * 255));
    return bytes;
  }
  static std::vector<double> expected(const network::NetworkAndWeights& net,
                                      const std::vector<std::uint8_t>& bytes, int count) {
    std::vector<float> images;
    for (const std::uint8_t one : bytes) images.push_back(static_cast<float>(one) / 255);
    return reference_outputs(net, images, count, height, width).rows;
  }
  runtime::ModelFile written(const network::NetworkAndWeights& net, const ExportOptions& options) {
    write_onnx(export_model(net, height, width, options), options, folder / "x.onnx");
    return runtime::open_ort_file(folder / "x.onnx", {});
  }
  test::ScratchFolder folder;
};

}  // namespace

TEST_F(OrtDetector, GivesWhatTheInterpreterGives) {
  const auto net = every_primitive(3);
  const auto bytes = pixels(3);
  const auto rows = expected(net, bytes, 3);
  const auto check = [&](const char* what, auto change, double relative) {
    ExportOptions options;
    change(options);
    const runtime::ModelFile file = written(net, options);
    EXPECT_EQ(file.facts.names.size(), 3U) << what;
    runtime::Prediction prediction;
    file.detector->predict({bytes, 3, height, width}, prediction);
    expect_close(prediction.decoded, rows, relative, what);
  };
  check(
      "one image at a time", [](auto& o) { o.grid = true; }, tolerance);
  check(
      "two at a time, the last filled up", [](auto& o) { o.grid = true, o.batch_size = 2; },
      tolerance);
  check(
      "any number", [](auto& o) { o.grid = o.dynamic_batch = true; }, tolerance);
  check(
      "any sides", [](auto& o) { o.grid = o.dynamic = true; }, tolerance);
  check(
      "maps of the levels", [](auto&) {}, tolerance);
  // Ten layers, each rounded to 11 bits, half of a last place.
  check(
      "float16", [](auto& o) { o.grid = o.half = o.half_io = true; }, 5e-3);
}

TEST_F(OrtDetector, SuppressionInTheFile) {
  const auto net = every_primitive(3);
  ExportOptions options;
  options.nms = true, options.conf_thres = 0.05, options.iou_thres = 0.3;
  const runtime::ModelFile file = written(net, options);
  EXPECT_EQ(file.facts.layout, "end2end-ort");
  EXPECT_EQ(file.facts.iou_thres, 0.3);
  const auto bytes = pixels(1);
  runtime::Prediction prediction;
  file.detector->predict({bytes, 1, height, width}, prediction);
  EXPECT_TRUE(prediction.suppressed);
  EXPECT_GT(prediction.rows, 0U);
}

TEST_F(OrtDetector, SiblingsShareTheModel) {
  const auto net = every_primitive(1);
  ExportOptions options;
  options.grid = true;
  runtime::ModelFile file = written(net, options);
  const auto other = file.detector->sibling();
  ASSERT_NE(other, nullptr);
  file.detector.reset();
  const auto bytes = pixels(1);
  runtime::Prediction prediction;
  other->predict({bytes, 1, height, width}, prediction);
  expect_close(prediction.decoded, expected(net, bytes, 1), tolerance, "sibling");
  EXPECT_NE(other->description().find("ONNX Runtime " + runtime::ort_version()), std::string::npos);
}

TEST_F(OrtDetector, WhatItCannotDoIsSaid) {
  const auto net = every_primitive(3);
  ExportOptions options;
  options.grid = true;
  const runtime::ModelFile file = written(net, options);
  runtime::Prediction prediction;
  const auto bytes = pixels(1);
  EXPECT_NE(test::error_of([&] {
              file.detector->predict({bytes, 1, 64, 40}, prediction);
            }).find("expected images of 40 x 32, found 40 x 64"),
            std::string::npos);
  EXPECT_NE(test::error_of([&] {
              runtime::open_ort_file(folder / "x.onnx", {.precision = "bfloat16"});
            }).find("precision: expected float32"),
            std::string::npos);
  options.grid = false, options.end2end = true;
  write_onnx(export_model(net, height, width, options), options, folder / "y.onnx");
  EXPECT_NE(test::error_of([&] {
              runtime::open_ort_file(folder / "y.onnx", {});
            }).find("EfficientNMS_TRT"),
            std::string::npos);
  // A graph that names a tensor that is nowhere.
  std::string broken = test::read_text(folder / "x.onnx");
  const std::size_t at = broken.find("Sigmoid");
  ASSERT_NE(at, std::string::npos);
  broken.replace(at, 7, "Sigmoix");
  const std::string what =
      test::error_of([&] { runtime::open_ort_file(folder.write("z.onnx", broken), {}); });
  EXPECT_NE(what.find("found one that ONNX Runtime cannot read"), std::string::npos) << what;
  EXPECT_EQ(what.find('\n'), std::string::npos) << what;
  EXPECT_EQ(what.find(".cc:"), std::string::npos) << what;
}

TEST(OrtReason, PlacesInItsSourceAreLeftOut) {
  EXPECT_EQ(runtime::ort_reason("Load model failed:/src/onnxruntime/core/graph/model.cc:180 bad\n"),
            "Load model bad");
  EXPECT_EQ(runtime::ort_reason(""), "ONNX Runtime gave no reason");
  EXPECT_EQ(runtime::ort_reason(std::string(1000, 'x')), std::string(240, 'x') + " ...");
}
