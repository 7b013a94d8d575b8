// yolov7 export as a user calls it, and detect on what it wrote.
#include "tests/cli/export_fixture.hpp"

namespace yolov7::test {

TEST_F(Export, WritesComparesAndRepeats) {
  const std::string out = (scratch / "out").string();
  const std::vector<std::string> call{"--include", "onnx",  "openvino", "engine",
                                      "--grid",    "--out", out};
  const json first = result(call);
  ASSERT_EQ(first.at("files").size(), 3U);
  std::vector<std::string> before;
  for (const json& file : first.at("files")) {
    EXPECT_EQ(file.at("verified").get<std::string>().substr(0, 5), "equal");
    const json& certificate = file.at("certificate");
    EXPECT_EQ(certificate.at("images").size(), 4U);
    EXPECT_GT(certificate.at("differences").at("rows"), 0);
    EXPECT_EQ(json::parse(read_text(file.at("certificate_file").get<std::string>())), certificate);
  }
  const auto files = {scratch / "out/official.onnx", scratch / "out/official-tensorrt.onnx",
                      scratch / "out/official_openvino_model/official.xml",
                      scratch / "out/official_openvino_model/official.bin",
                      scratch / "out/official_openvino_model/metadata.yaml"};
  for (const auto& file : files) {
    before.push_back(read_text(file));
    EXPECT_FALSE(before.back().empty()) << file;
  }
  result(call);
  std::size_t i = 0;
  for (const auto& file : files) EXPECT_EQ(read_text(file), before[i++]) << file;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out), {}), 6)
      << "three models, their certificates, and nothing else";
}

