#pragma once
// safetensors: eight bytes of length, a JSON header, the tensors one after the other. Read with
// bounds on everything a header can claim, written so that the `safetensors` package reads it.
#include <filesystem>
#include <map>
#include <string>

#include "network/checkpoint/checkpoint.hpp"

namespace yolov7::network {

struct SafetensorsFile {
  Weights weights;                              ///< in the order of their data
  std::map<std::string, std::string> metadata;  ///< texts by name
};

/// Whether a file begins like one: a plausible length, then "{".
bool begins_safetensors(const std::filesystem::path& path);
/// Errors: no regular file, a header over 8 MiB or longer than the file, no JSON, a name twice,
/// metadata that are no texts, unknown types, offsets outside the data, overlaps or gaps, a length
/// that differs from type × shape.
SafetensorsFile read_safetensors(const std::filesystem::path& path);
/// Atomic; data aligned to eight bytes.
void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& content);

/// With our description in the metadata, or recognised by names and shapes.
Checkpoint read_safetensors_checkpoint(const std::filesystem::path& path);
/// The inference weights in the precision they have, and our description.
void write_safetensors_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

}  // namespace yolov7::network
