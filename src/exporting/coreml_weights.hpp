#pragma once
// weight.bin of a Core ML package, version 2: a header, then a record and the bytes of each tensor,
// all at multiples of 64 (export 6).
#include <cstdint>
#include <filesystem>
#include <fstream>

#include "network/graph/weights.hpp"

namespace yolov7::exporting {

class CoremlWeights {
 public:
  /// Makes the file.
  explicit CoremlWeights(const std::filesystem::path& path);
  /// Appends a tensor, float32, float16 or uint8; returns the place of its record, by which a
  /// program names it.
  std::uint64_t add(const network::Tensor& tensor);
  /// Writes the header. Error: the file cannot be written.
  void finish();

 private:
  void zeros(std::size_t count);

  std::filesystem::path path_;
  std::ofstream out_;
  std::uint64_t size_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace yolov7::exporting
