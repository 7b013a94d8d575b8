#pragma once
// All verbs of the program with their options.
#include <functional>
#include <string>
#include <string_view>

#include "cli/verb.hpp"

namespace yolov7::cli {

/// Calls visit(title, verb) for every verb that has options of its own: "detect", "dataset check".
void each_verb(const std::function<void(const std::string& title, const Verb& verb)>& visit);
/// The same with the verb's table, the program's own options in it; it lives as long as the call.
void each_table(const std::function<void(const std::string& title, const Verb& verb,
                                         const Settings& table)>& visit);
/// Calls visit(title, parts) for every list of verbs: "" for the program's own, "dataset", "dataset
/// version".
void each_list(
    const std::function<void(const std::string& title, const std::vector<Verb>& parts)>& visit);
/// One line; "" for no verb.
std::string_view summary_of(const std::string& title);

}  // namespace yolov7::cli
