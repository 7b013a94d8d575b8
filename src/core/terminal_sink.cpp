#include "core/terminal_sink.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "core/text.hpp"

namespace yolov7::log {
namespace {

constexpr const char* clear_line = "\r\x1b[K";

bool shows_colours(std::FILE* stream) {
  const char *unwanted = std::getenv("NO_COLOR"), *terminal = std::getenv("TERM");
  return ::isatty(::fileno(stream)) == 1 && (unwanted == nullptr || *unwanted == '\0') &&
         terminal != nullptr && std::string(terminal) != "dumb";
}

}  // namespace

TerminalSink::TerminalSink(std::FILE* stream) : stream_(stream), colours_(shows_colours(stream)) {}

/// What text_of() wrote, its first word behind the speaker in the colour of the level.
std::string TerminalSink::coloured(Level level, std::string text) const {
  if (!colours_ || (level != Level::warning && level != Level::error)) return text;
  const std::size_t begin = speaker_.size(), end = text.find(':', begin) + 1;
  text.insert(end, "\x1b[0m");
  text.insert(begin, level == Level::error ? "\x1b[1;31m" : "\x1b[1;33m");
  return text;
}

void TerminalSink::set_speaker(std::string prefix) {
  const std::lock_guard lock(mutex_);
  speaker_ = std::move(prefix);
}

void TerminalSink::write(Level level, std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::string out = coloured(level, text_of(level, text, speaker_));
  if (!live_line_.empty()) out = clear_line + out + live_line_;
  std::fwrite(out.data(), 1, out.size(), stream_);
  if (!live_line_.empty()) std::fflush(stream_);
}

bool TerminalSink::shows_live() const {
  return wants(Level::info) && ::isatty(::fileno(stream_)) == 1;
}

void TerminalSink::live(std::string_view line) {
  if (!shows_live()) return;
  const std::lock_guard lock(mutex_);
  live_line_ = fitting(text::printable(line));
  std::fputs((clear_line + live_line_).c_str(), stream_);
  std::fflush(stream_);
}

void TerminalSink::end_live() {
  const std::lock_guard lock(mutex_);
  if (live_line_.empty()) return;
  live_line_.clear();
  std::fputs(clear_line, stream_);
  std::fflush(stream_);
}

/// As much of the line as fits into the terminal.
std::string TerminalSink::fitting(std::string line) const {
  winsize size{};
  if (::ioctl(::fileno(stream_), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return line;
  std::size_t end = 0;
  for (int columns = 0; end < line.size(); ++end)
    if ((static_cast<unsigned char>(line[end]) & 0xC0) != 0x80 && ++columns >= size.ws_col) break;
  line.resize(end);
  return line;
}

}  // namespace yolov7::log
