// The whole way on a small data set drawn by code: synth, train, validate, detect, interrupt,
// resume, fine-tune.
#include <gtest/gtest.h>

#include <cmath>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json result(const Outcome& outcome) { return json::parse(outcome.out); }

/// Column of the last row of results.csv.
double last_value(const fs::path& csv, const std::string& column) {
  std::istringstream lines(read_text(csv));
  std::string header, row, line;
  std::getline(lines, header);
  while (std::getline(lines, line)) row = line;
  std::istringstream names(header), values(row);
  for (std::string name, value; std::getline(names, name, ',') && std::getline(values, value, ',');)
    if (name == column) return std::stod(value);
  throw std::runtime_error("no column " + column);
}

class LifeCycle : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch = new test::ScratchFolder;
    const Outcome drawn =
        run({"dataset", "synth", "--out", data().string(), "--level", "easy", "--train", "32",
             "--val", "8", "--test", "8", "--img-size", "128", "--seed", "3"});
    ASSERT_EQ(drawn.code, 0) << drawn.err;
  }
  static void TearDownTestSuite() { delete scratch; }
  static fs::path data() { return *scratch / "data"; }
  static std::vector<std::string> train_arguments(const std::string& name, int epochs) {
    return {"train",
            "--cfg",
            "yolov7-tiny.yaml",
            "--weights",
            "",
            "--data",
            (data() / "data.yaml").string(),
            "--hyp",
            "hyp.scratch.tiny.yaml",
            "--img",
            "128",
            "--batch",
            "8",
            "--threads",
            "2",  // a fixed number: the same results however busy the machine is
            "--epochs",
            std::to_string(epochs),
            "--project",
            (*scratch / "runs").string(),
            "--name",
            name};
  }
  static test::ScratchFolder* scratch;
};
test::ScratchFolder* LifeCycle::scratch = nullptr;

