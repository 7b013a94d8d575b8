#include "runtime/openvino/file_format.hpp"

#include <gtest/gtest.h>

#include "core/archive.hpp"
#include "runtime/openvino/model_file.hpp"
#include "tests/runtime/small_tflite.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::runtime;

namespace {

const std::string
    onnx = std::string("\x08\x07\x3a\x07\x0a\x05\x22\x03") + "abc\x42\x02\x10\x0d",
    frozen = std::string("\x0a\x05\x12\x03") + "abc", saved = std::string("\x08\x01\x12\0", 4),
    lite = yolov7::test::small_tflite(),
    ir = "<?xml version=\"1.0\"?>\n<net name=\"x\" version=\"11\"><layers><layer><data "
         "element_type=\"f32\" offset=\"4\" size=\"12\"/></layer></layers></net>\n";

class FileFormats : public testing::Test {
 protected:
  test::ScratchFolder folder;
  /// Without the path in front.
  std::string refused(const std::string& name, const std::string& content) {
    const std::string path = folder.write(name, content).string();
    return refused_path(path);
  }
  std::string refused_path(const std::filesystem::path& path) {
    const std::string what = test::error_of([&] { recognise_file(path); });
    return what.starts_with(path.string() + ": ") ? what.substr(path.string().size() + 2) : what;
  }
};

}  // namespace

TEST_F(FileFormats, WholeFilesAreTakenByContent) {
  EXPECT_EQ(recognise_file(folder.write("a.onnx", onnx)).format, FileFormat::onnx);
  EXPECT_EQ(recognise_file(folder.write("A.ONNX", onnx)).format, FileFormat::onnx);
  EXPECT_EQ(recognise_file(folder.write("a.pb", frozen)).format, FileFormat::frozen_graph);
  EXPECT_EQ(recognise_file(folder.write("a.tflite", lite)).format, FileFormat::tflite);
  folder.write("s/saved_model.pb", saved);
  EXPECT_EQ(recognise_file(folder / "s").path, folder / "s");
  folder.write("o/x.bin", std::string(16, 'x'));
  folder.write("o/x.xml", ir);
  EXPECT_EQ(recognise_file(folder / "o").path, folder / "o/x.xml");
  EXPECT_EQ(recognise_file(folder / "o/x.xml").format, FileFormat::openvino);
}

TEST_F(FileFormats, EmptyCutAndOtherContents) {
  EXPECT_EQ(refused("a.onnx", ""), "expected an ONNX model, found an empty file");
  EXPECT_EQ(refused("a.pb", ""), "expected a TensorFlow frozen graph, found an empty file");
  EXPECT_EQ(refused("a.tflite", ""), "expected a TensorFlow Lite model, found an empty file");
  EXPECT_EQ(refused("b.onnx", onnx.substr(0, onnx.size() - 1)),
            "expected an ONNX model, found one that is cut or damaged: byte 11: expected 2 more "
            "bytes, found 1");
  EXPECT_EQ(
      refused("b.pb", frozen.substr(0, 6)),
      "expected a TensorFlow frozen graph, found one that is cut or damaged: byte 0: expected "
      "5 more bytes, found 4");
  EXPECT_EQ(refused("c.onnx", "hello\n"), "expected an ONNX model, found a text file");
  EXPECT_EQ(refused("c.tflite", "\x89PNG\r\n\x1a\n"),
            "expected a TensorFlow Lite model, found a PNG image");
  EXPECT_EQ(refused("c.torchscript", "hello"), "expected a TorchScript file, found a text file");
  EXPECT_EQ(refused("c.xml", "hello"), "expected an OpenVINO model, found a text file");
  EXPECT_EQ(refused("e.xml", "<?xmx v?><" + ir),
            "expected an OpenVINO model, found one that is damaged before or in <net>");
  EXPECT_EQ(refused("d.xml", "<a/>"), "expected an OpenVINO model, found XML of another kind");
}

TEST_F(FileFormats, AnotherFormatThanTheNameSays) {
  EXPECT_EQ(refused("a.tflite", onnx),
            "expected a TensorFlow Lite model, found an ONNX model; name it .onnx");
  EXPECT_EQ(refused("a.onnx", lite),
            "expected an ONNX model, found a TensorFlow Lite model; name it .tflite");
  EXPECT_EQ(refused("a.pb", onnx),
            "expected a TensorFlow frozen graph, found an ONNX model; name it .onnx");
  EXPECT_EQ(refused("b.pb", saved),
            "expected a TensorFlow frozen graph, found a TensorFlow SavedModel; give the folder "
            "that holds it, where its name is saved_model.pb");
}

