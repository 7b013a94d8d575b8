// TorchScript files against the reference interpreter, as LibTorch's own readers run them.
#include "nn/torchscript.hpp"

#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/mobile/import.h>
#include <torch/csrc/jit/mobile/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "core/file.hpp"
#include "exporting/file_check.hpp"
#include "kernels/torch.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::nn {
namespace {

using exporting::ExportModel;
using exporting::ExportOptions;
using namespace yolov7::testing;

constexpr exporting::ScriptLibrary library{&write_script, &open_script, &script_values};
const exporting::ScriptLibrary& script_library() { return library; }

ExportModel model_of(const network::NetworkAndWeights& net, const ExportOptions& options,
                     int height = 32, int width = 48) {
  ExportModel model = export_model(net, height, width, options);
  model.script_library = &script_library;
  return model;
}

at::Tensor image_noise(int batch, int height, int width) {
  const auto values = unit_noise(static_cast<std::size_t>(batch * 3 * height * width), 77);
  return at::tensor(values).view({batch, 3, height, width});
}

std::vector<float> floats(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kFloat).contiguous();
  return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
}

std::vector<at::Tensor> tensors(const c10::IValue& result) {
  if (!result.isTuple()) return {result.toTensor()};
  std::vector<at::Tensor> all;
  for (const c10::IValue& one : result.toTupleRef().elements()) all.push_back(one.toTensor());
  return all;
}

/// `tolerance` of the largest value.
void expect_close(const at::Tensor& found, const std::vector<double>& expected, double tolerance,
                  const std::string& what) {
  const std::vector<float> values = floats(found);
  ASSERT_EQ(values.size(), expected.size()) << what;
  double scale = 1, gap = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    scale = std::max(scale, std::abs(expected[i]));
    gap = std::max(gap, std::abs(static_cast<double>(values[i]) - expected[i]));
  }
  EXPECT_LE(gap, tolerance * scale) << what;
}

std::vector<at::Tensor> run_written(const network::NetworkAndWeights& net,
                                    const ExportOptions& options, const at::Tensor& images) {
  const test::ScratchFolder folder;
  exporting::write_torchscript(model_of(net, options), options, folder / "x.torchscript");
  torch::jit::Module module = torch::jit::load((folder / "x.torchscript").string());
  at::NoGradGuard no_gradient;
  return tensors(module.forward({images}));
}

// Some hundred float32 operations a value: 1e-5 of the largest is ten times their rounding, and a
// wrong operation is far beyond it.
constexpr double tolerance = 1e-5;

TEST(TorchScript, EachPrimitiveGivesWhatTheInterpreterGives) {
  auto all = one_primitive_each();
  for (NamedNetwork& one : padded_and_dilated()) all.push_back(std::move(one));
  all.push_back(inverted_residual());
  const at::Tensor images = image_noise(1, 8, 12);
  for (const NamedNetwork& one : all) {
    const ReferenceOutputs expected = reference_outputs(one.model, floats(images), 1, 8, 12);
    expect_close(run_written(one.model, {}, images).at(0), expected.raw.at(0), tolerance, one.name);
  }
}

// The file is written for 32 x 48 and one image.
TEST(TorchScript, BatchAndSidesAreOpenInEveryLayout) {
  const auto net = every_primitive(3);
  for (const auto& [height, width] : {std::pair{32, 48}, std::pair{48, 32}, std::pair{64, 40}}) {
    const at::Tensor images = image_noise(2, height, width);
    const ReferenceOutputs expected = reference_outputs(net, floats(images), 2, height, width);
    const auto raw = run_written(net, {}, images);
    ASSERT_EQ(raw.size(), 2U);
    for (std::size_t j = 0; j < 2; ++j) expect_close(raw[j], expected.raw[j], tolerance, "a map");
    ExportOptions options;
    options.grid = true;
    const auto rows = run_written(net, options, images);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].size(2), 8);
    expect_close(rows[0], expected.rows, tolerance, "rows");
    options.fold_obj = true;
    const auto folded = run_written(net, options, images);
    std::vector<double> scores;
    for (std::size_t i = 0; i < expected.rows.size(); i += 8)
      for (std::size_t c = 0; c < 7; ++c)
        scores.push_back(c < 4 ? expected.rows[i + c]
                               : expected.rows[i + 4] * expected.rows[i + c + 1]);
    expect_close(folded.at(0).permute({0, 2, 1}), scores, tolerance, "folded");
  }
}

