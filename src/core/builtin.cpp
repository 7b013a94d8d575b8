#include "core/builtin.hpp"

#include <dlfcn.h>

#include "core/builtin_table.hpp"
#include "core/error.hpp"

namespace yolov7 {
namespace {

std::string_view base_name(std::string_view path) {
  path = path.substr(path.find_last_of('/') + 1);  // npos + 1 is 0
  for (const std::string_view extension : {".yaml", ".yml"})
    if (path.size() > extension.size() && path.substr(path.size() - extension.size()) == extension)
      path.remove_suffix(extension.size());
  return path;
}

/// Whether a folder in `path` is called `name`. "deploy" is one in "cfg/deploy/x.yaml" and in
/// "deploy/x.yaml", not in "my-deploy/x.yaml".
bool has_folder(std::string_view path, std::string_view name) {
  for (std::size_t at = path.find(name); at != std::string_view::npos;
       at = path.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || path[at - 1] == '/') && end < path.size() && path[end] == '/') return true;
  }
  return false;
}

/// The entry with the base name of `path`. Where training/ and deploy/ both have one, the folder
/// deploy/ in `path` chooses the second.
const BuiltinEntry* find(std::string_view path) {
  const bool deploy = has_folder(path, "deploy");
  const BuiltinEntry* found = nullptr;
  for (const BuiltinEntry& entry : builtin_table()) {
    if (base_name(entry.path) != base_name(path)) continue;
    if (found == nullptr || (entry.path.rfind("deploy/", 0) == 0) == deploy) found = &entry;
  }
  return found;
}

}  // namespace

std::optional<std::string_view> builtin_file(std::string_view path) {
  const BuiltinEntry* found = find(path);
  return found == nullptr ? std::nullopt : std::optional(found->text);
}

std::string_view builtin_path(std::string_view path) {
  const BuiltinEntry* found = find(path);
  return found == nullptr ? std::string_view() : found->path;
}

std::vector<std::string> builtin_names(std::string_view folder) {
  std::vector<std::string> names;
  for (const BuiltinEntry& entry : builtin_table())
    if (entry.path.substr(0, entry.path.find('/')) == folder)
      names.emplace_back(base_name(entry.path));
  return names;
}

std::filesystem::path delivered_file(const std::filesystem::path& relative) {
  Dl_info library{};
  if (dladdr(reinterpret_cast<const void*>(&delivered_file), &library) == 0)
    throw Error("the folder of libyolov7 cannot be found");
  return std::filesystem::weakly_canonical(library.dli_fname).parent_path().parent_path() /
         "share" / "yolov7" / relative;
}

}  // namespace yolov7
