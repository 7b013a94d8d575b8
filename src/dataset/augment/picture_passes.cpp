#include "dataset/augment/picture_passes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/core.hpp>

#include "image/letterbox.hpp"

namespace yolov7::dataset {
namespace {

constexpr int position_bits = 10, fraction_bits = 5;
constexpr double position_scale = 1 << position_bits;
constexpr std::int32_t half_step =
    1 << (position_bits - fraction_bits - 1);  // of 1/32 px, for rounding
constexpr std::uint32_t grey_word = letterbox_grey * 0x010101u;

/// In 1/1024 px. What makes a picture smaller than a pixel needs more than 32 bits; the bound lies
/// beyond all pictures.
std::int64_t in_steps(double pixels) {
  constexpr double furthest = 1e15;
  return std::llrint(std::clamp(pixels * position_scale, -furthest, furthest));
}

const kernels::PictureRows& rows() {
  static const kernels::PictureRows chosen = kernels::picture_rows(best_instruction_set());
  return chosen;
}

/// Writes rows of planes; those whose width is no multiple of 16 take a way round.
class PlaneRows {
 public:
  PlaneRows(cv::Size size, std::uint8_t* planes)
      : size_(size),
        planes_(planes),
        spare_(size.width % 16 == 0 ? 0 : 3 * padded_words(size.width)) {}

  void put(int y, const std::uint32_t* words) {
    const std::size_t area = static_cast<std::size_t>(size_.area()),
                      width = static_cast<std::size_t>(size_.width),
                      padded = padded_words(size_.width);
    std::uint8_t* const at = planes_ + static_cast<std::size_t>(y) * width;
    if (spare_.empty()) return rows().planes(words, size_.width, at, at + area, at + 2 * area);
    rows().planes(words, static_cast<int>(padded), spare_.data(), spare_.data() + padded,
                  spare_.data() + 2 * padded);
    for (std::size_t c = 0; c < 3; ++c)
      std::memcpy(at + c * area, spare_.data() + c * padded, width);
  }

