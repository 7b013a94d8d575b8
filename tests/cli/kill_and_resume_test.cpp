// A training that is killed, starved, fed with nonsense or moved continues exactly where it stood,
// or says why not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// How often a run is killed: a few times here, 20 in the soak test.
int kills() {
  const char* wanted = std::getenv("YOLOV7_KILLS");
  return wanted != nullptr ? std::atoi(wanted) : 4;
}

class KillAndResume : public NarrowRuns {};

// The whole run, and the same one killed at random instants, with 1, 2 and 4 loader threads in
// turn.
TEST_F(KillAndResume, TensorsEqualThoseOfTheUndisturbedRun) {
  const std::vector<std::string> often{"--checkpoint-seconds", "0.001", "--nbs", "8"};
  const int epochs = std::max(6, 2 * kills());  // so that the last kill meets a run that goes on
  ASSERT_EQ(run(arguments("whole", epochs, often)).code, 0);
  std::mt19937 random(7);
  int killed = 0;
  Process first(arguments("killed", epochs, often), scratch->path());
  for (int i = 0; i < 1000 && !fs::exists(folder("killed") / "weights/last.pt"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_TRUE(fs::exists(folder("killed") / "weights/last.pt"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 200));
  first.send(SIGKILL);
  killed += first.wait().code == 128 + SIGKILL;
  for (int i = 1; i < kills(); ++i) {
    Process again(
        {"train", "--resume", folder("killed").string(), "--workers", std::to_string(1 << (i % 3))},
        scratch->path());
    for (int k = 0; k < 1000 && !has(again.errors_so_far(), "resuming"); ++k)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + random() % 900));
    again.send(SIGKILL);
    killed += again.wait().code == 128 + SIGKILL;
  }
  EXPECT_GE(killed, 1);
  const Outcome end = run({"train", "--resume", folder("killed").string(), "--workers", "4"});
  ASSERT_TRUE(end.code == 0 || has(end.err, "nothing to resume")) << end.err;
  expect_same_tensors("whole", "killed");
  for (const auto& entry : fs::directory_iterator(folder("killed") / "weights"))
    EXPECT_FALSE(has(entry.path().filename().string(), ".tmp")) << entry.path();
}

