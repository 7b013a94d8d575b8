#pragma once
// Which numbers `detect --precision auto` computes in.
#include <functional>
#include <string>
#include <vector>

#include "api/model.hpp"
#include "cli/verbs/detect_options.hpp"
#include "runtime/frames/sources.hpp"

namespace yolov7::cli {

struct PrecisionChoice {
  std::string precision, reason;
};

/// bfloat16 if it finds what float32 finds in the first images of the source, and is faster.
/// `given`: names of the options on the command line; `open`: the model in a precision. Errors:
/// stopped_error(); any other becomes the reason for float32.
PrecisionChoice choose_precision(const DetectOptions& options,
                                 const std::vector<std::string>& given,
                                 const runtime::SourceList& list, runtime::LookOptions look,
                                 const std::function<api::OpenModel(const char*)>& open);

}  // namespace yolov7::cli
