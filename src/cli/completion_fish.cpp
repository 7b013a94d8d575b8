// The script for fish: one line of `complete` for each verb and option, under a condition.
#include <fmt/format.h>

#include <vector>

#include "cli/completion.hpp"
#include "cli/option_text.hpp"
#include "cli/verb_tables.hpp"
#include "core/text.hpp"

namespace yolov7::cli {
namespace {

/// Words and aliases of the lists of verbs, for the function that finds the verb.
std::string fish_lists() {
  std::string lists, aliases;
  each_list([&](const std::string& title, const std::vector<Verb>& parts) {
    std::vector<std::string> words;
    for (const Verb& verb : parts) {
      words.push_back(fish_quoted(verb.name));
      for (const auto alias : verb.aliases) {
        words.push_back(fish_quoted(alias));
        const std::string before = title.empty() ? "" : title + " ";
        aliases +=
            fmt::format("    case {}\n      echo {}\n", fish_quoted(before + std::string(alias)),
                        fish_quoted(before + std::string(verb.name)));
      }
    }
    lists += fmt::format("    case {}\n      string match -q -- $word {}\n", fish_quoted(title),
                         text::join(words, " "));
  });
  return fmt::format(R"(function __yolov7_has_part -a title word
  switch $title
{}    case '*'
      false
  end
end

function __yolov7_named
  switch "$argv"
{}    case '*'
      echo "$argv"
  end
end
)",
                     lists, aliases);
}

std::string condition(const std::string& title) {
  return fish_quoted(title.empty() ? "test -z (__yolov7_verb)"
                                   : "test (__yolov7_verb) = '" + title + "'");
}

std::string verb_lines() {
  std::string out;
  each_list([&](const std::string& title, const std::vector<Verb>& parts) {
    for (const Verb& verb : parts)
      out += fmt::format("complete -c yolov7 -n {} -f -a {} -d {}\n", condition(title),
                         fish_quoted(verb.name), fish_quoted(verb.summary));
  });
  return out;
}

std::string option_lines(const std::string& title, const Setting& one) {
  const std::string choices = text::join(named_choices(one), " ");
  std::string value;
  if (!choices.empty())
    value = " -x -a " + fish_quoted(choices);
  else if (is_number(one))
    value = " -x";
  else if (!one.is_switch())
    value = " -r -F";
  if (one.value_optional) value = choices.empty() ? "" : " -f -a " + fish_quoted(choices);
  std::string out = fmt::format("complete -c yolov7 -n {} -l {}{} -d {}\n", condition(title),
                                one.name, value, fish_quoted(one.help));
  if (one.is_list() && !choices.empty())  // the values behind the first one
    out += fmt::format("complete -c yolov7 -n {} -f -a {}\n",
                       fish_quoted(fmt::format("__yolov7_in_list '{}' {}", title, one.name)),
                       fish_quoted(choices));
  if (one.positional_allowed && !choices.empty())
    out +=
        fmt::format("complete -c yolov7 -n {} -f -a {}\n", condition(title), fish_quoted(choices));
  return out;
}

}  // namespace

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_completion() {
  std::string out =
      "# Completion of yolov7 in fish, written by: yolov7 completion fish\n\n" + fish_lists() + R"(
# The words of the verb: "dataset check".
function __yolov7_verb
  set -l title ''
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and break
    __yolov7_has_part "$title" $word; or break
    set title (__yolov7_named (string trim "$title $word"))
  end
  echo "$title"
end

# Whether the option that stands last is this one of this verb.
function __yolov7_in_list -a title name
  test (__yolov7_verb) = "$title"; or return 1
  set -l last ''
  for word in (commandline -opc)
    string match -q -- '--*' $word; and set last $word
  end
  test "$last" = "--$name"
end

)" + verb_lines();
  each_table([&](const std::string& title, const Verb&, const Settings& table) {
    for (const Setting& one : table.entries)
      if (one.has_effect()) out += option_lines(title, one);
  });
  return out;
}

}  // namespace yolov7::cli
