// A search of hyper-parameters with real trainings of a narrow network.
#include <nlohmann/json.hpp>
#include <optional>

#include "core/file.hpp"
#include "core/text.hpp"
#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;

class Evolve : public NarrowRuns {
 protected:
  static std::vector<std::string> search(const std::string& name,
                                         const std::vector<std::string>& more) {
    std::vector<std::string> all = arguments(
        name, 4, {"--threads", "1", "--seed", "3", "--genes", "lr0", "momentum", "box", "mosaic"});
    all[0] = "evolve";
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// evolve.csv without the seconds.
  static std::string table(const std::string& name) {
    std::string out;
    const std::string content = read_text(folder(name) / "evolve.csv");
    for (const auto line : text::lines(content)) {
      auto cells = text::split(line, ',');
      if (cells.size() > 4) cells[4] = "";
      for (const auto cell : cells) out += std::string(cell) + ",";
      out += "\n";
    }
    return out;
  }
};

// 4 candidates to 1 epoch, 2 to 2, 1 to 4, twice; two at a time, killed three times, once with all
// that it had started.
TEST_F(Evolve, KilledAndResumedIsTheUndisturbedSearch) {
  const std::vector<std::string> plan{"--method", "halving", "--population",  "4",
                                      "--eta",    "2",       "--generations", "3"};
  const Outcome whole = run(search("whole", [&] {
    auto all = plan;
    all.push_back("--json");
    return all;
  }()));
  ASSERT_EQ(whole.code, 0) << whole.err;
  const json result = json::parse(whole.out);
  EXPECT_EQ(result["trainings"], 1 + 2 * (4 + 2 + 1));
  EXPECT_GE(result["best"]["fitness"], result["start"]["fitness"]);
  EXPECT_TRUE(fs::exists(result["best"]["run_folder"].get<std::string>() + "/weights/best.pt"));
  std::size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(folder("whole") / "trials"))
    folders += entry.is_directory() && entry.path().filename().string() < "g002";
  EXPECT_LE(folders, 1u) << "beaten trainings of earlier generations are removed";
  // A file that trains.
  const std::string found = read_text(folder("whole") / "hyp_evolved.yaml");
  EXPECT_TRUE(has(found, "# Found by yolov7 evolve: candidate")) << found;
  EXPECT_TRUE(has(found, "fliplr: 0.5\n")) << "what is not searched stays";
  const std::string plot = read_text(folder("whole") / "evolve.png");
  ASSERT_GT(plot.size(), 24u);
  EXPECT_EQ(plot.substr(16, 8), std::string("\0\0\x07\x80\0\0\x01\x90", 8))
      << "four panels of 480 × 400";