 private:
  cv::Size size_;
  std::uint8_t* planes_;
  std::vector<std::uint8_t> spare_;
};

}  // namespace

AffineWarp::AffineWarp(const cv::Mat& source, const cv::Matx33d& m, cv::Size output, Flips flips)
    : source_(source),
      output_(output),
      vertical_(flips.vertical),
      x_steps_(padded_words(output.width)),
      y_steps_(x_steps_.size()),
      dx_(x_steps_.size()),
      dy_(x_steps_.size()),
      scratch_(3 * static_cast<std::size_t>(source.cols) + 32) {
  const double determinant = m(0, 0) * m(1, 1) - m(0, 1) * m(1, 0),
               d = determinant != 0 ? 1 / determinant : 0;
  inverse_[0] = m(1, 1) * d, inverse_[1] = m(0, 1) * -d;
  inverse_[3] = m(1, 0) * -d, inverse_[4] = m(0, 0) * d;
  inverse_[2] = -inverse_[0] * m(0, 2) - inverse_[1] * m(1, 2);
  inverse_[5] = -inverse_[3] * m(0, 2) - inverse_[4] * m(1, 2);
  for (std::size_t i = 0; i < static_cast<std::size_t>(output.width); ++i) {
    const int column = static_cast<int>(i),
              x = flips.horizontal ? output.width - 1 - column : column;
    x_steps_[i] = in_steps(inverse_[0] * x);
    y_steps_[i] = in_steps(inverse_[3] * x);
    dx_[i] = static_cast<std::int32_t>(x_steps_[i]);
    dy_[i] = static_cast<std::int32_t>(y_steps_[i]);
  }
}

AffineWarp::Part AffineWarp::where(const std::vector<std::int64_t>& steps, int width,
                                   std::int64_t start, std::int64_t low, std::int64_t high) {
  const auto at = [&](int i) {
    return (start + steps[static_cast<std::size_t>(i)]) >> position_bits;
  };
  const bool rising = steps[static_cast<std::size_t>(width - 1)] >= steps[0];
  // The first i for which `beyond` holds, given that it holds for all after it.
  const auto first = [&](const auto& beyond) {
    int from = 0, to = width;
    while (from < to) {
      const int middle = (from + to) / 2;
      if (beyond(at(middle)))
        to = middle;
      else
        from = middle + 1;
    }
    return from;
  };
  if (rising)
    return {first([&](std::int64_t v) { return v >= low; }),
            first([&](std::int64_t v) { return v > high; })};
  return {first([&](std::int64_t v) { return v <= high; }),
          first([&](std::int64_t v) { return v < low; })};
}

/// With neighbours outside the picture, which are grey.
std::uint32_t AffineWarp::near_border(std::int32_t px, std::int32_t py) const {
  const std::uint32_t a = static_cast<std::uint32_t>(px & 31),
                      b = static_cast<std::uint32_t>(py & 31);
  const int x = px >> fraction_bits, y = py >> fraction_bits;
  const auto value = [&](int column, int row, int c) -> std::uint32_t {
    return column < 0 || row < 0 || column >= source_.cols || row >= source_.rows
               ? letterbox_grey
               : source_.ptr(row)[3 * column + c];
  };
  std::uint32_t word = 0;
  for (int c = 0; c < 3; ++c) {
    const std::uint32_t sum = (32 - b) * ((32 - a) * value(x, y, c) + a * value(x + 1, y, c)) +
                              b * ((32 - a) * value(x, y + 1, c) + a * value(x + 1, y + 1, c));
    word |= ((sum + 512) >> 10) << (8 * c);
  }
  return word;
}

void AffineWarp::row(int y, std::uint32_t* words) const {
  const int from_row = vertical_ ? output_.height - 1 - y : y, width = output_.width;
  const auto start = [&](int k) {
    return in_steps(inverse_[k + 1] * from_row + inverse_[k + 2]) + half_step;
  };
  const std::int64_t x0 = start(0), y0 = start(3);
  const auto both = [](Part a, Part b) {
    const int from = std::max(a.from, b.from);
    return Part{from, std::max(from, std::min(a.to, b.to))};
  };
  const Part touched = both(where(x_steps_, width, x0, -1, source_.cols - 1),
                            where(y_steps_, width, y0, -1, source_.rows - 1));
  // The kernel reads eight bytes from a pixel on, hence three columns.
  Part inside = both(where(x_steps_, width, x0, 0, source_.cols - 3),
                     where(y_steps_, width, y0, 0, source_.rows - 2));
  inside = both(inside, touched);
  if (inside.from >= inside.to) inside = {touched.from, touched.from};
  const auto position = [](std::int64_t sum) {
    return static_cast<std::int32_t>(sum >> fraction_bits);
  };
  const auto slow = [&](int from, int to) {
    for (int i = from; i < to; ++i)
      words[i] = near_border(position(x0 + x_steps_[static_cast<std::size_t>(i)]),
                             position(y0 + y_steps_[static_cast<std::size_t>(i)]));
  };
  std::fill(words, words + touched.from, grey_word);
  slow(touched.from, inside.from);
  const bool level = inverse_[3] == 0;
  (level ? rows().warp_level : rows().warp)(
      {source_.data, static_cast<std::ptrdiff_t>(source_.step[0]), dx_.data(), dy_.data(),
       static_cast<std::int32_t>(x0), static_cast<std::int32_t>(y0), words, scratch_.data()},
      inside.from, inside.to);
  slow(inside.to, touched.to);
  std::fill(words + touched.to, words + width, grey_word);
  std::fill(words + width, words + padded_words(width), 0u);
}

cv::Mat warp_affine(const cv::Mat& source, const cv::Matx33d& m, cv::Size output, cv::Mat canvas) {
  canvas.create(output, CV_8UC3);
  const AffineWarp warp(source, m, output);
  std::vector<std::uint32_t> words(padded_words(output.width));
  for (int y = 0; y < output.height; ++y) {
    warp.row(y, words.data());
    bytes_of(words.data(), output.width, canvas.ptr(y));
  }
  return canvas;
}

void write_planes(const cv::Mat& bgr, Flips flips, const ColourChange* colours,
                  std::uint8_t* planes) {
  PlaneRows target(bgr.size(), planes);
  std::vector<std::uint32_t> words(padded_words(bgr.cols));
  for (int y = 0; y < bgr.rows; ++y) {
    words_of(bgr.ptr(flips.vertical ? bgr.rows - 1 - y : y), bgr.cols, words.data());
    if (flips.horizontal) std::reverse(words.data(), words.data() + bgr.cols);
    if (colours != nullptr) (*colours)(words.data(), static_cast<int>(words.size()));
    target.put(y, words.data());
  }
}

void warp_to_planes(const cv::Mat& source, const cv::Matx33d& m, cv::Size output, Flips flips,
                    const ColourChange* colours, std::uint8_t* planes) {
  PlaneRows target(output, planes);
  const AffineWarp warp(source, m, output, flips);
  std::vector<std::uint32_t> words(padded_words(output.width));
  for (int y = 0; y < output.height; ++y) {
    warp.row(y, words.data());
    if (colours != nullptr) (*colours)(words.data(), static_cast<int>(words.size()));
    target.put(y, words.data());
  }
}

}  // namespace yolov7::dataset
