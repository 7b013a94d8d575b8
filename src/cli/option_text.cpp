#include "cli/option_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/text.hpp"

namespace yolov7::cli {

std::vector<OptionGroup> groups_of(const Settings& table) {
  std::vector<OptionGroup> groups;
  OptionGroup program{std::string(program_group), {}},
      compatibility{std::string(compatibility_group), {}};
  for (const Setting& one : table.entries) {
    const std::string title = one.group.empty() ? "Options" : one.group;
    auto place = std::find_if(groups.begin(), groups.end(),
                              [&](const OptionGroup& known) { return known.title == title; });
    if (!one.has_effect())
      compatibility.settings.push_back(&one);
    else if (title == program.title)
      program.settings.push_back(&one);
    else if (place == groups.end())
      groups.push_back({title, {&one}});
    else
      place->settings.push_back(&one);
  }
  for (OptionGroup& last : {std::ref(program), std::ref(compatibility)})
    if (!last.settings.empty()) groups.push_back(std::move(last));
  return groups;
}

bool is_number(const Setting& one) {
  return std::holds_alternative<int*>(one.target) || std::holds_alternative<double*>(one.target) ||
         std::holds_alternative<std::vector<int>*>(one.target) ||
         std::holds_alternative<std::vector<double>*>(one.target);
}

std::vector<std::string> named_choices(const Setting& one) {
  std::vector<std::string> named = one.allowed;
  std::erase(named, "");
  return named;
}

std::string value_text(const Setting& one) {
  if (one.is_switch()) return "";
  std::string word = is_number(one) ? "N" : "TEXT";
  if (!one.allowed.empty()) word = text::join(named_choices(one), "|");
  if (one.value_optional) return fmt::format("[{}]", word);
  return one.is_list() ? word + " …" : word;
}

std::string default_text(const Setting& one) {
  if (one.is_switch()) return "";
  std::string value = one.text();
  if (value == "[]" || value == "''" || value == "\"\"") return "";
  if (one.is_list()) {
    value = value.substr(1, value.size() - 2);
    std::erase(value, ',');  // as it would be written
  }
  return value;
}

std::string remark(const Setting& one) {
  if (!one.refusal.empty()) return fmt::format(" (does not work: {})", one.refusal);
  if (!one.notice.empty()) return fmt::format(" (no effect: {})", one.notice);
  const std::string value = default_text(one);
  return value.empty() ? "" : fmt::format(" [{}]", value);
}

std::string usage(const Settings& table) {
  std::string out = "yolov7 " + table.title;
  for (const Setting& one : table.entries)
    if (one.positional_allowed) out += fmt::format(" [{}{}]", one.name, one.is_list() ? " …" : "");
  return out + " [options]";
}

}  // namespace yolov7::cli
