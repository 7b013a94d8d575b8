// yolov7 info as a user calls it: a configuration, another class list and size, a checkpoint.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;

json info(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "info");
  arguments.emplace_back("--json");
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return json::parse(outcome.out, nullptr, false);
}

// Architecture 4.3 (counts) and 4.4 (GFLOPs at 640, two decimals).
TEST(Info, ConfigurationsOfTheSpecification) {
  const json tiny = info({"--cfg", "cfg/deploy/yolov7-tiny.yaml"});
  EXPECT_EQ(tiny["head"], "Detect");
  EXPECT_EQ(tiny["layers"], 78);
  EXPECT_EQ(tiny["tensors"], 338);
  EXPECT_EQ(tiny["parameters"], 6227101);
  EXPECT_EQ(tiny["fused_parameters"], 6219709);
  EXPECT_EQ(tiny["image_size"], 640);
  const json v7 = info({"--cfg", "yolov7"});
  EXPECT_EQ(v7["head"], "IDetect");
  EXPECT_EQ(v7["parameters"], 37622682);
  EXPECT_EQ(v7["fused_parameters"], 36905341);
  EXPECT_EQ(v7["strides"], json({8.0, 16.0, 32.0}));
  EXPECT_EQ(v7["anchors"][2][1], json({192.0, 243.0}));
  EXPECT_EQ(v7["layer_table"].size(), 106u);
  EXPECT_EQ(v7["layer_table"][10]["from"], json({9, 7, 5, 4}));
  EXPECT_EQ(v7["layer_table"][51]["parameters"], 7609344);  // 1.7
  EXPECT_EQ(v7["layer_table"][51]["output"], json({512, 20, 20}));
  EXPECT_TRUE(v7["layer_table"][105]["output"].is_null());
  EXPECT_FALSE(v7.contains("checkpoint"));
}

TEST(Info, ClassCountAndSize) {
  const json coco = info({"--cfg", "yolov7-tiny", "--img-size", "320"}),
             three = info({"--cfg", "yolov7-tiny", "--nc", "3", "--img-size", "320"});
  // Rows of the head: 3 · (80 − 3) fewer, each of 128, 256 or 512 weights, a bias and an ImplicitM.
  EXPECT_EQ(coco["parameters"].get<int>() - three["parameters"].get<int>(),
            3 * 77 * (128 + 256 + 512 + 3 * 2));
  EXPECT_EQ(three["classes"], json({"0", "1", "2"}));
  EXPECT_EQ(three["layer_table"][0]["output"], json({32, 160, 160}));
  // Convolutions are linear in the number of pixels.
  const json large = info({"--cfg", "yolov7-tiny", "--nc", "3"});
  EXPECT_NEAR(large["gflops"].get<double>(), 4 * three["gflops"].get<double>(), 1e-9);
}

TEST(Info, TextForPeople) {
  const Outcome outcome = run({"info", "--cfg", "cfg/training/yolov7-w6.yaml", "--img", "1270"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "built-in training/yolov7-w6.yaml")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "1270 is no multiple of the largest stride 64; 1280 is used"))
      << outcome.err;
  EXPECT_TRUE(has(outcome.out, "123 layers, IAuxDetect head, 80 classes, strides 8, 16, 32, 64"))
      << outcome.out;
  EXPECT_TRUE(has(outcome.out, "82312436 in training, 70394300 fused")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "114, 115, 116, 117, 118, 119, 120, 121")) << outcome.out;
}

/// A small network with two classes whose checkpoint holds searched anchors.
void write_small_checkpoint(const std::filesystem::path& path, const std::string& state) {
  network::Checkpoint c;
  c.config =
      "nc: 80\nanchors: [[10, 20]]\nbackbone:\n  - [-1, 1, Conv, [8, 3, 2]]\nhead:\n  - [-1, 1, "
      "Detect, [nc, anchors]]\n";
  c.config_source = "small.yaml";
  c.class_count = 2;
  c.names = {"ant", "<b>\x1b[31m"};
  c.image_size = 96;
  c.state = state;
  network::Overrides two;
  two.class_count = 2;
  for (const network::TensorSpec& spec : network::build(c.config, c.config_source, two).tensors) {
    std::int64_t count = 1;
    for (const std::int64_t side : spec.shape) count *= side;
    c.ema.set(
        spec.name,
        network::Tensor::from(
            std::vector<float>(static_cast<std::size_t>(count),
                               spec.role == network::TensorSpec::Role::anchor_grid ? 33.5F : 1.0F),
            spec.shape));
  }
  network::write_checkpoint(path, c);
}

TEST(Info, Checkpoint) {
  const test::ScratchFolder scratch;
  write_small_checkpoint(scratch / "best.pt", R"({"epoch": 41})");
  const json best = info({"--weights", (scratch / "best.pt").string()});
  EXPECT_EQ(best["class_count"], 2);
  EXPECT_EQ(best["classes"][0], "ant");
  EXPECT_EQ(best["image_size"], 96);
  EXPECT_EQ(best["anchors"],
            json({{{33.5, 33.5}}}));  // the buffer, not the configuration's 10 × 20
  EXPECT_EQ(best["parameters"], 8 * 3 * 9 + 2 * 8 + 7 * (8 + 1));
  EXPECT_EQ(best["checkpoint"]["epoch"], 41);
  EXPECT_EQ(best["checkpoint"]["tensors"]["ema"], 10);
  EXPECT_EQ(best["checkpoint"]["tensors"]["model"], 0);
  const Outcome text = run({"info", "--weights", (scratch / "best.pt").string()});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_TRUE(has(text.out, "epoch 41")) << text.out;
  EXPECT_TRUE(has(text.out, "ant")) << text.out;
  EXPECT_FALSE(has(text.out, "\x1b")) << text.out;  // a class name must not steer the terminal
}

TEST(Info, CheckpointWithoutState) {
  const test::ScratchFolder scratch;
  write_small_checkpoint(scratch / "epoch.pt", "");
  EXPECT_TRUE(
      info({"--weights", (scratch / "epoch.pt").string()})["checkpoint"]["epoch"].is_null());
  EXPECT_EQ(run({"info", "--weights", (scratch / "epoch.pt").string(), "--nc", "3"}).code, 2);
}

TEST(Info, WrongCalls) {
  EXPECT_EQ(run({"info"}).code, 2);
  EXPECT_EQ(run({"info", "--cfg", "yolov7", "--weights", "x.pt"}).code, 2);
  EXPECT_EQ(run({"info", "--cfg", "yolov7", "--nc", "-1"}).code, 2);
  const Outcome unknown = run({"info", "--cfg", "yolov9.yaml"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_TRUE(has(unknown.err, "yolov7-tiny-silu")) << unknown.err;  // what there is instead
  const Outcome not_a_network = run({"info", "--cfg", "hyp.scratch.p5.yaml"});
  EXPECT_EQ(not_a_network.code, 1);
  EXPECT_TRUE(has(not_a_network.err, "found neither")) << not_a_network.err;
  EXPECT_EQ(run({"info", "--weights", "absent.pt"}).code, 1);
}

}  // namespace
}  // namespace yolov7::test
