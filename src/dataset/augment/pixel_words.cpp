#include "dataset/augment/pixel_words.hpp"

#include <algorithm>
#include <cstring>

namespace yolov7::dataset {

std::size_t padded_words(int columns) { return (static_cast<std::size_t>(columns) + 15) / 16 * 16; }

void words_of(const std::uint8_t* bgr, int columns, std::uint32_t* words) {
  for (int i = 0; i + 1 < columns; ++i) {
    std::uint32_t word;
    std::memcpy(&word, bgr + 3 * i, sizeof word);
    words[i] = word & 0xFFFFFF;
  }
  const std::uint8_t* const last = bgr + 3 * (columns - 1);
  words[columns - 1] = static_cast<std::uint32_t>(last[0] | last[1] << 8 | last[2] << 16);
  std::fill(words + columns, words + padded_words(columns), 0u);
}

void bytes_of(const std::uint32_t* words, int columns, std::uint8_t* bgr) {
  for (int i = 0; i + 1 < columns; ++i)
    std::memcpy(bgr + 3 * i, &words[i], 4);  // the fourth byte is the next pixel's first
  std::memcpy(bgr + 3 * (columns - 1), &words[columns - 1], 3);
}

}  // namespace yolov7::dataset
