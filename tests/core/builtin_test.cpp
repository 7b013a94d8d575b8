// Built-in files: how a path finds them, and the values of the hyper-parameter files (training 20).
#include "core/builtin.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "core/value.hpp"

namespace yolov7 {
namespace {

TEST(Builtin, FoundByBaseName) {
  for (const char* path : {"yolov7-tiny", "yolov7-tiny.yaml", "cfg/training/yolov7-tiny.yaml",
                           "/nowhere/yolov7-tiny.yml"})
    EXPECT_EQ(builtin_path(path), "training/yolov7-tiny.yaml") << path;
  for (const char* path : {"deploy/yolov7-tiny.yaml", "cfg/deploy/yolov7-tiny.yaml",
                           "./deploy/yolov7-tiny", "/a/deploy/b/yolov7-tiny.yaml"})
    EXPECT_EQ(builtin_path(path), "deploy/yolov7-tiny.yaml") << path;
  EXPECT_EQ(builtin_path("yolov7-tiny-silu"),
            "deploy/yolov7-tiny-silu.yaml");  // exists as a deploy graph only
  EXPECT_EQ(builtin_path("data/hyp.scratch.p5.yaml"), "hyp/hyp.scratch.p5.yaml");
  EXPECT_EQ(builtin_path("data/coco.yaml"), "data/coco.yaml");
}

TEST(Builtin, OnlyAWholeFolderNameIsDeploy) {
  for (const char* path : {"my-deploy/yolov7.yaml", "deployed/yolov7.yaml",
                           "deploy.old/yolov7.yaml", "undeploy/deployer/yolov7.yaml"})
    EXPECT_EQ(builtin_path(path), "training/yolov7.yaml") << path;
}

TEST(Builtin, NothingElseIsFound) {
  for (const char* path : {"", "/", ".yaml", "yolov7-", "yolov", "yolov7.pt", "yolov7.yaml.bak",
                           "yolov7-tiny.yaml/", "training", "YOLOV7"}) {
    EXPECT_EQ(builtin_path(path), "") << path;
    EXPECT_FALSE(builtin_file(path).has_value()) << path;
  }
}

TEST(Builtin, EveryFileIsThereByteForByte) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"training",
       {"yolov7", "yolov7-d6", "yolov7-e6", "yolov7-e6e", "yolov7-tiny",
        "yolov7-tiny-efficientnet-lite0", "yolov7-tiny-mobilenetv2", "yolov7-w6", "yolov7x"}},
      {"deploy",
       {"yolov7", "yolov7-d6", "yolov7-e6", "yolov7-e6e", "yolov7-tiny", "yolov7-tiny-silu",
        "yolov7-w6", "yolov7x"}},
      {"hyp", {"hyp.scratch.custom", "hyp.scratch.p5", "hyp.scratch.p6", "hyp.scratch.tiny"}},
      {"data", {"coco"}}};
  for (const auto& [folder, names] : expected) {
    std::vector<std::string> found = builtin_names(folder);
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, names) << folder;
    for (const std::string& name : names) {
      const std::string path = folder + "/" + name + ".yaml";
      std::ifstream in(std::string(YOLOV7_SOURCE_DIR) + "/configs/" + path, std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      ASSERT_FALSE(text.empty()) << path;
      ASSERT_TRUE(builtin_file(path).has_value()) << path;
      EXPECT_EQ(*builtin_file(path), text) << path;
    }
  }
}

struct Row {
  const char* key;
  double p5, p6, tiny, custom;
};
// The table of training 20, keys with a value.
const Row rows[] = {
    {"lr0", 0.01, 0.01, 0.01, 0.01},
    {"lrf", 0.1, 0.2, 0.01, 0.1},
    {"momentum", 0.937, 0.937, 0.937, 0.937},
    {"weight_decay", 0.0005, 0.0005, 0.0005, 0.0005},
    {"warmup_epochs", 3, 3, 3, 3},
    {"warmup_momentum", 0.8, 0.8, 0.8, 0.8},
    {"warmup_bias_lr", 0.1, 0.1, 0.1, 0.1},
    {"box", 0.05, 0.05, 0.05, 0.05},
    {"cls", 0.3, 0.3, 0.5, 0.3},
    {"cls_pw", 1, 1, 1, 1},
    {"obj", 0.7, 0.7, 1, 0.7},
    {"obj_pw", 1, 1, 1, 1},
    {"iou_t", 0.2, 0.2, 0.2, 0.2},
    {"anchor_t", 4, 4, 4, 4},
    {"fl_gamma", 0, 0, 0, 0},
    {"hsv_h", 0.015, 0.015, 0.015, 0.015},
    {"hsv_s", 0.7, 0.7, 0.7, 0.7},
    {"hsv_v", 0.4, 0.4, 0.4, 0.4},
    {"degrees", 0, 0, 0, 0},
    {"translate", 0.2, 0.2, 0.1, 0.2},
    {"scale", 0.9, 0.9, 0.5, 0.5},
    {"shear", 0, 0, 0, 0},
    {"perspective", 0, 0, 0, 0},
    {"flipud", 0, 0, 0, 0},
    {"fliplr", 0.5, 0.5, 0.5, 0.5},
    {"mosaic", 1, 1, 1, 1},
    {"mixup", 0.15, 0.15, 0.05, 0},
    {"copy_paste", 0, 0, 0, 0},
    {"paste_in", 0.15, 0.15, 0.05, 0},
    {"loss_ota", 1, 1, 1, 1},
};

TEST(Builtin, HyperparameterFiles) {
  const std::pair<const char*, double Row::*> files[] = {{"hyp.scratch.p5.yaml", &Row::p5},
                                                         {"hyp.scratch.p6.yaml", &Row::p6},
                                                         {"hyp.scratch.tiny.yaml", &Row::tiny},
                                                         {"hyp.scratch.custom.yaml", &Row::custom}};
  for (const auto& [name, column] : files) {
    const Value file = parse_yaml(*builtin_file(name), name);
    EXPECT_EQ(file.mapping.size(), std::size(rows)) << name;
    for (const Row& row : rows)
      EXPECT_EQ(file.at(row.key).number(), row.*column) << name << ": " << row.key;
  }
}

TEST(Builtin, CocoNames) {
  const Value coco = parse_yaml(*builtin_file("coco.yaml"), "coco.yaml");
  EXPECT_EQ(coco.at("nc").integer(), 80);
  const auto& names = coco.at("names").sequence;
  ASSERT_EQ(names.size(), 80u);
  // Ends and the classes whose position people rely on: COCO's order without its gaps.
  EXPECT_EQ(names[0].text(), "person");
  EXPECT_EQ(names[2].text(), "car");
  EXPECT_EQ(names[16].text(), "dog");
  EXPECT_EQ(names[79].text(), "toothbrush");
  for (const char* split : {"train", "val", "test"}) EXPECT_FALSE(coco.at(split).text().empty());
}

}  // namespace
}  // namespace yolov7