TEST(TorchScript, OneClassIsScoredByItsObjectness) {
  const auto net = every_primitive(1);
  const at::Tensor images = image_noise(1, 32, 48);
  const ReferenceOutputs expected = reference_outputs(net, floats(images), 1, 32, 48);
  ExportOptions options;
  options.fold_obj = true;
  std::vector<double> scores;
  for (std::size_t i = 0; i < expected.rows.size(); i += 6)
    for (std::size_t c = 0; c < 5; ++c) scores.push_back(expected.rows[i + c]);
  expect_close(run_written(net, options, images).at(0).permute({0, 2, 1}), scores, tolerance,
               "folded");
}

// Eleven bits a value, some tens of operations: 2e-2 of the largest.
TEST(TorchScript, HalfComputesInFloat16) {
  const auto net = every_primitive(3);
  const at::Tensor images = image_noise(1, 32, 48);
  const ReferenceOutputs expected = reference_outputs(net, floats(images), 1, 32, 48);
  ExportOptions options;
  options.grid = options.half = true;
  const at::Tensor rows = run_written(net, options, images).at(0);
  EXPECT_EQ(rows.scalar_type(), at::kFloat);
  expect_close(rows, expected.rows, 2e-2, "half");
  options.half_io = true;
  const at::Tensor narrow = run_written(net, options, images.to(at::kHalf)).at(0);
  EXPECT_EQ(narrow.scalar_type(), at::kHalf);
  expect_close(narrow, expected.rows, 2e-2, "half input and output");
}

TEST(TorchScript, MobileInterpreterRunsTheLiteFileAndReadsItsMetadata) {
  const auto net = every_primitive(3);
  const at::Tensor images = image_noise(2, 48, 32);
  const ReferenceOutputs expected = reference_outputs(net, floats(images), 2, 48, 32);
  ExportOptions options;
  options.grid = true;
  const test::ScratchFolder folder;
  const std::string path = (folder / "x.torchscript.ptl").string();
  exporting::write_torchscript_lite(model_of(net, options), options, path);
  torch::jit::ExtraFilesMap extra{{"config.txt", ""}};
  auto mobile = torch::jit::_load_for_mobile(path, std::nullopt, extra);
  at::NoGradGuard no_gradient;
  expect_close(mobile.forward({images}).toTensor(), expected.rows, tolerance, "mobile");
  EXPECT_NE(extra.at("config.txt").find(R"("layout": "v5")"), std::string::npos);
  EXPECT_NE(extra.at("config.txt").find("'name 2'"), std::string::npos);
}

TEST(TorchScript, ARepeatGivesTheSameBytes) {
  const auto model = model_of(every_primitive(3), {});
  const test::ScratchFolder one, two;
  exporting::write_torchscript(model, {}, one / "x.torchscript");
  exporting::write_torchscript(model, {}, two / "x.torchscript");
  EXPECT_EQ(file::read(one / "x.torchscript"), file::read(two / "x.torchscript"));
}

std::vector<std::uint8_t> pixels(int count, int height, int width) {
  std::vector<std::uint8_t> bytes;
  for (const float v : unit_noise(static_cast<std::size_t>(count * 3 * height * width), 5))
    bytes.push_back(static_cast<std::uint8_t>(255 * v));
  return bytes;
}

