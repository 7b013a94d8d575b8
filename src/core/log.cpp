#include "core/log.hpp"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>

#include "core/text.hpp"

namespace yolov7::log {
namespace {

std::atomic<Level> current{Level::info};
std::mutex mutex;
std::string speaker;  // guarded by mutex

void write(Level level, std::string_view prefix, std::string_view line) {
  if (level < current.load()) return;
  std::lock_guard lock(mutex);
  std::string out = speaker + std::string(prefix);
  // Line feeds of our own messages are kept; everything else that could drive a terminal is escaped.
  for (std::size_t start = 0; start <= line.size();) {
    const std::size_t end = std::min(line.find('\n', start), line.size());
    out += text::printable(line.substr(start, end - start));
    out += '\n';
    start = end + 1;
  }
  std::fwrite(out.data(), 1, out.size(), stderr);
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

}  // namespace yolov7::log
