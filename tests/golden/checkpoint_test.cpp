// Official checkpoints (checkpoints/*.pt): read, built and run against the decoded outputs of the
// official code.
#include <gtest/gtest.h>

#include <cstdio>

#include "core/error.hpp"
#include "golden/tensors.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "nn/torch_network.hpp"
#include "runtime/openvino/openvino_detector.hpp"

namespace yolov7::training {
namespace {

namespace fs = std::filesystem;
using Role = network::TensorSpec::Role;

fs::path folder() { return golden::shared_dir() / "checkpoints"; }

std::vector<fs::path> checkpoints() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder()))
    if (entry.path().extension() == ".pt") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// The description of x.pt is x.json; x-legacy.pt shares that of x.pt.
fs::path description(const fs::path& checkpoint) {
  std::string stem = checkpoint.stem().string();
  const std::string tail = "-legacy";
  if (stem.size() > tail.size() && stem.compare(stem.size() - tail.size(), tail.size(), tail) == 0)
    stem.resize(stem.size() - tail.size());
  return checkpoint.parent_path() / (stem + ".json");
}

/// "u('input') 2x3x256x256" → 256.
std::int64_t input_size(const nlohmann::json& one) {
  const std::string text = one.at("input");
  return std::stoll(text.substr(text.rfind('x') + 1));
}

at::Tensor decoded(const network::Network& description, const network::Weights& weights,
                   const at::Tensor& images, at::ScalarType type) {
  nn::TorchNetwork net(description, type);
  net.load(weights);
  net.train(false);
  return nn::decode(net.forward(images.to(type)), description).to(at::kDouble).contiguous();
}

void run_case(const fs::path& file, const nlohmann::json& one) {
  at::NoGradGuard no_gradient;
  const network::Checkpoint checkpoint = network::read_checkpoint(file);
  const network::Network net = checkpoint.build_network();
  const network::Weights& weights = checkpoint.inference_weights();
  network::check(net, weights);
  EXPECT_EQ(net.class_count, one.at("nc").get<int>());
  EXPECT_EQ(checkpoint.names, one.at("names").get<std::vector<std::string>>());
  for (const auto& [name, tensor] : weights.entries())
    EXPECT_EQ(tensor.type, name.find("num_batches") == std::string::npos
                               ? network::DataType::float16
                               : network::DataType::int64)
        << name;
  const at::Tensor images = golden::input(input_size(one));
  const at::Tensor exact = decoded(net, weights, images, at::kDouble);
  golden::expect_exact(exact, one.at("decoded"), file.filename().string());
  // The reference's own float32 error, four times, as for the raw maps of golden.forward: rounding
  // differs between programs.
  const double bound = 4 * one.at("fp32_max_abs").get<double>();
  const double single =
      (decoded(net, weights, images, at::kFloat) - exact).abs().max().item<double>();
  EXPECT_LE(single, bound);
  // Folded in float64, the same numbers again: batch-norms and branches of trained-like half
  // weights.
  const network::NetworkAndWeights fused = network::fuse(net, weights, network::DataType::float64);
  const double folded = (decoded(fused.network, fused.weights, images, at::kDouble) - exact)
                            .abs()
                            .max()
                            .item<double>();
  EXPECT_LE(folded, 1e-9 * std::max(1.0, one.at("decoded").at("absmax").get<double>()));
  std::printf("%s: float32 off by %.2g (bound %.2g), folded float64 by %.2g\n",
              file.filename().c_str(), single, bound, folded);
}

TEST(GoldenCheckpoint, EveryFileGivesTheOutputsOfItsDescription) {
  YOLOV7_REQUIRE_REFERENCE(folder());
  golden::Cases cases("checkpoint");
  for (const fs::path& file : checkpoints()) {
    SCOPED_TRACE(file.filename().string());
    if (!fs::exists(description(file))) {
      // Its outputs stand elsewhere (checkpoint-bccd.json); that it is read and fits is tested
      // here.
      const network::Checkpoint checkpoint = network::read_checkpoint(file);
      network::check(checkpoint.build_network(), checkpoint.inference_weights());
      cases.skipped(file.filename().string(),
                    "read and built; no description of outputs beside it");
      continue;
    }
    run_case(file, golden::load(description(file)));
    cases.ran();
  }
}

void expect_same(const network::Weights& a, const network::Weights& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a.entries()[i].first, b.entries()[i].first);
    EXPECT_TRUE(a.entries()[i].second.shape == b.entries()[i].second.shape &&
                a.entries()[i].second.bytes == b.entries()[i].second.bytes)
        << a.entries()[i].first;
  }
}

TEST(GoldenCheckpoint, TheOldContainerHoldsTheSameAsItsZipTwin) {
  YOLOV7_REQUIRE_REFERENCE(folder());
  std::size_t pairs = 0;
  for (const fs::path& file : checkpoints()) {
    const fs::path twin = description(file).replace_extension(".pt");
    if (twin == file || !fs::exists(twin)) continue;
    const network::Checkpoint legacy = network::read_checkpoint(file),
                              zip = network::read_checkpoint(twin);
    EXPECT_EQ(legacy.facts.container, "legacy");
    EXPECT_EQ(zip.facts.container, "zip");
    EXPECT_EQ(legacy.config, zip.config);
    EXPECT_EQ(legacy.names, zip.names);
    expect_same(legacy.inference_weights(), zip.inference_weights());
    ++pairs;
  }
  EXPECT_GT(pairs, 0u);
}

}  // namespace
}  // namespace yolov7::training
