// A run that goes on behind its last finished stage.
#include "compression/budget/journal.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::compression {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class JournalFile : public testing::Test {
 protected:
  test::ScratchFolder scratch;
  const fs::path file = scratch / "state.json";
  const Beginning beginning{{"--accuracy-budget", "0.01"}, {"--weights of SHA-256", "abc"}};

  std::string error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::failure);
      return error.what();
    }
    return "no error";
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
};

TEST_F(JournalFile, KnowsFinishedStagesAgain) {
  const fs::path written = scratch.write("net/a.pt", "weights");
  {
    Journal journal(file, beginning);
    EXPECT_FALSE(journal.resumed());
    EXPECT_FALSE(journal.found("prune"));
    journal.finish("prune", {{"refused", ""}}, {written});
    journal.finish("times", json::array({1.5, 0.1}));
    EXPECT_EQ(journal.found("times"), json::array({1.5, 0.1}));
  }
  const Journal again(file, beginning);
  EXPECT_TRUE(again.resumed());
  EXPECT_EQ(again.found("prune")->at("refused"), "");
  EXPECT_EQ(again.found("times"), json::array({1.5, 0.1}));
  EXPECT_FALSE(again.found("choose"));
  // `printf weights | sha256sum`
  EXPECT_EQ(json::parse(test::read_text(file))["stages"]["prune"]["files"]["net/a.pt"],
            "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c");
}

TEST_F(JournalFile, AnotherBeginningIsRefusedByName) {
  Journal(file, beginning).finish("prune", {});
  Beginning other = beginning;
  other["--accuracy-budget"] = "0.02";
  EXPECT_TRUE(has(error_of([&] { Journal(file, other); }),
                  "state.json: this run began with --accuracy-budget '0.01', found '0.02'; give "
                  "another --out, or remove this folder"));
  other = beginning;
  other["--teacher of SHA-256"] = "def";
  EXPECT_TRUE(has(error_of([&] { Journal(file, other); }),
                  "began with --teacher of SHA-256 not given, found 'def'"));
  EXPECT_TRUE(has(error_of([&] {
                    Journal(file, {{"--accuracy-budget", "0.01"}});
                  }),
                  "began with --weights of SHA-256 'abc', found none"));
  EXPECT_TRUE(Journal(file, beginning).resumed());
}

TEST_F(JournalFile, WhatAStageWroteIsLookedAt) {
  const fs::path folder = scratch / "model", inner = scratch.write("model/a.bin", "1");
  Journal journal(file, beginning);
  journal.finish("quantize", {{"refused", ""}}, {folder});
  EXPECT_TRUE(journal.found("quantize"));
  scratch.write("model/a.bin", "2");
  EXPECT_TRUE(has(error_of([&] { journal.found("quantize"); }),
                  "a.bin: 'quantize' wrote it, and it was changed since"));
  fs::remove(inner);
  EXPECT_TRUE(has(error_of([&] { journal.found("quantize"); }),
                  "a.bin: 'quantize' wrote it, and it is gone"));
}

TEST_F(JournalFile, NoJournal) {
  scratch.write("state.json", "{}");
  EXPECT_TRUE(has(error_of([&] { Journal(file, beginning); }), "expected the journal of a run"));
  scratch.write("state.json", R"({"version": 2, "began_with": {}, "stages": {}})");
  EXPECT_TRUE(
      has(error_of([&] { Journal(file, beginning); }), "state.json: expected version 1, found 2"));
  scratch.write("state.json", R"({"version": 1, "began_with": {"a": 3}, "stages": {}})");
  EXPECT_TRUE(has(error_of([&] { Journal(file, {}); }), "expected the journal of a run"));
}

}  // namespace
}  // namespace yolov7::compression