// Five transforms of the catalogue, among them one with a schedule over the epochs and one that
// takes a second picture.
TEST_F(KillAndResume, WithFurtherAugmentationsToo) {
  const fs::path hyp = *scratch / "augment.yaml";
  write_text(hyp,
             read_text(fs::path(YOLOV7_SOURCE_DIR) / "configs/hyp/hyp.scratch.tiny.yaml") +
                 "\naugment:\n  - {name: CutMix, p: 0.5}\n  - {name: Rotate, limit: 15}\n  - "
                 "{name: CLAHE, p: 0.3}\n  - {name: GaussNoise}\n  - {name: GridMask, p: 0.7}\n");
  const auto call = [&](const std::string& name, const std::string& workers) {
    std::vector<std::string> all =
        arguments(name, 6, {"--checkpoint-seconds", "0.001", "--nbs", "8", "--workers", workers});
    *std::next(std::find(all.begin(), all.end(), "--hyp")) = hyp.string();
    return all;
  };
  ASSERT_EQ(run(call("augmented", "1")).code, 0);
  Process cut(call("augmented-cut", "4"), scratch->path());
  for (int i = 0; i < 1000 && !has(cut.errors_so_far(), "epoch 1/"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  cut.send(SIGKILL);
  ASSERT_EQ(cut.wait().code, 128 + SIGKILL);
  fs::remove(hyp);  // the run has its own copy
  const Outcome end =
      run({"train", "--resume", folder("augmented-cut").string(), "--workers", "2"});
  ASSERT_EQ(end.code, 0) << end.err;
  expect_same_tensors("augmented", "augmented-cut");
  ASSERT_EQ(run(arguments("plain", 6, {"--checkpoint-seconds", "0.001", "--nbs", "8"})).code, 0);
  EXPECT_FALSE(last("augmented").model.entries().begin()->second.bytes ==
               last("plain").model.entries().begin()->second.bytes)
      << "the list changed nothing";
}

// Random values turn bfloat16's gradients at first, so float32 begins; when bfloat16 takes over is
// part of the run. This network is there after some five of the ten epochs; the stops are before,
// about and after that.
TEST_F(KillAndResume, Bfloat16BeginsInFloat32AndTakesOverInTheSameEpoch) {
  const auto call = [&](const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> all =
        arguments(name, 10, {"--nbs", "4", "--notest", "--optimizer", "adamw"});
    *std::next(std::find(all.begin(), all.end(), "--precision")) = "bfloat16";
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const auto take_over = [](const std::string& log) {
    const auto end = log.find(": precision: bfloat16 from here on");
    return end == std::string::npos
               ? std::string()
               : log.substr(log.rfind('\n', end) + 1, end - log.rfind('\n', end) - 1);
  };
  const Outcome whole = run(call("narrow whole", {}));
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_TRUE(
      has(whole.err, "precision: bfloat16 from when its gradients point where float32's do"))
      << whole.err;
  ASSERT_NE(take_over(whole.err), "") << whole.err;
  std::string cut = run(call("narrow cut", {"--stop-after", "2"})).err;
  EXPECT_TRUE(json::parse(last("narrow cut").state)["float32_first"]) << "it goes on in float32";
  for (const char* stop : {"5", "8"})
    cut += run({"train", "--resume", folder("narrow cut").string(), "--stop-after", stop}).err;
  cut += run({"train", "--resume", folder("narrow cut").string()}).err;
  EXPECT_EQ(take_over(cut), take_over(whole.err));
  EXPECT_FALSE(json::parse(last("narrow cut").state)["float32_first"]);
  expect_same_tensors("narrow whole", "narrow cut");
}

TEST_F(KillAndResume, SigtermAndSighupLeaveAResumableRun) {
  for (const int signal : {SIGTERM, SIGHUP}) {
    const std::string name = signal == SIGTERM ? "term" : "hup";
    Process process(arguments(name, 200), scratch->path());
    for (int i = 0; i < 1000 && !has(process.errors_so_far(), "epoch 1/"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    process.send(signal);
    const Outcome cut = process.wait();
    EXPECT_EQ(cut.code, 130) << cut.err;
    EXPECT_TRUE(has(cut.err, "can be resumed")) << cut.err;
    // last.pt is of where the log says that the run stopped, not of the last end of an epoch.
    const json state = json::parse(last(name).state);
    EXPECT_TRUE(has(cut.err, "can be resumed at epoch " + state["epoch"].dump() + ", batch " +
                                 state["batch"].dump()))
        << cut.err;
  }
}

TEST_F(KillAndResume, UnderNohupAHangupDoesNotStopATraining) {
  Process process(arguments("nohup", 2), scratch->path(), {}, {"nohup"});
  // A hang-up before nohup has begun would end it.
  for (int i = 0; i < 1000 && !has(process.errors_so_far(), "epoch 0/"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (int i = 0; i < 1000 && !has(process.errors_so_far(), "epoch 1/"); ++i) {
    process.send(SIGHUP);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const Outcome whole = process.wait();
  EXPECT_EQ(whole.code, 0) << whole.err;
  EXPECT_FALSE(has(whole.err, "interrupted")) << whole.err;
}

TEST_F(KillAndResume, ADamagedCheckpointFallsBackToTheOneBefore) {
  ASSERT_EQ(run(arguments("damaged", 2)).code, 0);
  const fs::path weights = folder("damaged") / "weights";
  ASSERT_TRUE(fs::exists(weights / "last.previous.pt"));
  fs::resize_file(weights / "last.pt", fs::file_size(weights / "last.pt") / 2);
  const Outcome resumed = run({"train", "--resume", folder("damaged").string(), "--json"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_TRUE(has(resumed.err, "using the one before it")) << resumed.err;
  EXPECT_EQ(json::parse(resumed.out)["epochs_done"], 2);
}

TEST_F(KillAndResume, AMovedRunIsExtendedAndSaysHowTheScheduleChanges) {
  ASSERT_EQ(run(arguments("here", 2)).code, 0);
  fs::rename(folder("here"), *scratch / "there");
  const Outcome extended =
      run({"train", "--resume", (*scratch / "there").string(), "--epochs", "3", "--json"}, "/");
  ASSERT_EQ(extended.code, 0) << extended.err;
  EXPECT_TRUE(
      has(extended.err,
          "epochs: 3 instead of 2; the schedule follows the new number from here on: rate "))
      << extended.err;
  EXPECT_EQ(json::parse(extended.out)["run_folder"], (*scratch / "there").string());
}

// What is there to be watched: one event file for each time that the run went on, and results.png
// (PNG header: 2400 × 1200).
TEST_F(KillAndResume, IsShownToTensorBoardAndAsAPlot) {
  ASSERT_EQ(run(arguments("shown", 2)).code, 0);
  const auto event_files = [&] {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder("shown")))
      if (entry.path().filename().string().starts_with("events.out.tfevents."))
        found.push_back(entry.path());
    return found;
  };
  ASSERT_EQ(event_files().size(), 1u);
  const std::string events = read_text(event_files()[0]),
                    plot = read_text(folder("shown") / "results.png");
  for (const char* part : {"coco/mAP_0.5:0.95", "train/box_loss", "train_batch0", "PR_curve",
                           "_hparams_/session_start_info", "hyp/lr0", "backbone/layer_0_Conv"})
    EXPECT_TRUE(has(events, part)) << part;
  ASSERT_GT(plot.size(), 24u);
  EXPECT_EQ(plot.substr(16, 8), std::string("\0\0\x09\x60\0\0\x04\xB0", 8));
  ASSERT_EQ(run({"train", "--resume", folder("shown").string(), "--epochs", "3"}).code, 0);
  EXPECT_EQ(event_files().size(), 2u);
}

// With --notest the first epoch has no validation, and its row repeats what was before.
TEST_F(KillAndResume, TensorBoardIsToldWhatWasMeasuredAlone) {
  ASSERT_EQ(run(arguments("told", 2, {"--notest"})).code, 0);
  std::string events;
  for (const auto& entry : fs::directory_iterator(folder("told")))
    if (entry.path().filename().string().starts_with("events.out.tfevents."))
      events += read_text(entry.path());
  const auto count = [&](const std::string& tag) {
    int found = 0;
    for (std::size_t at = events.find(tag); at != std::string::npos; at = events.find(tag, at + 1))
      ++found;
    return found;
  };
  EXPECT_EQ(count("train/box_loss"), 2);
  EXPECT_EQ(count("val/box_loss"), 1);
}

TEST_F(KillAndResume, AChangedDataSetIsNamed) {
  ASSERT_EQ(run(arguments("data", 1)).code, 0);
  const fs::path label = data() / "labels/train/000003.txt";
  const std::string before = read_text(label);
  write_text(label, before + "0 0.5 0.5 0.25 0.25\n");
  const std::vector<std::string> resume{"train", "--resume", folder("data").string(), "--epochs",
                                        "2"};
  const Outcome refused = run(resume);
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(has(refused.err, "000003.jpg or its labels differ from what they were"))
      << refused.err;
  auto accepting = resume;
  accepting.push_back("--accept-changed-data");
  const Outcome accepted = run(accepting);
  EXPECT_EQ(accepted.code, 0) << accepted.err;
  EXPECT_TRUE(has(accepted.err, "the train split changed")) << accepted.err;
  write_text(label, before);
  // A picture less: the one that is missing is named.
  ASSERT_EQ(run(arguments("less", 1)).code, 0);
  fs::rename(data() / "images/train/000007.jpg", *scratch / "away.jpg");
  fs::rename(data() / "labels/train/000007.txt", *scratch / "away.txt");
  const Outcome less = run({"train", "--resume", folder("less").string(), "--epochs", "2"});
  EXPECT_EQ(less.code, 1);
  EXPECT_TRUE(has(less.err, "000007.jpg is gone")) << less.err;
  fs::rename(*scratch / "away.jpg", data() / "images/train/000007.jpg");
  fs::rename(*scratch / "away.txt", data() / "labels/train/000007.txt");
}

// A loss that is not finite: named, skipped, counted; three in a row: back to the last good
// weights; too often: the end.
TEST_F(KillAndResume, ALossThatIsNotFiniteIsSkipped) {
  auto call = arguments("nan", 2);
  call.push_back("--json");
  const Outcome one = run(call, scratch->path(), {"YOLOV7_FAILPOINTS=non-finite-loss=4"});
  ASSERT_EQ(one.code, 0) << one.err;
  EXPECT_TRUE(
      has(one.err,
          "the loss is not finite; the batch is skipped (1 so far, 1 in a row); its images: 0000"))
      << one.err;
  EXPECT_EQ(json::parse(one.out)["skipped_batches"], 1);
  call = arguments("nan-row", 2);
  call.push_back("--json");
  const Outcome row = run(call, scratch->path(), {"YOLOV7_FAILPOINTS=non-finite-loss=4,5,6"});
  ASSERT_EQ(row.code, 0) << row.err;
  EXPECT_TRUE(has(row.err, "3 batches in a row were not finite: back to the weights of"))
      << row.err;
  EXPECT_EQ(json::parse(row.out)["skipped_batches"], 3);
  const Outcome always = run(arguments("nan-always", 20), scratch->path(),
                             {"YOLOV7_FAILPOINTS=non-finite-loss=1,2,3,4,5,6,7,8,9,10,11,12"});
  EXPECT_EQ(always.code, 1);
  EXPECT_TRUE(has(always.err, "after 3 times of going back")) << always.err;
}

TEST_F(KillAndResume, OutOfMemoryHalvesTheMicroBatch) {
  const Outcome trained =
      run(arguments("oom", 1), scratch->path(), {"YOLOV7_FAILPOINTS=out-of-memory=2"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(has(trained.err, "goes through the network in parts of 2")) << trained.err;
  const Outcome extended = run({"train", "--resume", folder("oom").string(), "--epochs", "2"});
  ASSERT_EQ(extended.code, 0) << extended.err;
  EXPECT_TRUE(has(extended.err, "goes through the network in parts of 2 at most")) << extended.err;
}

TEST_F(KillAndResume, TheMemoryLimitIsKeptBeforehand) {
  auto call = arguments("limit", 1, {"--batch", "16"});
  call.erase(std::find(call.begin(), call.end(), "4") - 1,
             std::find(call.begin(), call.end(), "4") + 1);
  // What is needed is printed; a limit between the need of one picture and that of all leads to
  // micro-batches, one below all to an error.
  call.insert(call.end(), {"--memory-limit", "0.1"});
  const Outcome refused = run(call);
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(has(refused.err, "memory: predicted peak")) << refused.err;
  EXPECT_TRUE(has(refused.err, "--memory-limit allows")) << refused.err;
}

}  // namespace
}  // namespace yolov7::test
