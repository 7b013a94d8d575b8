// Training and validation on annotations of another format than data.yaml: the same as on the
// converted set.
#include <nlohmann/json.hpp>

#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;

class AnyFormat : public NarrowRuns {
 protected:
  static void SetUpTestSuite() {
    NarrowRuns::SetUpTestSuite();
    convert(data(), "coco", coco());
    convert(coco(), "yolo", *scratch / "yolo");
  }
  static void convert(const fs::path& from, const std::string& format, const fs::path& to) {
    const Outcome outcome = run(
        {"dataset", "convert", "--source", from.string(), "--to", format, "--out", to.string()});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  static fs::path coco() { return *scratch / "coco"; }
  static std::string converted() { return (*scratch / "yolo/data.yaml").string(); }
  /// One epoch on `data`; the result in JSON.
  static json train(const std::string& name, const std::string& data_argument,
                    const fs::path& from = fs::temp_directory_path()) {
    std::vector<std::string> all = arguments(name, 1, {"--json"});
    *(std::find(all.begin(), all.end(), "--data") + 1) = data_argument;
    const Outcome outcome = run(all, from);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.code == 0 ? json::parse(outcome.out) : json();
  }
};

TEST_F(AnyFormat, TrainsAndMeasuresAsOnTheConvertedSet) {
  const json direct = train("direct", "coco:" + coco().string());
  const json other = train("converted", converted());
  expect_same_tensors("direct", "converted");
  EXPECT_EQ(direct["coco_map"], other["coco_map"]);
  EXPECT_EQ(direct["data_account"]["from"], "coco");
  EXPECT_EQ(direct["data_account"]["boxes"]["dropped"], 0);
  EXPECT_TRUE(fs::exists(folder("direct") / "data_account.json"));
  EXPECT_FALSE(other.contains("data_account"));

  const auto measure = [&](const std::string& source, const std::string& name) {
    const Outcome outcome =
        run({"val", "--weights", (folder("direct") / "weights/last.pt").string(), "--data", source,
             "--img", "96", "--project", (*scratch / "val").string(), "--name", name, "--json"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.code == 0 ? json::parse(outcome.out) : json();
  };
  json one = measure(coco().string(), "direct"), two = measure(converted(), "converted");
  EXPECT_EQ(one["data_account"]["to"], "training");
  EXPECT_EQ(one["coco"], two["coco"]);
}

TEST_F(AnyFormat, ResumesFromAnotherFolder) {
  train("resumed", "coco", scratch->path());
  const Outcome outcome =
      run({"train", "--resume", (folder("resumed") / "weights/last.pt").string(), "--epochs", "2"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

}  // namespace
}  // namespace yolov7::test
