#pragma once
// What is said of an option: in --help, on the reference pages, in the manual pages and by the
// completion of the command line.
#include <string>
#include <string_view>
#include <vector>

#include "core/settings.hpp"

namespace yolov7::cli {

/// Group of the options that every verb takes.
inline constexpr std::string_view program_group = "Program";
/// Group of those that are refused or ignored.
inline constexpr std::string_view compatibility_group = "Accepted for compatibility";

struct OptionGroup {
  std::string title;
  std::vector<const Setting*> settings;
};
/// In the order in which the table names them; the program's, and then what has no effect, last.
std::vector<OptionGroup> groups_of(const Settings& table);

/// The values are numbers, or lists of numbers.
bool is_number(const Setting& one);
/// The accepted texts, without the empty one.
std::vector<std::string> named_choices(const Setting& one);
/// "N", "TEXT …", "cosine|linear"; "" for a switch.
std::string value_text(const Setting& one);
/// The value that holds without the option; "" where that is no value.
std::string default_text(const Setting& one);
/// What is said of it besides its help.
std::string remark(const Setting& one);
/// "yolov7 detect [options]", with the arguments that need no name.
std::string usage(const Settings& table);

}  // namespace yolov7::cli
