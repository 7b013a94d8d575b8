// The seven networks against the tables of architecture 4.3, 2.3, 2.11 and 6.4.
#include <gtest/gtest.h>

#include <map>

#include "network/graph/cost.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

using Role = TensorSpec::Role;

struct Variant {
  const char* name;
  std::size_t layers_training, layers_deploy, tensors_training, tensors_deploy;
  std::int64_t buffers_training, buffers_deploy, parameters_training, parameters_deploy,
      parameters_fused;
  std::int64_t head_training, head_deploy;
};
// Architecture 4.3, both tables (nc = 80).
const Variant variants[] = {
    {"yolov7-tiny", 78, 78, 344, 338, 14875, 14875, 6228762, 6227101, 6219709, 230906, 229245},
    {"yolov7", 106, 106, 566, 560, 49856, 49856, 37622682, 37620125, 36905341, 460282, 457725},
    {"yolov7x", 122, 122, 644, 638, 65437, 65437, 71347394, 71344389, 71311741, 574970, 571965},
    {"yolov7-w6", 123, 119, 668, 628, 70427, 64023, 82312436, 70426236, 70394300, 1474420, 653820},
    {"yolov7-e6", 145, 141, 896, 856, 94017, 87613, 111898292, 97246652, 97202940, 1638260, 817020},
    {"yolov7-d6", 167, 163, 1028, 988, 113879, 106195, 154709364, 133810044, 133757052, 1965300,
     980220},
    {"yolov7-e6e", 266, 262, 1490, 1450, 146340, 139936, 166408884, 151757244, 151687420, 1638260,
     817020},
};

std::int64_t elements(const TensorSpec& spec) {
  std::int64_t count = 1;
  for (const std::int64_t side : spec.shape) count *= side;
  return count;
}

std::int64_t buffer_elements(const Network& network) {
  std::int64_t sum = 0;
  for (const TensorSpec& spec : network.tensors) sum += spec.trainable() ? 0 : elements(spec);
  return sum;
}

std::string training(const Variant& v) { return std::string("training/") + v.name + ".yaml"; }
std::string deploy(const Variant& v) { return std::string("deploy/") + v.name + ".yaml"; }

TEST(Variants, CountsOfTheTrainingGraphs) {
  for (const Variant& v : variants) {
    SCOPED_TRACE(v.name);
    const Network n = build_config(training(v));
    EXPECT_EQ(n.layers.size(), v.layers_training);
    EXPECT_EQ(n.tensors.size(), v.tensors_training);
    EXPECT_EQ(buffer_elements(n), v.buffers_training);
    EXPECT_EQ(n.parameter_count(), v.parameters_training);
    EXPECT_EQ(n.layers.back().parameters, v.head_training);
    const bool large = v.layers_training != v.layers_deploy;
    EXPECT_EQ(n.head, large ? HeadKind::iauxdetect : HeadKind::idetect);
    EXPECT_EQ(n.levels.size(), large ? 8u : 3u);
    const int size = large ? 64 : 32;
    EXPECT_EQ(cost(n, size, size).fused_parameters, v.parameters_fused);
  }
}

TEST(Variants, CountsOfTheDeployGraphs) {
  for (const Variant& v : variants) {
    SCOPED_TRACE(v.name);
    const Network n = build_config(deploy(v));
    EXPECT_EQ(n.layers.size(), v.layers_deploy);
    EXPECT_EQ(n.tensors.size(), v.tensors_deploy);
    EXPECT_EQ(buffer_elements(n), v.buffers_deploy);
    EXPECT_EQ(n.parameter_count(), v.parameters_deploy);
    EXPECT_EQ(n.layers.back().parameters, v.head_deploy);
    EXPECT_EQ(n.head, HeadKind::detect);
    EXPECT_EQ(cost(n, 64, 64).fused_parameters, v.parameters_fused);
  }
}

TEST(Variants, StridesAndLevels) {
  for (const Variant& v : variants)
    for (const std::string& path : {training(v), deploy(v)}) {
      SCOPED_TRACE(path);
      const Network n = build_config(path);
      const bool large = n.lead_levels() == 4;
      EXPECT_EQ(n.strides(),
                large ? (std::vector<double>{8, 16, 32, 64}) : (std::vector<double>{8, 16, 32}));
      EXPECT_EQ(n.largest_stride(), large ? 64 : 32);
      for (std::size_t j = 0; j < n.levels.size(); ++j) {
        EXPECT_EQ(n.levels[j].auxiliary, j >= n.lead_levels());
        EXPECT_EQ(n.value_channels[static_cast<std::size_t>(n.levels[j].value)],
                  255);  // 3 · (80 + 5)
        EXPECT_EQ(n.levels[j].stride, n.levels[j % n.lead_levels()].stride);
      }
    }
}