// The tolerance above, of boxes of some tens of pixels.
TEST(TorchScript, ADetectorOfTheFileFindsWhatTheInterpreterFinds) {
  const auto net = every_primitive(3);
  const auto bytes = pixels(2, 32, 48);
  std::vector<float> images;
  for (const std::uint8_t byte : bytes) images.push_back(static_cast<float>(byte) / 255);
  const std::vector<double> expected = reference_outputs(net, images, 2, 32, 48).rows;
  const test::ScratchFolder folder;
  for (const char* layout : {"raw", "v5", "v8"})
    for (const bool lite : {false, true}) {
      ExportOptions options;
      options.grid = std::string(layout) == "v5", options.fold_obj = std::string(layout) == "v8";
      const auto path = folder / (std::string(layout) + (lite ? ".ptl" : ".torchscript"));
      (lite ? exporting::write_torchscript_lite : exporting::write_torchscript)(
          model_of(net, options), options, path);
      const runtime::ModelFile file = open_script(path, {.threads = 1, .raw_maps = true});
      EXPECT_EQ(file.facts.layout, layout);
      EXPECT_TRUE(file.facts.notes.empty());
      EXPECT_EQ(file.facts.names, (std::vector<std::string>{"name 0", "name 1", "name 2"}));
      EXPECT_EQ(file.detector->class_count(), 3);
      EXPECT_EQ(file.detector->stride(), 8);
      EXPECT_FALSE(file.detector->sides().fixed());
      runtime::Prediction found;
      file.detector->predict({bytes, 2, 32, 48}, found);
      EXPECT_EQ(found.count, 2);
      EXPECT_EQ(found.rows, expected.size() / 16);
      ASSERT_EQ(found.decoded.size(), expected.size());
      EXPECT_EQ(found.raw.size(), std::string(layout) == "raw" ? 2U : 0U);
      for (std::size_t i = 0; i < found.decoded.size(); ++i) {
        // Objectness and class come as one number: objectness 1 and their product.
        const std::size_t column = i % 8;
        double want = expected[i];
        if (options.fold_obj && column == 4) want = 1;
        if (options.fold_obj && column > 4) want *= expected[i - column + 4];
        ASSERT_NEAR(found.decoded[i], want, 1e-3) << path << " " << i;
      }
    }
}

TEST(TorchScript, WhatIsNoDetectorIsRefused) {
  const test::ScratchFolder folder;
  const auto refused = [&](const std::string& name) {
    return test::error_of([&] { open_script(folder / name, {}); });
  };
  folder.write("text.torchscript", "no archive");
  EXPECT_NE(refused("text.torchscript").find("no TorchScript file"), std::string::npos)
      << refused("text.torchscript");
  EXPECT_EQ(refused("text.torchscript").find('\n'), std::string::npos);
  EXPECT_NE(refused("none.torchscript").find("no TorchScript file"), std::string::npos);
  torch::jit::Module other("other");
  other.define("def forward(self, x: Tensor):\n    return torch.reshape(x, [7])\n");
  other.save((folder / "other.torchscript").string());
  const std::string no_size = refused("other.torchscript");
  EXPECT_NE(no_size.find("LibTorch cannot run it"), std::string::npos) << no_size;
  EXPECT_NE(no_size.find("expected a file that takes one image of 640 x 640 px or another usual"),
            std::string::npos)
      << no_size;
  const auto with_layout = [&](const std::string& layout, const std::string& stride) {
    const std::string config =
        R"({"names": "{0: 'a'}", "layout": ")" + layout + R"(", "stride": ")" + stride + "\"}";
    other.save((folder / "other.torchscript").string(), {{"config.txt", config}});
    return refused("other.torchscript");
  };
  EXPECT_NE(with_layout("nms6", "8").find("expected v5, v8 or raw, found 'nms6'"),
            std::string::npos);
  EXPECT_NE(with_layout("v5", "1000000").find("stride: expected 1 ... 1024"), std::string::npos);
  EXPECT_NE(with_layout("v5", "8").find("LibTorch cannot run it"), std::string::npos);
}

