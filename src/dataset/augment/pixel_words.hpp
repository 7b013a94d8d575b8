#pragma once
// Rows of pixels as 32-bit words, which the loops over rows work on.
#include <cstddef>
#include <cstdint>

namespace yolov7::dataset {

/// Words for a row: its pixels up to the next multiple of 16.
std::size_t padded_words(int columns);
/// Packed B G R bytes ↔ words. What lies beyond `columns` in the last sixteen words is set to 0.
void words_of(const std::uint8_t* bgr, int columns, std::uint32_t* words);
void bytes_of(const std::uint32_t* words, int columns, std::uint8_t* bgr);

}  // namespace yolov7::dataset
