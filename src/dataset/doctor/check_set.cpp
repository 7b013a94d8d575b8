// The description and the classes of the set (data-services D1, data 1).
#include <fmt/format.h>

#include <map>

#include "core/text.hpp"
#include "dataset/doctor/checks.hpp"

namespace yolov7::dataset::doctor {
namespace {

/// What two spellings of one name have in common.
std::string folded(const std::string& name) {
  std::string key;
  for (const char c : text::lower(name))
    if (c != ' ' && c != '_' && c != '-') key += c;
  return key;
}

void find_names(const Context& context, Findings& findings) {
  const Description& description = context.subject.description;
  std::map<std::string, std::size_t> same, alike;  // name or its folded form: the first class
  for (std::size_t i = 0; i < description.names.size(); ++i) {
    const std::string& name = description.names[i];
    const auto [twin, is_new] = same.emplace(name, i);
    const auto [like, is_other] = alike.emplace(folded(name), i);
    if (is_other) continue;
    const std::size_t first = is_new ? like->second : twin->second;
    findings.add(
        is_new ? "names-alike" : "name-twice", "", description.file,
        fmt::format("class {} '{}' and class {} '{}'", first, description.names[first], i, name));
  }
}

}  // namespace

Family set_family() {
  return {"Description",
          {{"name-twice", "two classes of one name", Severity::error},
           {"names-alike", "two classes whose names differ by case, blanks or hyphens"}},
          find_names};
}

}  // namespace yolov7::dataset::doctor
