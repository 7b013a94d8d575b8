#include "loop/answers.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::loop {
namespace {

using dataset::AnnotatedObject;
using platforms::Edits;

/// One image of 100 × 50 pixels: a cat, a dog, a cat far away.
TaskSet one_task() {
  return {
      {"cat", "dog"},
      "m",
      {{"0123456789abcdef0123456789abcdef",
        "a.png",
        "",
        100,
        50,
        {{{10, 10, 30, 30}, 0.9F, 0}, {{50, 10, 70, 30}, 0.8F, 1}, {{80, 40, 90, 50}, 0.3F, 0}}}}};
}

AnnotatedObject object(int class_index, const Xyxy& box) {
  AnnotatedObject one;
  one.class_index = class_index;
  one.box = box;
  return one;
}

Answers answered(const TaskSet& tasks, std::vector<AnnotatedObject> objects) {
  Answers answers = no_answers(tasks);
  answers.by_key.begin()->second = {objects.empty() ? AnswerState::empty : AnswerState::boxes,
                                    std::move(objects)};
  return answers;
}

TEST(LoopEdits, AreCountedByClass) {
  const TaskSet tasks = one_task();
  // The first cat as it was but for a third of a pixel, the dog is a cat, the far cat is gone, a
  // dog that was missed.
  const auto edits =
      count_edits(tasks, answered(tasks, {object(0, {10.3, 10, 30.3, 30}),
                                          object(0, {50, 10, 70, 30}), object(1, {0, 40, 9, 49})}));
  ASSERT_EQ(edits.size(), 2U);
  EXPECT_EQ(edits.at("cat"), (Edits{1, 0, 0, 1, 0}));
  EXPECT_EQ(edits.at("dog"), (Edits{0, 0, 1, 0, 1}));
  EXPECT_EQ(total(edits), (Edits{1, 0, 1, 1, 1}));
  // One pixel is a move (IoU 19 · 20 / (2 · 400 − 380) = .905); 11 pixels (IoU 9 / 31) are another
  // box.
  const auto moved = count_edits(
      tasks, answered(tasks, {object(0, {11, 10, 31, 30}), object(1, {61, 10, 81, 30})}));
  EXPECT_EQ(moved.at("cat"), (Edits{0, 1, 0, 1, 0}));
  EXPECT_EQ(moved.at("dog"), (Edits{0, 0, 0, 1, 1}));
}

TEST(LoopAnswers, ATaskIsFoundByTheBeginningOfItsKey) {
  TaskSet tasks;
  for (const char* key : {"b2", "a1", "b1"}) tasks.tasks.push_back({key, "", "", 1, 1, {}});
  const TaskFinder finder(tasks);
  EXPECT_EQ(finder.find("a1"), &tasks.tasks[1]);
  EXPECT_EQ(finder.find("a"), &tasks.tasks[1]);
  EXPECT_EQ(finder.find("b"), &tasks.tasks[2]);
  EXPECT_EQ(finder.find("b2"), &tasks.tasks[0]);
  for (const char* key : {"", "a10", "a2", "b3", "c"}) EXPECT_EQ(finder.find(key), nullptr) << key;
}

TEST(LoopAnswers, OneThatLacksSomethingIsOpenAgain) {
  const TaskSet tasks = one_task();
  Answers answers = answered(tasks, {object(0, {10, 10, 30, 30})});
  hold_open(tasks.tasks[0], {"a line", "a point"}, answers);
  EXPECT_EQ(answers.answered(), 0U);
  EXPECT_EQ(answers.boxes(), 0U);
  EXPECT_EQ(answers.notes,
            (std::vector<std::string>{
                "a.png is not taken and stays open: left out of it: a line; a point"}));
}

TEST(LoopEdits, OfOpenAndSkippedTasksDoNotCount) {
  const TaskSet tasks = one_task();
  Answers answers = no_answers(tasks);
  EXPECT_TRUE(count_edits(tasks, answers).empty());
  answers.by_key.begin()->second.state = AnswerState::skipped;
  EXPECT_TRUE(count_edits(tasks, answers).empty());
  answers.by_key.begin()->second.state = AnswerState::empty;
  EXPECT_EQ(total(count_edits(tasks, answers)), (Edits{0, 0, 0, 3, 0}));
}

TEST(LoopEdits, CostWhatTheModelSays) {
  const Edits edits{5, 2, 1, 3, 4};  // 12 boxes in the result
  const EditCosts costs{2, 7, 7, 1};
  EXPECT_DOUBLE_EQ(cost_by_hand(10, edits, costs), 10 * 2 + 12 * 7);
  EXPECT_DOUBLE_EQ(cost_corrected(10, edits, costs), 10 * 2 + 4 * 7 + 3 * 7 + 3 * 1);
  // By default a kept box saves its drawing, and nothing else saves anything.
  EXPECT_DOUBLE_EQ(cost_by_hand(10, edits, {}) - cost_corrected(10, edits, {}), 5 * 7 - 3);
}

TEST(LoopAnswers, ComeByContentAndAreScaled) {
  const TaskSet tasks = one_task();
  dataset::AnnotatedSet set;
  set.classes = {{"dog", "", "", ""}};
  dataset::AnnotatedImage image;
  image.file = "pulled/a.png";
  image.content_hash = tasks.tasks[0].key;
  image.width = 200, image.height = 100;
  image.objects = {object(0, {20, 20, 60, 60})};
  image.objects[0].score = 0.5;
  set.images.push_back(image);
  image.content_hash = "another";
  set.images.push_back(image);
  Answers answers = no_answers(tasks);
  EXPECT_EQ(answers.answered(), 0U);
  take_answers(set, tasks, key_by_content, answers);
  EXPECT_EQ(answers.classes, std::vector<std::string>{"dog"});
  EXPECT_EQ(answers.strangers, 1U);
  EXPECT_EQ(answers.count(AnswerState::boxes), 1U);
  EXPECT_EQ(answers.boxes(), 1U);
  const AnnotatedObject& found = answers.by_key.begin()->second.objects.at(0);
  EXPECT_EQ(found.box, (Xyxy{10, 10, 30, 30}));
  EXPECT_FALSE(found.score);
  // The suggested dog is another box; class names decide, not numbers.
  EXPECT_EQ(total(count_edits(tasks, answers)), (Edits{0, 0, 1, 2, 0}));
  set.images[1].content_hash = tasks.tasks[0].key;
  EXPECT_NE(test::error_of([&] {
              take_answers(set, tasks, key_by_content, answers);
            }).find("one image of each task"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::loop
