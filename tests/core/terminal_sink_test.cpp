#include "core/terminal_sink.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>
#include <vector>

#include "core/progress.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

using log::Level;
using log::TerminalSink;

/// Variables that decide about colours, as long as this object lives.
class Colours {
 public:
  Colours(const char* terminal, const char* no_color) {
    ::setenv("TERM", terminal, 1);
    if (no_color == nullptr)
      ::unsetenv("NO_COLOR");
    else
      ::setenv("NO_COLOR", no_color, 1);
  }
  ~Colours() { ::setenv("NO_COLOR", "1", 1); }
};

/// A terminal of some columns, and what was written to it.
class Terminal {
 public:
  explicit Terminal(unsigned short columns) {
    winsize size{24, columns, 0, 0};
    int writer = -1;
    if (::openpty(&reader_, &writer, nullptr, nullptr, &size) != 0)
      throw Error("this machine has no pseudo-terminal");
    stream_ = ::fdopen(writer, "w");
    std::setvbuf(stream_, nullptr, _IONBF, 0);
  }
  ~Terminal() {
    std::fclose(stream_);
    ::close(reader_);
  }
  std::FILE* stream() { return stream_; }
  /// All so far; the terminal turns LF into CR LF.
  std::string bytes() {
    const std::string end = "@end@";
    std::fputs(end.c_str(), stream_);
    std::array<char, 4096> part{};
    while (!all_.ends_with(end)) {
      const ssize_t n = ::read(reader_, part.data(), part.size());
      if (n <= 0) break;
      all_.append(part.data(), static_cast<std::size_t>(n));
    }
    all_.resize(all_.size() - end.size());
    return all_;
  }

 private:
  int reader_ = -1;
  std::FILE* stream_ = nullptr;
  std::string all_;
};

const std::string clear = "\r\x1b[K";

TEST(TerminalSink, WarningsAndErrorsAreColouredOnATerminal) {
  const Colours colours("xterm", nullptr);
  Terminal terminal(80);
  TerminalSink sink(terminal.stream());
  sink.set_speaker("rank 1: ");
  sink.write(Level::warning, "lost: 2");
  sink.write(Level::error, "gone");
  sink.write(Level::info, "error: none");
  EXPECT_EQ(terminal.bytes(),
            "rank 1: \x1b[1;33mwarning:\x1b[0m lost: 2\r\nrank 1: \x1b[1;31merror:\x1b[0m "
            "gone\r\nrank 1: error: none\r\n");
}

TEST(TerminalSink, NoColoursWhereTheyAreUnwantedOrCannotBeShown) {
  for (const auto& [kind, unwanted] :
       {std::pair("xterm", "1"), std::pair("dumb", static_cast<const char*>(nullptr))}) {
    const Colours colours(kind, unwanted);
    Terminal terminal(80);
    TerminalSink sink(terminal.stream());
    sink.write(Level::error, "gone");
    EXPECT_EQ(terminal.bytes(), "error: gone\r\n") << kind;
  }
  const Colours colours("xterm", "");  // an empty variable does not count
  const test::ScratchFolder folder;
  const auto path = folder / "log";
  std::FILE* file = std::fopen(path.c_str(), "w");
  TerminalSink sink(file);
  sink.write(Level::error, "gone");
  std::fclose(file);
  EXPECT_EQ(test::read_text(path), "error: gone\n");
}

TEST(TerminalSink, MessagesStandAboveTheLiveLine) {
  const Colours colours("xterm", "1");
  Terminal terminal(80);
  TerminalSink sink(terminal.stream());
  ASSERT_TRUE(sink.shows_live());
  sink.live("1/3");
  sink.write(Level::warning, "lost");
  sink.live("2/3");
  sink.end_live();
  sink.write(Level::info, "done");
  sink.end_live();  // there is none
  EXPECT_EQ(terminal.bytes(),
            clear + "1/3" + clear + "warning: lost\r\n1/3" + clear + "2/3" + clear + "done\r\n");
}

TEST(TerminalSink, ALiveLineIsCutToTheWidthAndEscaped) {
  Terminal terminal(8);
  TerminalSink sink(terminal.stream());
  sink.live(
      "a\x1b"
      "bcdefgh");  // escaped: a\x1bbcdefgh, of which 7 columns fit beside the cursor
  EXPECT_EQ(terminal.bytes(), clear + "a\\x1bbc");
  sink.live("äöüäöüäöü");  // of two bytes each: columns count, not bytes
  EXPECT_EQ(terminal.bytes(), clear + "a\\x1bbc" + clear + "äöüäöüä");
}

TEST(TerminalSink, WhereInformationIsHiddenThereIsNoLiveLine) {
  Terminal terminal(80);
  TerminalSink sink(terminal.stream());
  sink.set_level(Level::warning);
  EXPECT_FALSE(sink.shows_live());
  sink.live("1/3");
  EXPECT_EQ(terminal.bytes(), "");
}

TEST(TerminalSink, AFileHasLinesWithTheirSpeakerFromTheLevelOn) {
  const test::ScratchFolder scratch;
  const std::string path = (scratch / "log").string();
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  const auto sink = std::make_shared<TerminalSink>(file);
  const std::shared_ptr<log::Sink> before = log::install(sink);
  EXPECT_FALSE(log::shows_live());
  log::debug("a");
  log::info("b");
  log::live("c");
  sink->set_speaker("rank 1: ");
  sink->set_level(Level::error);
  log::warning("d");
  log::error("e\nf");
  sink->set_level(Level::debug);
  sink->set_speaker("");
  log::debug("g");
  log::install(before);
  std::fclose(file);
  EXPECT_EQ(test::read_text(path), "b\nrank 1: error: e\nf\ng\n");
}

TEST(TerminalSink, LinesOfSeveralThreadsStayWhole) {
  const test::ScratchFolder scratch;
  const std::string path = (scratch / "log").string();
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::setvbuf(file, nullptr, _IONBF, 0);
  TerminalSink sink(file);
  {
    std::vector<std::jthread> talking;
    for (int t = 0; t < 4; ++t)
      talking.emplace_back([&] {
        for (int i = 0; i < 200; ++i) sink.write(Level::info, std::string(50, 'x'));
      });
  }
  std::fclose(file);
  std::string whole;
  for (int i = 0; i < 800; ++i) whole += std::string(50, 'x') + "\n";
  EXPECT_EQ(test::read_text(path), whole);
}

TEST(TerminalSink, ProgressRewritesOneLineAndLeavesALastOne) {
  Terminal terminal(200);
  const auto sink = std::make_shared<TerminalSink>(terminal.stream());
  const std::shared_ptr<log::Sink> before = log::install(sink);
  {
    Progress progress("work", 2, "pieces");
    std::this_thread::sleep_for(std::chrono::milliseconds(120));  // a line each tenth of a second
    progress.advance();
    progress.advance();
  }
  log::install(before);
  const std::string bytes = terminal.bytes();
  EXPECT_TRUE(bytes.starts_with(clear + "work: 1/2 (50%) ")) << bytes;
  const std::size_t last = bytes.rfind(clear);
  EXPECT_TRUE(bytes.substr(last).starts_with(clear + "work: 2/2 (100%) ")) << bytes;
  EXPECT_TRUE(bytes.ends_with(" elapsed\r\n")) << bytes;
}

}  // namespace
}  // namespace yolov7
