#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/verb.hpp"
#include "core/text.hpp"

namespace yolov7::cli {
namespace {

constexpr std::size_t a_dozen = 12;
constexpr std::size_t help_column = 34, help_width = 100;  // characters
constexpr std::string_view compatibility_group = "Accepted for compatibility";

struct Group {
  std::string title;
  std::vector<const Setting*> settings;
};

/// In the order in which the table names them; the program's, and then what has no effect, last.
std::vector<Group> groups_of(const Settings& table) {
  std::vector<Group> groups;
  Group program{std::string(program_group), {}},
      compatibility{std::string(compatibility_group), {}};
  for (const Setting& one : table.entries) {
    const std::string title = one.group.empty() ? "Options" : one.group;
    auto place = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& known) { return known.title == title; });
    if (!one.has_effect())
      compatibility.settings.push_back(&one);
    else if (title == program.title)
      program.settings.push_back(&one);
    else if (place == groups.end())
      groups.push_back({title, {&one}});
    else
      place->settings.push_back(&one);
  }
  for (Group& last : {std::ref(program), std::ref(compatibility)})
    if (!last.settings.empty()) groups.push_back(std::move(last));
  return groups;
}

bool is_number(const Setting& one) {
  return std::holds_alternative<int*>(one.target) || std::holds_alternative<double*>(one.target) ||
         std::holds_alternative<std::vector<int>*>(one.target) ||
         std::holds_alternative<std::vector<double>*>(one.target);
}

/// "N", "TEXT …", "cosine|linear"; "" for a switch.
std::string value_text(const Setting& one) {
  if (one.is_switch()) return "";
  std::string word = is_number(one) ? "N" : "TEXT";
  if (!one.allowed.empty()) {
    std::vector<std::string> named = one.allowed;
    std::erase(named, "");
    word = text::join(named, "|");
  }
  if (one.value_optional) return fmt::format("[{}]", word);
  return one.is_list() ? word + " …" : word;
}

/// The value that holds without the option; "" where that is no value.
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

/// What is said of it besides its help.
std::string remark(const Setting& one) {
  if (!one.refusal.empty()) return fmt::format(" (does not work: {})", one.refusal);
  if (!one.notice.empty()) return fmt::format(" (no effect: {})", one.notice);
  const std::string value = default_text(one);
  return value.empty() ? "" : fmt::format(" [{}]", value);
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // not inside a character of UTF-8
  }));
}

/// Name and value, then the help in a column of its own. What is too long for a line is part of
/// the help.
std::string option_lines(const Setting& one) {
  const std::string value = value_text(one);
  std::string line = fmt::format("  --{}{}{}", one.name, value.empty() ? "" : " ", value);
  std::string said = one.help + remark(one), out;
  if (characters(line) > help_width) {
    line = fmt::format("  --{} NAME", one.name);
    said = fmt::format("{}: {}{}", one.help, text::join(one.allowed, ", "), remark(one));
  }
  if (characters(line) + 1 > help_column) {
    out = line + "\n";
    line.clear();
  }
  line.append(help_column - characters(line), ' ');
  bool empty = true;
  for (const std::string_view word : text::split_blank(said)) {
    if (!empty && characters(line) + 1 + characters(word) > help_width) {
      out += line + "\n";
      line.assign(help_column, ' ');
      empty = true;
    }
    line += fmt::format("{}{}", empty ? "" : " ", word);
    empty = false;
  }
  return out + line + "\n";
}

/// Calls visit(title, verb) for every verb that has options of its own: "detect", "dataset check".
template <class Visit>
void each_verb(const std::vector<Verb>& list, const std::string& words, const Visit& visit) {
  for (const Verb& verb : list) {
    const std::string title = words + std::string(verb.name);
    if (verb.parts != nullptr)
      each_verb(verb.parts(), title + " ", visit);
    else
      visit(title, verb);
  }
}

std::string_view summary_of(const std::string& title) {
  std::string_view summary;
  each_verb(verbs(), "", [&](const std::string& words, const Verb& verb) {
    if (words == title) summary = verb.summary;
  });
  return summary;
}

