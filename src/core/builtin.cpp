#include "core/builtin.hpp"

#include "core/builtin_table.hpp"

namespace yolov7 {
namespace {

std::string_view base_name(std::string_view path) {
  path = path.substr(path.find_last_of('/') + 1);  // npos + 1 is 0
  for (const std::string_view extension : {".yaml", ".yml"})
    if (path.size() > extension.size() && path.substr(path.size() - extension.size()) == extension) path.remove_suffix(extension.size());
  return path;
}

}  // namespace

std::optional<std::string_view> builtin_file(std::string_view path) {
  const bool deploy = path.find("deploy/") != std::string_view::npos;
  std::optional<std::string_view> found;
  for (const BuiltinEntry& entry : builtin_table()) {
    if (base_name(entry.path) != base_name(path)) continue;
    const bool is_deploy = entry.path.rfind("deploy/", 0) == 0;
    if (!found || is_deploy == deploy) found = entry.text;
  }
  return found;
}

std::vector<std::string> builtin_names(std::string_view folder) {
  std::vector<std::string> names;
  for (const BuiltinEntry& entry : builtin_table())
    if (entry.path.substr(0, entry.path.find('/')) == folder) names.emplace_back(base_name(entry.path));
  return names;
}

}  // namespace yolov7
