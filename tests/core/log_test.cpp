#include "core/log.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/kept_messages.hpp"

namespace yolov7 {
namespace {

using log::Level;

TEST(Log, ALibraryThatNobodyConfiguredHidesNoLossAndSaysNothingElse) {
  const std::shared_ptr<log::Sink> before = log::install(nullptr);
  testing::internal::CaptureStderr();
  log::debug("a");
  log::info("b");
  log::warning("c\x1b[2J");
  log::error("d");
  log::live("e");
  log::end_live();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: c\\x1b[2J\nerror: d\n");
  EXPECT_FALSE(log::wants(Level::info));
  EXPECT_TRUE(log::wants(Level::warning));
  EXPECT_FALSE(log::shows_live());
  log::install(before);
}

TEST(Log, AnInstalledSinkHasAllOfItAndTheOneBeforeComesBack) {
  const test::KeptMessages outer;
  testing::internal::CaptureStderr();
  {
    const test::KeptMessages inner;
    log::debug("a");
    log::info("b\nc");
    log::warning("d\t");
    log::error("e");
    EXPECT_EQ(inner.messages(), (std::vector<test::KeptMessages::Message>{{Level::debug, "a"},
                                                                          {Level::info, "b\nc"},
                                                                          {Level::warning, "d\t"},
                                                                          {Level::error, "e"}}));
    EXPECT_EQ(inner.text(), "a\nb\nc\nwarning: d\\x09\nerror: e\n");
    EXPECT_EQ(inner.text(Level::warning), "warning: d\\x09\nerror: e\n");
  }
  log::info("f");
  EXPECT_EQ(outer.text(), "f\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

/// Wants errors alone, and shows a live line.
struct Choosy final : log::Sink {
  bool wants(Level level) const override { return level >= Level::error; }
  void write(Level, std::string_view text) override { said += text; }
  bool shows_live() const override { return live_shown; }
  void live(std::string_view line) override { (said += '<') += line; }
  void end_live() override { said += '>'; }
  bool live_shown = true;
  std::string said;
};

TEST(Log, TheSinkDecidesWhatIsWantedAndWhetherALineIsLive) {
  const auto sink = std::make_shared<Choosy>();
  const std::shared_ptr<log::Sink> before = log::install(sink);
  log::warning("a");
  log::error("b");
  log::live("c");
  log::end_live();
  sink->live_shown = false;
  log::live("d");
  EXPECT_EQ(log::install(before), sink);
  EXPECT_EQ(sink->said, "b<c>");
}

TEST(Log, SinksAreReplacedWhileThreadsTalkAndEveryMessageIsInOneOfThem) {
  constexpr std::size_t threads = 4, each = 500;
  std::vector<std::unique_ptr<test::KeptMessages>> sinks;
  sinks.push_back(std::make_unique<test::KeptMessages>());
  {
    std::vector<std::jthread> talking;
    for (std::size_t t = 0; t < threads; ++t)
      talking.emplace_back([] {
        for (std::size_t i = 0; i < each; ++i) log::info("x");
      });
    for (int i = 0; i < 50; ++i) sinks.push_back(std::make_unique<test::KeptMessages>());
  }
  std::size_t kept = 0;
  for (; !sinks.empty(); sinks.pop_back()) kept += sinks.back()->messages().size();
  EXPECT_EQ(kept, threads * each);
}

TEST(Log, TextOfEscapesAllButLineFeeds) {
  EXPECT_EQ(log::text_of(Level::info, "a\rb\nc\x7f"), "a\\x0db\nc\\x7f\n");
  EXPECT_EQ(log::text_of(Level::error, "a\nb", "rank 1: "), "rank 1: error: a\nb\n");
  EXPECT_EQ(log::text_of(Level::warning, ""), "warning: \n");
}

}  // namespace
}  // namespace yolov7
