#include "api/training_library.hpp"

#include <cstdlib>

#include "api/loaded_library.hpp"

namespace yolov7::api {
namespace {

/// How long a thread of GNU OpenMP waits for its partners before it sleeps. The library's own bound
/// (300,000 rounds, some milliseconds) is for machines without other work: beside one busy program
/// two threads did 2 images a second of 168, with this bound 75 (benchmarks/contended). The library
/// reads the variable when it is loaded. What the user has set stays.
void bound_waiting() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) ::setenv("GOMP_SPINCOUNT", "1000", 0);
}

}  // namespace

const training::Api& training_library() {
  static const bool bounded = (bound_waiting(), true);
  static_cast<void>(bounded);
  const auto entry = reinterpret_cast<const training::Api* (*)()>(library_entry(
      "libyolov7-training.so", "yolov7_training_api", "this needs the training library",
      "It is in the Debian package yolov7-train and in the wheel yolov7-cpp[train]; or build it: "
      "scripts/setup, then cmake --preset release -DYOLOV7_TRAINING=ON"));
  return *entry();
}

const exporting::ScriptLibrary& script_library() { return training_library().script; }

}  // namespace yolov7::api
