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

/// {0: 'person', 1: 'it\'s'}, ["a", "b"] or ['a', 'b']; empty where the text is none of these, or
/// where its numbers are not 0 … n − 1.
std::vector<std::string> parse_names(std::string_view text);

/// What is known of a file besides metadata and outputs.
struct FileSurroundings {
  /// Images go in as [B, H, W, 3], as in TensorFlow's files, whose boxes are shares of the image
  /// where nothing says otherwise.
  bool channels_last = false;
  InputSides input = {};     ///< of one size
  std::int64_t classes = 0;  ///< of the boxes before a suppression in the file; 0: unknown
  std::vector<std::string> names = {};  ///< given by the user
  const char* subject = "the file";     ///< who tells; notes begin with it
};

/// Layout, names and stride, by the metadata where it tells them, else by the shapes (then a note
/// says so). `source` is for messages. Errors: outputs of no layout that we know; metadata that
/// contradicts the outputs, the input, or the names given, with both sides.
ModelFacts model_facts(const ModelMetadata& metadata, const std::vector<OutputShape>& outputs,
                       const std::string& source, const FileSurroundings& more = {});

}  // namespace yolov7::runtime
