// Push, pull and merge of whole rounds over a plain folder.
#include "loop/rounds.hpp"

#include "loop/report.hpp"
#include "loop/returned.hpp"
#include "tests/loop/loop_fixture.hpp"
#include "versions/annotations.hpp"

namespace yolov7::loop {
namespace {

using nlohmann::json;

class LoopRounds : public LoopFixture {
 protected:
  fs::path people(int round) { return scratch / ("people/round-00" + std::to_string(round)); }
  /// Path in the version → label rows.
  std::map<std::string, std::string> labels_of(const std::string& version) {
    versions::Store store = this->store();
    std::map<std::string, std::string> found;
    for (const versions::Item& item : store.content(store.find(version).id).items)
      found[item.path] =
          item.annotations ? versions::labels_of_text(store.text(*item.annotations)) : "none";
    return found;
  }
  PlaceOptions place() {
    PlaceOptions options;
    options.to = (scratch / "people").string();
    return options;
  }
  json push(State& state, const std::vector<int>& shades) {
    return push_round(state, state.begin_round(), {place(), predict(shades), "m"});
  }
  void answer(int round, int shade, const std::string& rows) {
    const std::string stem = key(shade).substr(0, 12) + "_img" + std::to_string(shade);
    test::write_text(people(round) / "labels" / (stem + ".txt"), rows);
    const std::string before = test::read_text(people(round) / "done.txt");
    test::write_text(people(round) / "done.txt", before + stem + "\n");
  }
  std::string item(int shade) {
    return "images/loop/" + key(shade).substr(0, 12) + "_img" + std::to_string(shade) + ".bmp";
  }
  /// A new labelled version with these rows of one image, one row fewer than before.
  void correct(const std::string& path, const std::string& rows) {
    versions::Store store = this->store();
    const versions::Entry last = store.find("pets");
    versions::NewVersion next;
    next.name = "pets", next.parent = last.id, next.message = "corrected", next.author = "somebody";
    next.content = store.content(last.id);
    next.boxes = last.boxes - 1;
    std::string text = versions::text_of_labels(rows).text;
    for (versions::Item& one : next.content.items)
      if (one.path == path) one.annotations = sha256_digest(text);
    next.texts.emplace(sha256_digest(text), text);
    bool already_there = false;
    store.add(next, already_there);
    EXPECT_FALSE(already_there);
  }
  PullRound pulling(double enough = 1) {
    PullRound options;
    options.enough = enough;
    return options;
  }
};

TEST_F(LoopRounds, TakeEveryLabelAndNothingElse) {
  State state = begin();
  const json sent = push(state, {10, 11});
  EXPECT_EQ(sent["tasks"], 2);
  EXPECT_EQ(sent["made"], 2);
  EXPECT_EQ(sent["base"], start);
  const json waits = pull_round(state, 1, pulling());
  EXPECT_TRUE(waits["waits"]);
  EXPECT_FALSE(state.done(1, Step::pull));
  EXPECT_NE(waiting_line(state, 1, waits).find("0 of 2 images are answered"), std::string::npos);
  answer(1, 10, "0 0.5 0.5 0.5 0.5\n");                               // the cat stays, the dog goes
  answer(1, 11, "1 0.125 0.125 0.25 0.25\n0 0.75 0.75 0.25 0.25\n");  // another cat
  const json got = pull_round(state, 1, pulling());
  EXPECT_EQ(got["answered"], 2);
  EXPECT_EQ(got["images_added"], 2);
  const json& edits = got["suggestions"];
  EXPECT_EQ(edits["by_class"]["cat"]["kept"], 1);
  EXPECT_EQ(edits["by_class"]["cat"]["removed"], 1);
  EXPECT_EQ(edits["by_class"]["cat"]["added"], 1);
  EXPECT_EQ(edits["by_class"]["dog"]["kept"], 1);
  EXPECT_EQ(edits["by_class"]["dog"]["removed"], 1);
  // 2 images, 3 boxes by hand; 1 added and 2 removed with suggestions.
  EXPECT_EQ(got["cost"]["by_hand"], 2 * 2 + 3 * 7);
  EXPECT_EQ(got["cost"]["corrected"], 2 * 2 + 7 + 2 * 1);
  const json merged = merge_round(state, 1, versions::OnConflict::fail, {});
  EXPECT_EQ(merged["images"], 5);
  EXPECT_EQ(merged["boxes"], 3 + 3);
  const std::map<std::string, std::string> expected = {
      {"images/train/0.bmp", "0 0.5 0.5 0.25 0.25\n"},
      {"images/train/1.bmp", "1 0.5 0.5 0.25 0.25\n"},
      {"images/val/2.bmp", "0 0.5 0.5 0.25 0.25\n"},
      {item(10), "0 0.5 0.5 0.5 0.5\n"},
      {item(11), "1 0.125 0.125 0.25 0.25\n0 0.75 0.75 0.25 0.25\n"}};
  EXPECT_EQ(labels_of(state.labelled()), expected);
}

TEST_F(LoopRounds, KeepWhatOthersChangedMeanwhile) {
  State state = begin();
  push(state, {10});
  // Somebody corrects a labelled image, and adds one.
  scratch.write("data/labels/train/0.txt", row(1, 0.5));
  scratch.write("data/images/train/9.bmp", bitmap(9));
  scratch.write("data/labels/train/9.txt", row(0, 0.5));
  make_old();
  commit();
  answer(1, 10, "0 0.5 0.5 0.5 0.5\n");
  pull_round(state, 1, pulling());
  merge_round(state, 1, versions::OnConflict::fail, {});
  const auto found = labels_of(state.labelled());
  EXPECT_EQ(found.size(), 5U);
  EXPECT_EQ(found.at("images/train/0.bmp"), "1 0.5 0.5 0.25 0.25\n");
  EXPECT_EQ(found.at("images/train/9.bmp"), "0 0.5 0.5 0.25 0.25\n");
  EXPECT_EQ(found.at(item(10)), "0 0.5 0.5 0.5 0.5\n");
}

TEST_F(LoopRounds, ALabelledImageThatIsLabelledAgainKeepsItsPlace) {
  State state = begin();
  push(state, {0});  // the content of images/train/0.bmp
  answer(1, 0, "1 0.25 0.25 0.25 0.25\n");
  const json got = pull_round(state, 1, pulling());
  EXPECT_EQ(got["images_added"], 0);
  EXPECT_EQ(got["images_again"], 1);
  const json merged = merge_round(state, 1, versions::OnConflict::fail, {});
  EXPECT_EQ(merged["boxes"], 3);
  const auto found = labels_of(state.labelled());
  EXPECT_EQ(found.size(), 3U);
  EXPECT_EQ(found.at("images/train/0.bmp"), "1 0.25 0.25 0.25 0.25\n");
}

TEST_F(LoopRounds, ConflictsAreNamedAndDecided) {
  State state = begin();
  push(state, {0});
  scratch.write("data/labels/train/0.txt", row(0, 0.55));  // moved by somebody
  make_old();
  commit();
  answer(1, 0, "0 0.46 0.5 0.25 0.25\n");  // moved the other way
  pull_round(state, 1, pulling());
  EXPECT_NE(test::error_of([&] {
              merge_round(state, 1, versions::OnConflict::fail, {});
            }).find("such as the box in 'images/train/0.bmp'; nothing is written"),
            std::string::npos);
  EXPECT_FALSE(state.done(1, Step::merge));
  const json merged = merge_round(state, 1, versions::OnConflict::theirs, {});
  EXPECT_EQ(merged["conflicts"], 1);
  EXPECT_EQ(labels_of(state.labelled()).at("images/train/0.bmp"), "0 0.46 0.5 0.25 0.25\n");
}

TEST_F(LoopRounds, OpenTasksComeLaterAndNoImageIsSentTwice) {
  State state = begin();
  push(state, {10, 11});
  answer(1, 10, "0 0.5 0.5 0.5 0.5\n");
  EXPECT_TRUE(pull_round(state, 1, pulling(0.6))["waits"]);
  const json got = pull_round(state, 1, pulling(0.5));
  EXPECT_EQ(got["open"], 1);
  EXPECT_EQ(got["images_added"], 1);
  merge_round(state, 1, versions::OnConflict::fail, {});
  const json next = push(state, {10, 11, 12});
  EXPECT_EQ(next["tasks"], 1);
  EXPECT_EQ(next["sent_before"].size(), 2U);
  answer(2, 12, "");
  pull_round(state, 2, pulling());
  merge_round(state, 2, versions::OnConflict::fail, {});
  // The task that was open: its round is pulled and merged once more.
  answer(1, 11, "1 0.5 0.5 0.5 0.5\n");
  pull_round(state, 1, pulling());
  merge_round(state, 1, versions::OnConflict::fail, {});
  const auto found = labels_of("pets");
  EXPECT_EQ(found.size(), 6U);
  EXPECT_EQ(found.at(item(10)), "0 0.5 0.5 0.5 0.5\n");
  EXPECT_EQ(found.at(item(11)), "1 0.5 0.5 0.5 0.5\n");
  EXPECT_EQ(found.at(item(12)), "");
}

TEST_F(LoopRounds, ALateAnswerUndoesNoCorrection) {
  State state = begin();
  push(state, {10, 11});
  answer(1, 10, "0 0.5 0.5 0.5 0.5\n1 0.125 0.125 0.25 0.25\n");
  pull_round(state, 1, pulling(0.5));
  merge_round(state, 1, versions::OnConflict::fail, {});
  correct(item(10), "0 0.5 0.5 0.5 0.5\n");  // somebody deletes the dog
  answer(1, 11, "1 0.5 0.5 0.5 0.5\n");
  pull_round(state, 1, pulling());
  EXPECT_EQ(merge_round(state, 1, versions::OnConflict::fail, {})["boxes"], 3 + 2);
  const auto found = labels_of(state.labelled());
  EXPECT_EQ(found.at(item(10)), "0 0.5 0.5 0.5 0.5\n");
  EXPECT_EQ(found.at(item(11)), "1 0.5 0.5 0.5 0.5\n");
  // And once more, with nothing new.
  pull_round(state, 1, pulling());
  EXPECT_EQ(merge_round(state, 1, versions::OnConflict::fail, {})["boxes"], 3 + 2);
}

TEST_F(LoopRounds, StepsThatAreDoneAgainMakeNothingTwice) {
  State state = begin();
  push(state, {10});
  push_round(state, 1, {place(), scratch / "chosen/predictions.json", "m"});
  answer(1, 10, "0 0.5 0.5 0.5 0.5\n");
  const json first = pull_round(state, 1, pulling());
  EXPECT_EQ(pull_round(state, 1, pulling())["version"], first["version"]);
  const json merged = merge_round(state, 1, versions::OnConflict::fail, {});
  EXPECT_EQ(merge_round(state, 1, versions::OnConflict::fail, {})["version"], merged["version"]);
  EXPECT_EQ(store().history("pets").size(), 2U);
  EXPECT_EQ(store().history("pets-returned").size(), 1U);
}

TEST_F(LoopRounds, NewClassesGoToTheEndAndSkippedImagesStayOut) {
  State state = begin();
  push(state, {10, 11});
  test::write_text(people(1) / "classes.txt", "cat\ndog\nbird\nfish\n");
  answer(1, 10, "2 0.5 0.5 0.5 0.5\n");
  test::write_text(people(1) / "done.txt", test::read_text(people(1) / "done.txt") + "skip " +
                                               key(11).substr(0, 12) + "_img11.bmp\n");
  const json got = pull_round(state, 1, pulling());
  EXPECT_EQ(got["skipped"], 1);
  EXPECT_EQ(got["new_classes"], json({"bird"}));  // nobody drew a fish
  merge_round(state, 1, versions::OnConflict::fail, {});
  versions::Store store = this->store();
  const auto content = store.content(store.find(state.labelled()).id);
  ASSERT_EQ(content.classes.classes.size(), 3U);
  EXPECT_EQ(content.classes.classes[2].name, "bird");
  EXPECT_EQ(labels_of(state.labelled()).at(item(10)), "2 0.5 0.5 0.5 0.5\n");
  EXPECT_EQ(content.items.size(), 4U);
}

TEST_F(LoopRounds, ARoundInWhichAllIsSkippedChangesNothing) {
  State state = begin();
  push(state, {10});
  test::write_text(people(1) / "done.txt", "skip " + key(10).substr(0, 12) + "_img10.bmp\n");
  EXPECT_EQ(pull_round(state, 1, pulling())["version"], start);
  EXPECT_EQ(merge_round(state, 1, versions::OnConflict::fail, {})["version"], start);
  EXPECT_EQ(store().history().size(), 1U);
}

TEST_F(LoopRounds, StatusAddsUp) {
  State state = begin();
  push(state, {10});
  EXPECT_EQ(stage_of(state, 1), "waits for people");
  answer(1, 10, "0 0.5 0.5 0.5 0.5\n");
  pull_round(state, 1, pulling());
  merge_round(state, 1, versions::OnConflict::fail, {});
  state.finish(1, Step::train, {{"weights", "w.pt"}});
  state.finish(1, Step::evaluate, {{"split", "val"}, {"map50", 0.5}, {"map", 0.25}});
  push(state, {11});
  state.finish(2, Step::select, {{"unreadable", {"pool/a.jpg: no image", "pool/b.jpg: no image"}}});
  const json found = status(state);
  ASSERT_EQ(found["rounds"].size(), 2U);
  const json& first = found["rounds"][0];
  EXPECT_EQ(first["stage"], "evaluated");
  EXPECT_EQ(first["cost_so_far"], 2 + 1);
  EXPECT_EQ(first["map50"], 0.5);
  EXPECT_EQ(found["rounds"][1]["stage"], "waits for people");
  EXPECT_TRUE(found["rounds"][1]["cost"].is_null());
  EXPECT_EQ(found["cost"], 3);
  EXPECT_EQ(found["cost_by_hand"], 2 + 7);
  EXPECT_EQ(found["saved"], 6);
  const std::vector<std::string> lines = status_lines(found);
  EXPECT_NE(lines[1].find("0.5000"), std::string::npos);
  EXPECT_TRUE(first["unreadable"].is_null());
  EXPECT_EQ(found["rounds"][1]["unreadable"].size(), 2U);
  const std::string unreadable =
      "round 2: 2 images of the pool could not be read; the first is pool/a.jpg: no image";
  EXPECT_EQ(std::count(lines.begin(), lines.end(), unreadable), 1);
  const std::string page = status_page(found);
  EXPECT_NE(page.find("waits for people"), std::string::npos);
  EXPECT_NE(page.find(unreadable), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_NE(page.find("data:image/png"), std::string::npos);
}

TEST_F(LoopRounds, DataWithKeyPointsIsRefused) {
  scratch.write("data/data.yaml",
                "train: images/train\nval: images/val\nnames: [cat, dog]\nkpt_shape: [1, 2]\n");
  for (const char* file : {"train/0", "train/1", "val/2"})
    scratch.write(std::string("data/labels/") + file + ".txt", "0 0.5 0.5 0.25 0.25 0.5 0.5\n");
  make_old();
  start = versions::full_name(commit().entry);
  State state = begin();
  push(state, {10});
  answer(1, 10, "0 0.5 0.5 0.5 0.5\n");
  EXPECT_NE(test::error_of([&] { pull_round(state, 1, pulling()); }).find("found key points"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::loop
