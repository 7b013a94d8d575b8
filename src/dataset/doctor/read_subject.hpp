#pragma once
// Reads a data set for the doctor, with what its checks need to know of each image.
#include <stop_token>
#include <string>

#include "dataset/doctor/subject.hpp"

namespace yolov7::dataset::doctor {

struct SubjectOptions {
  bool recheck = false, strict = false, single_cls = false;
  bool sketches = true;  ///< for near duplicates
  int threads = 0;
  std::stop_token stop = {};
};

/// Opens the data (open_data()) and reads every split. Each image is decoded once, and not at all
/// where its measures are kept (measure_cache.hpp); those on which a cause hangs are decoded whole
/// (unsettled()). Errors: as open_data() and read_index(),
/// but nothing that is wrong with images or labels of a data.yaml is one.
Subject read_subject(const std::string& data, const SubjectOptions& options);
/// The same for a data.yaml that was read already.
Subject read_subject(const Description& description, const SubjectOptions& options);

}  // namespace yolov7::dataset::doctor
