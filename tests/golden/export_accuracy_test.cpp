// The official BCCD checkpoint in every format that something here runs: mAP of the file and of the
// weights by the same evaluator, on both splits. float32 within .0002, float16 within .002.
#include <gtest/gtest.h>

#include "cli/program.hpp"
#include "golden/reference.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

}  // namespace

TEST(NightlyExportAccuracy, EveryFormatReachesWhatTheWeightsReach) {
  const fs::path checkpoint = golden::shared_dir() / "checkpoints" / "official-yolov7-tiny-bccd.pt",
                 pictures = golden::shared_dir() / "datasets" / "bccd";
  YOLOV7_REQUIRE_REFERENCE(checkpoint);
  YOLOV7_REQUIRE_REFERENCE(pictures);
  const ScratchFolder scratch;
  const std::string data = (scratch / "bccd").string();
  const Outcome converted = run({"dataset", "convert", "--from", "voc", "--source",
                                 pictures.string(), "--to", "yolo", "--out", data});
  ASSERT_EQ(converted.code, 0) << converted.err;
  for (const bool half : {false, true})
    for (const char* split : {"val", "test"}) {
      std::vector<std::string> call{"export",
                                    "--weights",
                                    checkpoint.string(),
                                    "--img",
                                    "320",
                                    "--include",
                                    "onnx",
                                    "openvino",
                                    "tflite",
                                    "saved_model",
                                    "pb",
#ifdef YOLOV7_WITH_TRAINING
                                    "torchscript",
#endif
                                    "--data",
                                    data + "/data.yaml",
                                    "--split",
                                    split,
                                    "--json",
                                    "--out",
                                    (scratch / "out").string()};
      if (half) call.insert(call.end(), {"--half"});
      const Outcome outcome = run(call);
      ASSERT_EQ(outcome.code, 0) << outcome.err;
      std::printf("%-6s %-8s %-14s %8s %8s %9s %22s\n", "split", "type", "format", "weights",
                  "file", "change", "95 % of the draws");
      const json files = json::parse(outcome.out).at("files");
      EXPECT_GE(files.size(), 5U);
      for (const json& file : files) {
        const json& c = file.at("certificate");
        const json& a = c.at("accuracy");
        const double weights = a.at("weights").at("map"), own = a.at("file").at("map");
        std::printf("%-6s %-8s %-14s %8.5f %8.5f %+9.5f %+10.5f .. %+8.5f\n", split,
                    c.at("precision").get<std::string>().c_str(),
                    c.at("format").get<std::string>().c_str(), weights, own,
                    a.at("map_change").at("value").get<double>(),
                    a.at("map_change").at("low").get<double>(),
                    a.at("map_change").at("high").get<double>());
        std::fflush(stdout);
        EXPECT_GT(weights, 0.4);
        EXPECT_NEAR(own, weights, c.at("precision") == "float16" ? 0.002 : 0.0002) << file;
      }
    }
}

}  // namespace yolov7::test
