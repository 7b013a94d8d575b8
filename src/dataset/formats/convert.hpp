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
  std::stop_token stop = {};  ///< stops reading, preparing and writing
  std::string from_option;    ///< names the option of the format in messages; empty = --from
};

/// Reads and prepares the source, and writes the result and conversion.json to `out`. If it fails,
/// `out` is not written. Errors: an unknown format, or one that cannot be read or written; no
/// usable image; `out` is not empty or lies in `source`; a full disk; stopped_error().
Conversion convert(const ConvertOptions& options);
/// Reads and prepares the source without writing.
AnnotatedSet read_annotations_of(const ConvertOptions& options, Conversion& account);

}  // namespace yolov7::dataset
