#include "core/log.hpp"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <utility>

#include "core/text.hpp"

namespace yolov7::log {
namespace {

/// Of a library that nobody configured. The one place where the library writes to stderr itself.
class LastResort final : public Sink {
 public:
  bool wants(Level level) const override { return level >= Level::warning; }
  void write(Level level, std::string_view text) override {
    const std::string lines = text_of(level, text);
    std::fwrite(lines.data(), 1, lines.size(), stderr);
  }
};

struct Installed {
  std::mutex mutex;
  std::shared_ptr<Sink> sink;  // guarded by mutex; null = last_resort
  const std::shared_ptr<Sink> last_resort = std::make_shared<LastResort>();
};

/// Never destroyed: threads may have something to say while the process ends.
Installed& installed() {
  static auto* const only = new Installed;
  return *only;
}

/// Shared with the caller, so that a sink that is replaced lives until its last message.
std::shared_ptr<Sink> sink() {
  Installed& here = installed();
  const std::lock_guard lock(here.mutex);
  return here.sink ? here.sink : here.last_resort;
}

void say(Level level, std::string_view text) {
  const std::shared_ptr<Sink> to = sink();
  if (to->wants(level)) to->write(level, text);
}

}  // namespace

std::shared_ptr<Sink> install(std::shared_ptr<Sink> next) {
  Installed& here = installed();
  const std::lock_guard lock(here.mutex);
  return std::exchange(here.sink, std::move(next));
}

void debug(std::string_view text) { say(Level::debug, text); }
void info(std::string_view text) { say(Level::info, text); }
void warning(std::string_view text) { say(Level::warning, text); }
void error(std::string_view text) { say(Level::error, text); }

bool wants(Level level) { return sink()->wants(level); }
bool shows_live() { return sink()->shows_live(); }
void live(std::string_view line) {
  if (const std::shared_ptr<Sink> to = sink(); to->shows_live()) to->live(line);
}
void end_live() { sink()->end_live(); }

std::string text_of(Level level, std::string_view text, std::string_view speaker) {
  std::string out(speaker);
  if (level == Level::warning) out += "warning: ";
  if (level == Level::error) out += "error: ";
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    out += text::printable(text.substr(start, end - start));
    out += '\n';
    start = end + 1;
  }
  return out;
}

}  // namespace yolov7::log