// Without config.txt, as other programs write them: layout and names by the outputs, which is said.
TEST(TorchScript, AFileWithoutMetadataIsRecognisedByItsOutputs) {
  const test::ScratchFolder folder;
  ExportOptions options;
  options.grid = true;
  exporting::write_torchscript(model_of(every_primitive(3), options), options, folder / "own.ptl");
  torch::jit::load((folder / "own.ptl").string()).save((folder / "x.torchscript").string());
  const runtime::ModelFile own = open_script(folder / "own.ptl", {.threads = 1}),
                           file = open_script(folder / "x.torchscript", {.threads = 1});
  EXPECT_EQ(file.facts.layout, "v5");
  EXPECT_EQ(file.facts.names, (std::vector<std::string>{"class0", "class1", "class2"}));
  EXPECT_FALSE(file.detector->sides().fixed()) << "this one takes any";
  std::string notes;
  for (const std::string& note : file.facts.notes) notes += note + "\n";
  for (const char* said : {"does not tell its layout; by the shapes", "it is v5", "no class names",
                           "does not tell its sides; 640 x 640 px work"})
    EXPECT_NE(notes.find(said), std::string::npos) << notes;
  const auto bytes = pixels(2, 32, 64);
  runtime::Prediction expected, found;
  own.detector->predict({bytes, 2, 32, 64}, expected);
  file.detector->predict({bytes, 2, 32, 64}, found);
  EXPECT_EQ(found.count, 2);
  // One image at a time, which rounds in another order.
  ASSERT_EQ(found.decoded.size(), expected.decoded.size());
  for (std::size_t i = 0; i < found.decoded.size(); ++i)
    ASSERT_NEAR(found.decoded[i], expected.decoded[i], 1e-3) << i;
  const std::vector<std::string> names{"a", "b", "c"};
  EXPECT_EQ(open_script(folder / "x.torchscript", {.threads = 1}, names).facts.names, names);
  EXPECT_NE(test::error_of([&] {
              open_script(folder / "x.torchscript", {}, {"a"});
            }).find("expected 3 class names"),
            std::string::npos);
}

// As a tracing has them baked in: rows of 320 x 320 px alone, and the maps besides.
TEST(TorchScript, SidesOfATracingAreFound) {
  const test::ScratchFolder folder;
  torch::jit::Module traced("traced");
  traced.define(
      "def forward(self, x: Tensor):\n"
      "    rows = torch.reshape(x, [1, 307200])[:, :700].reshape([1, 100, 7])\n"
      "    return (rows, [x.reshape([1, 3, 1, 320, 320]), x.reshape([1, 3, 320, 320, 1])])\n");
  traced.save((folder / "x.torchscript").string());
  const runtime::ModelFile file = open_script(folder / "x.torchscript", {.threads = 1});
  EXPECT_EQ(file.facts.layout, "v5");
  EXPECT_EQ(file.facts.names.size(), 2U);
  EXPECT_EQ(file.detector->sides().height, 320);
  EXPECT_EQ(file.detector->sides().width, 320);
  runtime::Prediction found;
  file.detector->predict({pixels(2, 320, 320), 2, 320, 320}, found);
  EXPECT_EQ(found.count, 2);
  EXPECT_EQ(found.rows, 100U);
  EXPECT_EQ(test::error_of([&] {
              file.detector->predict({pixels(1, 64, 64), 1, 64, 64}, found);
            }),
            "expected images of 320 x 320, found 64 x 64");
  // Sides that are not square are told by the file.
  torch::jit::Module wide("wide");
  wide.define(
      "def forward(self, x: Tensor):\n"
      "    return torch.reshape(x, [1, 6144])[:, :700].reshape([1, 100, 7])\n");
  wide.save(
      (folder / "wide.torchscript").string(),
      {{"config.txt", R"({"stride": 32, "imgsz": [32, 64], "names": {"0": "a", "1": "b"}})"}});
  const runtime::ModelFile other = open_script(folder / "wide.torchscript", {.threads = 1});
  EXPECT_EQ(other.detector->sides().height, 32);
  EXPECT_EQ(other.detector->sides().width, 64);
  EXPECT_EQ(other.facts.names, (std::vector<std::string>{"a", "b"}));
}

