// yolov7 active loop over a plain folder with a scripted annotator: two rounds, killed at every
// place and in the training, and called again.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ActiveLoop : public testing::Test {
 protected:
  static constexpr int labelled_at_first = 4, pool_size = 10;

  /// The first images of the training split are labelled, the others are the pool.
  void SetUp() override {
    ASSERT_EQ(run({"dataset", "synth", "--out", at("drawn"), "--level", "formula", "--train",
                   std::to_string(labelled_at_first + pool_size), "--val", "3", "--test", "0",
                   "--img-size", "160", "--seed", "7"})
                  .code,
              0);
    std::set<fs::path> images;
    for (const auto& entry : fs::directory_iterator(scratch / "drawn/images/train"))
      images.insert(entry.path());
    int i = 0;
    for (const fs::path& image : images) {
      if (i++ < labelled_at_first) continue;
      fs::create_directories(scratch / "pool");
      fs::rename(image, scratch / "pool" / image.filename());
    }
  }
  std::string at(const fs::path& name) const { return (scratch / name).string(); }
  std::vector<std::string> first_call(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{
        "active",
        "loop",
        at("loop"),
        "--weights",
        (fs::path(YOLOV7_SOURCE_DIR) / "weights/yolov7-tiny-synth.pt").string(),
        "--source",
        at("pool"),
        "--labelled",
        at("drawn/data.yaml"),
        "--to",
        at("people"),
        "--budget",
        "3",
        "--rounds",
        "2",
        "--img-size",
        "160",
        "--epochs",
        "1",
        "--batch-size",
        "4",
        "--threads",
        "1",
        "--workers",
        "1",
        "--precision",
        "float32",
        "--noautoanchor"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::vector<std::string> environment(const std::string& faults) const {
    std::vector<std::string> all{"YOLOV7_STORE=" + at("store")};
    if (!faults.empty()) all.push_back("YOLOV7_FAILPOINTS=" + faults);
    return all;
  }
  /// What people do: the true boxes; in the second round a box of a new class, too.
  void answer(int round) {
    const fs::path folder = scratch / ("people/round-00" + std::to_string(round));
    std::string further;
    if (round == 2) {
      const std::string classes = read_text(folder / "classes.txt");
      write_text(folder / "classes.txt", classes + "unheard-of\n");
      further = std::to_string(line_count(classes)) + " 0.5 0.5 0.25 0.25\n";
    }
    const json tasks = json::parse(read_text(folder / "tasks.json"));
    for (const json& task : tasks["tasks"]) {
      const fs::path stem = fs::path(task["origin"].get<std::string>()).stem();
      const std::string rows =
          read_text(scratch / "drawn/labels/train" / (stem.string() + ".txt")) + further;
      const fs::path file = fs::path(task["file"].get<std::string>()).stem();
      write_text(folder / "labels" / (file.string() + ".txt"), rows);
      EXPECT_TRUE(sent.insert(stem.string()).second) << stem << " was sent twice";
      truth[read_text(folder / "images" / task["file"].get<std::string>())] = rows;
    }
    write_text(folder / "done.txt", "all\n");
  }
  static std::multiset<std::vector<double>> numbers(const std::string& rows) {
    std::multiset<std::vector<double>> all;
    std::istringstream lines(rows);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::vector<double> row;
      for (double value = 0; words >> value;) row.push_back(value);
      if (!row.empty()) all.insert(row);
    }
    return all;
  }
  /// Drawn labels have six decimals: boxes at an edge lean out by a millionth, and are clipped.
  static void expect_near(const std::multiset<std::vector<double>>& found,
                          const std::multiset<std::vector<double>>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    auto one = found.begin();
    for (const std::vector<double>& row : expected) {
      ASSERT_EQ(one->size(), row.size());
      for (std::size_t i = 0; i < row.size(); ++i) EXPECT_NEAR((*one)[i], row[i], 2e-6);
      ++one;
    }
  }
  /// Every answered image is there once, with every label.
  void expect_complete(const std::string& version) {
    ASSERT_EQ(run({"dataset", "version", "checkout", version, "--out", at("final"), "--store",
                   at("store")})
                  .code,
              0);
    std::map<std::string, int> seen;
    std::size_t images = 0;
    for (const auto& entry : fs::recursive_directory_iterator(scratch / "final")) {
      const std::string ending = entry.path().extension();
      if (ending != ".png" && ending != ".jpg") continue;
      ++images;
      const std::string content = read_text(entry.path());
      ++seen[content];
      std::string label = entry.path().string();
      label.replace(label.rfind("/images/"), 8, "/labels/");
      if (!truth.contains(content)) continue;
      expect_near(numbers(read_text(fs::path(label).replace_extension(".txt"))),
                  numbers(truth[content]));
    }
    EXPECT_EQ(images, labelled_at_first + 3 + truth.size());
    for (const auto& [content, rows] : truth) EXPECT_EQ(seen[content], 1);
  }
  template <class Condition>
  static bool wait_for(Condition condition) {
    for (int i = 0; i < 6000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  /// The line of the training's options.
  std::string teacher_of(int round) const {
    const std::string all =
        read_text(scratch / ("loop/round-00" + std::to_string(round) + "/train/opt.yaml"));
    const auto at = all.find("\nteacher:");
    return at == std::string::npos ? "none" : all.substr(at + 1, all.find('\n', at + 1) - at);
  }
  json state() const { return json::parse(read_text(scratch / "loop/loop.json")); }
  ScratchFolder scratch;
  std::set<std::string> sent;
  std::map<std::string, std::string> truth;  // image → rows
};

TEST_F(ActiveLoop, TwoRoundsKilledInEachStep) {
  const auto go_on = [&](int round) {
    // Killed at one place after the other, until a call comes to its end.
    for (int n = 1;; ++n) {
      const Outcome outcome =
          run(round == 1 ? first_call() : std::vector<std::string>{"active", "loop", at("loop")},
              scratch.path(), environment("loop-kill=" + std::to_string(n)));
      if (outcome.code == 128 + SIGKILL) continue;
      EXPECT_EQ(outcome.code, 0) << outcome.err;
      EXPECT_GT(n, 4);
      return outcome;
    }
  };
  const Outcome first = go_on(1);
  EXPECT_TRUE(has(first.out, "round 1 waits for people: 0 of 3 images are answered")) << first.out;
  EXPECT_TRUE(has(first.out, "then call again: yolov7 active loop")) << first.out;
  answer(1);
  // Killed in the middle of the training: its last state is taken up again.
  Process training({"active", "loop", at("loop")}, scratch.path(), environment(""));
  EXPECT_TRUE(wait_for([&] { return fs::exists(scratch / "loop/round-001/train/results.csv"); }));
  training.send(SIGKILL);
  training.wait();
  const Outcome second = go_on(2);
  EXPECT_TRUE(has(second.out, "round 2 waits for people")) << second.out;
  answer(2);
  const Outcome last = go_on(2);
  EXPECT_TRUE(has(last.out, "all rounds are done")) << last.out;
  const json found = state();
  ASSERT_EQ(found["rounds"].size(), 2U);
  for (const json& round : found["rounds"]) {
    EXPECT_EQ(round["steps"].size(), 6U);
    EXPECT_TRUE(fs::exists(round["steps"]["train"]["weights"].get<std::string>()));
    EXPECT_TRUE(round["steps"]["evaluate"]["map50"].is_number());
    EXPECT_EQ(round["steps"]["evaluate"]["images"], 3);
  }
  EXPECT_EQ(truth.size(), 6U);
  expect_complete(found["rounds"][1]["steps"]["merge"]["version"]);
  // People added a class: the network before teaches the last training, not the first one.
  EXPECT_EQ(found["rounds"][1]["steps"]["pull"]["new_classes"], json({"unheard-of"}));
  EXPECT_TRUE(has(teacher_of(2), "round-001/train/weights/best.pt")) << teacher_of(2);
  EXPECT_FALSE(has(teacher_of(1), "best.pt")) << teacher_of(1);
  // The second choice looked with the first training's weights.
  EXPECT_EQ(found["rounds"][1]["steps"]["select"]["weights"],
            found["rounds"][0]["steps"]["train"]["weights"]);
  // Nothing is left to do, and a call says so.
  const Outcome idle = run({"active", "loop", at("loop"), "--json"}, scratch.path());
  ASSERT_EQ(idle.code, 0) << idle.err;
  EXPECT_EQ(json::parse(idle.out)["ended"], "all rounds are done");
}

TEST_F(ActiveLoop, EndsWhereThePoolHasNothingNew) {
  // The pool is what is labelled, by a pattern that is relative to the folder of the call.
  std::vector<std::string> words = first_call();
  *(std::find(words.begin(), words.end(), "--source") + 1) = "drawn/images/train/*";
  fs::create_directories(scratch / "elsewhere");
  for (const fs::path& folder : {scratch.path(), scratch / "elsewhere"}) {
    const Outcome outcome = run(words, folder, environment(""));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(has(outcome.out, "4 of them show what a labelled image shows")) << outcome.out;
    EXPECT_TRUE(has(outcome.out, "no image is left in the pool")) << outcome.out;
    words = {"active", "loop", at("loop")};
  }
  EXPECT_TRUE(state()["arguments"].dump().find("--source=" + at("drawn/images/train/*")) !=
              std::string::npos)
      << state()["arguments"];
}

TEST_F(ActiveLoop, WrongCallsAreRefused) {
  EXPECT_EQ(run({"active", "loop"}).code, 2);
  EXPECT_EQ(run({"active", "loop", at("loop")}).code, 2);
  std::vector<std::string> words = first_call();
  words.erase(std::find(words.begin(), words.end(), "--labelled"),
              std::find(words.begin(), words.end(), "--to"));
  EXPECT_EQ(run(words, scratch.path(), environment("")).code, 2);
  const Outcome split = run(first_call({"--split", "test"}), scratch.path(), environment(""));
  EXPECT_EQ(split.code, 1);
  EXPECT_TRUE(has(split.err, "expected images of the split test")) << split.err;
  EXPECT_FALSE(fs::exists(scratch / "loop"));
  EXPECT_FALSE(fs::exists(scratch / "store"));
}

}  // namespace
}  // namespace yolov7::test
