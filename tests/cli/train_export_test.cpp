// train --export: the best weights in other formats when the training is complete.
#include <nlohmann/json.hpp>

#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;

class TrainExport : public NarrowRuns {};

}  // namespace

TEST_F(TrainExport, WritesMeasuresAndShowsInTheReport) {
  const Outcome trained = run(arguments("exported", 1, {"--export", "onnx", "tflite", "--json"}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  const json told = json::parse(trained.out).at("export");
  ASSERT_EQ(told.at("files").size(), 2U) << told;
  for (const json& file : told.at("files")) {
    EXPECT_EQ(file.at("verdict"), "equal");
    EXPECT_EQ(file.at("certificate").at("accuracy").at("images"), 4) << "the run's own val split";
    EXPECT_TRUE(fs::exists(file.at("certificate_file").get<std::string>()));
  }
  EXPECT_TRUE(fs::exists(folder("exported") / "weights/best.onnx"));
  const std::string page = read_text(folder("exported") / "report.html");
  EXPECT_TRUE(has(page, "<h2>Exported files</h2>")) << page.substr(0, 500);
  EXPECT_TRUE(has(page, "<td>tflite</td>"));
}

TEST_F(TrainExport, FormatsAreCheckedBeforeTheTraining) {
  const Outcome refused = run(arguments("none", 1, {"--export", "onxx"}));
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(has(refused.err, "did you mean 'onnx'?")) << refused.err;
  EXPECT_FALSE(fs::exists(folder("none")));
}

TEST_F(TrainExport, AFormatThatFailsLeavesTheTraining) {
  const fs::path kept = folder("failed") / "weights/best.onnx";
  const Outcome failed = [&] {
    fs::create_directories(kept);  // a folder of the user, which is not replaced
    return run(arguments("failed", 1, {"--export", "onnx", "--exist-ok"}));
  }();
  EXPECT_EQ(failed.code, 1) << failed.out << failed.err;
  EXPECT_TRUE(has(failed.err, "the training is complete")) << failed.err;
  EXPECT_TRUE(fs::exists(folder("failed") / "weights/best.pt"));
  EXPECT_TRUE(fs::is_directory(kept));
}

}  // namespace yolov7::test