// Architecture 2.11: all other layers agree in index, block, inputs and tensors.
TEST(Variants, DeployGraphsAreTrainingGraphsWithoutTheTrainingLayers) {
  for (const Variant& v : variants) {
    SCOPED_TRACE(v.name);
    const Network t = build_config(training(v)), d = build_config(deploy(v));
    for (std::size_t i = 0; i + 1 < d.layers.size(); ++i) {
      EXPECT_EQ(t.layers[i].block, d.layers[i].block) << i;
      EXPECT_EQ(t.layers[i].inputs, d.layers[i].inputs) << i;
      EXPECT_EQ(t.layers[i].arguments, d.layers[i].arguments) << i;
    }
    const std::string head = "model." + std::to_string(d.layers.size() - 1) + ".";
    for (std::size_t i = 0; i < d.tensors.size() && d.tensors[i].name.rfind(head, 0) != 0; ++i) {
      EXPECT_EQ(t.tensors[i].name, d.tensors[i].name);
      EXPECT_EQ(t.tensors[i].shape, d.tensors[i].shape);
    }
  }
}

void expect_layer(const Network& n, int index, const char* block, const std::vector<int>& inputs,
                  int channels, const char* arguments = nullptr) {
  const Layer& layer = n.layers.at(static_cast<std::size_t>(index));
  EXPECT_EQ(layer.block, block) << index;
  EXPECT_EQ(layer.inputs, inputs) << index;
  EXPECT_EQ(layer.out_channels, channels) << index;
  if (arguments) {
    EXPECT_EQ(layer.arguments, arguments) << index;
  }
}

// The two rows written out (architecture 2.3).
TEST(Variants, CompositeRowsOfYolov7) {
  const Network n = build_config("training/yolov7.yaml");
  expect_layer(n, 4, "Conv", {3}, 64, "64, 1, 1");
  expect_layer(n, 5, "Conv", {3}, 64, "64, 1, 1");
  for (int i = 6; i <= 9; ++i) expect_layer(n, i, "Conv", {i - 1}, 64, "64, 3, 1");
  expect_layer(n, 10, "Concat", {9, 7, 5, 4}, 256);
  expect_layer(n, 11, "Conv", {10}, 256, "256, 1, 1");
  std::vector<std::string> names;
  for (const TensorSpec& spec : n.tensors)
    if (spec.name.rfind("model.6.", 0) == 0) names.push_back(spec.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"model.6.conv.weight", "model.6.bn.weight", "model.6.bn.bias",
                                      "model.6.bn.running_mean", "model.6.bn.running_var",
                                      "model.6.bn.num_batches_tracked"}));
}

TEST(Variants, CompositeRowsOfE6e) {
  const Network n = build_config("training/yolov7-e6e.yaml");
  expect_layer(n, 117, "Conv", {116}, 384);
  expect_layer(n, 118, "Conv", {116}, 384);
  for (int i = 119; i <= 124; ++i) expect_layer(n, i, "Conv", {i - 1}, 192, "192, 3, 1");
  expect_layer(n, 125, "Concat", {124, 123, 122, 121, 120, 119, 118, 117}, 1920);
  expect_layer(n, 126, "Conv", {125}, 480);
  expect_layer(n, 127, "Conv", {116}, 384);
  expect_layer(n, 128, "Conv", {116}, 384);
  for (int i = 129; i <= 134; ++i) expect_layer(n, i, "Conv", {i - 1}, 192);
  expect_layer(n, 135, "Concat", {134, 133, 132, 131, 130, 129, 128, 127}, 1920);
  expect_layer(n, 136, "Conv", {135}, 480);
  expect_layer(n, 137, "Shortcut", {136, 126}, 480);
}

