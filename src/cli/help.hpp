#pragma once
// What --help prints of a verb, and the reference pages of docs/reference, both from its settings
// table.
#include <string>
#include <string_view>

#include "core/settings.hpp"

namespace yolov7::cli {

/// `page` is what stands behind --help. "": usage and the basic options, or all where the verb has
/// a dozen or fewer, and how to see the others; "all": all under the titles of their groups, in the
/// order of the table, those that are refused or ignored last; "markdown": the reference page.
/// `table` holds the options of program_group (option_text.hpp) too. Error (usage): another page.
std::string help_text(const Settings& table, std::string_view page);
/// The list of the reference pages, each with the name of its file.
std::string reference_index();

}  // namespace yolov7::cli