// A planted fault is named by its operation in both kinds of file.
TEST(TorchScript, AFileThatDiffersNamesTheOperation) {
  if (!runtime::openvino_available()) GTEST_SKIP() << "this build has no OpenVINO";
  const auto net = every_primitive(3);
  auto planted = net;
  std::string name;
  for (const network::Operation& op : net.network.operations)
    if (const auto* conv = op.as<network::Convolution>(); conv != nullptr && name.empty())
      name = conv->tensor;
  std::vector<float> weight = planted.weights.at(name + ".weight").to_floats();
  for (float& one : weight) one = -one;  // beyond the bounds of float16, too
  planted.weights.set(name + ".weight",
                      network::Tensor::from(weight, net.weights.at(name + ".weight").shape));
  equivalence::Parent parent([&] {
    runtime::DetectorOptions as_stored;
    as_stored.as_stored = true;
    return runtime::make_openvino_detector(net.network, net.weights, as_stored);
  });
  const auto pictures = equivalence::noise_pictures(2, 32, 64);
  exporting::Verification with{parent, pictures, pictures};
  with.folded_parent = [&] { return std::make_shared<const network::NetworkAndWeights>(net); };
  for (const char* format : {"torchscript", "torchscript-lite"})
    for (const bool half : {false, true}) {
      const test::ScratchFolder folder;
      ExportOptions options;
      options.grid = true, options.half = half;
      const auto path = folder / "x.torchscript";
      const exporting::Format& chosen = exporting::format(format);
      const auto check = [&](const network::NetworkAndWeights& written) {
        const ExportModel model = model_of(written, options, 32, 64);
        chosen.write(model, options, path);
        return exporting::check_file(chosen, model, options, path, &with, folder.path());
      };
      const exporting::FileCheck good = check(net), bad = check(planted);
      EXPECT_EQ(good.breach, "") << format;
      EXPECT_EQ(good.verdict, "equal") << format;
      EXPECT_NE(bad.breach.find("the first operation whose output differs is: convolution " + name +
                                ", layer "),
                std::string::npos)
          << format << ": " << bad.breach;
    }
}

TEST(TorchScript, OutputsThatAreNoRowsOfTheNamesAreRefused) {
  const test::ScratchFolder folder;
  torch::jit::Module other("other");
  // Rows while the image is small, then another number of columns.
  other.define(
      "def forward(self, x: Tensor):\n"
      "    columns = 6\n"
      "    if x.size(2) > 16:\n"
      "        columns = 7\n"
      "    return torch.reshape(x, [-1])[:5 * columns].reshape([1, 5, columns])\n");
  other.save((folder / "x.torchscript").string(),
             {{"config.txt", R"({"names": "{0: 'a'}", "layout": "v5", "stride": "8"})"}});
  const runtime::ModelFile file = open_script(folder / "x.torchscript", {.threads = 1});
  runtime::Prediction found;
  file.detector->predict({pixels(1, 16, 16), 1, 16, 16}, found);
  EXPECT_EQ(found.rows, 5U);
  EXPECT_NE(test::error_of([&] {
              file.detector->predict({pixels(1, 32, 32), 1, 32, 32}, found);
            }).find("expected outputs of the layout v5 for 1 image"),
            std::string::npos);
  EXPECT_NE(test::error_of([&] {
              file.detector->predict({pixels(2, 16, 16), 2, 16, 16}, found);
            }),
            "no error");
  EXPECT_NE(test::error_of([&] {
              file.detector->predict({pixels(1, 16, 20), 1, 16, 20}, found);
            }),
            "no error");
}

}  // namespace
}  // namespace yolov7::nn
