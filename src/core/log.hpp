#pragma once
// Messages for people. The library owns no stream: messages go to the sink that the program
// installed. Results go to stdout through the verb that owns them. There is one sink a process:
// libyolov7 holds it, and the libraries that are loaded later (training, video) link libyolov7, so
// they say what they have to say to the same one.
#include <memory>
#include <string>
#include <string_view>

namespace yolov7::log {

enum class Level { debug, info, warning, error, silent };

/// Where messages go. Any thread calls these functions, several at the same time.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Whether messages of this level are kept. Callers ask before they prepare costly ones.
  virtual bool wants(Level level) const = 0;
  /// A message of a level that is wanted. Line feeds are its own; names from data files stand in
  /// it as they are, so whoever shows it escapes them (text_of()).
  virtual void write(Level level, std::string_view text) = 0;
  /// Whether live() shows a line that the next one replaces.
  virtual bool shows_live() const { return false; }
  /// A line in place of the live one before it; messages appear above it.
  virtual void live(std::string_view line) { (void)line; }
  /// Takes the live line away.
  virtual void end_live() {}
};

/// From now on messages go there. Returns the sink before. A thread that is writing finishes with
/// the old one. Null, and the state of a library that nobody configured: warnings and errors go to
/// stderr, because what was left out is never hidden; everything below goes nowhere.
std::shared_ptr<Sink> install(std::shared_ptr<Sink> sink);

void debug(std::string_view text);
void info(std::string_view text);
void warning(std::string_view text);
void error(std::string_view text);

bool wants(Level level);
bool shows_live();
/// Nothing where shows_live() is false.
void live(std::string_view line);
void end_live();

/// A message as lines for a terminal or a file, each with a line feed: `speaker`, "warning: " or
/// "error: " before the first, and everything escaped (text::printable) but its line feeds.
std::string text_of(Level level, std::string_view text, std::string_view speaker = {});

}  // namespace yolov7::log
