#pragma once
// Manual pages in roff, with the macros of man(7), from the tables of the verbs.
#include <string>
#include <string_view>

#include "core/settings.hpp"

namespace yolov7::cli {

/// yolov7(1): the verbs, exit codes, the environment.
std::string program_page();
/// yolov7-train(1) and so on: usage, all options, examples.
std::string verb_page(const Settings& table);
/// "yolov7-dataset-check.1"; "yolov7.1" for no title.
std::string page_file(std::string_view title);

/// Text that roff shows as it is: backslashes, dashes and quotes escaped, no line that begins with
/// a control character.
std::string roff_text(std::string_view text);

}  // namespace yolov7::cli
