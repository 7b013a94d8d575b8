// What a training shows on a terminal, which a pseudo-terminal and the three control sequences that
// are used stand for.
#include <pty.h>

#include <algorithm>

#include "core/text.hpp"
#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

/// The screen, line by line, that these bytes leave; and how often a line was rewritten.
struct Screen {
  std::vector<std::string> lines{""};
  std::size_t column = 0, rewritten = 0;

  explicit Screen(const std::string& bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == '\r')
        column = 0;
      else if (bytes[i] == '\n')
        lines.emplace_back(), column = 0;
      else if (bytes.compare(i, 3, "\x1b[K") == 0)
        ++rewritten, lines.back().resize(std::min(column, lines.back().size())), i += 2;
      else
        put(bytes[i]);
    }
  }
  void put(char c) {
    if (lines.back().size() <= column) lines.back().resize(column + 1, ' ');
    lines.back()[column++] = c;
  }
};

/// Runs the program on a terminal of this many columns; {exit status, what it wrote}.
std::pair<int, std::string> on_terminal(std::vector<std::string> arguments,
                                        unsigned short columns) {
  int terminal = -1;
  winsize size{50, columns, 0, 0};
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    ::setenv("NO_COLOR", "1", 1);
    std::vector<char*> values;
    std::string program = program_path().string();
    values.push_back(program.data());
    for (std::string& one : arguments) values.push_back(one.data());
    values.push_back(nullptr);
    ::execv(program.c_str(), values.data());
    ::_exit(98);
  }
  std::string bytes;
  std::array<char, 4096> part{};
  for (ssize_t n = 0; (n = ::read(terminal, part.data(), part.size())) > 0;)
    bytes.append(part.data(), static_cast<std::size_t>(n));
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(terminal);
  return {status, bytes};
}

class LiveTable : public NarrowRuns {};

TEST_F(LiveTable, ARowAnEpochWithRateLimitAndTimeLeft) {
  // Large images: the line is rewritten at most ten times a second, and an epoch at 96 px is over
  // before the first time.
  std::vector<std::string> call = arguments("live", 3, {"--workers", "2"});
  *std::next(std::find(call.begin(), call.end(), "--img")) = "416";
  const auto [status, bytes] = on_terminal(call, 200);
  ASSERT_EQ(status, 0) << bytes;
  const Screen screen(bytes);
  const auto head = std::find_if(
      screen.lines.begin(), screen.lines.end(),
      [](const std::string& line) { return has(line, "epoch") && has(line, "limited by"); });
  ASSERT_NE(head, screen.lines.end()) << bytes;
  EXPECT_EQ(std::count_if(screen.lines.begin(), screen.lines.end(),
                          [](const std::string& line) { return has(line, "limited by"); }),
            1);
  std::vector<std::string> rows;
  for (const std::string& line : screen.lines)
    for (int epoch = 0; epoch < 3; ++epoch)
      if (line.starts_with("      " + std::to_string(epoch) + "/2 ")) rows.push_back(line);
  ASSERT_EQ(rows.size(), 3u) << bytes;
  for (const std::string& row : rows) {
    EXPECT_EQ(row.size(), head->size()) << row;
    const auto cells = text::split_blank(row);
    // epoch, memory with its unit, four losses, objects, px, batches, mAP50, mAP, images/s, limit
    // ("compute" or "data n %"), left
    ASSERT_TRUE(cells.size() == 15 || cells.size() == 17) << row;
    EXPECT_EQ(cells[8], "416");
    EXPECT_EQ(cells[9], "6/6");
    EXPECT_TRUE(text::parse_double(cells[10]).has_value()) << row;
    EXPECT_GT(text::parse_double(cells[12]).value_or(0), 0) << row;
    EXPECT_TRUE(cells[13] == "compute" || cells[13] == "data") << row;
  }
  EXPECT_GT(screen.rewritten, 3u) << "the last row lives";
}

TEST_F(LiveTable, NeverWrapsOnANarrowTerminal) {
  const auto [status, bytes] = on_terminal(arguments("narrow", 2), 60);
  ASSERT_EQ(status, 0) << bytes;
  for (std::size_t at = bytes.find("\x1b[K"); at != std::string::npos;
       at = bytes.find("\x1b[K", at + 1)) {
    const std::size_t end = bytes.find_first_of("\r\n", at);
    const std::string live = bytes.substr(at + 3, end - at - 3);
    if (end != std::string::npos && bytes[end] == '\r' && bytes[end + 1] != '\n') {
      EXPECT_LE(live.size(), 60u) << live;  // a live line; messages may wrap
    }
  }
}

}  // namespace
}  // namespace yolov7::test
