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
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < description.names.size(); ++i) {
    const std::string& name = description.names[i];
    const auto [found, fresh] = first.emplace(folded(name), i);
    if (fresh) continue;
    const std::string& other = description.names[found->second];
    findings.add(name == other ? "name-twice" : "names-alike", "", description.file,
                 fmt::format("class {} '{}' and class {} '{}'", found->second, other, i, name));
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