std::string usage(const Settings& table) {
  std::string out = "yolov7 " + table.title;
  for (const Setting& one : table.entries)
    if (one.positional_allowed) out += fmt::format(" [{}{}]", one.name, one.is_list() ? " …" : "");
  return out + " [options]";
}

std::string head(const Settings& table) {
  return fmt::format(
      "{}\n\nUsage: {}\nOptions may be shortened as long as they are unambiguous; '-' and '_' are "
      "alike.\n",
      summary_of(table.title), usage(table));
}

std::string first_page(const Settings& table) {
  const auto own = std::count_if(table.entries.begin(), table.entries.end(),
                                 [](const Setting& one) { return one.group != program_group; });
  const bool few = static_cast<std::size_t>(own) <= a_dozen;
  std::string out = head(table) + "\n";
  for (const Setting& one : table.entries)
    if (few || one.level == SettingLevel::basic) out += option_lines(one);
  if (!few) out += fmt::format("\nfurther options: yolov7 {} --help all\n", table.title);
  return out;
}

std::string all_groups(const Settings& table) {
  std::string out = head(table);
  for (const Group& one : groups_of(table)) {
    out += fmt::format("\n{}:\n", one.title);
    for (const Setting* setting : one.settings) out += option_lines(*setting);
  }
  return out;
}

/// Characters that Markdown would read as marks, and those that end a cell of a table.
std::string markdown_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\`*_<>[]|").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string text) {
  if (text.empty()) return "";
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.insert(at, "\\");
  return "`" + text + "`";
}

std::string range_text(const Setting& one) {
  if (std::isinf(one.low) && std::isinf(one.high)) return "";
  return fmt::format(", {} … {}", one.low, one.high);
}

std::string markdown_row(const Setting& one) {
  std::string name = code("--" + one.name);
  for (const std::string& other : one.aliases) name += ", " + code("--" + other);
  if (one.level == SettingLevel::basic) name = "**" + name + "**";
  std::string meaning = one.help;
  if (one.positional_allowed) meaning += "; also without its name";
  if (!one.has_effect()) meaning += remark(one);
  return fmt::format("| {} | {}{} | {} | {} |\n", name, code(value_text(one)), range_text(one),
                     one.has_effect() ? code(default_text(one)) : "", markdown_text(meaning));
}

std::string reference_page(const Settings& table) {
  std::string out = fmt::format(
      "# yolov7 {}\n\n{}\n\n`{}`\n\nThis page is written by `scripts/reference` from the program's "
      "tables. The options in bold are those that `yolov7 {} --help` shows first.\n",
      table.title, markdown_text(summary_of(table.title)), usage(table), table.title);
  for (const Group& one : groups_of(table)) {
    out += fmt::format("\n## {}\n\n| Option | Value | Default | Meaning |\n|---|---|---|---|\n",
                       one.title);
    for (const Setting* setting : one.settings) out += markdown_row(*setting);
  }
  return out;
}

}  // namespace

std::string help_text(const Settings& table, std::string_view page) {
  if (page.empty()) return first_page(table);
  if (page == "all") return all_groups(table);
  if (page == "markdown") return reference_page(table);
  throw usage_error(fmt::format(
      "{}: --help: expected nothing behind it, all or markdown, found '{}'", table.title, page));
}

std::string reference_index() {
  std::string out =
      "# Options\n\nEvery verb with all its options: names, values, defaults. These pages are "
      "written by `scripts/reference` from the program's tables.\n\n| Page | What the verb does "
      "|\n|---|---|\n";
  const auto add = [&](const std::string& title, std::string_view summary) {
    std::string file = title;
    std::replace(file.begin(), file.end(), ' ', '-');
    out += fmt::format("| [yolov7 {}]({}.md) | {} |\n", title, file, markdown_text(summary));
  };
  each_verb(verbs(), "",
            [&](const std::string& title, const Verb& verb) { add(title, verb.summary); });
  return out;
}

}  // namespace yolov7::cli
