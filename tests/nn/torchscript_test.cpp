// TorchScript files against the reference interpreter, as LibTorch's own readers run them.
#include "nn/torchscript.hpp"

#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/mobile/import.h>
#include <torch/csrc/jit/mobile/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "core/file.hpp"
#include "kernels/torch.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::nn {
namespace {

using exporting::ExportModel;
using exporting::ExportOptions;
using namespace yolov7::testing;

constexpr exporting::ScriptLibrary library{&write_script, &open_script};
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

}  // namespace
}  // namespace yolov7::nn