TEST_F(FileFormats, OpenvinoWithoutItsWeights) {
  folder.write("a/x.xml", ir);
  EXPECT_EQ(refused_path(folder / "a"),
            (folder / "a/x.xml").string() + ": expected the weights x.bin beside it, found none");
  folder.write("a/x.bin", std::string(15, 'x'));  // 4 + 12 are told
  EXPECT_EQ(refused_path(folder / "a"),
            (folder / "a/x.bin").string() +
                ": expected 16 bytes or more, found 15: the file is cut, or of another model");
  folder.write("a/x.xml", ir.substr(0, ir.size() - 10));
  EXPECT_NE(refused_path(folder / "a").find("one that is cut: it does not end with </net>"),
            std::string::npos);
}

// One tag of half a million offsets: seconds, and not a walk through the file for each.
TEST_F(FileFormats, AnOpenvinoFileOfOneLongTag) {
  std::string tag = "<data";
  for (int i = 0; i < 500'000; ++i) tag += " offset=\"1\"";
  EXPECT_EQ(refused("long.xml", "<net version=\"11\">" + tag + "/></net>"), "no error");
  EXPECT_EQ(refused("sized.xml", "<net version=\"11\">" + tag + " size=\"8\"/></net>"),
            "expected the weights sized.bin beside it, found none");
}

TEST_F(FileFormats, FoldersOfOtherPrograms) {
  const std::string expected =
      "expected a folder with an OpenVINO model (.xml and .bin) or a SavedModel (saved_model.pb), "
      "found ";
  std::filesystem::create_directories(folder / "empty");
  EXPECT_EQ(refused_path(folder / "empty"), expected + "an empty one");
  folder.write("x.mlpackage/Manifest.json", "{}");
  EXPECT_EQ(refused_path(folder / "x.mlpackage"),
            expected + "a Core ML package, which Apple's devices alone run");
  folder.write("n/model.ncnn.param", "7767517");
  EXPECT_EQ(refused_path(folder / "n"), expected + "an ncnn model, which ncnn alone runs");
  folder.write("w/best.onnx", onnx);
  EXPECT_EQ(refused_path(folder / "w"),
            expected + (folder / "w/best.onnx").string() + "; give that file");
  folder.write("o/a", ""), folder.write("o/b", ""), folder.write("o/c", ""),
      folder.write("o/d", "");
  EXPECT_EQ(refused_path(folder / "o"), expected + "a, b, c and 1 more");
  folder.write("two/a.xml", ir), folder.write("two/b.xml", ir);
  EXPECT_EQ(refused_path(folder / "two"), "expected one .xml, found 2");
}

TEST_F(FileFormats, FilesThatOthersAloneRun) {
  EXPECT_EQ(refused("x.engine", "ptrt"),
            "found a TensorRT engine, which TensorRT alone runs; this program runs .onnx, .tflite, "
            ".pb, .torchscript, and folders of OpenVINO and SavedModel");
  EXPECT_NE(refused("x.mlmodel", "x").find("Core ML model"), std::string::npos);
  EXPECT_NE(refused("x.param", "7767517").find("ncnn alone"), std::string::npos);
  for (const char* name : {"x.engine", "x.plan", "x.mlmodel", "x.onnx", "x.torchscript.pt"})
    EXPECT_TRUE(is_model_file(name)) << name;
  EXPECT_FALSE(is_model_file("x.pt"));
  EXPECT_EQ(refused_path(folder / "nothere.onnx"), "no such file");
}

// LibTorch runs what it reads; so checksums come first.
TEST_F(FileFormats, TorchscriptWithADamagedEntry) {
  const std::string constants = "constants", code = "x = 1";
  const auto path = folder / "a.torchscript";
  network::ArchiveWriter writer(path);
  writer.add("a/constants.pkl", std::as_bytes(std::span(constants)));
  writer.add("a/code/x.py", std::as_bytes(std::span(code)));
  writer.finish();
  EXPECT_EQ(recognise_file(path).format, FileFormat::torchscript);
  std::string bytes = test::read_text(path);
  bytes[bytes.find(code)] = 'y';
  test::write_text(path, bytes);
  EXPECT_EQ(refused_path(path),
            "a/code/x.py is damaged (its checksum does not fit, or the file was cut)");
  EXPECT_EQ(refused("b.torchscript", bytes.substr(0, bytes.size() / 2)),
            "expected a TorchScript file, found a damaged zip archive");
  test::write_text(folder / "c.onnx", bytes);
  EXPECT_EQ(refused_path(folder / "c.onnx"),
            "expected an ONNX model, found a TorchScript file; name it .torchscript");
}
