#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/examples.hpp"
#include "cli/option_text.hpp"
#include "cli/verb_tables.hpp"
#include "core/text.hpp"

namespace yolov7::cli {
namespace {

constexpr std::size_t a_dozen = 12;
constexpr std::size_t help_column = 34, help_width = 100;  // characters
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
  for (const std::string_view example : examples_of(table.title))
    out += fmt::format("{}  {}\n",
                       example == examples_of(table.title).front() ? "\nExamples:\n" : "", example);
  if (!few) out += fmt::format("\nfurther options: yolov7 {} --help all\n", table.title);
  return out;
}

std::string all_groups(const Settings& table) {
  std::string out = head(table);
  for (const OptionGroup& one : groups_of(table)) {
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
  if (const auto examples = examples_of(table.title); !examples.empty())
    out += fmt::format("\n```\n{}\n```\n", fmt::join(examples, "\n"));
  for (const OptionGroup& one : groups_of(table)) {
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
  each_verb([&](const std::string& title, const Verb& verb) { add(title, verb.summary); });
  return out;
}

}  // namespace yolov7::cli
