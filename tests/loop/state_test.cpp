#include "loop/state.hpp"

#include "tests/loop/loop_fixture.hpp"

namespace yolov7::loop {
namespace {

class LoopState : public LoopFixture {};

TEST_F(LoopState, KeepsWhatEachStepFound) {
  {
    State state = begin();
    EXPECT_EQ(state.rounds(), 0);
    EXPECT_EQ(state.labelled(), start);
    EXPECT_FALSE(state.weights());
    state.set_arguments({"--budget", "5"});
    EXPECT_EQ(state.begin_round(), 1);
    state.finish(1, Step::push, {{"tasks", 3}});
    state.finish(1, Step::merge, {{"version", "pets@v2"}});
    state.finish(1, Step::train, {{"weights", "best.pt"}});
  }
  const State again = State::open(scratch / "loop");
  EXPECT_EQ(again.rounds(), 1);
  EXPECT_TRUE(again.done(1, Step::push));
  EXPECT_FALSE(again.done(1, Step::pull));
  EXPECT_FALSE(again.done(2, Step::push));
  EXPECT_EQ(again.found(1, Step::push)["tasks"], 3);
  EXPECT_EQ(again.labelled(), "pets@v2");
  EXPECT_EQ(again.weights(), "best.pt");
  EXPECT_EQ(again.arguments(), (std::vector<std::string>{"--budget", "5"}));
  EXPECT_EQ(again.beginning().name, "pets");
  EXPECT_EQ(again.round_folder(1), scratch / "loop/round-001");
  EXPECT_NE(test::error_of([&] { again.found(1, Step::pull); }).find("with the step pull"),
            std::string::npos);
}

TEST_F(LoopState, TheMergeThatWasDoneLastIsTheLabelledSet) {
  State state = begin();
  state.begin_round();
  state.begin_round();
  state.finish(1, Step::merge, {{"version", "pets@v2"}});
  state.finish(2, Step::merge, {{"version", "pets@v3"}});
  state.finish(1, Step::merge, {{"version", "pets@v4"}});  // an answer that came late
  EXPECT_EQ(state.labelled(), "pets@v4");
  EXPECT_EQ(State::read(scratch / "loop").labelled(), "pets@v4");
  // Of a loop that does not keep it, the last round counts.
  nlohmann::json content = state.content();
  content.erase("labelled");
  scratch.write("old/loop.json", content.dump());
  EXPECT_EQ(State::read(scratch / "old").labelled(), "pets@v3");
}

TEST_F(LoopState, OneProcessAtATime) {
  const State state = begin();
  EXPECT_NE(test::error_of([&] { State::open(scratch / "loop"); }).find("another process"),
            std::string::npos);
  EXPECT_EQ(State::read(scratch / "loop").rounds(), 0);
}

TEST_F(LoopState, RefusesWhatIsNoLoop) {
  EXPECT_NE(test::error_of([&] { State::open(scratch / "none"); }).find("with loop.json"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(scratch / "none"));
  scratch.write("other/a.txt", "kept");
  EXPECT_NE(test::error_of([&] {
              State::begin(scratch / "other", {"pets", scratch / "store", start});
            }).find("new or empty folder"),
            std::string::npos);
  scratch.write("odd/loop.json", R"({"form": 1})");
  EXPECT_NE(test::error_of([&] { State::read(scratch / "odd"); }).find("found something else"),
            std::string::npos);
  scratch.write("new/loop.json", R"({"form": 9, "name": "a", "store": "b", "start": "c",
                                     "arguments": [], "rounds": []})");
  EXPECT_NE(test::error_of([&] { State::read(scratch / "new"); }).find("found 9"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::loop
