// Command line → settings. Official command lines abbreviate options (--batch 32 for --batch-size)
// and leave out optional values (--resume). CLI11 does not abbreviate options, so the rules are
// implemented here.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "cli/help.hpp"
#include "cli/option_text.hpp"
#include "cli/terminal.hpp"
#include "cli/verb.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace yolov7::cli {
namespace {

struct Option {
  const Setting* setting = nullptr;
  std::string spelled;  ///< as the user wrote it
  std::vector<std::string> values;
  bool has_values = false;
};

struct Common {
  bool json = false, quiet = false, verbose = false;
  std::string help;  ///< only binds the setting; parse_arguments() reads the page itself
};

/// The verb's own table and, behind it, the options that every verb takes, bound to `common`. An
/// option that the verb defines itself is not added.
Settings with_common(const Settings& own, Common& common) {
  Settings all = own;
  for (Setting& one :
       group(std::string(program_group),
             {setting("json", common.json,
                      "print the result as one JSON object on stdout, messages on stderr"),
              setting("quiet", common.quiet, "only warnings and errors on stderr"),
              setting("verbose", common.verbose, "more messages on stderr"),
              setting("help", common.help,
                      "this text; all: all options; markdown: the reference page")
                  .choices({"", "all", "markdown"})
                  .optional_value("")})) {
    const bool own_one = std::any_of(own.entries.begin(), own.entries.end(),
                                     [&](const Setting& entry) { return entry.name == one.name; });
    if (!own_one) all.entries.push_back(std::move(one));
  }
  return all;
}

bool is_option(const std::string& argument) {
  if (argument.size() < 2 || argument[0] != '-') return false;
  const std::string number =
      argument.back() == '%' ? argument.substr(0, argument.size() - 1) : argument;
  return !text::parse_double(number).has_value();  // -1, -0.5 and -35% are values
}

std::vector<Option> read_options(const Settings& settings,
                                 const std::vector<std::string>& arguments) {
  std::vector<Option> options;
  const Setting* positional = nullptr;
  for (const Setting& entry : settings.entries)
    if (entry.positional_allowed) positional = &entry;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!is_option(argument)) {
      if (positional == nullptr)
        throw usage_error(
            fmt::format("{}: expected an option, found '{}'", settings.title, argument));
      const auto earlier = std::find_if(options.begin(), options.end(), [&](const Option& one) {
        return one.setting == positional && positional->is_list();
      });
      if (earlier != options.end())
        earlier->values.push_back(argument);  // further ones are appended
      else
        options.push_back({positional, argument, {argument}, true});
      continue;
    }
    const bool two_dashes = argument.rfind("--", 0) == 0;
    if (!two_dashes && argument != "-h")
      throw usage_error(fmt::format("{}: unknown option '{}' (options begin with two dashes)",
                                    settings.title, argument));
    const std::size_t equals = argument.find('=');
    Option option;
    option.spelled = argument.substr(0, equals);
    option.setting = &settings.resolve(two_dashes ? option.spelled.substr(2) : "help");
    if (equals != std::string::npos) {
      option.values.push_back(argument.substr(equals + 1));
      option.has_values = true;
    } else if (!option.setting->is_switch()) {
      const bool list = option.setting->is_list();
      while (i + 1 < arguments.size() && !is_option(arguments[i + 1]) &&
             (list || option.values.empty())) {
        option.values.push_back(arguments[++i]);
        option.has_values = true;
      }
    }
    options.push_back(std::move(option));
  }
  return options;
}

void apply(const Settings& settings, const Option& option) {
  const Setting& entry = *option.setting;
  if (!entry.refusal.empty())
    throw usage_error(
        fmt::format("{}: {} does not work yet: {}", settings.title, option.spelled, entry.refusal));
  if (!entry.notice.empty())
    log::info(fmt::format("{} is accepted and has no effect: {}", option.spelled, entry.notice));
  const std::string where = fmt::format("{}: {}", settings.title, option.spelled);
  if (option.has_values) {
    entry.assign(option.values, where);
  } else if (entry.is_switch()) {
    *std::get<bool*>(entry.target) = true;
  } else if (entry.value_optional) {
    entry.assign({entry.implied}, where);
  } else {
    throw usage_error(fmt::format("{}: expected a value, found none", where));
  }
}

}  // namespace

bool parse_arguments(const Settings& settings, const std::vector<std::string>& arguments,
                     Output& output) {
  Common common;
  const Settings all = with_common(settings, common);
  const std::vector<Option> options = read_options(all, arguments);
  for (const Option& option : options)
    if (option.setting->name == "help") {
      const std::string page = option.has_values ? option.values.front() : "";
      if (output.take_table) {
        output.take_table(all);
        return false;
      }
      std::fputs(help_text(all, page).c_str(), stdout);
      return false;
    }
  std::map<const Setting*, const Option*> seen;
  for (const Option& option : options) {
    // Two values for one setting are an error: otherwise one of them would be ignored silently. A
    // switch that stands twice without a value says one thing.
    if (const auto [earlier, fresh] = seen.emplace(option.setting, &option);
        !fresh &&
        (!option.setting->is_switch() || option.has_values || earlier->second->has_values))
      throw usage_error(fmt::format("{}: expected one value for {}, found two: '{}' and '{}'",
                                    settings.title, option.setting->name, earlier->second->spelled,
                                    option.spelled));
    apply(settings, option);
  }
  if (common.quiet && common.verbose)
    throw usage_error(fmt::format("{}: expected --quiet or --verbose, found both", settings.title));
  output.json = output.json || common.json;
  if (common.quiet) terminal()->set_level(log::Level::warning);
  if (common.verbose) terminal()->set_level(log::Level::debug);
  return true;
}

std::vector<std::string> given_names(const Settings& settings,
                                     const std::vector<std::string>& arguments) {
  Common common;
  const Settings all = with_common(settings, common);
  std::vector<std::string> names;
  for (const Option& option : read_options(all, arguments)) names.push_back(option.setting->name);
  return names;
}

std::vector<std::string> command_line(const Settings& settings,
                                      const std::vector<std::string>& names) {
  std::vector<std::string> words;
  for (const Setting& entry : settings.entries) {
    if (!text::contains(names, entry.name)) continue;
    if (entry.is_switch() && !**std::get_if<bool*>(&entry.target)) continue;
    // A text may begin with a dash, so it stands behind '='.
    if (const auto* text = std::get_if<std::string*>(&entry.target)) {
      words.push_back(flag(entry.name) + "=" + **text);
      continue;
    }
    words.push_back(flag(entry.name));
    const auto add_all = [&](const auto& values) {
      for (const auto& value : values) words.push_back(fmt::format("{}", value));
    };
    if (const auto* whole = std::get_if<std::vector<int>*>(&entry.target))
      add_all(**whole);
    else if (const auto* numbers = std::get_if<std::vector<double>*>(&entry.target))
      add_all(**numbers);
    else if (const auto* texts = std::get_if<std::vector<std::string>*>(&entry.target))
      add_all(**texts);
    else if (!entry.is_switch())
      words.push_back(entry.text());
  }
  return words;
}

std::string flag(std::string_view key) { return "--" + std::string(key); }

}  // namespace yolov7::cli
