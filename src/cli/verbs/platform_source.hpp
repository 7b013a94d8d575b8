#pragma once
// What is sent to a server of labels: an annotated set in any format that is read.
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/conversion.hpp"

namespace yolov7::cli {

struct PlatformSource {
  std::string source, from = "auto", images, journal;
  bool scores = false;  ///< a sixth value of a YOLO row is a score
};

std::vector<Setting> source_settings(PlatformSource& source);
/// The prepared set, every image decoded; `verb` for messages. What was left out is in `account`.
dataset::AnnotatedSet read_source(const PlatformSource& source, const std::string& verb,
                                  dataset::Conversion& account);

}  // namespace yolov7::cli
