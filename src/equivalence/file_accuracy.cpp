#include "equivalence/file_accuracy.hpp"

#include <fmt/format.h>

namespace yolov7::equivalence {

std::string accuracy_breach(const Accuracy& accuracy) {
  if (accuracy.file_map >= accuracy.parent_map - accuracy.budget) return {};
  return fmt::format(
      "mAP on {} images of {} is {:.4f}, the weights' is {:.4f}; expected to lose at most {:g}",
      accuracy.images, accuracy.data, accuracy.file_map, accuracy.parent_map, accuracy.budget);
}

}  // namespace yolov7::equivalence
