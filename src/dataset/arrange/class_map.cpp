#include "dataset/arrange/class_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/value.hpp"

namespace yolov7::dataset {
namespace {

/// Place of the "=" that parts the names: "==" is one "=" of a name.
std::size_t parting(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') continue;
    if (i + 1 < text.size() && text[i + 1] == '=')
      ++i;
    else
      return i;
  }
  return std::string::npos;
}

std::string plain(std::string_view text) {
  std::string result;
  const std::string_view name = text::trim(text);
  for (std::size_t i = 0; i < name.size(); ++i) {
    result += name[i];
    if (name[i] == '=' && i + 1 < name.size() && name[i + 1] == '=') ++i;
  }
  return result;
}

const ClassChange* change_of(const std::vector<ClassChange>& changes, const std::string& name) {
  const auto found = std::find_if(changes.begin(), changes.end(),
                                  [&](const ClassChange& one) { return one.from == name; });
  return found == changes.end() ? nullptr : &*found;
}

/// Letters without case, and neither blanks nor what often stands for them.
std::string loose(const std::string& name) {
  std::string result;
  for (const char c : text::lower(name))
    if (c != ' ' && c != '_' && c != '-') result += c;
  return result;
}

void require_known(const std::vector<SourceClasses>& sources,
                   const std::vector<ClassChange>& changes) {
  std::vector<std::string> all, places;
  for (const SourceClasses& source : sources) {
    all.insert(all.end(), source.names.begin(), source.names.end());
    places.push_back(source.source);
  }
  for (const ClassChange& change : changes)
    if (!text::contains(all, change.from))
      throw Error(fmt::format("{}: expected a class of {}, found '{}'{}", setting_name("map"),
                              text::join(places, ", "), change.from,
                              text::did_you_mean(change.from, all)));
}

void require_single(const SourceClasses& source) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < source.names.size(); ++i) {
    const auto [known, fresh] = seen.emplace(source.names[i], i);
    if (!fresh)
      throw Error(
          fmt::format("{}: expected each class name once, found '{}' as class {} and as "
                      "class {}",
                      source.source, source.names[i], known->second, i));
  }
}

/// "0", "1", … in order: a set without names.
bool is_numbered(const SourceClasses& source) {
  for (std::size_t i = 0; i < source.names.size(); ++i)
    if (source.names[i] != std::to_string(i)) return false;
  return true;
}

/// With several sources, numbers would join classes that have nothing to do with each other.
void require_named(const std::vector<SourceClasses>& sources,
                   const std::vector<ClassChange>& changes) {
  if (sources.size() < 2) return;
  for (const SourceClasses& source : sources) {
    if (!is_numbered(source)) continue;
    const bool all_changed =
        std::all_of(source.names.begin(), source.names.end(),
                    [&](const std::string& name) { return change_of(changes, name) != nullptr; });
    if (all_changed) continue;
    const SourceClasses& other = &source == &sources[0] ? sources[1] : sources[0];
    throw Error(
        fmt::format("{}: expected names of classes to join them with those of {}, found "
                    "numbers alone; say {} for each",
                    source.source, other.source, setting_name("map") + " 0=NAME"));
  }
}

struct Origin {
  std::string source, name;
};

void require_unlike(const std::vector<std::string>& names,
                    const std::map<std::string, Origin>& origins,
                    const std::vector<ClassChange>& changes) {
  std::map<std::string, std::string> seen;
  for (const std::string& name : names) {
    const auto [known, fresh] = seen.emplace(loose(name), name);
    if (fresh) continue;
    const auto meant = [&](const std::string& one) {
      return std::any_of(changes.begin(), changes.end(), [&](const ClassChange& change) {
        return change.from == one || change.to == one;
      });
    };
    if (meant(name) || meant(known->second)) continue;
    const Origin &a = origins.at(known->second), &b = origins.at(name);
    if (a.source == b.source) continue;
    throw Error(fmt::format(
        "{} has the class '{}' and {} has '{}': expected one spelling; {} '{}={}' makes one class "
        "of them, '{}={}' keeps two",
        a.source, a.name, b.source, b.name, setting_name("map"), name, known->second, name, name));
  }
}

void put_in_order(ClassMap& map, const std::vector<std::string>& order) {
  std::vector<int> places(map.names.size(), -1);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto found = std::find(map.names.begin(), map.names.end(), order[i]);
    if (found == map.names.end())
      throw Error(fmt::format("{}: expected the classes {}, found '{}'{}", setting_name("names"),
                              text::join(map.names, ", "), order[i],
                              text::did_you_mean(order[i], map.names)));
    int& place = places[static_cast<std::size_t>(found - map.names.begin())];
    if (place >= 0)
      throw Error(fmt::format("{}: expected each class once, found '{}' twice",
                              setting_name("names"), order[i]));
    place = static_cast<int>(i);
  }
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i] < 0)
      throw Error(fmt::format("{}: expected all classes, '{}' is missing; {} '{}=' drops its boxes",
                              setting_name("names"), map.names[i], setting_name("map"),
                              map.names[i]));
  for (auto& one : map.of)
    for (int& c : one)
      if (c >= 0) c = places[static_cast<std::size_t>(c)];
  map.names = order;
}

}  // namespace

std::vector<ClassChange> parse_class_changes(const std::vector<std::string>& texts) {
  std::vector<ClassChange> changes;
  const auto add = [&](const std::string& from, const std::string& to) {
    if (change_of(changes, from) != nullptr)
      throw usage_error(fmt::format("{}: expected one change of a class, found two of '{}'",
                                    setting_name("map"), from));
    changes.push_back({from, to});
  };
  for (const std::string& text : texts) {
    const std::size_t at = parting(text);
    std::error_code error;
    if (at == std::string::npos && std::filesystem::is_regular_file(text, error)) {
      const Value document = read_yaml(text);
      if (!document.is_mapping())
        throw Error(fmt::format("{}: expected a mapping from old to new class names, found none",
                                document.where()));
      for (const auto& [from, to] : document.mapping) add(from, to.is_null() ? "" : to.text());
      continue;
    }
    const std::string from = at == std::string::npos ? "" : plain(text.substr(0, at));
    if (from.empty())
      throw usage_error(
          fmt::format("{}: expected OLD=NEW, OLD= to drop the boxes of a class, or a "
                      "file with such a mapping, found '{}'",
                      setting_name("map"), text));
    add(from, plain(text.substr(at + 1)));
  }
  return changes;
}

ClassMap join_classes(const std::vector<SourceClasses>& sources,
                      const std::vector<ClassChange>& changes,
                      const std::vector<std::string>& order) {
  require_known(sources, changes);
  for (const SourceClasses& source : sources) require_single(source);
  require_named(sources, changes);
  ClassMap map;
  std::map<std::string, int> numbers;
  std::map<std::string, Origin> origins;
  for (const SourceClasses& source : sources) {
    std::vector<int>& of = map.of.emplace_back();
    for (const std::string& name : source.names) {
      const ClassChange* change = change_of(changes, name);
      const std::string& now = change == nullptr ? name : change->to;
      if (now.empty()) {
        of.push_back(-1);
        continue;
      }
      const auto [known, fresh] = numbers.emplace(now, static_cast<int>(map.names.size()));
      if (fresh) map.names.push_back(now), origins.emplace(now, Origin{source.source, name});
      of.push_back(known->second);
    }
  }
  if (map.names.empty())
    throw Error(
        fmt::format("{}: expected at least one class that stays, found none", setting_name("map")));
  require_unlike(map.names, origins, changes);
  if (!order.empty()) put_in_order(map, order);
  return map;
}

}  // namespace yolov7::dataset
