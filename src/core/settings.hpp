#pragma once
// A setting is one line of one table: name, member, help, range. Command line, --help, YAML files,
// the saved run configuration and the reference page all walk that table. Defaults are the struct's
// own member initialisers.
//
//   struct DetectOptions { double conf_thres = 0.25; std::vector<std::string> weights{"yolov7.pt"};
//   bool nosave = false; }; Settings settings(DetectOptions& o) {
//     return Settings{"detect", {
//       setting("weights", o.weights, "checkpoint; several make an ensemble"),
//       setting("conf-thres", o.conf_thres, "confidence threshold").range(0, 1),
//       setting("nosave", o.nosave, "do not save pictures"),
//     }};
//   }
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace yolov7 {

class Value;

/// The kinds of member that a setting can bind to. A bool is a switch without a value.
using SettingTarget = std::variant<bool*, int*, double*, std::string*, std::vector<int>*,
                                   std::vector<double>*, std::vector<std::string>*>;

struct Setting {
  std::string name;  ///< official spelling, with '-' or '_' as the original has it
  SettingTarget target;
  std::string help;
  double low = -std::numeric_limits<double>::infinity(),
         high = std::numeric_limits<double>::infinity();
  std::vector<std::string> allowed;  ///< for text: the accepted values; empty = any
  std::vector<std::string> aliases;  ///< further spellings
  std::string implied;  ///< value taken when the option stands without one ("" = a value is needed)
  bool value_optional = false;
  bool positional_allowed = false;  ///< may also be given as a bare argument
  std::string refusal;  ///< not empty: accepted by name only to be refused with this reason
  std::string notice;   ///< not empty: accepted, ignored, and this is said

  Setting range(double lowest, double highest) &&;
  Setting choices(std::vector<std::string> values) &&;
  Setting alias(std::string other) &&;
  Setting optional_value(std::string value) &&;  ///< --resume, --resume PATH
  Setting positional() &&;
  Setting refused(std::string reason) &&;
  Setting ignored(std::string reason) &&;

  bool is_switch() const { return std::holds_alternative<bool*>(target); }
  bool is_list() const;
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
