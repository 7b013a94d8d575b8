// yolov7 active simulate as a user calls it: a narrow network on a few drawn images, killed in each
// kind of step and finished.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Simulate : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch = new ScratchFolder;
    const Outcome drawn = run({"dataset",  "synth", "--out",      (*scratch / "pool").string(),
                               "--train",  "40",    "--val",      "2",
                               "--test",   "12",    "--img-size", "96",
                               "--frames", "0.5",   "--empty",    "0.4",
                               "--zipf",   "1",     "--seed",     "5"});
    ASSERT_EQ(drawn.code, 0) << drawn.err;
    std::string text = read_text(fs::path(YOLOV7_SOURCE_DIR) / "configs/training/yolov7-tiny.yaml");
    const auto at = text.find("width_multiple:");
    text.replace(at, text.find('\n', at) - at, "width_multiple: 0.125");
    write_text(*scratch / "narrow.yaml", text);
  }
  static void TearDownTestSuite() { delete scratch; }
  static std::string out(const std::string& name) { return (*scratch / name).string(); }
  static std::vector<std::string> call(const std::string& name,
                                       const std::vector<std::string>& more = {}) {
    std::vector<std::string> all{"active",
                                 "simulate",
                                 out("pool/data.yaml"),
                                 "--out",
                                 out(name),
                                 "--start",
                                 "400",
                                 "--budget",
                                 "400",
                                 "--rounds",
                                 "2",
                                 "--seeds",
                                 "1",
                                 "--steps",
                                 "6",
                                 "--batch-size",
                                 "8",
                                 "--img-size",
                                 "96",
                                 "--cfg",
                                 out("narrow.yaml"),
                                 "--weights",
                                 "",
                                 "--precision",
                                 "float32",
                                 "--threads",
                                 "1",
                                 "--draws",
                                 "100",
                                 "--checkpoint-seconds",
                                 "0.001"};
    // An option may stand once: one of `more` takes the place of that above.
    for (const std::string& one : more)
      if (const auto at = std::find(all.begin(), all.end(), one);
          one.starts_with("--") && at != all.end())
        all.erase(at, at + 2);
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// What a simulation leaves, but for its lock and the times of the trainings.
  static std::map<std::string, std::string> results(const std::string& name) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(out(name))) {
      const std::string file = fs::relative(entry.path(), out(name)).string();
      if (!entry.is_regular_file() || file == ".lock" || file == "trainings.csv") continue;
      std::string text = read_text(entry.path());
      for (std::size_t at; (at = text.find(out(name))) != std::string::npos;)
        text.replace(at, out(name).size(), "OUT");
      files[file] = text;
    }
    return files;
  }
  template <class Condition>
  static bool wait_for(Condition condition) {
    for (int i = 0; i < 12000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  static std::vector<std::vector<std::string>> table(const std::string& name) {
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(read_text(out(name) + "/runs.csv"));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream cells(line);
      rows.emplace_back();
      for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
    }
    return rows;
  }
  static inline ScratchFolder* scratch = nullptr;
};

}  // namespace