TEST_F(LifeCycle, TrainValidateDetect) {
  auto arguments = train_arguments("whole", 3);
  arguments.push_back("--json");
  const Outcome trained = run(arguments);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(has(trained.err, "warm-up: 2 of 12 iterations"))
      << trained.err;  // a fifth of 3 epochs × 4 batches
  const fs::path folder = result(trained)["run_folder"].get<std::string>();
  for (const char* name :
       {"hyp.yaml", "opt.yaml", "results.txt", "results.csv", "train_batch0.jpg", "weights/init.pt",
        "weights/last.pt", "weights/best.pt", "weights/epoch_000.pt"})
    EXPECT_TRUE(fs::exists(folder / name)) << name;
  EXPECT_EQ(line_count(read_text(folder / "results.csv")), 4u);
  EXPECT_EQ(read_text(folder / "results.txt").find("       0/2        0G"), 0u)
      << read_text(folder / "results.txt");

  // `val` on epoch 2's weights gives epoch 2's row. The weights are the same float32 numbers; the
  // batches differ in size only.
  const Outcome validated =
      run({"val", "--weights", (folder / "weights/epoch_002.pt").string(), "--data",
           (data() / "data.yaml").string(), "--img", "128", "--batch", "16", "--project",
           (*scratch / "runs").string(), "--name", "val", "--save-json", "--bootstrap", "50",
           "--calibration", "--error-analysis", "--json"});
  ASSERT_EQ(validated.code, 0) << validated.err;
  EXPECT_NEAR(result(validated)["coco"]["map50"].get<double>(),
              last_value(folder / "results.csv", "coco/mAP_0.5"), 0.001);
  EXPECT_NEAR(result(validated)["coco"]["map"].get<double>(),
              last_value(folder / "results.csv", "coco/mAP_0.5:0.95"), 0.001);
  EXPECT_NEAR(result(validated)["official"]["map50"].get<double>(),
              last_value(folder / "results.csv", "official/mAP_0.5"), 0.001);

  // What val analyses is what metrics finds in the files that it leaves; boxes and scores stand
  // there with three and five digits.
  const Outcome measured =
      run({"metrics", "--ground-truth", (*scratch / "runs/val/ground_truth.json").string(),
           "--detections", (*scratch / "runs/val/epoch_002_predictions.json").string(),
           "--bootstrap", "50", "--calibration", "--error-analysis", "--out",
           (*scratch / "analyses").string(), "--json"});
  ASSERT_EQ(measured.code, 0) << measured.err;
  EXPECT_NEAR(result(validated)["bootstrap"]["map50"]["low"].get<double>(),
              result(measured)["bootstrap"]["map50"]["low"].get<double>(), 0.01);
  EXPECT_NEAR(result(validated)["calibration"]["expected_error"].get<double>(),
              result(measured)["calibration"]["expected_error"].get<double>(), 0.001);
  EXPECT_NEAR(result(validated)["errors"]["ap"].get<double>(),
              result(measured)["errors"]["ap"].get<double>(), 0.5);
  EXPECT_LE(result(validated)["bootstrap"]["map50"]["low"], result(validated)["coco"]["map50"]);
  for (const fs::path& at : {*scratch / "runs/val", *scratch / "analyses"})
    for (const char* name : {"calibration.png", "errors.png", "errors.json"})
      EXPECT_TRUE(fs::exists(at / name)) << name;

  const Outcome detected =
      run({"detect", "--weights", (folder / "weights/best.pt").string(), "--source",
           (data() / "images/test").string(), "--img", "128", "--conf", "0.001", "--save-txt",
           "--save-conf", "--project", (*scratch / "runs").string(), "--name", "detect"});
  ASSERT_EQ(detected.code, 0) << detected.err;
  EXPECT_EQ(std::distance(fs::directory_iterator(*scratch / "runs/detect/labels"),
                          fs::directory_iterator{}),
            8);
  EXPECT_TRUE(fs::exists(*scratch / "runs/detect/000000.jpg"));

  // Speed, of which all that can be said beforehand is the order of the figures and what they
  // belong to.
  const Outcome timed = run({"benchmark",
                             "--weights",
                             (folder / "weights/best.pt").string(),
                             "--img-size",
                             "128",
                             "96",
                             "--batch-size",
                             "1",
                             "2",
                             "--nstreams",
                             "1",
                             "2",
                             "--seconds",
                             "0.1",
                             "--threads",
                             "2",
                             "--source",
                             (data() / "images/test").string(),
                             "--project",
                             (*scratch / "runs").string(),
                             "--name",
                             "speed",
                             "--json"});
  ASSERT_EQ(timed.code, 0) << timed.err;
  ASSERT_EQ(result(timed)["rows"].size(), 8u);
  const nlohmann::json combinations = result(timed)["rows"];
  for (const auto& row : combinations) {
    const auto& n = row["network"];
    EXPECT_GE(n["calls"], 10);
    EXPECT_LE(n["least_ms"], n["median_ms"]);
    EXPECT_LE(n["median_ms"], n["p90_ms"]);
    EXPECT_LE(n["p90_ms"], n["p99_ms"]);
    // Calls at once, the rate times the latency: exactly one where one call is made after the
    // other, at most two of two streams, whose three warming calls each are in the rate alone.
    const double at_once = row["pictures_per_second"].get<double>() * n["mean_ms"].get<double>() /
                           (1000 * row["batch_size"].get<int>());
    if (row["streams"] == 1)
      EXPECT_NEAR(at_once, 1, 1e-9);
    else
      EXPECT_TRUE(at_once > 0 && at_once <= 2 * (1 + 6 / n["calls"].get<double>()) + 1e-9)
          << at_once;
    EXPECT_EQ(row.contains("end_to_end"), row["batch_size"] == 1 && row["streams"] == 1);
  }
  EXPECT_EQ(line_count(read_text(*scratch / "runs/speed/benchmark.csv")), 9u);
  EXPECT_TRUE(fs::exists(*scratch / "runs/speed/benchmark.png"));

  // The breakdown accounts for every object, three times; the report holds it.
  std::map<std::string, std::size_t> by_property;
  const nlohmann::json bins = result(validated)["breakdown"];
  for (const auto& one : bins) by_property[one["property"]] += one["objects"].get<std::size_t>();
  EXPECT_EQ(by_property.size(), 3u);
  for (const auto& [property, objects] : by_property)
    EXPECT_EQ(objects, result(validated)["labels"].get<std::size_t>()) << property;
  EXPECT_EQ(result(validated)["thresholds"]["by_class"].size(), 3u);
  for (const char* name : {"report.html", "thresholds.csv", "breakdown.csv", "worst_pictures.jpg"})
    EXPECT_TRUE(fs::exists(*scratch / "runs/val" / name)) << name;

  // Times alone, and over sizes; an ensemble of a model with itself, which finds what it finds;
  // three passes.
  const std::string best = (folder / "weights/best.pt").string(),
                    last = (folder / "weights/last.pt").string(),
                    description = (data() / "data.yaml").string();
  const auto val = [&](std::vector<std::string> more) {
    std::vector<std::string> all{
        "val",   "--data", description, "--img", "128", "--project", (*scratch / "runs").string(),
        "--json"};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = run(all);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return result(outcome);
  };
  const auto speed = val({"--weights", best, last, "--task", "speed"});
  ASSERT_EQ(speed["rows"].size(), 2u) << "each by itself";
  EXPECT_EQ(speed["rows"][1]["weights"], last);
  EXPECT_GT(speed["rows"][0]["times_ms"]["inference"], 0);
  const auto study =
      val({"--weights", best, "--task", "study", "--study-sizes", "64", "128", "--name", "study"});
  ASSERT_EQ(study["rows"].size(), 2u);
  const auto alone = val({"--weights", best, "--name", "alone"});
  EXPECT_NEAR(study["rows"][1]["coco"]["map50"].get<double>(), alone["coco"]["map50"].get<double>(),
              1e-9);
  const std::string rows = read_text(*scratch / "runs/study/study_data_best.txt");
  EXPECT_EQ(line_count(rows), 2u);
  std::istringstream columns(rows.substr(0, rows.find('\n')));
  EXPECT_EQ(std::distance(std::istream_iterator<double>(columns), std::istream_iterator<double>()),
            13);
  for (const char* name : {"study.zip", "study.png"})
    EXPECT_TRUE(fs::exists(*scratch / "runs/study" / name)) << name;
  // Twice the same rows: the second of each pair overlaps the first wholly and is suppressed.
  EXPECT_NEAR(val({"--weights", best, best, "--name", "twice"})["coco"]["map"].get<double>(),
              alone["coco"]["map"].get<double>(), 1e-9);
  EXPECT_TRUE(has(
      val({"--weights", best, "--augment", "--name", "augmented"})["detector"].get<std::string>(),
      "three passes"));

  // A threshold that nothing reaches: the highest score is said.
  const Outcome none =
      run({"detect", "--weights", (folder / "weights/best.pt").string(), "--source",
           (data() / "images/test/000000.jpg").string(), "--img", "128", "--conf", "0.9999",
           "--project", (*scratch / "runs").string(), "--name", "none"});
  EXPECT_EQ(none.code, 0);
  EXPECT_TRUE(has(none.out + none.err, "highest score")) << none.out << none.err;

  // Fine-tuning with another class list: matched by name.
  auto tune = train_arguments("tune", 1);
  tune[4] = (folder / "weights/best.pt").string();
  const Outcome tuned = run(tune);
  ASSERT_EQ(tuned.code, 0) << tuned.err;
  EXPECT_TRUE(has(tuned.err, "classes matched by name")) << tuned.err;
}

