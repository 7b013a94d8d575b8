#include "cli/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/option_text.hpp"
#include "cli/verb_tables.hpp"
#include "core/text.hpp"

namespace yolov7::cli {
namespace {

using Texts = std::vector<std::string>;

/// Options that have an effect.
std::vector<const Setting*> offered(const Settings& table) {
  std::vector<const Setting*> all;
  for (const Setting& one : table.entries)
    if (one.has_effect()) all.push_back(&one);
  return all;
}

/// Every verb by another name, with the words before it: "reparameterize", "dataset remap"; and its
/// own name.
std::vector<std::pair<std::string, std::string>> verb_aliases() {
  std::vector<std::pair<std::string, std::string>> all;
  each_list([&](const std::string& title, const std::vector<Verb>& parts) {
    const std::string before = title.empty() ? "" : title + " ";
    for (const Verb& verb : parts)
      for (const auto alias : verb.aliases)
        all.emplace_back(before + std::string(alias), before + std::string(verb.name));
  });
  return all;
}

/// "'' ) parts='train detect' ;;" and so on, one line a list of verbs.
std::string bash_parts() {
  std::string out;
  each_list([&](const std::string& title, const std::vector<Verb>& parts) {
    Texts names;
    for (const Verb& verb : parts) names.emplace_back(verb.name);
    out += fmt::format("    {}) parts={} ;;\n", posix_quoted(title),
                       posix_quoted(text::join(names, " ")));
  });
  return out;
}

std::string alias_lines() {
  std::string out;
  for (const auto& [alias, name] : verb_aliases())
    out += fmt::format("    {}) path={} ;;\n", posix_quoted(alias), posix_quoted(name));
  return out;
}

/// What stands behind the options of a verb: nothing, numbers, several values, choices.
std::string option_kinds(const Settings& table) {
  Texts switches, numbers, lists;
  std::string choices, positional;
  for (const Setting* one : offered(table)) {
    const std::string& name = one->name;
    if (one->positional_allowed)
      positional = fmt::format("      positional={}\n", posix_quoted(name));
    if (one->is_switch()) switches.push_back(name);
    if (is_number(*one)) numbers.push_back(name);
    if (one->is_list()) lists.push_back(name);
    if (const Texts words = named_choices(*one); !words.empty())
      choices += fmt::format("        {}) choices={} ;;\n", posix_quoted(name),
                             posix_quoted(text::join(words, " ")));
  }
  const auto line = [](const char* variable, const Texts& names) {
    return names.empty() ? std::string()
                         : fmt::format("      {}={}\n", variable,
                                       posix_quoted(" " + text::join(names, " ") + " "));
  };
  return positional + line("switches", switches) + line("numbers", numbers) + line("lists", lists) +
         (choices.empty() ? "" : "      case $2 in\n" + choices + "      esac\n");
}

std::string bash_tables() {
  std::string out;
  each_table([&](const std::string& title, const Verb&, const Settings& table) {
    Texts names;
    for (const Setting* one : offered(table)) names.push_back("--" + one->name);
    out += fmt::format("    {})\n      options={}\n{}      ;;\n", posix_quoted(title),
                       posix_quoted(text::join(names, " ")), option_kinds(table));
  });
  return out;
}

/// "name:description" of zsh.
std::string described(std::string_view name, std::string_view description) {
  std::string escaped;
  for (const char c : name) escaped += c == ':' ? std::string("\\:") : std::string(1, c);
  return posix_quoted(fmt::format("{}:{}", escaped, description));
}

std::string zsh_parts() {
  std::string out;
  each_list([&](const std::string& title, const std::vector<Verb>& parts) {
    out += fmt::format("    {})\n      parts=(\n", posix_quoted(title));
    for (const Verb& verb : parts)
      out += fmt::format("        {}\n", described(verb.name, verb.summary));
    out += "      ) ;;\n";
  });
  return out;
}

std::string zsh_tables() {
  std::string out;
  each_table([&](const std::string& title, const Verb&, const Settings& table) {
    out += fmt::format("    {})\n      flags=(\n", posix_quoted(title));
    for (const Setting* one : offered(table))
      out += fmt::format("        {}\n", described("--" + one->name, one->help));
    out += "      )\n" + option_kinds(table) + "      ;;\n";
  });
  return out;
}

/// The walk over the words before the cursor, the same in bash and zsh: the verb in `path`, the
/// option that stands last in `option`, how many values it has in `count`.
constexpr std::string_view walk = R"(    case $word in
      --*=*) option= ;;
      --*) option=${word#--} count=0 ;;
      =) equals=1 ;;
      *)
        if [[ $equals = 1 ]]; then
          equals=0 option=
        else
          _yolov7_parts "$path"
          if [[ -n $parts && -z $option ]]; then
            path="${path:+$path }$word"
            _yolov7_alias
          else
            count=$((count + 1))
          fi
        fi ;;
    esac
)";

