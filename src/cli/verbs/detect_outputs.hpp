#pragma once
// What of detect's options its writer needs, and which files of a run are inputs.
#include "cli/verbs/detect_options.hpp"
#include "cli/verbs/detect_writer.hpp"
#include "core/output_guard.hpp"
#include "runtime/frames/sources.hpp"
#include "runtime/results/result_names.hpp"

namespace yolov7::cli {

/// All but the video library.
DetectWriter::Options writer_options(const DetectOptions& options);
/// Everything that is read, and the label files that belong to it: nothing of these is replaced.
void protect_inputs(const DetectOptions& options, const runtime::SourceList& list,
                    OutputGuard& guard);
/// What of the results, as far as they are asked for, is not called as its source is.
void warn_of_names(const DetectOptions& options, const runtime::ResultNames& names);

}  // namespace yolov7::cli
