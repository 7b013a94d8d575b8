#pragma once
// Models and the version of the data set behind them.
#include <string>

namespace yolov7::cli {

/// --data of the run that wrote this checkpoint; "" where the file is none, or does not say.
std::string data_of_checkpoint(const std::string& path);
/// Puts `file`, which was made from the model `parent`, into the lineage of the version store that
/// is in reach, if `parent` comes from one of its versions. `kind`: "export", "derived model".
void record_derived(const std::string& file, const std::string& kind, const std::string& parent);

}  // namespace yolov7::cli
