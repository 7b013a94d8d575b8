#pragma once
// Reads and checks a split (data 4, 5).
#include <stop_token>
#include <string>

#include "dataset/index/description.hpp"
#include "dataset/index/examination.hpp"
#include "dataset/index/index.hpp"

namespace yolov7::dataset {

struct IndexOptions {
  bool single_cls = false;
  bool strict = false;
  bool recheck = false;   ///< read every picture again, whatever size and time say
  bool training = false;  ///< no label at all is an Error
  int threads = 0;        ///< 0 = usable cores
  std::stop_token stop = {};
  /// Filled where it is not null. A class that the description does not know, and a split without
  /// any usable image, are then problems in the index instead of Errors.
  Examination* examination = nullptr;
};

/// Reads one split with the help of our own cache (beside the labels, or in the user's cache folder
/// where that is read only). Says counts and problems through log. Errors: no pictures, no labels
/// (training), class out of range, stopped_error(); the cache is then as before.
Index read_index(const Description& description, const std::string& split,
                 const IndexOptions& options);

}  // namespace yolov7::dataset