// Architecture 1.8 and 1.7: sizes of single blocks.
TEST(Variants, SingleBlocks) {
  const Network n = build_config("training/yolov7.yaml");
  EXPECT_EQ(n.layers[102].block, "RepConv");
  EXPECT_EQ(n.layers[102].parameters, 328704);
  EXPECT_EQ(n.layers[51].block, "SPPCSPC");
  EXPECT_EQ(n.layers[51].parameters, 7609344);
  for (const TensorSpec& spec : n.tensors)
    EXPECT_EQ(spec.name.find("rbr_identity"), std::string::npos) << spec.name;
}

// Architecture 1.10 and 6.4: buffers, m, m2, ia, im.
TEST(Variants, OrderOfTheHeadsTensors) {
  const Network n = build_config("training/yolov7-w6.yaml");
  std::vector<std::string> names, expected{"anchors", "anchor_grid"};
  for (const TensorSpec& spec : n.tensors)
    if (spec.name.rfind("model.122.", 0) == 0) names.push_back(spec.name.substr(10));
  for (const char* part : {"m", "m2"})
    for (int j = 0; j < 4; ++j)
      for (const char* kind : {".weight", ".bias"})
        expected.push_back(std::string(part) + "." + std::to_string(j) + kind);
  for (const char* part : {"ia.", "im."})
    for (int j = 0; j < 4; ++j) expected.push_back(part + std::to_string(j) + ".implicit");
  EXPECT_EQ(names, expected);
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const TensorSpec& spec : n.tensors) shapes[spec.name] = spec.shape;
  EXPECT_EQ(shapes["model.122.anchors"], (std::vector<std::int64_t>{4, 3, 2}));
  EXPECT_EQ(shapes["model.122.anchor_grid"], (std::vector<std::int64_t>{4, 1, 3, 1, 1, 2}));
  EXPECT_EQ(shapes["model.122.m.3.weight"], (std::vector<std::int64_t>{255, 1024, 1, 1}));
  EXPECT_EQ(shapes["model.122.m2.3.weight"],
            (std::vector<std::int64_t>{255, 1280, 1, 1}));  // 10: the widths of E6
  EXPECT_EQ(shapes["model.122.ia.1.implicit"], (std::vector<std::int64_t>{1, 512, 1, 1}));
  EXPECT_EQ(shapes["model.122.im.1.implicit"], (std::vector<std::int64_t>{1, 255, 1, 1}));
}

TEST(Variants, ActivationsOfTinyAndOfTheOthers) {
  for (const auto& op : build_config("training/yolov7-tiny.yaml").operations)
    if (const Activate* act = op.as<Activate>()) {
      ASSERT_EQ(act->activation.kind, ActivationKind::leaky_relu);
      ASSERT_EQ(act->activation.slope, 0.1);
    }
  for (const char* path :
       {"training/yolov7.yaml", "deploy/yolov7-e6e.yaml", "deploy/yolov7-tiny-silu.yaml"})
    for (const auto& op : build_config(path).operations)
      if (const Activate* act = op.as<Activate>()) {
        ASSERT_EQ(act->activation.kind, ActivationKind::silu);
      }
  EXPECT_EQ(build_config("deploy/yolov7-tiny-silu.yaml").parameter_count(),
            6227101);  // 7.3: counts of tiny
}

// Pooling orders differ (2.2, 1.7): tiny 13, 9, 5, un-pooled; SPPCSPC un-pooled, 5, 9, 13.
std::vector<int> concat_kernels(const Network& n, int layer, std::size_t inputs) {
  std::map<int, const Operation*> producer;
  for (const auto& op : n.operations) producer[op.output] = &op;
  for (const auto& op : n.operations) {
    if (op.layer != layer || !op.is<Concat>() || op.inputs.size() != inputs) continue;
    std::vector<int> kernels;
    for (const int input : op.inputs) {
      const MaxPool* pool = producer[input]->as<MaxPool>();
      kernels.push_back(pool == nullptr ? 0 : pool->kernel);
    }
    return kernels;
  }
  return {};
}
TEST(Variants, PoolingOrders) {
  EXPECT_EQ(concat_kernels(build_config("training/yolov7-tiny.yaml"), 34, 4),
            (std::vector<int>{13, 9, 5, 0}));
  EXPECT_EQ(concat_kernels(build_config("training/yolov7.yaml"), 51, 4),
            (std::vector<int>{0, 5, 9, 13}));
}

}  // namespace
}  // namespace yolov7::network