TEST_F(Export, DetectRunsWhatWasWritten) {
  scratch.write("images/a.bmp", noise_bmp(64));
  const std::string out = (scratch / "out").string();
  result({"--include", "onnx,openvino", "--grid", "--out", out});
  result({"--include", "onnx", "--out", (scratch / "raw").string()});
  const auto boxes = [&](const std::string& weights) {
    const Outcome outcome =
        run({"detect", "--weights", weights, "--source", (scratch / "images").string(), "--img",
             "64", "--conf", "0.001", "--nosave", "--json", "--precision", "float32"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  };
  const json expected = boxes(in);
  ASSERT_GT(expected.at("objects"), 0) << expected;
  for (const char* file : {"out/official.onnx", "out/official_openvino_model", "raw/official.onnx"})
    EXPECT_EQ(boxes((scratch / file).string()).at("objects"), expected.at("objects")) << file;
}

TEST_F(Export, OptionsThatDoNothingAreSaidOrRefused) {
  const std::string out = (scratch / "out").string();
  const json said = result({"--include", "onnx", "engine", "--workspace", "2", "--out", out});
  EXPECT_EQ(said.at("without_effect"), json({"onnx: without effect: --workspace"}));
  Outcome refused = exported({"--include", "onnx", "--workspace", "2", "--out", out});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--workspace: expected a format that honours it"), std::string::npos);
  refused = exported({"--include", "torchscrip"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("did you mean 'torchscript'?"), std::string::npos) << refused.err;
}

// Command lines of widely read tutorials, with another size and folder alone.
TEST_F(Export, CommandLinesOfTutorialsRunAsWritten) {
  const std::string out = (scratch / "out").string();
  const json first = result({"--include", "onnx", "engine", "tflite", "pb", "saved_model",
                             "--device", "0", "--half", "--optimize", "--out", out});
  EXPECT_EQ(first.at("files").size(), 5U) << first;
  EXPECT_TRUE(has(first.at("without_effect").dump(), "pb: without effect: --half, --optimize"))
      << first;
  const Outcome second = run({"export", "--weights", in, "--include", "onnx", "tflite", "tensorrt",
                              "--img-size", "64", "--batch-size", "1", "--json", "--out", out});
  EXPECT_EQ(second.code, 0) << second.err;
  const json files = json::parse(second.out).at("files");
  ASSERT_EQ(files.size(), 3U) << second.out;
  EXPECT_EQ(files.at(0).at("built"), true);
  EXPECT_EQ(files.at(2).at("built"), false) << "the engine is TensorRT's to build";
  EXPECT_TRUE(has(files.at(2).at("command").get<std::string>(), "trtexec --onnx=")) << second.out;
}

TEST_F(Export, AnEngineAloneIsWrittenAsOnnxAndFails) {
  const std::string out = (scratch / "out").string();
  const Outcome alone = exported({"--include", "engine", "--out", out});
  EXPECT_EQ(alone.code, 1) << alone.out;
  EXPECT_TRUE(has(alone.out, "the engine is not built")) << alone.out;
  EXPECT_TRUE(std::filesystem::exists(scratch / "out/official-tensorrt.onnx"));
}

#ifdef YOLOV7_WITH_TRAINING
TEST_F(Export, TorchScriptIsComparedAndRunByDetect) {
  scratch.write("images/a.bmp", noise_bmp(64));
  const std::string out = (scratch / "out").string();
  const json said =
      result({"--include", "torchscript", "torchscript-lite", "--grid", "--out", out});
  ASSERT_EQ(said.at("files").size(), 2U);
  for (const json& file : said.at("files"))
    EXPECT_EQ(file.at("verified").get<std::string>().substr(0, 5), "equal") << file;
  const auto objects = [&](const std::string& weights) {
    const Outcome outcome =
        run({"detect", "--weights", weights, "--source", (scratch / "images").string(), "--img",
             "64", "--conf", "0.001", "--nosave", "--json"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out, nullptr, false).at("objects");
  };
  const json expected = objects(in);
  ASSERT_GT(expected, 0);
  EXPECT_EQ(objects(out + "/official.torchscript"), expected);
  EXPECT_EQ(objects(out + "/official.torchscript.ptl"), expected);
}
#endif

TEST_F(Export, FilesOfTheUserAreNotReplaced) {
  const std::string out = (scratch / "out").string();
  scratch.write("out/official_openvino_model/mine.txt", "precious");
  const Outcome refused = exported({"--include", "openvino", "--out", out});
  EXPECT_EQ(refused.code, 1) << refused.out;
  EXPECT_TRUE(has(refused.err, "found mine.txt in it")) << refused.err;
  EXPECT_EQ(read_text(scratch / "out/official_openvino_model/mine.txt"), "precious");
}

// Sides that one format leaves open and another does not: each is compared at its own.
TEST_F(Export, OpenSidesBesideFormatsOfOneSize) {
  const json said = result({"--include", "onnx", "tflite", "pb", "engine", "--dynamic", "--out",
                            (scratch / "out").string()});
  ASSERT_EQ(said.at("files").size(), 4U) << said;
  for (const json& file : said.at("files"))
    EXPECT_EQ(file.at("verified").get<std::string>().substr(0, 5), "equal") << file;
}

// What one format cannot do is its failure alone.
TEST_F(Export, AFormatThatCannotDoItDoesNotKeepTheOthers) {
  const Outcome outcome = exported(
      {"--include", "ncnn", "onnx", "--nms", "--json", "--out", (scratch / "out").string()});
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  const json said = json::parse(outcome.out);
  EXPECT_EQ(said.at("files").size(), 1U) << said;
  ASSERT_EQ(said.at("failures").size(), 1U) << said;
  EXPECT_TRUE(has(said.at("failures").at(0).get<std::string>(), "ncnn")) << said;
}

TEST_F(Export, TheWeightsAreNeverReplaced) {
  const std::string before = read_text(in);
  const std::string link = (scratch / "official.onnx").string();
  std::filesystem::create_symlink(in, link);
  const Outcome outcome = exported({"--include", "onnx"});
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_EQ(read_text(in), before);
}

TEST_F(Export, TensorRtsSuppressionIsRefusedByName) {
  const std::string out = (scratch / "out").string();
  result({"--include", "onnx", "--end2end", "--out", out});
  scratch.write("images/a.bmp", noise_bmp(64));
  const Outcome outcome = run(
      {"detect", "--weights", out + "/official.onnx", "--source", (scratch / "images").string()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("EfficientNMS_TRT"), std::string::npos) << outcome.err;
}

}  // namespace yolov7::test
