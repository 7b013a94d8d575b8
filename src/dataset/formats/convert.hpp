#pragma once
// From one annotation format to another.
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/conversion.hpp"
#include "dataset/formats/format.hpp"
#include "dataset/formats/prepare_set.hpp"

namespace yolov7::dataset {

struct ConvertOptions {
  std::filesystem::path source, out;
  std::filesystem::path images;  ///< a further folder with images, or empty
  std::string from = "auto", to = "yolo";
  ReadOptions read;
  PrepareOptions prepare;
  WriteOptions write;
  std::stop_token stop = {};  ///< for all three
  std::string from_option;    ///< how a format is named, for messages; empty = --from
};

/// Reads, prepares and writes to `out` with conversion.json, all or nothing. Errors: formats that
/// are not read or not written, no usable image, `out` not empty, a full disk,
/// stopped_error().
Conversion convert(const ConvertOptions& options);
/// The first half: the prepared set. For tests and other users of annotations.
AnnotatedSet read_annotations_of(const ConvertOptions& options, Conversion& account);

}  // namespace yolov7::dataset