  auto parallel = plan;
  parallel.insert(parallel.end(), {"--parallel", "2"});
  Process first(search("killed", parallel), scratch->path());
  for (int i = 0; i < 3000 && line_count(read_text(folder("killed") / "evolve.csv")) < 3; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  first.send(SIGKILL);
  EXPECT_EQ(first.wait().code, 128 + SIGKILL);
  for (const std::size_t lines : {7u, 12u}) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(500));  // its trainings end with it, cleanly
    Process again(
        {"evolve", "--resume", folder("killed").string(), "--parallel", lines == 7 ? "1" : "2"},
        scratch->path());
    for (int i = 0; i < 3000 && line_count(read_text(folder("killed") / "evolve.csv")) < lines; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    again.send(lines == 7 ? SIGTERM : SIGKILL);
    const Outcome cut = again.wait();
    EXPECT_EQ(cut.code, lines == 7 ? 130 : 128 + SIGKILL) << cut.err;
    if (lines == 7) {
      EXPECT_TRUE(has(cut.out, "go on with: yolov7 evolve --resume")) << cut.out;
    }
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const Outcome end = run({"evolve", "--resume", folder("killed").string()}, "/");
  ASSERT_EQ(end.code, 0) << end.err;
  EXPECT_EQ(table("whole"), table("killed"));
  // Another generation on top, asked for as the original's users do not have to know.
  const Outcome more = run({"evolve", "--resume", folder("killed").string(), "--generations", "4",
                            "--time", "1e-9", "--json"});
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_EQ(json::parse(more.out)["out_of_time"], true);
  EXPECT_EQ(table("whole"), table("killed"));
}

// A training outlives the search that was killed, until it has written its last checkpoint.
TEST_F(Evolve, ATrainingOfAKilledSearchIsWaitedFor) {
  ASSERT_EQ(run(search("waits", {"--generations", "1", "--time", "1e-9"})).code, 0);
  const fs::path trial = folder("waits") / "trials/g000-c00";
  fs::create_directories(trial);
  std::optional<file::Lock> held = file::Lock::try_acquire(trial / ".lock");
  ASSERT_TRUE(held);
  Process again({"evolve", "--resume", folder("waits").string(), "--time", "0"}, scratch->path());
  const std::string said = "waiting for the end of the training g000-c00";
  for (int i = 0; i < 3000 && !has(again.errors_so_far(), said); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(has(again.errors_so_far(), said)) << again.errors_so_far();
  held.reset();
  const Outcome end = again.wait();
  EXPECT_EQ(end.code, 0) << end.err;
  EXPECT_EQ(line_count(table("waits")), 2U);
  EXPECT_EQ(table("waits").find("\n0,0,4,0,"), table("waits").find('\n')) << table("waits");
}

// Where it goes on from another folder, and without --device, nothing is another search.
TEST_F(Evolve, WhatIsKeptOfASearchDoesNotDependOnTheCall) {
  fs::create_directories(*scratch / "pool");
  const Outcome begun = run(search("kept", {"--generations", "1", "--time", "1e-9", "--device",
                                            "cpu", "--unlabelled", "pool"}),
                            scratch->path());
  ASSERT_EQ(begun.code, 0) << begun.err;
  const std::string kept = read_text(folder("kept") / "evolve.yaml");
  EXPECT_TRUE(has(kept, "\ndevice: cpu\n")) << kept;
  EXPECT_TRUE(has(kept, "--unlabelled=" + (*scratch / "pool").string())) << kept;
}

// What an earlier search trained in the folder has the names of this one's trainings. It is taken
// for none of them, and a search that is at work keeps its files.
TEST_F(Evolve, ANewSearchInAUsedFolderBeginsAnew) {
  ASSERT_EQ(run(search("used", {"--generations", "1"})).code, 0);
  const fs::path table_file = folder("used") / "evolve.csv";
  ASSERT_TRUE(fs::remove(table_file));
  const std::string kept = read_text(folder("used") / "evolve.yaml");
  std::vector<std::string> other = search("used", {"--generations", "1", "--exist-ok"});
  *std::next(std::find(other.begin(), other.end(), "--seed")) = "4";
  {
    const std::optional<file::Lock> held = file::Lock::try_acquire(folder("used") / ".lock");
    ASSERT_TRUE(held);
    const Outcome second = run(other);
    EXPECT_EQ(second.code, 1);
    EXPECT_TRUE(has(second.err, "another process is searching")) << second.err;
    EXPECT_EQ(read_text(folder("used") / "evolve.yaml"), kept);
  }
  const Outcome anew = run(other);
  ASSERT_EQ(anew.code, 0) << anew.err;
  EXPECT_EQ(line_count(read_text(table_file)), 2u);
  const std::string options = read_text(folder("used") / "trials/g000-c00/opt.yaml");
  EXPECT_TRUE(has(options, "\nseed: 4\n")) << options;
}

// A whole trial is the training that anybody gets with this file: the same last weights.
TEST_F(Evolve, APromotedTrainingIsThatOfOneCall) {
  ASSERT_EQ(run(arguments("straight", 4, {"--threads", "1", "--notest"})).code, 0);
  ASSERT_EQ(run(arguments("in-parts", 4, {"--threads", "1", "--notest", "--stop-after", "1"})).code,
            0);
  const Outcome second =
      run({"train", "--resume", folder("in-parts").string(), "--stop-after", "3"});
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_TRUE(has(second.err, "stopped after 3 of 4 epochs")) << second.err;
  ASSERT_EQ(run({"train", "--resume", folder("in-parts").string()}).code, 0);
  expect_same_tensors("straight", "in-parts");
}

TEST_F(Evolve, TheOfficialSwitchIsTheSame) {
  std::vector<std::string> call = arguments("switch", 1, {"--threads", "1", "--evolve", "--json"});
  call[0] = "train";
  Process process(call, scratch->path());
  for (int i = 0; i < 3000 && line_count(read_text(folder("switch") / "evolve.csv")) < 3; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  process.send(SIGINT);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  const json result = json::parse(outcome.out);
  EXPECT_GE(result["trainings"], 2);
  EXPECT_EQ(result["best"]["values"].size(),
            25u);  // those with limits and a gain, of a file without anchors
}

// A daemon may start programs with SIGCHLD ignored; then the kernel keeps no child's end.
TEST_F(Evolve, EndsWhereItsStarterIgnoresChildren) {
  auto bad = search("ignored", {});
  *std::next(std::find(bad.begin(), bad.end(), "--data")) = "nowhere.yaml";
  const Outcome outcome =
      Process(bad, scratch->path(), {}, {"timeout", "60", "env", "--ignore-signal=CHLD"}).wait();
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "nowhere.yaml")) << outcome.err;
}

TEST_F(Evolve, WhatCannotBeTrained) {
  auto bad = search("bad", {});
  *std::next(std::find(bad.begin(), bad.end(), "--data")) = "nowhere.yaml";
  const Outcome start = run(bad);
  EXPECT_EQ(start.code, 1);
  EXPECT_TRUE(has(start.err, "expected the start to be trainable")) << start.err;
  EXPECT_TRUE(has(start.err, "nowhere.yaml")) << start.err;
  for (const auto& [more, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--parallel", "3"}, "expected at most --population, 1"},
           {{"--schedule", "plateau"}, "expected trainings with validations"},
           {{"--genes", "lr9"}, "did you mean"},
           {{"--resume", "x", "--eta", "4"}, "cannot change"},
           {{"--nproc", "2"}, "unknown option --nproc"}}) {
    auto call = more[0] == "--genes"    ? arguments("w", 1)
                : more[0] == "--resume" ? std::vector<std::string>{"evolve"}
                                        : search("w", {});
    call[0] = "evolve";
    call.insert(call.end(), more.begin(), more.end());
    const Outcome outcome = run(call);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_TRUE(has(outcome.err, message)) << outcome.err;
  }
}

}  // namespace
}  // namespace yolov7::test
