#include "api/training_library.hpp"

#include "api/loaded_library.hpp"

namespace yolov7::api {

const training::Api& training_library() {
  const auto entry = reinterpret_cast<const training::Api* (*)()>(library_entry(
      "libyolov7-training.so", "yolov7_training_api", "this needs the training library",
      "Build it with LibTorch: scripts/setup, then cmake --preset release -DYOLOV7_TRAINING=ON"));
  return *entry();
}

}  // namespace yolov7::api
