#pragma once
// From a file's metadata and the shapes of its outputs to what stands in them (export 0).
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/openvino/model_file.hpp"

namespace yolov7::runtime {

using ModelMetadata = std::map<std::string, std::string>;
/// −1: an open side.
using OutputShape = std::vector<std::int64_t>;

/// {0: 'person', 1: 'it\'s'}, ["a", "b"] or ['a', 'b']; empty where the text is none of these.
std::vector<std::string> parse_names(std::string_view text);

/// Layout, names and stride, by the metadata where it tells them, else by the shapes (then a note
/// says so). `channels_last`: images go in as [B, H, W, 3], as in TensorFlow's files, whose boxes
/// are shares of the image where nothing says otherwise. `source` is for messages.
ModelFacts model_facts(const ModelMetadata& metadata, const std::vector<OutputShape>& outputs,
                       const std::string& source, bool channels_last = false);

}  // namespace yolov7::runtime
