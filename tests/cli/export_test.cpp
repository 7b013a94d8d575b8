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
  const std::string whole = read_text(out + "/official.torchscript");
  for (int i = 1; i < 8; ++i) {  // a byte of each part; checksums tell
    std::string changed = whole;
    char& byte = changed[whole.size() * static_cast<std::size_t>(i) / 8];
    byte = static_cast<char>(byte ^ 0x55);
    scratch.write("changed.torchscript", changed);
    const Outcome outcome =
        run({"detect", "--weights", (scratch / "changed.torchscript").string(), "--source",
             (scratch / "images").string(), "--img", "64", "--nosave"});
    EXPECT_TRUE(outcome.code == 1 ||
                (outcome.code == 0 && outcome.err.find("error") == std::string::npos))
        << i << ": " << outcome.err;
    EXPECT_EQ(outcome.err.find("miniz"), std::string::npos) << outcome.err;
  }
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

// OpenVINO has no operation of TensorRT, but ONNX's own, which --max-wh chooses.
TEST_F(Export, EndToEndWithAnOffsetIsWhatNmsIs) {
  const std::string out = (scratch / "out").string();
  const json said =
      result({"--include", "onnx", "openvino", "--end2end", "--max-wh", "640", "--out", out});
  EXPECT_EQ(said.at("without_effect"), json::array());
  ASSERT_EQ(said.at("files").size(), 2U) << said;
  EXPECT_EQ(result({"--include", "openvino", "--end2end", "--max-wh", "640", "--out", out})
                .at("files")
                .size(),
            1U);
  const Outcome refused = exported({"--include", "openvino", "--end2end", "--out", out});
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(has(refused.err, "--end2end: expected a format that honours it, found openvino"))
      << refused.err;
}

