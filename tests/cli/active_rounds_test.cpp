// yolov7 active push | pull | merge | status over a plain folder, as a user calls them; killed at
// every place and called again.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A BMP of 16 × 16 pixels of one gray level.
std::string bitmap(int shade) {
  std::string bytes("BM\x36\x03\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x10\0\0\0\x10\0\0\0\1\0\x18\0", 30);
  return bytes + std::string(24, '\0') + std::string(16 * 16 * 3, static_cast<char>(shade));
}

class ActiveRounds : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 3; ++i) {
      const std::string place = (i < 2 ? "train/" : "val/") + std::to_string(i);
      scratch.write("set/images/" + place + ".bmp", bitmap(i));
      scratch.write("set/labels/" + place + ".txt", "0 0.5 0.5 0.25 0.25\n");
    }
    scratch.write("set/data.yaml", "train: images/train\nval: images/val\nnames: [cat, dog]\n");
    json images = json::array(), boxes = json::array();
    for (int i = 0; i < 3; ++i) {
      const fs::path file = scratch.write("pool/p" + std::to_string(i) + ".bmp", bitmap(50 + i));
      images.push_back({{"id", i}, {"file_name", file}, {"width", 16}, {"height", 16}});
      boxes.push_back({{"image_id", i}, {"category_id", 1}, {"bbox", {4, 4, 8, 8}}, {"score", .5}});
    }
    scratch.write("chosen/predictions.json",
                  json{{"images", images},
                       {"annotations", boxes},
                       {"categories", {{{"id", 1}, {"name", "cat"}}, {{"id", 2}, {"name", "dog"}}}}}
                      .dump());
  }
  Outcome active(const std::string& part, const std::vector<std::string>& more = {},
                 const std::string& faults = {}) {
    std::vector<std::string> words{"active", part, at("loop")};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<std::string> environment{"YOLOV7_STORE=" + at("store")};
    if (!faults.empty()) environment.push_back("YOLOV7_FAILPOINTS=" + faults);
    return run(words, scratch.path(), environment);
  }
  std::vector<std::string> pushing() {
    return {"--labelled", at("set/data.yaml"), "--from", at("chosen"), "--to", at("people")};
  }
  std::string at(const fs::path& name) const { return (scratch / name).string(); }
  /// Image content → label rows, of the newest labelled version; and how often each image is there.
  std::map<std::string, std::pair<std::string, int>> labelled() {
    const std::string out = at("out" + std::to_string(++number));
    EXPECT_EQ(
        run({"dataset", "version", "checkout", "set", "--out", out, "--store", at("store")}).code,
        0);
    std::map<std::string, std::pair<std::string, int>> found;
    for (const auto& entry : fs::recursive_directory_iterator(out))
      if (entry.path().extension() == ".bmp") {
        std::string label = entry.path().string();
        label.replace(label.rfind("/images/"), 8, "/labels/");
        auto& [rows, count] = found[read_text(entry.path())];
        rows = read_text(fs::path(label).replace_extension(".txt"));
        ++count;
      }
    return found;
  }
  void answer() {
    for (const auto& entry : fs::directory_iterator(scratch / "people/round-001/labels"))
      write_text(entry.path(), "1 0.5 0.5 0.5 0.5\n0 0.25 0.25 0.125 0.125\n");
    write_text(scratch / "people/round-001/done.txt", "all\n");
  }
  void expect_complete() {
    const auto found = labelled();
    ASSERT_EQ(found.size(), 6U);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(found.at(bitmap(i)), std::pair(std::string("0 0.5 0.5 0.25 0.25\n"), 1));
      EXPECT_EQ(found.at(bitmap(50 + i)),
                std::pair(std::string("1 0.5 0.5 0.5 0.5\n0 0.25 0.25 0.125 0.125\n"), 1));
    }
  }
  ScratchFolder scratch;
  int number = 0;
};

TEST_F(ActiveRounds, APushThatFailedGoesOnWithItsImagesAndSaysSo) {
  scratch.write("people", "a file where the folder of the rounds should be");
  EXPECT_EQ(active("push", pushing()).code, 1);
  const Outcome push = active("push", {"--from", at("others"), "--to", at("desk")});
  ASSERT_EQ(push.code, 0) << push.err;
  EXPECT_TRUE(has(push.err, "--from and --model are not read again")) << push.err;
  EXPECT_TRUE(has(push.out, "3 tasks made, 0 were there")) << push.out;
}

