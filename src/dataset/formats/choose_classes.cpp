#include "dataset/formats/choose_classes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/index/index_report.hpp"

namespace yolov7::dataset {
namespace {

/// Names that no class of the source has: some may be meant to stay empty, all of them not.
void note_names_without_class(const AnnotatedSet& set, const std::vector<AnnotatedClass>& chosen,
                              const std::vector<int>& map, Conversion& account) {
  std::vector<std::string> strangers;
  const std::vector<std::string> known = names_of(set);
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (std::find(map.begin(), map.end(), static_cast<int>(i)) == map.end())
      strangers.push_back(fmt::format("'{}'{}", text::printable(chosen[i].name),
                                      text::did_you_mean(chosen[i].name, known)));
  if (strangers.empty() || known.empty()) return;
  const std::string names = text::join(strangers, ", ");
  if (strangers.size() == chosen.size())
    throw Error(fmt::format("{}: expected classes of the source ({}), found none of these: {}",
                            setting_name("names"), text::printable(first_of(known, 10)), names));
  account.notes.push_back({account.source, 0,
                           fmt::format("{}: the source has no class of these names: {}",
                                       setting_name("names"), names)});
}

/// Whether a class is kept that only some box would need.
std::vector<bool> used_classes(const AnnotatedSet& set) {
  std::vector<bool> used(set.classes.size(), !set.drops_unused_classes);
  for (const AnnotatedImage& image : set.images)
    if (image.fault.empty())
      for (const AnnotatedObject& object : image.objects)
        if (object.fault.empty() && object.class_index >= 0)
          used[static_cast<std::size_t>(object.class_index)] = true;
  return used;
}

}  // namespace

std::vector<int> choose_classes(const AnnotatedSet& set, const std::vector<std::string>& names,
                                Conversion& account) {
  std::vector<int> map(set.classes.size(), -1);
  std::vector<AnnotatedClass> chosen;
  if (names.empty()) {
    const std::vector<bool> used = used_classes(set);
    for (std::size_t i = 0; i < map.size(); ++i) {
      if (!used[i]) continue;
      map[i] = static_cast<int>(chosen.size());
      chosen.push_back(set.classes[i]);
    }
  } else {
    std::map<std::string, int> index;
    for (const std::string& name : names) {
      if (!index.emplace(name, static_cast<int>(chosen.size())).second)
        throw usage_error(fmt::format("{}: expected each class once, found '{}' twice",
                                      setting_name("names"), name));
      chosen.push_back({name, {}, {}, {}});
    }
    for (std::size_t i = 0; i < map.size(); ++i)
      if (const auto found = index.find(set.classes[i].name); found != index.end()) {
        map[i] = found->second;
        chosen[static_cast<std::size_t>(found->second)] = set.classes[i];
      }
    note_names_without_class(set, chosen, map, account);
  }
  account.names.clear();
  for (const AnnotatedClass& one : chosen) {
    if (!text::is_utf8(one.name))  // JSON and XML would hold another name
      throw Error(fmt::format("{}: expected class names in UTF-8, found '{}'",
                              account.source.string(), text::printable(one.name)));
    account.names.push_back(one.name);
  }
  return map;
}

void warn_of_similar_names(const Conversion& account) {
  std::map<std::string, std::string> seen;
  for (const std::string& name : account.names) {
    std::string plain = text::lower(text::trim(name));
    const auto [first, fresh] = seen.emplace(plain, name);
    if (!fresh)
      log::warning(
          fmt::format("the classes '{}' and '{}' differ in case or blanks alone: they "
                      "stay two classes",
                      text::printable(first->second), text::printable(name)));
  }
}

}  // namespace yolov7::dataset