TEST_F(LifeCycle, InterruptResumeAndLock) {
  Process process(train_arguments("cut", 200), scratch->path());
  for (int i = 0; i < 600 && !has(process.errors_so_far(), "epoch 0/"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const fs::path folder = *scratch / "runs/cut";
  // A second process in the same run folder is refused while the first one trains.
  auto again = train_arguments("cut", 1);
  again.push_back("--exist-ok");
  const Outcome locked = run(again);
  EXPECT_EQ(locked.code, 1);
  EXPECT_TRUE(has(locked.err, "another process is training in this run folder")) << locked.err;

  process.send(SIGINT);
  const Outcome cut = process.wait();
  EXPECT_EQ(cut.code, 130) << cut.err;
  EXPECT_TRUE(has(cut.err, "can be resumed")) << cut.err;
  ASSERT_TRUE(fs::exists(folder / "weights/last.pt"));

  const std::size_t rows = line_count(read_text(folder / "results.csv"));
  const int epochs_done = static_cast<int>(rows) - 1;
  const Outcome resumed = run({"train", "--resume", folder.string(), "--epochs",
                               std::to_string(epochs_done + 1), "--json"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_TRUE(has(resumed.err, "the schedule follows the new number")) << resumed.err;
  EXPECT_EQ(result(resumed)["epochs_done"], epochs_done + 1);
  EXPECT_EQ(line_count(read_text(folder / "results.csv")), rows + 1);

  const Outcome finished = run({"train", "--resume", folder.string()});
  EXPECT_EQ(finished.code, 1);
  EXPECT_TRUE(has(finished.err, "nothing to resume")) << finished.err;
  EXPECT_EQ(run({"train", "--resume", folder.string(), "--hyp", "x.yaml"}).code, 2);
}

/// N epochs, interrupted and resumed, end with the bytes of N epochs in one go: no random state,
/// nothing lost.
void expect_same_after_resume(const std::vector<std::string>& undisturbed,
                              const std::vector<std::string>& disturbed, const fs::path& runs,
                              const fs::path& folder) {
  const Outcome whole = run(undisturbed);
  ASSERT_EQ(whole.code, 0) << whole.err;
  Process process(disturbed, folder);
  for (int i = 0; i < 600 && !has(process.errors_so_far(), "epoch 0/"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  process.send(SIGINT);
  const Outcome cut = process.wait();
  ASSERT_EQ(cut.code, 130) << cut.err;
  const std::string name = disturbed.back();
  ASSERT_EQ(run({"train", "--resume", (runs / name).string()}).code, 0);
  const auto weights = [&](const std::string& run_name) {
    return read_text(runs / run_name / "weights/epoch_001.pt");
  };
  EXPECT_FALSE(weights(undisturbed.back()).empty());
  EXPECT_TRUE(weights(undisturbed.back()) == weights(name));
}

TEST_F(LifeCycle, ResumedWeightsEqualUndisturbedOnes) {
  expect_same_after_resume(train_arguments("undisturbed", 2), train_arguments("disturbed", 2),
                           *scratch / "runs", scratch->path());
}

// The same with everything that keeps a state or draws at random: moments of AdamW, weights of
// pictures and levels, sizes.
TEST_F(LifeCycle, ResumedWeightsEqualUndisturbedOnesWithEveryOption) {
  const auto arguments = [](const std::string& name) {
    std::vector<std::string> all = train_arguments(name, 2);
    const std::string last = all.back();
    all.resize(all.size() - 2);
    for (const char* more : {"--optimizer", "adamw", "--schedule", "plateau", "--lr-patience", "1",
                             "--nbs", "16", "--clip-grad", "5", "--multi-scale", "--image-weights",
                             "--close-mosaic", "1", "--autobalance", "--save_period", "1"})
      all.emplace_back(more);
    all.insert(all.end(), {"--name", last});
    return all;
  };
  expect_same_after_resume(arguments("undisturbed-all"), arguments("disturbed-all"),
                           *scratch / "runs", scratch->path());
}

TEST_F(LifeCycle, TimeAndPatienceEndARunThatGoesOnWhenAsked) {
  auto arguments = train_arguments("short", 4);
  arguments.insert(arguments.end(), {"--time", "0.00001", "--json"});
  const Outcome ended = run(arguments);
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(result(ended)["epochs_done"], 1);
  EXPECT_TRUE(has(ended.err, "hours of training (--time 1e-05)")) << ended.err;
  const std::string folder = result(ended)["run_folder"].get<std::string>();
  EXPECT_TRUE(fs::exists(fs::path(folder) / "weights/best.pt"));
  const Outcome refused = run({"train", "--resume", folder});
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(
      has(refused.err, "nothing to resume (another --patience, --time or --epochs goes on)"))
      << refused.err;
  const Outcome resumed =
      run({"train", "--resume", folder, "--time", "0", "--epochs", "2", "--json"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(result(resumed)["epochs_done"], 2);
}

// As many anchors per level as the hyper-parameter file asks for; the checkpoint says so, and every
// verb takes it.
TEST_F(LifeCycle, SearchedAnchors) {
  const Outcome searched =
      run({"anchors", "--data", (data() / "data.yaml").string(), "--count", "12", "--per-level",
           "4", "--img-size", "128", "--generations", "100", "--json"});
  ASSERT_EQ(searched.code, 0) << searched.err;
  EXPECT_EQ(result(searched)["anchors"].size(), 12u);
  EXPECT_GT(result(searched)["best_possible_recall"].get<double>(), 0.98);
  EXPECT_EQ(run({"anchors"}).code, 2);
  const Outcome uneven = run(
      {"anchors", "--data", (data() / "data.yaml").string(), "--count", "10", "--per-level", "4"});
  EXPECT_EQ(uneven.code, 2);
  EXPECT_TRUE(has(uneven.err, "--count as a multiple of --per-level 4, found 10")) << uneven.err;

  const fs::path hyp = *scratch / "four.yaml";
  write_text(hyp, "anchors: 4\nmosaic: 0.5\n");
  auto arguments = train_arguments("four", 1);
  arguments.insert(arguments.end(), {"--hyp", hyp.string(), "--json"});
  arguments.erase(std::find(arguments.begin(), arguments.end(), "--hyp"),
                  std::find(arguments.begin(), arguments.end(), "--hyp") + 2);
  const Outcome trained = run(arguments);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(has(trained.err, "anchors: searched, best possible recall")) << trained.err;
  const std::string best = result(trained)["best"].get<std::string>();
  const Outcome info = run({"info", "--weights", best, "--json"});
  ASSERT_EQ(info.code, 0) << info.err;
  EXPECT_EQ(result(info)["anchors"][2].size(), 4u);
  EXPECT_EQ(run({"val", "--weights", best, "--data", (data() / "data.yaml").string(), "--img",
                 "128", "--project", (*scratch / "runs").string(), "--name", "val-four"})
                .code,
            0);
  EXPECT_EQ(run({"train", "--resume", (*scratch / "runs/four").string(), "--epochs", "2"}).code, 0);
}

}  // namespace
}  // namespace yolov7::test
