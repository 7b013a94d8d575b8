#include "core/log.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>

#include "core/text.hpp"

namespace yolov7::log {
namespace {

std::atomic<Level> current{Level::info};
std::mutex mutex;
std::string speaker, live_line;  // guarded by mutex

constexpr const char* clear_line = "\r\x1b[K";

/// As much of the line as fits into the terminal: what wraps cannot be rewritten.
std::string fitting(std::string line) {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return line;
  std::size_t end = 0;
  for (int columns = 0; end < line.size(); ++end)
    if ((static_cast<unsigned char>(line[end]) & 0xC0) != 0x80 && ++columns >= size.ws_col) break;
  line.resize(end);
  return line;
}

void write(Level level, std::string_view prefix, std::string_view line) {
  if (level < current.load()) return;
  std::lock_guard lock(mutex);
  std::string out = speaker + std::string(prefix);
  // Line feeds of our own messages are kept; everything else that could drive a terminal is
  // escaped.
  for (std::size_t start = 0; start <= line.size();) {
    const std::size_t end = std::min(line.find('\n', start), line.size());
    out += text::printable(line.substr(start, end - start));
    out += '\n';
    start = end + 1;
  }
  if (!live_line.empty()) out = clear_line + out + live_line;
  std::fwrite(out.data(), 1, out.size(), stderr);
  if (!live_line.empty()) std::fflush(stderr);
}

}  // namespace

void set_level(Level level) { current = level; }
Level level() { return current; }
void set_speaker(std::string prefix) {
  std::lock_guard lock(mutex);
  speaker = std::move(prefix);
}
void debug(std::string_view line) { write(Level::debug, "", line); }
void info(std::string_view line) { write(Level::info, "", line); }
void warning(std::string_view line) { write(Level::warning, "warning: ", line); }
void error(std::string_view line) { write(Level::error, "error: ", line); }

bool shows_live() { return isatty(STDERR_FILENO) == 1 && current.load() <= Level::info; }
void live(std::string_view line) {
  if (!shows_live()) return;
  std::lock_guard lock(mutex);
  live_line = fitting(text::printable(line));
  std::fputs((clear_line + live_line).c_str(), stderr);
  std::fflush(stderr);
}
void end_live() {
  std::lock_guard lock(mutex);
  if (live_line.empty()) return;
  live_line.clear();
  std::fputs(clear_line, stderr);
  std::fflush(stderr);
}

}  // namespace yolov7::log
