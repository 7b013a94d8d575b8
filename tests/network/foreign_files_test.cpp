// Files and checkpoints of other programs are named for what they are. The bytes are put together
// here after each format's public description.
#include <gtest/gtest.h>

#include <fstream>

#include "network/checkpoint/checkpoint_file.hpp"
#include "network/checkpoint/foreign_weights.hpp"
#include "network/checkpoint/safetensors.hpp"
#include "network/torch_file/foreign.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/official_fixture.hpp"

namespace yolov7::network {
namespace {

using namespace hostile;
using namespace std::string_literals;

class Foreign : public testing::Test {
 protected:
  std::string reading(const std::string& bytes, const std::string& name = "x.pt") {
    const std::filesystem::path path = folder / name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return without_folder(error_of([&] { read_checkpoint(path); }));
  }
  std::string zipped(const std::string& body) {
    write_zip(folder / "x.pt", {{"a/data.pkl", pickle(body)}, {"a/version", "3\n"}});
    return without_folder(error_of([&] { read_checkpoint(folder / "x.pt"); }));
  }
  /// A dictionary of tensors of one value each under these names.
  std::string named(const std::vector<std::string>& names) {
    SafetensorsFile file;
    for (const std::string& name : names)
      file.weights.set(name, Tensor::from(std::vector<float>{1}, {1}));
    write_safetensors(folder / "x.pt", file);
    return without_folder(error_of([&] { read_checkpoint(folder / "x.pt"); }));
  }
  std::string without_folder(std::string said) const {
    const std::string prefix = folder.path().string() + "/";
    return said.rfind(prefix, 0) == 0 ? said.substr(prefix.size()) : said;
  }
  static void expect_begins(const std::string& said, const std::string& begin) {
    EXPECT_EQ(said.rfind(begin, 0), 0u) << said << "\nexpected\n" << begin;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
  test::ScratchFolder folder;
};

TEST_F(Foreign, PickledClassesTellTheProgram) {
  const std::pair<std::string, std::string> cases[] = {
      {"ultralytics.nn.tasks.DetectionModel", "ultralytics (YOLOv8 or later)"},
      {"ultralytics.yolo.v8.detect.train.DetectionTrainer", "ultralytics (YOLOv8 or later)"},
      {"yolox.models.yolox.YOLOX", "YOLOX"},
      {"yolov6.models.yolo.Model", "YOLOv6"},
      {"detectron2.structures.boxes.Boxes", "Detectron2"},
      {"mmdet.models.detectors.yolox.YOLOX", "MMDetection"},
      {"mmengine.config.config.ConfigDict", "OpenMMLab (MMDetection or a relative)"},
      {"torchvision.models.resnet.ResNet", "torchvision"},
      {"pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", "PyTorch Lightning"},
      {"super_gradients.training.models.X", "SuperGradients (YOLO-NAS)"}};
  for (const auto& [path, program] : cases) {
    const std::size_t dot = path.rfind('.');
    const std::string module = path.substr(0, dot), name = path.substr(dot + 1);
    const std::string expected = "x.pt: this is a checkpoint of " + program +
                                 ", not of YOLOv7: it names the class '" + path +
                                 "'; nothing of it was executed";
    EXPECT_EQ(zipped(dictionary({{"model", global(module, name) + ")\x81}b"}})), expected);
    // By STACK_GLOBAL, and called.
    EXPECT_EQ(zipped(text(module) + text(name) + "\x93" + text("rm") + "\x85R"), expected);
  }
  // A name that only begins alike is no program's.
  expect_begins(zipped(global("ultralyticsx.nn", "Model") + ")\x81"),
                "x.pt: not a checkpoint that can be read safely");
}

TEST_F(Foreign, NamesOfTensorsTellTheProgram) {
  const std::pair<std::string, std::vector<std::string>> cases[] = {
      {"ultralytics (YOLOv8 or later)",
       {"model.22.dfl.conv.weight", "model.22.cv3.0.0.conv.weight"}},
      {"YOLOX", {"head.cls_preds.0.weight", "head.reg_preds.0.weight", "backbone.x.weight"}},
      {"torchvision (Faster R-CNN or a relative)",
       {"backbone.body.conv1.weight", "rpn.head.conv.0.0.weight",
        "roi_heads.box_predictor.cls_score.weight"}},
      {"torchvision (ResNet, a classifier)", {"layer1.0.conv1.weight", "fc.weight"}},
      {"Detectron2", {"backbone.bottom_up.stem.conv1.weight"}},
      {"MMDetection", {"backbone.conv1.weight", "bbox_head.fc_cls.weight"}},
      {"a DETR", {"transformer.encoder.layers.0.linear1.weight", "class_embed.weight"}},
      {"YOLOv5",
       {"model.24.m.0.weight", "model.2.cv3.conv.weight", "model.2.m.0.cv1.conv.weight"}}};
  for (const auto& [program, names] : cases)
    expect_begins(named(names), "x.pt: this is a checkpoint of " + program + ", not of YOLOv7 (");
  EXPECT_EQ(foreign_weights(Weights()), "");
  expect_begins(named({"a.weight", "backbone.weight"}),
                "x.pt: expected the weights of a YOLOv7 detector");
}

/// What official checkpoints share their class paths with: the blocks tell them apart.
TEST_F(Foreign, PickledBlocksOfYolov5AreNamed) {
  OfficialFile file({});
  const std::string layer = instance("models.common.C3", {{"_modules", ordered_dictionary()},
                                                          {"_parameters", ordered_dictionary()},
                                                          {"_buffers", ordered_dictionary()}});
  const auto holder = [&](const std::string& type, const std::string& children) {
    return instance(type, {{"_modules", children},
                           {"_parameters", ordered_dictionary()},
                           {"_buffers", ordered_dictionary()}});
  };
  const std::string list =
      holder("torch.nn.modules.container.Sequential", dictionary({{"0", layer}}));
  expect_begins(reading(file.bytes(dictionary(
                    {{"model", holder("models.yolo.Model", dictionary({{"model", list}}))}}))),
                "x.pt: this is a checkpoint of YOLOv5, not of YOLOv7 (");
  expect_begins(reading(file.bytes(dictionary({{"model", holder("models.yolo.DetectionModel",
                                                                dictionary({{"model", list}}))}}))),
                "x.pt: this is a checkpoint of YOLOv5 or YOLOv9, not of YOLOv7 (");
}

TEST_F(Foreign, FilesAreNamedByTheirContent) {
  const std::string zeros(600, '\0');
  const std::pair<std::string, std::string> cases[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
       "a Git LFS pointer"},
      {"\n<!DOCTYPE html>\n<html><head><title>Sign in</title>", "a web page (HTML)"},
      {"<html lang=\"en\">", "a web page (HTML)"},
      {"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "XML"},
      {"<?xml version=\"1.0\"?>\n<net name=\"m\" version=\"11\">", "an OpenVINO model"},
      {"\x08\x07\x12\x07pytorch\x1a\x05"s + "2.1.0" + zeros, "an ONNX model"},
      {"ptrt" + zeros, "a TensorRT engine"},
      {"\x1c\0\0\0TFL3"s + zeros, "a TensorFlow Lite model"},
      {"\x89HDF\r\n\x1a\n" + zeros, "a Keras file (HDF5)"},
      {"\0\0\0\0\2\0\0\0\5\0\0\0"s + zeros, "weights of Darknet"},
      {"\x1f\x8b\x08" + zeros, "a gzip file"},
      {"\xFF\xD8\xFF\xE0" + zeros, "a JPEG image"},
      {"\x80\x04\x95" + zeros, "a bare pickle"},
      {"nc: 80\nbackbone: []\n", "a text file; the configuration of a network"},
      {"Not Found", "a text file"}};
  for (const auto& [bytes, expected] : cases)
    expect_begins(reading(bytes), "x.pt: expected a checkpoint, found " + expected);
  expect_begins(reading("\x2aunknown\x01" + zeros, "x.engine"),
                "x.engine: expected a checkpoint, found a TensorRT engine");
  expect_begins(reading("\x2aunknown\x01" + zeros, "x.onnx"),
                "x.onnx: expected a checkpoint, found an ONNX model");
  // Nothing is guessed.
  EXPECT_EQ(foreign_file("\x7f"
                         "ELF" +
                             zeros,
                         "x.pt"),
            "");
  EXPECT_EQ(foreign_file("PK\3\4" + zeros, "x.onnx"), "");
}

}  // namespace
}  // namespace yolov7::network