TEST_F(ActiveRounds, SuggestionsOutLabelsBack) {
  const Outcome push = active("push", pushing());
  ASSERT_EQ(push.code, 0) << push.err;
  EXPECT_TRUE(has(push.out, "3 tasks made, 0 were there, 3 suggested boxes")) << push.out;
  EXPECT_TRUE(has(push.out, "done.txt"));
  const Outcome again = active("push", pushing());
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(has(again.err, "round 1 was sent (3 tasks at ")) << again.err;
  const Outcome waits = active("pull");
  EXPECT_EQ(waits.code, 0);
  EXPECT_TRUE(has(waits.out, "round 1 waits for people: 0 of 3 images are answered")) << waits.out;
  EXPECT_EQ(active("merge").code, 1);
  answer();
  const Outcome pull = active("pull", {"--json"});
  ASSERT_EQ(pull.code, 0) << pull.err;
  const json got = json::parse(pull.out);
  EXPECT_EQ(got["with_boxes"], 3);
  // The suggested cat is where the dog is: another class; the small cat was missed.
  EXPECT_EQ(got["suggestions"]["by_class"]["cat"]["relabelled"], 3);
  EXPECT_EQ(got["suggestions"]["by_class"]["cat"]["added"], 3);
  const Outcome merge = active("merge");
  ASSERT_EQ(merge.code, 0) << merge.err;
  EXPECT_TRUE(has(merge.out, "6 images, 9 boxes")) << merge.out;
  expect_complete();
  const Outcome status = active("status");
  ASSERT_EQ(status.code, 0) << status.err;
  EXPECT_TRUE(has(status.out, "round 1: merged; 6 images, 9 boxes")) << status.out;
  EXPECT_TRUE(fs::exists(scratch / "loop/report.html"));
  // All images of the selection were sent: a second round has nothing.
  const Outcome second = active("push", pushing());
  EXPECT_EQ(second.code, 1);
  EXPECT_TRUE(has(second.err, "expected an image that no earlier round has")) << second.err;
}

TEST_F(ActiveRounds, KilledAnywhereAndCalledAgain) {
  for (const std::string& place : {std::string("loop-kill="), std::string("version-kill=")}) {
    fs::remove_all(scratch / "loop");
    fs::remove_all(scratch / "people");
    fs::remove_all(scratch / "store");
    const auto until_done = [&](const std::string& part, const std::vector<std::string>& more,
                                const std::string& already) {
      int kills = 0;
      // Each place several times, since a call may go on behind it.
      for (int call = 0;; ++call) {
        const Outcome outcome = active(part, more, place + std::to_string(call / 3 + 1));
        if (outcome.code == 128 + SIGKILL) {
          ++kills;
          continue;
        }
        EXPECT_TRUE(outcome.code == 0 || has(outcome.err, already)) << outcome.err;
        return kills;
      }
    };
    const int pushing_kills = until_done("push", pushing(), "round 1 was sent");
    answer();
    const int pulling_kills = until_done("pull", {}, "-"),
              merging_kills = until_done("merge", {}, "-");
    EXPECT_GT(pushing_kills, 5);
    EXPECT_GT(pulling_kills, 1);
    EXPECT_GT(merging_kills, 1);
    expect_complete();
    std::size_t tasks = 0;
    for (const auto& entry : fs::directory_iterator(scratch / "people/round-001/images"))
      tasks += entry.is_regular_file() ? 1 : 0;
    EXPECT_EQ(tasks, 3U);
    const json state = json::parse(read_text(scratch / "loop/loop.json"));
    EXPECT_EQ(state["rounds"].size(), 1U);
    EXPECT_EQ(run({"dataset", "version", "verify", "--store", at("store")}).code, 0);
  }
}

