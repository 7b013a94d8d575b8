#include "core/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/overloaded.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/value.hpp"

namespace yolov7 {
namespace {

[[noreturn]] void refuse(const std::string& where, std::string_view expected,
                         std::string_view found) {
  throw usage_error(fmt::format("{}: expected {}, found '{}'", where, expected, found));
}

std::string range_text(const Setting& s) {
  if (std::isinf(s.low) && std::isinf(s.high)) return "";
  if (std::isinf(s.high)) return fmt::format(" of at least {}", text::general(s.low));
  if (std::isinf(s.low)) return fmt::format(" of at most {}", text::general(s.high));
  return fmt::format(" in {}..{}", text::general(s.low), text::general(s.high));
}

double to_double(const Setting& s, const std::string& text, const std::string& where) {
  const auto value = text::parse_double(text);
  if (!value || !std::isfinite(*value) || *value < s.low || *value > s.high)
    refuse(where, "a number" + range_text(s), text);
  return *value;
}

int to_int(const Setting& s, const std::string& text, const std::string& where) {
  const auto value = text::parse_int(text);
  if (!value || *value < std::numeric_limits<int>::min() ||
      *value > std::numeric_limits<int>::max() || static_cast<double>(*value) < s.low ||
      static_cast<double>(*value) > s.high)
    refuse(where, "a whole number" + range_text(s), text);
  return static_cast<int>(*value);
}

const std::string& to_text(const Setting& s, const std::string& text, const std::string& where) {
  if (!s.allowed.empty() && std::find(s.allowed.begin(), s.allowed.end(), text) == s.allowed.end())
    refuse(where, "one of " + text::join(s.allowed, ", "), text);
  return text;
}

bool to_bool(const std::string& text, const std::string& where) {
  const std::string word = text::lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  refuse(where, "true or false", text);
}

/// Lists are also accepted as one comma-separated text (--classes 0,2).
std::vector<std::string> list_elements(const std::vector<std::string>& texts, bool numbers) {
  if (!numbers) return texts;
  std::vector<std::string> elements;
  for (const std::string& text : texts)
    for (const auto part : text::split(text, ',')) elements.emplace_back(text::trim(part));
  return elements;
}

std::string dashes(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

template <class T, class Convert>
void assign_list(std::vector<T>& target, const std::vector<std::string>& texts, Convert convert) {
  std::vector<T> values;
  for (const std::string& text : texts) values.push_back(convert(text));
  target = std::move(values);
}

}  // namespace

Setting setting(std::string name, SettingTarget target, std::string help) {
  Setting s;
  s.name = std::move(name);
  s.target = target;
  s.help = std::move(help);
  return s;
}

Setting Setting::range(double lowest, double highest) && {
  low = lowest;
  high = highest;
  return std::move(*this);
}
Setting Setting::choices(std::vector<std::string> values) && {
  allowed = std::move(values);
  return std::move(*this);
}
Setting Setting::alias(std::string other) && {
  aliases.push_back(std::move(other));
  return std::move(*this);
}
Setting Setting::optional_value(std::string value) && {
  implied = std::move(value);
  value_optional = true;
  return std::move(*this);
}
Setting Setting::positional() && {
  positional_allowed = true;
  return std::move(*this);
}
Setting Setting::refused(std::string reason) && {
  refusal = std::move(reason);
  return std::move(*this);
}
Setting Setting::ignored(std::string reason) && {
  notice = std::move(reason);
  return std::move(*this);
}

Setting Setting::basic() && {
  level = SettingLevel::basic;
  return std::move(*this);
}

std::vector<Setting> group(const std::string& title, std::vector<Setting> settings) {
  for (Setting& one : settings)
    if (one.group.empty()) one.group = title;
  return settings;
}

std::vector<Setting> joined(std::initializer_list<std::vector<Setting>> tables) {
  std::vector<Setting> all;
  for (const std::vector<Setting>& table : tables)
    all.insert(all.end(), table.begin(), table.end());
  return all;
}

bool Setting::is_list() const {
  return std::holds_alternative<std::vector<int>*>(target) ||
         std::holds_alternative<std::vector<double>*>(target) ||
         std::holds_alternative<std::vector<std::string>*>(target);
}

void Setting::assign(const std::vector<std::string>& texts, const std::string& where) const {
  if (texts.empty()) refuse(where, "a value", "nothing");
  if (!is_list() && texts.size() > 1) refuse(where, "one value", text::join(texts, " "));
  const std::string& first = texts.front();
  const auto number_list = list_elements(texts, true);
  std::visit(
      Overloaded{
          [&](bool* t) { *t = to_bool(first, where); },
          [&](int* t) { *t = to_int(*this, first, where); },
          [&](double* t) { *t = to_double(*this, first, where); },
          [&](std::string* t) { *t = to_text(*this, first, where); },
          [&](std::vector<int>* t) {
            assign_list(*t, number_list, [&](const auto& e) { return to_int(*this, e, where); });
          },
          [&](std::vector<double>* t) {
            assign_list(*t, number_list, [&](const auto& e) { return to_double(*this, e, where); });
          },
          [&](std::vector<std::string>* t) {
            assign_list(*t, texts, [&](const auto& e) { return to_text(*this, e, where); });
          },
          [&](const ChoiceTarget& t) {
            const std::string& wanted = to_text(*this, first, where);
            t.set(static_cast<std::size_t>(std::find(allowed.begin(), allowed.end(), wanted) -
                                           allowed.begin()));
          },
      },
      target);
}

std::string Setting::text() const {
  // 17 significant digits bring a double back exactly; the shortest form that does is shorter to
  // read.
  const auto number = [](double v) { return fmt::format("{}", v); };
  const auto list = [](const auto& values, auto convert) {
    std::vector<std::string> parts;
    for (const auto& value : values) parts.push_back(convert(value));
    return "[" + text::join(parts, ", ") + "]";
  };
  return std::visit(Overloaded{
                        [](const bool* t) { return std::string(*t ? "true" : "false"); },
                        [](const int* t) { return std::to_string(*t); },
                        [&](const double* t) { return number(*t); },
                        [](const std::string* t) { return yaml_scalar(*t); },
                        [&](const std::vector<int>* t) {
                          return list(*t, [](int v) { return std::to_string(v); });
                        },
                        [&](const std::vector<double>* t) { return list(*t, number); },
                        [&](const std::vector<std::string>* t) {
                          return list(*t, [](const std::string& v) { return yaml_scalar(v); });
                        },
                        [&](const ChoiceTarget& t) { return yaml_scalar(allowed.at(t.get())); },
                    },
                    target);
}

std::vector<std::string> Settings::names() const {
  std::vector<std::string> result;
  for (const Setting& entry : entries) result.push_back(entry.name);
  return result;
}

const Setting& Settings::resolve(std::string_view name) const {
  const std::string wanted = dashes(name);
  std::vector<const Setting*> matches;
  std::vector<std::string> match_names;
  for (const Setting& entry : entries) {
    std::vector<std::string> spellings = entry.aliases;
    spellings.insert(spellings.begin(), entry.name);
    bool prefix = false;
    for (const std::string& spelling : spellings) {
      if (dashes(spelling) == wanted) return entry;
      prefix = prefix || (!wanted.empty() && dashes(spelling).rfind(wanted, 0) == 0);
    }
    if (prefix) {
      matches.push_back(&entry);
      match_names.push_back(entry.name);
    }
  }
  if (matches.size() == 1) return *matches.front();
  if (matches.size() > 1)
    throw usage_error(
        fmt::format("{}: '{}' is ambiguous: {}", title, name, text::join(match_names, ", ")));
  const auto near = text::nearest(wanted, names());
  throw usage_error(
      fmt::format("{}: unknown option {}{}", title, setting_name(name),
                  near ? fmt::format(", did you mean {}?", setting_name(*near))
                       : fmt::format("; {} shows all", setting_name("help") + " all")));
}

void assign(const Settings& settings, const Value& mapping) {
  if (!mapping.is_mapping())
    throw Error(fmt::format("{}: expected a mapping of settings", mapping.where()));
  for (const auto& [key, value] : mapping.mapping) {
    const Setting* entry = nullptr;
    for (const Setting& candidate : settings.entries)
      if (dashes(candidate.name) == dashes(key)) entry = &candidate;
    if (entry == nullptr)
      throw Error(fmt::format("{}: unknown key '{}'{}", value.where(), key,
                              text::did_you_mean(key, settings.names())));
    if (value.is_null()) continue;
    std::vector<std::string> texts;
    if (value.is_sequence()) {
      if (!entry->is_list())
        throw Error(
            fmt::format("{}: expected one value for '{}', found a list", value.where(), key));
      for (const Value& element : value.sequence) texts.push_back(element.text());
    } else {
      texts.push_back(value.text());
    }
    const std::string where = fmt::format("{}: {}", value.where(), key);
    if (texts.empty()) {
      std::visit(Overloaded{[](std::vector<int>* t) { t->clear(); },
                            [](std::vector<double>* t) { t->clear(); },
                            [](std::vector<std::string>* t) { t->clear(); }, [](const auto&) {}},
                 entry->target);
      continue;
    }
    try {
      entry->assign(texts, where);
    } catch (const Error& error) {
      throw Error(error.what());  // a bad file is a failure, not a wrong call
    }
  }
}

std::string to_yaml(const Settings& settings) {
  std::string out;
  for (const Setting& entry : settings.entries)
    if (entry.has_effect()) out += fmt::format("{}: {}\n", entry.name, entry.text());
  return out;
}

}  // namespace yolov7
