#include "loop/tasks.hpp"

#include "tests/loop/loop_fixture.hpp"

namespace yolov7::loop {
namespace {

class Tasks : public LoopFixture {};

TEST_F(Tasks, NoneLeftIsToldFromOtherFaults) {
  EXPECT_THROW(make_tasks(predict({10}), scratch / "tasks", {key(10)}, "m"), NothingLeft);
  EXPECT_FALSE(fs::exists(scratch / "tasks"));
}

TEST_F(Tasks, AreCopiesUnderNamesThatTellTheirContent) {
  const TasksMade made = make_tasks(predict({10, 11}), scratch / "tasks", {}, "best.pt");
  ASSERT_EQ(made.set.tasks.size(), 2U);
  const Task& first = made.set.tasks[0];
  EXPECT_EQ(first.key, key(10));
  EXPECT_EQ(first.file, key(10).substr(0, 12) + "_img10.bmp");
  EXPECT_EQ(first.origin, scratch / "pool/img10.bmp");
  EXPECT_EQ(scratch.read("tasks/images/" + first.file), bitmap(10));
  const TaskSet again = read_tasks(scratch / "tasks");
  EXPECT_EQ(again.model, "best.pt");
  EXPECT_EQ(again.classes, (std::vector<std::string>{"cat", "dog"}));
  ASSERT_EQ(again.tasks.size(), 2U);
  EXPECT_EQ(again.tasks[1].key, key(11));
  ASSERT_EQ(again.tasks[1].suggestions.size(), 2U);
  EXPECT_EQ(again.tasks[1].suggestions[0].box, (Xyxy{4, 4, 12, 12}));
  EXPECT_FLOAT_EQ(again.tasks[1].suggestions[1].score, 0.4F);
  const dataset::AnnotatedSet set = annotated_set(again, scratch / "tasks");
  EXPECT_EQ(set.images[0].content_hash, key(10));
  EXPECT_EQ(set.images[0].objects[1].class_index, 1);
  EXPECT_TRUE(set.images[0].objects[0].score.has_value());
}

TEST_F(Tasks, LeaveOutWhatWasSentAndEqualImages) {
  const fs::path file = predict({10, 11, 12});
  nlohmann::json content = nlohmann::json::parse(test::read_text(file));
  scratch.write("pool/twin.bmp", bitmap(12));
  content["images"].push_back({{"id", 4},
                               {"file_name", (scratch / "pool/twin.bmp").string()},
                               {"width", 16},
                               {"height", 16}});
  scratch.write("chosen/predictions.json", content.dump());
  const TasksMade made = make_tasks(file, scratch / "tasks", {key(11)}, "m");
  ASSERT_EQ(made.set.tasks.size(), 2U);
  EXPECT_EQ(made.sent_before, std::vector<std::string>{scratch / "pool/img11.bmp"});
  EXPECT_EQ(made.doubles, std::vector<std::string>{scratch / "pool/twin.bmp"});
  EXPECT_NE(test::error_of([&] {
              make_tasks(file, scratch / "none", {key(10), key(11), key(12)}, "m");
            }).find("no earlier round has"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(scratch / "none"));
}

TEST_F(Tasks, RefuseAnotherImageAndAnotherFile) {
  const fs::path file = predict({10});
  nlohmann::json content = nlohmann::json::parse(test::read_text(file));
  content["images"][0]["width"] = 20;
  scratch.write("chosen/predictions.json", content.dump());
  EXPECT_NE(test::error_of([&] {
              make_tasks(file, scratch / "t", {}, "m");
            }).find("expected 20 × 16 px, as its predictions say, found 16 × 16"),
            std::string::npos);
  scratch.write("chosen/predictions.json", "[]");
  EXPECT_NE(test::error_of([&] { make_tasks(file, scratch / "t", {}, "m"); }).find("COCO"),
            std::string::npos);
  fs::remove(scratch / "pool/img10.bmp");
  predict({10});
  fs::remove(scratch / "pool/img10.bmp");
  EXPECT_NE(test::error_of([&] { make_tasks(file, scratch / "t", {}, "m"); }).find("img10.bmp"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(scratch / "t"));
}

}  // namespace
}  // namespace yolov7::loop