TEST_F(ActiveRounds, AFolderThatIsNoLoopChangesNoStore) {
  scratch.write("loop/mine.txt", "kept");
  const Outcome push = active("push", pushing());
  EXPECT_EQ(push.code, 1);
  EXPECT_TRUE(has(push.err, "expected a new or empty folder")) << push.err;
  EXPECT_FALSE(fs::exists(scratch / "store"));
}

TEST_F(ActiveRounds, APullKeepsWhatTheLoopWasTold) {
  ASSERT_EQ(active("push", pushing()).code, 0);
  // As `active loop` leaves them; those of the choice are no options of the pull.
  json state = json::parse(read_text(scratch / "loop/loop.json"));
  state["arguments"] = {"--source=/pool", "--budget", "3", "--cost-box", "3", "--enough", "0.3",
                        "--keep-similar"};
  write_text(scratch / "loop/loop.json", state.dump());
  answer();
  const json tasks = json::parse(read_text(scratch / "people/round-001/tasks.json"))["tasks"];
  write_text(scratch / "people/round-001/done.txt", tasks[0]["file"].get<std::string>() + "\n");
  const Outcome strict = active("pull", {"--enough", "1", "--json"});
  ASSERT_EQ(strict.code, 0) << strict.err;
  EXPECT_EQ(json::parse(strict.out)["waits"], true);
  const Outcome pull = active("pull", {"--json"});
  ASSERT_EQ(pull.code, 0) << pull.err;
  const json got = json::parse(pull.out);
  EXPECT_EQ(got["waits"], false);
  EXPECT_EQ(got["answered"], 1);
  // An image (2); by hand two boxes at 3 each; else one drawn (3) and one of another class (7).
  EXPECT_EQ(got["cost"]["by_hand"], 2 + 2 * 3);
  EXPECT_EQ(got["cost"]["corrected"], 2 + 3 + 7);
}

TEST_F(ActiveRounds, WrongCallsAreRefused) {
  EXPECT_EQ(run({"active", "push"}).code, 2);
  EXPECT_EQ(active("push", {"--from", at("chosen"), "--to", at("people")}).code, 2);
  EXPECT_EQ(active("push", {"--labelled", at("set/data.yaml"), "--to", at("people")}).code, 2);
  EXPECT_EQ(active("push", {"--labelled", at("set/data.yaml"), "--from", at("chosen")}).code, 2);
  EXPECT_FALSE(fs::exists(scratch / "loop"));
  EXPECT_EQ(active("pull").code, 1);
  EXPECT_EQ(active("status").code, 1);
  EXPECT_FALSE(fs::exists(scratch / "loop"));
  // A folder needs no server's options, and Label Studio none of the others.
  for (const auto& [to, option, value] :
       {std::tuple{at("people"), "--tries", "3"},
        {at("people"), "--address", "https://x"},
        {std::string("label-studio://localhost:1/p"), "--server-patience", "9"}}) {
    const Outcome vain = active("push", {"--labelled", at("set/data.yaml"), "--from", at("chosen"),
                                         "--to", to, option, value});
    EXPECT_EQ(vain.code, 2) << option;
    EXPECT_TRUE(has(vain.err, std::string(option) + ": expected ")) << vain.err;
  }
  EXPECT_FALSE(fs::exists(scratch / "store"));
  ASSERT_EQ(active("push", pushing()).code, 0);
  EXPECT_EQ(active("pull", {"--roboflow-version", "3"}).code, 2);
  const Outcome renamed = active("push", {"--name", "other", "--from", at("chosen"), "--to", "x"});
  EXPECT_EQ(renamed.code, 2);
  EXPECT_TRUE(has(renamed.err, "--name: expected set, with which the loop")) << renamed.err;
  std::vector<std::string> other = pushing();
  other[1] = at("set/images");
  const Outcome another = active("push", other);
  EXPECT_EQ(another.code, 2);
  EXPECT_TRUE(has(another.err, "--labelled: expected " + at("set/data.yaml"))) << another.err;
  EXPECT_EQ(active("pull", {"--round", "7"}).code, 1);
  const Outcome page = active("status", {"--page", at("set/data.yaml")});
  EXPECT_EQ(page.code, 1);
  EXPECT_TRUE(has(read_text(scratch / "set/data.yaml"), "names"));
}

}  // namespace
}  // namespace yolov7::test
