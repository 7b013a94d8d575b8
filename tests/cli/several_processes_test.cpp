// Training by several processes of the program: on one machine, and on two that a network joins.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;

/// The process of this rank among the descendants of `launcher`.
pid_t process_of_rank(pid_t launcher, int rank) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string status = read_text(entry.path() / "status"),
                      environment = read_text(entry.path() / "environ");
    const std::string parent = "PPid:\t" + std::to_string(launcher) + "\n";
    if (has(status, parent) && environment.find("RANK=" + std::to_string(rank) + '\0') == 0)
      return std::stoi(name);
  }
  return -1;
}

class SeveralProcesses : public NarrowRuns {
 protected:
  static void wait_for(const Process& process, const std::string& text) {
    for (int i = 0; i < 3000 && !has(process.errors_so_far(), text); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ASSERT_TRUE(has(process.errors_so_far(), text)) << process.errors_so_far();
  }
};

TEST_F(SeveralProcesses, GiveOneResultAndOneSetOfFiles) {
  const Outcome outcome = run(arguments("two", 2, {"--nproc", "2", "--json"}), scratch->path());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json result = json::parse(outcome.out);  // one object: rank 0's
  EXPECT_EQ(result["epochs_done"], 2);
  EXPECT_TRUE(has(outcome.err, "2 processes, 2 of them on this machine: 2 images of a batch each"))
      << outcome.err;
  EXPECT_EQ(line_count(read_text(folder("two") / "results.csv")), 3U);
  EXPECT_TRUE(has(read_text(folder("two") / "opt.yaml"), "# world_size: 2"));
  EXPECT_FALSE(fs::exists(folder("two2")));
}

// The validation of two processes is that of one: the same checkpoint, the same numbers.
TEST_F(SeveralProcesses, ShareTheValidation) {
  ASSERT_EQ(run(arguments("shared", 1, {"--nproc", "2"}), scratch->path()).code, 0);
  const Outcome outcome =
      run({"val", "--weights", (folder("shared") / "weights/epoch_000.pt").string(), "--data",
           (data() / "data.yaml").string(), "--img", "96", "--batch", "4", "--conf", "0.001",
           "--iou", "0.65", "--project", scratch->path().string(), "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json alone = json::parse(outcome.out);
  const std::string csv = read_text(folder("shared") / "results.csv");
  const auto cell = [&](const std::string& column) {
    std::istringstream header(csv.substr(0, csv.find('\n'))), row(csv.substr(csv.find('\n') + 1));
    std::string name, value;
    while (std::getline(header, name, ',') && std::getline(row, value, ','))
      if (name == column) return std::stod(value);
    return -1.0;
  };
  EXPECT_NEAR(cell("coco/mAP_0.5"), alone["coco"]["map50"].get<double>(), 1e-9);
  EXPECT_NEAR(cell("official/mAP_0.5:0.95"), alone["official"]["map"].get<double>(), 1e-9);
}

TEST_F(SeveralProcesses, AreInterruptedAndResumedBitForBit) {
  const std::vector<std::string> two{"--nproc", "2", "--sync-bn", "--nbs", "8"};
  ASSERT_EQ(run(arguments("whole", 12, two), scratch->path()).code, 0);
  Process process(arguments("cut", 12, two), scratch->path());
  wait_for(process, "epoch 1/");
  process.send(SIGTERM);
  const Outcome cut = process.wait();
  ASSERT_EQ(cut.code, 130) << cut.err;
  const Outcome rest =
      run({"train", "--resume", folder("cut").string(), "--nproc", "2"}, scratch->path());
  ASSERT_EQ(rest.code, 0) << rest.err;
  expect_same_tensors("whole", "cut");
}

TEST_F(SeveralProcesses, EndTogetherWhenOneIsKilled) {
  Process process(
      arguments("killed-rank", 300,
                {"--nproc", "2", "--peer-timeout", "20", "--checkpoint-seconds", "0.01"}),
      scratch->path());
  wait_for(process, "epoch 1/");
  const pid_t victim = process_of_rank(process.id(), 1);
  ASSERT_GT(victim, 0);
  const auto start = std::chrono::steady_clock::now();
  ::kill(victim, SIGKILL);
  const Outcome outcome = process.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "error: training by several processes ends: rank 1 of 2 is gone"))
      << outcome.err;
  EXPECT_TRUE(has(outcome.err, "rank 1 of 2 was ended by signal 9")) << outcome.err;
  // What rank 0 wrote last is whole: the run goes on from it, by one process too.
  Process again({"train", "--resume", folder("killed-rank").string()}, scratch->path());
  wait_for(again, "epoch 3/");
  again.send(SIGTERM);
  EXPECT_EQ(again.wait().code, 130);
}

TEST_F(SeveralProcesses, AShareThatIsNoWholeNumberIsAWrongCall) {
  const Outcome outcome = run(arguments("uneven", 1, {"--nproc", "3"}), scratch->path());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(
      has(outcome.err, "--batch-size: expected a multiple of the number of processes, 3, found 4"))
      << outcome.err;
}

TEST_F(SeveralProcesses, AVariableThatMakesNoSenseIsAWrongCall) {
  const Outcome outcome =
      run(arguments("variables", 1), scratch->path(),
          {"WORLD_SIZE=2", "RANK=2", "MASTER_ADDR=127.0.0.1", "MASTER_PORT=29500"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(has(outcome.err, "expected 0 … 1 in the variable RANK, found '2'")) << outcome.err;
}

/// Two network namespaces joined by a pair of virtual interfaces: two machines, as far as the
/// network goes.
class TwoMachines : public SeveralProcesses {
 protected:
  void SetUp() override {
    made_ = ::geteuid() == 0 && command("ip netns add " + name(0)) &&
            command("ip netns add " + name(1)) &&
            command("ip link add " + name(0) + " netns " + name(0) + " type veth peer name " +
                    name(1) + " netns " + name(1)) &&
            command("ip -n " + name(0) + " link set lo up");
    if (!made_)
      GTEST_SKIP() << "needs root, network namespaces (ip netns add) and a root folder that is a "
                      "mount point (ip -n): not to be had here";
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(command("ip -n " + name(i) + " addr add 10.77.0." + std::to_string(i + 1) +
                          "/24 dev " + name(i)));
      ASSERT_TRUE(command("ip -n " + name(i) + " link set " + name(i) + " up"));
      ASSERT_TRUE(command("ip -n " + name(i) + " link set lo up"));
    }
  }
  void TearDown() override {
    for (int i = 0; i < 2; ++i) command("ip netns del " + name(i));
  }
  static bool command(const std::string& text) {
    return std::system((text + " >/dev/null 2>&1").c_str()) == 0;
  }
  static std::string name(int machine) {
    return "y7" + std::to_string(::getpid() % 100000) + (machine == 0 ? "a" : "b");
  }

  /// One rank, as torchrun would start it on its machine.
  static Process rank(int machine, const std::vector<std::string>& arguments) {
    return Process(arguments, scratch->path(),
                   {"WORLD_SIZE=2", "RANK=" + std::to_string(machine), "LOCAL_RANK=0",
                    "LOCAL_WORLD_SIZE=1", "MASTER_ADDR=10.77.0.1", "MASTER_PORT=29511"},
                   {"ip", "netns", "exec", name(machine)});
  }

 private:
  bool made_ = false;
};

TEST_F(TwoMachines, TrainTogether) {
  ASSERT_EQ(
      run(arguments("one-machine", 2, {"--nproc", "2", "--threads", "1"}), scratch->path()).code,
      0);
  Process first = rank(0, arguments("two-machines", 2, {"--threads", "1"})),
          second = rank(1, arguments("two-machines", 2, {"--threads", "1"}));
  const Outcome one = first.wait(), other = second.wait();
  ASSERT_EQ(one.code, 0) << one.err;
  ASSERT_EQ(other.code, 0) << other.err;
  EXPECT_EQ(other.out, "");
  expect_same_tensors("one-machine", "two-machines");
}

TEST_F(TwoMachines, NameTheRankThatIsKilled) {
  Process first = rank(0, arguments("lost", 300, {"--peer-timeout", "20"})),
          second = rank(1, arguments("lost", 300, {"--peer-timeout", "20"}));
  wait_for(first, "epoch 1/");
  second.send(SIGKILL);
  second.wait();
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = first.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "rank 1 of 2 is gone")) << outcome.err;
}

TEST_F(TwoMachines, NameTheRankThatIsCutOff) {
  Process first = rank(0, arguments("cut-off", 300, {"--peer-timeout", "8"})),
          second = rank(1, arguments("cut-off", 300, {"--peer-timeout", "8"}));
  wait_for(first, "epoch 1/");
  ASSERT_TRUE(command("ip -n " + name(1) + " link set " + name(1) + " down"));
  const auto start = std::chrono::steady_clock::now();
  const Outcome one = first.wait(), other = second.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_EQ(one.code, 1);
  EXPECT_TRUE(has(one.err, "rank 1 of 2 is gone")) << one.err;
  EXPECT_EQ(other.code, 1);
  EXPECT_TRUE(has(other.err, "rank 0 of 2 is gone")) << other.err;
}

}  // namespace
}  // namespace yolov7::test
