// Trainings with a teacher as a user calls them: stopped, killed, short of memory.
#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;

class DistilledRuns : public NarrowRuns {
 protected:
  static std::string teacher() {
    return (fs::path(YOLOV7_SOURCE_DIR) / "weights/yolov7-tiny-synth.pt").string();
  }
  static std::vector<std::string> taught(const std::string& name, int epochs,
                                         std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--teacher", teacher(), "--distill-off", "1", "--nbs", "8", "--notest",
                             "--checkpoint-seconds", "0.001"});
    return arguments(name, epochs, more);
  }
};

// The teacher takes part in all epochs but the last, so the run is cut while it does.
TEST_F(DistilledRuns, AKilledRunGoesOnToTheBit) {
  ASSERT_EQ(run(taught("taught", 4)).code, 0);
  Process cut(taught("taught cut", 4), scratch->path());
  for (int i = 0; i < 2000 && !fs::exists(folder("taught cut") / "weights/last.previous.pt"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  cut.send(SIGKILL);
  cut.wait();
  const Outcome end = run({"train", "--resume", folder("taught cut").string()});
  ASSERT_TRUE(end.code == 0 || has(end.err, "nothing to resume")) << end.err;
  expect_same_tensors("taught", "taught cut");
  EXPECT_NE(last("taught").model.find("distill.adapter.8.weight"), nullptr);
  EXPECT_NE(last("taught").optimizer.find("distill.adapter.32.weight.m"), nullptr) << "AdamW";
  const std::string options = read_text(folder("taught") / "opt.yaml");
  EXPECT_TRUE(has(options, "distill-off: 1")) << options;
  EXPECT_TRUE(has(options, "teacher: ")) << options;
  const std::string results = read_text(folder("taught") / "results.csv");
  EXPECT_TRUE(has(results, ",train/distill_loss\n")) << results;
  EXPECT_EQ(results.substr(results.size() - 3), ",0\n") << "none in the last epoch";
}

// A batch that finds no memory is begun anew in halves, teacher and all.
TEST_F(DistilledRuns, OutOfMemoryHalvesTheBatch) {
  const Outcome outcome =
      run(taught("taught halves", 2), scratch->path(), {"YOLOV7_FAILPOINTS=out-of-memory=2"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "a batch goes through the network in parts of 2")) << outcome.err;
}

TEST_F(DistilledRuns, BadInputIsSaidBeforeTheTraining) {
  const auto refused = [&](const std::vector<std::string>& more, int code,
                           const std::string& part) {
    const Outcome outcome = run(arguments("refused", 1, more));
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_TRUE(has(outcome.err, part)) << part << "\n" << outcome.err;
    EXPECT_FALSE(fs::exists(folder("refused") / "weights/last.pt"));
  };
  refused({"--distill", "output"}, 2, "--distill: expected --teacher as well, found none");
  refused({"--teacher", "nowhere.pt"}, 1, "nowhere.pt");
  refused({"--teacher", teacher(), "--distill", "best"}, 2, "channel, output, logit, feature");
}

}  // namespace
}  // namespace yolov7::test
