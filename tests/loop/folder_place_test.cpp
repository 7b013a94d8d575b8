#include "loop/folder_place.hpp"

#include "loop/place.hpp"
#include "tests/loop/loop_fixture.hpp"

namespace yolov7::loop {
namespace {

class FolderPlace : public LoopFixture {
 protected:
  void SetUp() override {
    LoopFixture::SetUp();
    set = make_tasks(predict({10, 11, 12}), scratch / "loop/round-001/tasks", {}, "m").set;
    PlaceOptions options;
    options.to = (scratch / "people").string();
    place = open_place(options);
  }
  PlaceRound round() {
    return {1, scratch / "loop/round-001", scratch / "loop/round-001/tasks", set};
  }
  std::string name(std::size_t i) { return set.tasks.at(i).file; }
  void write(const std::string& file, const std::string& content) {
    scratch.write("people/round-001/" + file, content);
  }
  std::string label(std::size_t i) {
    return "labels/" + fs::path(name(i)).stem().string() + ".txt";
  }
  std::string pull_error() {
    return test::error_of([&] { place->pull(round()); });
  }
  TaskSet set;
  std::unique_ptr<Place> place;
};

TEST_F(FolderPlace, HasImagesSuggestionsAndClasses) {
  const Pushed pushed = place->push(round());
  EXPECT_EQ(pushed.made, 3U);
  EXPECT_EQ(pushed.known, 0U);
  EXPECT_EQ(pushed.suggestions, 6U);
  EXPECT_EQ(scratch.read("people/round-001/images/" + name(0)), bitmap(10));
  // Pixels 4 … 12 and 0 … 4 of 16.
  EXPECT_EQ(scratch.read("people/round-001/" + label(0)),
            "0 0.5 0.5 0.5 0.5\n1 0.125 0.125 0.25 0.25\n");
  EXPECT_EQ(scratch.read("people/round-001/classes.txt"), "cat\ndog\n");
  const Pushed again = place->push(round());
  EXPECT_EQ(again.made, 0U);
  EXPECT_EQ(again.known, 3U);
  const Answers nothing = place->pull(round());
  EXPECT_EQ(nothing.count(AnswerState::open), 3U);
}

TEST_F(FolderPlace, GivesBackWhatPeopleFinished) {
  place->push(round());
  write(label(0), "0 0.5 0.5 0.5 0.5\n2 0.75 0.75 0.25 0.25\n");
  write(label(1), "");
  write("classes.txt", "cat\ndog\nbird\n");
  write("done.txt", "# mine\n" + name(0) + "\n" + fs::path(name(1)).stem().string() + "\nskip " +
                        name(2) + "\n");
  const Answers answers = place->pull(round());
  EXPECT_EQ(answers.classes, (std::vector<std::string>{"cat", "dog", "bird"}));
  EXPECT_EQ(answers.by_key.at(key(11)).state, AnswerState::empty);
  EXPECT_EQ(answers.by_key.at(key(12)).state, AnswerState::skipped);
  const Answer& first = answers.by_key.at(key(10));
  EXPECT_EQ(first.state, AnswerState::boxes);
  ASSERT_EQ(first.objects.size(), 2U);
  EXPECT_EQ(first.objects[1].class_index, 2);
  EXPECT_EQ(first.objects[1].box, (Xyxy{10, 10, 14, 14}));
  EXPECT_TRUE(answers.notes.empty());
  // Pixels 8 … 24 of 16.
  write(label(0), "0 1 0.5 1 0.5\n");
  const Answers clipped = place->pull(round());
  EXPECT_EQ(clipped.by_key.at(key(10)).objects.at(0).box, (Xyxy{8, 4, 16, 12}));
  EXPECT_EQ(clipped.notes,
            std::vector<std::string>{"1 boxes reached beyond their images and were clipped"});
  // A triangle of the pixels 8, 8 and 24, 8 and 8, 16: it is clipped as its box is.
  write(label(0), "0 0.5 0.5 1.5 0.5 0.5 1\n");
  const Answers polygon = place->pull(round());
  const dataset::AnnotatedObject& triangle = polygon.by_key.at(key(10)).objects.at(0);
  EXPECT_EQ(triangle.box, (Xyxy{8, 8, 16, 16}));
  EXPECT_EQ(triangle.rings, (std::vector<dataset::Ring>{{{8, 8}, {16, 8}, {8, 16}}}));
  write(label(0), "");
  write("done.txt", "all\n");
  EXPECT_EQ(place->pull(round()).answered(), 3U);
  // "all" means those that no other line names, wherever it stands.
  write("done.txt", "all\nskip " + name(2) + "\n" + name(0) + "\n");
  const Answers again = place->pull(round());
  EXPECT_EQ(again.count(AnswerState::skipped), 1U);
  EXPECT_EQ(again.by_key.at(key(12)).state, AnswerState::skipped);
  EXPECT_EQ(again.answered(), 3U);
}

TEST_F(FolderPlace, NamesWhatIsWrong) {
  place->push(round());
  write("done.txt", "img10.bmp\n");
  EXPECT_NE(pull_error().find("done.txt:1: expected the name of an image of the round, found "
                              "'img10.bmp'"),
            std::string::npos);
  write("done.txt", name(0) + "\nskip " + name(0) + "\n");
  EXPECT_NE(pull_error().find("done.txt:2"), std::string::npos);
  write("done.txt", name(0) + "\n");
  write(label(0), "0 0.5 0.5 0.5\n");
  EXPECT_NE(pull_error().find(".txt:1: "), std::string::npos);
  write(label(0), "0 0.5 0.5 0.5 0.5\n2 0.5 0.5 0.5 0.5\n");
  EXPECT_NE(pull_error().find(".txt:2: expected a class of 0 to 1 (classes.txt), found 2"),
            std::string::npos);
  write(label(0), "0 1.5 0.5 0.5 0.5\n");
  EXPECT_NE(pull_error().find("lies in the image"), std::string::npos);
  fs::remove(scratch / "people/round-001" / label(0));
  EXPECT_NE(pull_error().find("expected the label file of a finished image"), std::string::npos);
  write(label(0), "");
  write("classes.txt", "dog\ncat\n");
  EXPECT_NE(pull_error().find("expected class 0 to be 'cat' still"), std::string::npos);
  write("classes.txt", "cat\ndog\ndog\n");
  EXPECT_NE(pull_error().find("'dog' twice"), std::string::npos);
}

TEST_F(FolderPlace, TakesNoOtherRoundForItsOwn) {
  place->push(round());
  set = make_tasks(predict({20}), scratch / "other", {}, "m").set;
  EXPECT_NE(test::error_of([&] { place->push(round()); }).find("found others"), std::string::npos);
  EXPECT_EQ(scratch.read("people/round-001/classes.txt"), "cat\ndog\n");
}

}  // namespace
}  // namespace yolov7::loop
