#pragma once
// What the loader hands to training and evaluation: plain buffers, no LibTorch.
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "dataset/target_marks.hpp"

namespace yolov7::dataset {

/// Where a validation sample came from (data 7.2): maps boxes back to the original picture.
struct SampleOrigin {
  std::size_t entry = 0;          ///< index into Index::entries
  int width = 0, height = 0;      ///< original picture
  double gain_x = 1, gain_y = 1;  ///< resized / original, per axis
  double pad_x = 0, pad_y = 0;    ///< unrounded
};

/// Leaves new bytes as they are: a batch is written once, by the samples.
struct PixelAllocator : std::allocator<std::uint8_t> {
  template <class T>
  struct rebind {
    using other = PixelAllocator;
  };
  void construct(std::uint8_t*) noexcept {}
  template <class... Values>
  void construct(std::uint8_t* at, Values&&... values) {
    ::new (at) std::uint8_t(std::forward<Values>(values)...);
  }
};

struct Batch {
  int count = 0, height = 0, width = 0;
  std::vector<std::uint8_t, PixelAllocator>
      pixels;  ///< count × 3 × height × width, R G B planes, 0 … 255
  std::vector<std::array<float, 6>>
      targets;        ///< sample in batch, class, cx, cy, w, h (normalized to the batch shape)
  TargetMarks marks;  ///< of the targets
  std::vector<SampleOrigin> origins;  ///< one per sample; mosaics name their first tile
  std::size_t number = 0;             ///< position in the epoch, from 0
};

}  // namespace yolov7::dataset
