#include "dataset/augment/hsv.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>

#include "dataset/augment/pixel_words.hpp"

namespace yolov7::dataset {

HsvTables hsv_tables(double hue_gain, double saturation_gain, double value_gain) {
  HsvTables t;
  for (std::size_t i = 0; i < 256; ++i) {
    const auto x = static_cast<double>(i);
    t.hue[i] = static_cast<std::uint8_t>(std::fmod(x * hue_gain, 180.0));
    t.saturation[i] = static_cast<std::uint8_t>(std::clamp(x * saturation_gain, 0.0, 255.0));
    t.value[i] = static_cast<std::uint8_t>(std::clamp(x * value_gain, 0.0, 255.0));
  }
  return t;
}

ColourChange::ColourChange(const HsvTables& tables) : tables_(tables) {}

ColourChange::ColourChange(double hue_gain, double saturation_gain, double value_gain)
    : tables_(hsv_tables(hue_gain, saturation_gain, value_gain)),
      factors_{static_cast<float>(hue_gain), static_cast<float>(saturation_gain),
               static_cast<float>(value_gain)} {
  const auto product = [](std::size_t i, float factor) {
    return static_cast<int>(static_cast<float>(i) * factor);
  };
  by_factors_ = hue_gain >= 0 && hue_gain <= 2 && saturation_gain >= 0 && value_gain >= 0;
  for (std::size_t i = 0; i < 256 && by_factors_; ++i) {
    const int hue = product(i, factors_.hue);
    by_factors_ = (i >= 180 || tables_.hue[i] == (hue >= 180 ? hue - 180 : hue)) &&
                  tables_.saturation[i] == std::min(255, product(i, factors_.saturation)) &&
                  tables_.value[i] == std::min(255, product(i, factors_.value));
  }
}

void ColourChange::operator()(std::uint32_t* words, int count) const {
  static const kernels::PictureRows rows = kernels::picture_rows(best_instruction_set());
  if (by_factors_) return rows.colours(words, count, factors_);
  rows.to_hsv(words, count);
  for (int i = 0; i < count; ++i)
    words[i] = tables_.hue[words[i] & 255] |
               static_cast<std::uint32_t>(tables_.saturation[words[i] >> 8 & 255]) << 8 |
               static_cast<std::uint32_t>(tables_.value[words[i] >> 16]) << 16;
  rows.from_hsv(words, count);
}

void apply_hsv(cv::Mat& bgr, const ColourChange& change) {
  std::vector<std::uint32_t> words(padded_words(bgr.cols));
  for (int y = 0; y < bgr.rows; ++y) {
    words_of(bgr.ptr(y), bgr.cols, words.data());
    change(words.data(), static_cast<int>(words.size()));
    bytes_of(words.data(), bgr.cols, bgr.ptr(y));
  }
}

}  // namespace yolov7::dataset