TEST_F(Export, WrongCallsSayWhatTheyExpected) {
  Outcome refused = exported({"--images", "nothere"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(has(refused.err, "error: --images nothere: no such file or folder")) << refused.err;
  refused = exported({"--int8"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(has(refused.err, "--int8: expected --data or --images for the calibration, found"))
      << refused.err;
  for (const auto& option : std::vector<std::vector<std::string>>{{"--effort", "high"},
                                                                  {"--effort", "normal"},
                                                                  {"--calib-method", "minmax"},
                                                                  {"--calib-images", "20"},
                                                                  {"--per-tensor"},
                                                                  {"--qdq", "ort"},
                                                                  {"--sensitivity"}}) {
    refused = exported(option);
    EXPECT_EQ(refused.code, 2) << option.front();
    EXPECT_TRUE(has(refused.err, "export: " + option.front() + ": expected --int8 with it"))
        << refused.err;
  }
  refused = exported({"--topk-all", "9"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(has(refused.err, "--topk-all: expected --nms or --end2end with it")) << refused.err;
  refused = exported({"--foo"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(has(refused.err, "export: unknown option --foo")) << refused.err;
}

TEST_F(Export, RepositoriesOfServers) {
  const std::string out = (scratch / "out").string();
  const json said =
      result({"--include", "onnx", "openvino", "--grid", "--dynamic-batch", "--out", out,
              "--triton", (scratch / "triton").string(), "--ovms", (scratch / "ovms").string()});
  EXPECT_EQ(said.at("served").size(), 4U) << said;
  EXPECT_EQ(read_text(scratch / "triton/official-onnx/1/model.onnx"),
            read_text(scratch / "out/official.onnx"));
  EXPECT_TRUE(has(read_text(scratch / "triton/official-onnx/config.pbtxt"), "max_batch_size: 8"));
  EXPECT_EQ(json::parse(read_text(scratch / "ovms/config.json")).at("model_config_list").size(),
            2U);
}

// What a file says of itself, against what the command line says.
TEST_F(Export, ContradictionsNameBothSides) {
  scratch.write("images/a.bmp", noise_bmp(64));
  const std::string out = (scratch / "out").string();
  result({"--include", "onnx", "--nms", "--conf-thres", "0.2", "--iou-thres", "0.5", "--out", out});
  const auto detect = [&](std::vector<std::string> more) {
    std::vector<std::string> all{
        "detect",  "--weights", out + "/official.onnx", "--source", (scratch / "images").string(),
        "--nosave"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  };
  EXPECT_EQ(detect({}).code, 0) << "sizes and thresholds come from the file";
  EXPECT_EQ(detect({"--img", "64", "--conf", "0.3", "--iou", "0.5"}).code, 0);
  const std::pair<std::vector<std::string>, const char*> calls[] = {
      {{"--img", "320"}, "--img-size 320: "},
      {{"--iou", "0.45"}, "suppresses by itself at 0.5"},
      {{"--conf", "0.1"}, "gives nothing below 0.2"},
      {{"--names", "x,y"}, "expected the class names of the file (a, b), found x, y"}};
  for (const auto& [more, expected] : calls) {
    const Outcome outcome = detect(more);
    EXPECT_NE(outcome.code, 0) << expected;
    EXPECT_TRUE(has(outcome.err, expected)) << outcome.err;
  }
  EXPECT_EQ(detect({"--names", "a,b"}).code, 0) << "the same";
  const std::string yaml = (scratch / "names.yaml").string();
  write_text(yaml, "names: {1: b, 0: a}\n");
  EXPECT_EQ(detect({"--names", yaml}).code, 0) << "the numbers tell the order";
  write_text(yaml, "names: {1: a, 2: b}\n");
  const Outcome shifted = detect({"--names", yaml});
  EXPECT_EQ(shifted.code, 1);
  EXPECT_TRUE(has(shifted.err, "expected the class numbers 0 to 1 as keys of names, found '2'"))
      << shifted.err;
}

// OpenVINO's metadata carry thresholds for whoever reads the file.
TEST_F(Export, ThresholdsComeFromTheFileWhereNoneAreGiven) {
  scratch.write("images/a.bmp", noise_bmp(64));
  const std::string out = (scratch / "out").string();
  result({"--include", "openvino", "--conf-thres", "0.001", "--out", out});
  const auto said = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{"detect",
                                 "--weights",
                                 out + "/official_openvino_model",
                                 "--source",
                                 (scratch / "images").string(),
                                 "--nosave"};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = run(all);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out + outcome.err;
  };
  EXPECT_TRUE(has(said({}), "--conf-thres 0.001 comes from the file"));
  EXPECT_FALSE(has(said({"--conf-thres", "0.9"}), "comes from the file"));
}

// Every score is far above the thresholds that are given here, and none is above 1.
TEST_F(Export, ThresholdsOfTheFileHoldForTracksAndWhatIsSaid) {
  scratch.write("images/a.bmp", noise_bmp(64));
  const std::string out = (scratch / "out").string();
  result({"--include", "openvino", "--conf-thres", "1", "--out", out});
  const auto detect = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{"detect",
                                 "--weights",
                                 out + "/official_openvino_model",
                                 "--source",
                                 (scratch / "images").string(),
                                 "--nosave"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  };
  const Outcome nothing = detect({});
  EXPECT_EQ(nothing.code, 0) << nothing.err;
  EXPECT_TRUE(has(nothing.out, ", threshold 1), ")) << nothing.out;
  const Outcome tracks = detect({"--track", "--track-high", "0.5", "--json"});
  ASSERT_EQ(tracks.code, 0) << tracks.err;
  EXPECT_GT(json::parse(tracks.out).at("objects"), 0) << "they are above --track-high";
  const Outcome chosen = detect({"--precision", "auto"});
  EXPECT_EQ(chosen.code, 0) << chosen.err;
  EXPECT_TRUE(has(chosen.out, "nothing is found in") ||
              has(chosen.out, "expected a CPU with AVX512_BF16"))
      << chosen.out;
  const Outcome doubtful = detect({"--collect", (scratch / "kept").string()});
  EXPECT_EQ(doubtful.code, 2);
  EXPECT_TRUE(has(doubtful.err, "expected more than --conf-thres 1, found 0.7")) << doubtful.err;
}

TEST_F(Export, BrokenFilesAreRefusedInOneLine) {
  scratch.write("images/a.bmp", noise_bmp(64));
  const std::string out = (scratch / "out").string();
  result({"--include", "onnx", "tflite", "coreml", "--grid", "--out", out});
  const std::string onnx = read_text(scratch / "out/official.onnx");
  scratch.write("cut.onnx", onnx.substr(0, onnx.size() / 2));
  scratch.write("other.tflite", onnx);
  scratch.write("x.engine", "ptrt");
  scratch.write("x.torchscript", onnx);
  std::filesystem::create_directories(scratch / "empty");
  const std::pair<const char*, const char*> files[] = {
      {"cut.onnx", "one that is cut or damaged: byte "},
      {"other.tflite", "found an ONNX model; name it .onnx"},
      {"x.engine", "TensorRT alone runs"},
      {"x.torchscript", "expected a TorchScript file, found an ONNX model"},
      {"empty", "found an empty one"},
      {"out/official.mlpackage", "Apple's devices alone run"}};
  for (const auto& [name, expected] : files)
    for (const char* verb : {"detect", "benchmark"}) {
      std::vector<std::string> call{verb, "--weights", (scratch / name).string()};
      if (std::string(verb) == "detect") {
        call.insert(call.end(), {"--source", (scratch / "images").string()});
      }
      const Outcome outcome = run(call);
      EXPECT_EQ(outcome.code, 1) << verb << ' ' << name;
      EXPECT_TRUE(has(outcome.err, expected)) << outcome.err;
      EXPECT_EQ(outcome.err.find("src/"), std::string::npos) << outcome.err;
    }
}

TEST_F(Export, AMissingOnnxRuntimeExplainsItself) {
  scratch.write("images/a.bmp", noise_bmp(64));
  const std::string out = (scratch / "out").string();
  result({"--include", "onnx", "--grid", "--out", out});
  ::setenv("YOLOV7_ONNXRUNTIME", "/nothere/libonnxruntime.so", 1);
  const Outcome outcome = run({"detect", "--weights", out + "/official.onnx", "--backend",
                               "onnxruntime", "--source", (scratch / "images").string()});
  ::unsetenv("YOLOV7_ONNXRUNTIME");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "expected the library of ONNX Runtime, found none")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "YOLOV7_ONNXRUNTIME")) << outcome.err;
  const Outcome checkpoint = run({"detect", "--weights", in, "--backend", "onnxruntime", "--source",
                                  (scratch / "images").string()});
  EXPECT_NE(checkpoint.code, 0);
  EXPECT_TRUE(has(checkpoint.err, "expected an .onnx file, found a checkpoint")) << checkpoint.err;
}

}  // namespace yolov7::test