/// Options without a value, and those that have theirs, do not decide about the next word, which is
/// then the argument that needs no name.
constexpr std::string_view settle = R"(  _yolov7_table "$path" "$option"
  case "$switches" in *" $option "*) option= ;; esac
  if [[ $count -gt 0 ]]; then
    case "$lists" in *" $option "*) ;; *) option= ;; esac
  fi
  if [[ -z $option && -n $positional ]]; then
    option=$positional
    _yolov7_table "$path" "$option"
  fi
)";

constexpr std::string_view alias_head = R"(  esac
}

_yolov7_alias() {
  case $path in
)";

/// `path` is the array of the variable PATH in zsh.
std::string in_zsh(std::string_view script) {
  const std::string name = "path";
  std::string out(script);
  for (const std::string before : {"$", "${", " "})
    for (std::size_t at = 0; (at = out.find(before + name, at)) != std::string::npos;)
      out.insert(at += before.size() + name.size(), "_");
  return out;
}

}  // namespace

std::string posix_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_completion() {
  return "# Completion of yolov7 in bash, written by: yolov7 completion bash\n" + std::string(R"(
_yolov7_parts() {
  parts=
  case $1 in
)") + bash_parts() +
         std::string(alias_head) + alias_lines() + R"(  esac
}

_yolov7_table() {
  options= positional= switches= numbers= lists= choices=
  case $1 in
)" + bash_tables() +
         R"(  esac
}

_yolov7() {
  local path= option= word parts options positional switches numbers lists choices
  local -i count=0 equals=0 i
  local cur=${COMP_WORDS[COMP_CWORD]}
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
)" + std::string(walk) +
         R"(  done
  [[ $cur == = ]] && cur=
  COMPREPLY=()
  _yolov7_parts "$path"
)" + std::string(settle) +
         R"(  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "${options:---help}" -- "$cur"))
  elif [[ -n $parts ]]; then
    COMPREPLY=($(compgen -W "$parts" -- "$cur"))
  elif [[ -n $choices && -n $option ]]; then
    COMPREPLY=($(compgen -W "$choices" -- "$cur"))
  elif [[ -n $option && $numbers == *" $option "* ]]; then
    compopt +o default 2>/dev/null
  fi
}

complete -o default -F _yolov7 yolov7
)";
}

std::string zsh_completion() {
  return "#compdef yolov7\n# Completion of yolov7 in zsh, written by: yolov7 completion zsh\n" +
         std::string(R"(
_yolov7_parts() {
  parts=()
  case $1 in
)") + zsh_parts() +
         in_zsh(std::string(alias_head) + alias_lines()) + R"(  esac
}

_yolov7_table() {
  flags=() positional= switches= numbers= lists= choices=
  case $1 in
)" + zsh_tables() +
         R"(  esac
}

_yolov7() {
  local path_= option= word positional switches numbers lists choices
  local -a parts flags
  local -i count=0 equals=0 i
  for ((i = 2; i < CURRENT; ++i)); do
    word=${words[i]}
)" + in_zsh(walk) +
         R"(  done
  _yolov7_parts "$path_"
  if [[ ${words[CURRENT]} == --*=* ]]; then
    option=${${words[CURRENT]%%=*}#--} count=0
    compset -P '*='
  fi
)" + in_zsh(settle) +
         R"(  if [[ $PREFIX == -* ]]; then
    if (( $#flags )); then
      _describe -o option flags
    else
      compadd -- --help
    fi
  elif (( $#parts )); then
    _describe verb parts
  elif [[ -n $choices && -n $option ]]; then
    compadd -- ${=choices}
  elif [[ -n $option && $numbers == *" $option "* ]]; then
    _message number
  else
    _files
  fi
}

if [[ $funcstack[1] == _yolov7 ]]; then
  _yolov7 "$@"
else
  compdef _yolov7 yolov7
fi
)";
}

}  // namespace yolov7::cli
