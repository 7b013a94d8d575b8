#pragma once
// Scripts that complete command lines of the program in a shell. They hold all verbs and options of
// the tables, so that they work without starting the program.
#include <string>
#include <string_view>

namespace yolov7::cli {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

/// A word in single quotes, in which the three shells read every character as itself. `text` holds
/// no single quote and no backslash in names and choices; in descriptions both are written as the
/// shells want them: '\'' for bash and zsh, \' and \\ for fish.
std::string posix_quoted(std::string_view text);
std::string fish_quoted(std::string_view text);

}  // namespace yolov7::cli
