// What was left out of an answer: it is named, and the image stays open.
#include "loop/server_files.hpp"

#include "tests/loop/loop_fixture.hpp"

namespace yolov7::loop {
namespace {

class ServerFiles : public LoopFixture {
 protected:
  void SetUp() override {
    LoopFixture::SetUp();
    set = make_tasks(predict({10, 11, 12}), scratch / "loop/round-001/tasks", {}, "m").set;
    scratch.write("pulled/data.yaml", "train: images\nval: images\nnames: [cat, dog]\n");
  }
  void answer(int shade, const std::string& rows) {
    const std::string stem = "pulled/images/" + std::to_string(shade);
    scratch.write(stem + ".bmp", bitmap(shade));
    scratch.write("pulled/labels/" + std::to_string(shade) + ".txt", rows);
  }
  Answers take() {
    Answers answers = no_answers(set);
    take_folder(scratch / "pulled",
                {1, scratch / "loop/round-001", scratch / "loop/round-001/tasks", set},
                key_by_content, {}, answers);
    return answers;
  }
  TaskSet set;
};

TEST_F(ServerFiles, AnAnswerThatWasReadInPartStaysOpen) {
  answer(10, "0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0.01 0.01\n");  // .16 px
  answer(11, "0 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.5 0.5\n");    // one of them twice
  answer(12, "");
  const Answers answers = take();
  EXPECT_EQ(answers.by_key.at(key(10)).state, AnswerState::open);
  EXPECT_TRUE(answers.by_key.at(key(10)).objects.empty());
  EXPECT_EQ(answers.by_key.at(key(11)).state, AnswerState::boxes);
  EXPECT_EQ(answers.by_key.at(key(11)).objects.size(), 1U);
  EXPECT_EQ(answers.by_key.at(key(12)).state, AnswerState::empty);
  EXPECT_EQ(answers.answered(), 2U);
  const std::string& note = answers.notes.back();
  EXPECT_TRUE(note.starts_with(key(10).substr(0, 12) + "_img10.bmp is not taken and stays open"))
      << note;
  EXPECT_NE(note.find("under 1 px"), std::string::npos) << note;
}

TEST_F(ServerFiles, ShapesThatAreNoBoxesAreNamed) {
  dataset::Conversion account;
  account.not_boxes = {{"polyline", 2}};
  account.drops.push_back({"box", "a.json", 3, 1, "no class name"});
  Answers answers;
  add_drops(account, answers);
  EXPECT_EQ(answers.notes, (std::vector<std::string>{"left out: 2 of kind polyline, no box",
                                                     "left out: box of a.json:3: no class name"}));
}

}  // namespace
}  // namespace yolov7::loop
