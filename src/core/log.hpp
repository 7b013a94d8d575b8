#pragma once
// Messages for people, on stderr; results go to stdout through the verb that owns them. Every line
// is escaped (text::printable), so that names from data files cannot drive the terminal.
#include <string>
#include <string_view>

namespace yolov7::log {

enum class Level { debug, info, warning, error, silent };

void set_level(Level level);
Level level();
/// Stands in front of every line, for programs of several processes: "rank 1: ". "" = nothing.
void set_speaker(std::string prefix);

void debug(std::string_view line);
void info(std::string_view line);
void warning(std::string_view line);  ///< prefixed with "warning: "
void error(std::string_view line);    ///< prefixed with "error: "

/// Whether stderr is a terminal on which a line can be rewritten, and messages are not hidden.
bool shows_live();
/// A line in place of the live one before it, cut to the terminal's width; messages appear above
/// it. Nothing where shows_live() is false.
void live(std::string_view line);
/// Takes the live line away.
void end_live();

}  // namespace yolov7::log
