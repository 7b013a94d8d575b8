#include "api/loaded_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "core/error.hpp"

namespace yolov7::api {

void* library_entry(const char* library, const char* entry, const std::string& needed_for,
                    const std::string& remedy) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr)
    throw Error(fmt::format("{}, which cannot be loaded ({}). {}", needed_for, dlerror(), remedy));
  void* found = dlsym(handle, entry);
  if (found == nullptr)
    throw Error(fmt::format("{}: expected the entry {}, found none", library, entry));
  return found;
}

}  // namespace yolov7::api
