#pragma once
// A setting is one line of one table: name, member, help, range. Command line, --help, YAML files,
// the saved run configuration and the reference page all walk that table. Defaults are the struct's
// own member initialisers.
//
//   struct DetectOptions { double conf_thres = 0.25; std::vector<std::string> weights{"yolov7.pt"};
//   bool nosave = false; }; Settings settings(DetectOptions& o) {
//     return Settings{"detect", joined({group("Network", {
//       setting("weights", o.weights, "checkpoint; several make an ensemble").basic(),
//       setting("conf-thres", o.conf_thres, "confidence threshold").range(0, 1).basic()}),
//       group("Output", {
//       setting("nosave", o.nosave, "do not save images")})})};
//   }
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace yolov7 {

class Value;

/// A member of an enumeration type: the place of its value in Setting::allowed.
struct ChoiceTarget {
  std::function<std::size_t()> get;
  std::function<void(std::size_t)> set;
};

/// The kinds of member that a setting can bind to. A bool is a switch without a value.
using SettingTarget = std::variant<bool*, int*, double*, std::string*, std::vector<int>*,
                                   std::vector<double>*, std::vector<std::string>*, ChoiceTarget>;

/// Whether --help shows a setting at first, or `--help all` alone.
enum class SettingLevel { basic, further };

struct Setting {
  std::string name;  ///< official spelling, with '-' or '_' as the original has it
  SettingTarget target;
  std::string help;
  double low = -std::numeric_limits<double>::infinity(),
         high = std::numeric_limits<double>::infinity();
  std::vector<std::string> allowed;  ///< the accepted texts; empty = any
  std::vector<std::string> aliases;  ///< further spellings
  std::string implied;  ///< value taken when the option stands without one ("" = a value is needed)
  bool value_optional = false;
  bool positional_allowed = false;  ///< may also be given as a bare argument
  std::string refusal;  ///< not empty: accepted by name only to be refused with this reason
  std::string notice;   ///< not empty: accepted, ignored, and this is said
  std::string group;    ///< title under which it is shown; "" = none
  SettingLevel level = SettingLevel::further;

  Setting range(double lowest, double highest) &&;
  Setting choices(std::vector<std::string> values) &&;
  Setting alias(std::string other) &&;
  Setting optional_value(std::string value) &&;  ///< --resume, --resume PATH
  Setting positional() &&;
  Setting refused(std::string reason) &&;
  Setting ignored(std::string reason) &&;
  Setting basic() &&;

  bool is_switch() const { return std::holds_alternative<bool*>(target); }
  bool is_list() const;
  bool has_effect() const { return refusal.empty() && notice.empty(); }
  /// Sets from text (one text per list element). Error names the setting, what was expected and
  /// found.
  void assign(const std::vector<std::string>& texts, const std::string& where) const;
  std::string text() const;  ///< current value, as --help and YAML show it
};

Setting setting(std::string name, SettingTarget target, std::string help);
template <class T>
Setting setting(std::string name, T& member, std::string help) {
  return setting(std::move(name), SettingTarget(&member), std::move(help));
}
/// An enumeration whose values 0, 1, … have these names.
template <class Enum>
requires std::is_enum_v<Enum> Setting setting(std::string name, Enum& member, std::string help,
                                              std::vector<std::string> names) {
  const ChoiceTarget target{[&member] { return static_cast<std::size_t>(member); },
                            [&member](std::size_t i) { member = static_cast<Enum>(i); }};
  return setting(std::move(name), SettingTarget(target), std::move(help)).choices(std::move(names));
}

/// The settings under this title; those that have one keep it.
std::vector<Setting> group(const std::string& title, std::vector<Setting> settings);
/// Tables one after the other: saved files keep this order.
std::vector<Setting> joined(std::initializer_list<std::vector<Setting>> tables);

struct Settings {
  std::string title;  ///< verb or section, for messages
  std::vector<Setting> entries;

  /// The entry for a name: exact, then with '-' and '_' exchanged or as an alias, then as an
  /// unambiguous prefix. Error (usage) with the nearest name, or with the candidates where a prefix
  /// fits several.
  const Setting& resolve(std::string_view name) const;
  std::vector<std::string> names() const;
};

/// Sets from a YAML mapping. Unknown key: Error with the nearest known one. Null values are left
/// alone.
void assign(const Settings& settings, const Value& mapping);
/// "name: value" lines in table order.
std::string to_yaml(const Settings& settings);

}  // namespace yolov7