TEST_F(Simulate, KilledAndResumedToTheByte) {
  std::vector<std::string> whole_call = call("whole");
  whole_call.emplace_back("--json");
  const Outcome whole = run(whole_call);
  ASSERT_EQ(whole.code, 0) << whole.err;
  const json result = json::parse(whole.out);
  EXPECT_EQ(result, json::parse(read_text(out("whole") + "/simulation.json")));
  EXPECT_EQ(result["strategies"].size(), 4u);
  EXPECT_EQ(result["images_in_pool"], 40);
  EXPECT_EQ(result["images_measured"], 12);

  // start, full and four strategies of two rounds. Costs by the labels of the images themselves.
  const auto rows = table("whole");
  // A strategy that finds nothing any more ends before.
  std::size_t wanted = 1 + 2 + 8;
  for (const auto& row : rows) wanted -= row[2] == "1" && row[7] == "1" ? 1 : 0;
  ASSERT_EQ(rows.size(), wanted);
  std::map<std::string, double> costs;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::string run_name = "seed" + rows[i][0] + "-" + rows[i][1] + "-round" + rows[i][2];
    std::istringstream images(read_text(out("whole") + "/runs/" + run_name + "/labelled.txt"));
    double cost = 0, boxes = 0;
    std::set<std::string> seen;
    for (std::string image; std::getline(images, image);) {
      if (image.starts_with("#")) continue;
      EXPECT_TRUE(seen.insert(image).second) << "labelled twice: " << image;
      const fs::path labels =
          fs::path(out("pool/labels/train")) / fs::path(image).stem().concat(".txt");
      boxes += static_cast<double>(line_count(read_text(labels)));
    }
    cost = 2 * static_cast<double>(seen.size()) + 7 * boxes;
    EXPECT_EQ(std::stod(rows[i][3]), static_cast<double>(seen.size())) << run_name;
    EXPECT_EQ(std::stod(rows[i][4]), boxes) << run_name;
    EXPECT_EQ(std::stod(rows[i][6]), cost) << run_name;
    costs[run_name] = cost;
    if (rows[i][1] == "full") continue;
    EXPECT_LE(cost, 400 * (1 + std::stod(rows[i][2]))) << "a round exceeds its budget";
  }
  EXPECT_EQ(std::stoi(rows[2][3]), 40) << "full has the whole pool";
  for (const char* name : {"auto", "random", "random-unfiltered", "tutorial"})
    EXPECT_GE(costs["seed0-" + std::string(name) + "-round1"], costs["seed0-start-round0"]);
  for (const auto& [file, text] : results("whole")) {
    EXPECT_FALSE(has(file, "weights.pt")) << file;
    EXPECT_FALSE(has(file, "work/")) << file;
  }

  // Three trainings at a time leave the same.
  const Outcome together = run(call("together", {"--parallel", "3"}));
  ASSERT_EQ(together.code, 0) << together.err;
  const auto one_by_one = results("whole"), at_a_time = results("together");
  ASSERT_EQ(at_a_time.size(), one_by_one.size());
  for (const auto& [file, text] : one_by_one) EXPECT_TRUE(at_a_time.at(file) == text) << file;
  EXPECT_FALSE(fs::exists(out("together") + "/work"));

  // Killed after the first row, in a training, after a choice, after a training; then to the end.
  // The last is of a strategy that buys in both rounds: a network of six steps detects nothing, so
  // that of the tutorials ends at once.
  const std::vector<std::function<bool()>> moments{
      [&] { return has(read_text(out("cut") + "/runs.csv"), "start"); },
      [&] {
        return fs::exists(out("cut") + "/runs/seed0-auto-round1/labelled.txt") &&
               fs::exists(out("cut") + "/work/auto/train/weights/last.pt");
      },
      [&] { return fs::exists(out("cut") + "/runs/seed0-random-round1/labelled.txt"); },
      [&] { return fs::exists(out("cut") + "/runs/seed0-random-unfiltered-round1/weights.pt"); }};
  for (const auto& moment : moments) {
    Process cut(call("cut"), scratch->path());
    EXPECT_TRUE(wait_for(moment));
    cut.send(SIGKILL);
    EXPECT_EQ(cut.wait().code, 128 + SIGKILL);
    EXPECT_FALSE(fs::exists(out("cut") + "/simulation.json"));
  }
  // A process that is killed while it writes leaves a part of the file beside it.
  write_text(out("cut") + "/.runs.csv.99.tmp", "half");
  write_text(out("cut") + "/runs/seed0-start-round0/.matches.txt.99.tmp", "half");
  const Outcome end = run(call("cut"));
  ASSERT_EQ(end.code, 0) << end.err;
  EXPECT_TRUE(has(end.err, "going on in")) << end.err;
  const auto one = results("whole"), other = results("cut");
  ASSERT_EQ(one.size(), other.size());
  for (const auto& [file, text] : one) EXPECT_TRUE(other.at(file) == text) << file;

  // Done already: nothing is trained, the same again. More seeds go on in it; other settings do
  // not.
  const Outcome again = run(call("cut"));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(results("cut"), other);
  const Outcome refused = run(call("cut", {"--steps", "8"}));
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(has(refused.err, "--steps")) << refused.err;
  EXPECT_EQ(results("cut"), other);
}

TEST_F(Simulate, ToldToStopItGoesOn) {
  Process first(call("stopped", {"--strategies", "random", "--rounds", "1", "--no-full"}),
                scratch->path());
  ASSERT_TRUE(
      wait_for([] { return fs::exists(out("stopped") + "/work/start/train/results.csv"); }));
  first.send(SIGINT);
  EXPECT_EQ(first.wait().code, 130);
  const Outcome second =
      run(call("stopped", {"--strategies", "random", "--rounds", "1", "--no-full"}));
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(table("stopped").size(), 3u);
  EXPECT_TRUE(has(read_text(out("stopped") + "/curves.svg"), "<svg"));
  // Another round goes on where this one ended.
  const Outcome more =
      run(call("stopped", {"--strategies", "random", "--rounds", "2", "--no-full"}));
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_EQ(table("stopped").size(), 4u);
}

TEST_F(Simulate, WrongCallsAreRefused) {
  const auto code = [&](const std::vector<std::string>& more) {
    return run(call("refused", more)).code;
  };
  EXPECT_EQ(code({"--strategies", "auto"}), 2) << "without random there is nothing to compare with";
  EXPECT_EQ(code({"--strategies", "random,autos"}), 2);
  EXPECT_EQ(code({"--strategies", "random", "random"}), 2);
  EXPECT_EQ(code({"--start", "0"}), 2);
  EXPECT_EQ(code({"--schedule", "plateau"}), 2) << "these trainings are not validated by epoch";
  EXPECT_EQ(code({"--schedule", "step"}), 2) << "without --lr-steps";
  EXPECT_EQ(code({"--control", "0.9", "--empty-share", "0.2"}), 2);
  EXPECT_EQ(
      run({"active", "simulate", out("pool/data.yaml"), "--start", "1", "--budget", "1"}).code, 2);
  EXPECT_EQ(run({"active", "simulate", out("nowhere.yaml"), "--start", "1", "--budget", "1",
                 "--out", out("refused")})
                .code,
            1);
  EXPECT_FALSE(fs::exists(out("refused")));
  write_text(out("full") + "/mine.txt", "kept");
  EXPECT_EQ(run(call("full")).code, 1);
  EXPECT_EQ(read_text(out("full") + "/mine.txt"), "kept");
  EXPECT_EQ(run(call("pool/images/train/inside")).code, 1);
}

}  // namespace yolov7::test
