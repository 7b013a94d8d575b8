#include "cli/training_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "core/error.hpp"

namespace yolov7::cli {

const training::Api& training_library() {
  // Found through the program's run path: beside it in an installation, in lib/ of a build folder. Never unloaded.
  void* library = dlopen("libyolov7-training.so", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr)
    throw Error(fmt::format("this needs the training library, which cannot be loaded ({}). Build it with LibTorch: scripts/setup, "
                            "then cmake --preset release -DYOLOV7_TRAINING=ON", dlerror()));
  const auto entry = reinterpret_cast<const training::Api* (*)()>(dlsym(library, "yolov7_training_api"));
  if (entry == nullptr) throw Error("libyolov7-training.so: expected the entry yolov7_training_api, found none");
  return *entry();
}

}  // namespace yolov7::cli
