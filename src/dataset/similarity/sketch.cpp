#include "dataset/similarity/sketch.hpp"

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <type_traits>

#include "image/codec/codec.hpp"

namespace yolov7::dataset::similarity {
namespace {

/// With fewer blocks that are more than noise (of 64) an image is called plain.
constexpr int least_blocks = 4;
/// A JPEG is decoded at a fraction of its size while its long side keeps so many px.
constexpr int enough_px = 160;

/// An image with sides of this and more is halved first, which is far quicker than other sizes.
constexpr int least_side = 4 * gray_side;

/// Eight values of 7 bits are seven bytes.
constexpr int value_bits = 7;

void pack_gray(const cv::Mat& gray, Sketch& sketch) {
  double darkest = 0, lightest = 0;
  cv::minMaxLoc(gray, &darkest, &lightest);
  sketch.darkest = static_cast<std::uint8_t>(darkest);
  sketch.step = lightest - darkest > (1 << value_bits) - 1 ? 2 : 1;
  std::uint32_t pending = 0;
  int bits = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < gray.total(); ++i) {
    const auto value = static_cast<std::uint32_t>(gray.ptr()[i] - sketch.darkest) / sketch.step;
    pending |= value << bits;
    for (bits += value_bits; bits >= 8; bits -= 8, pending >>= 8)
      sketch.gray[at++] = static_cast<std::uint8_t>(pending);
  }
}

cv::Mat1f unpacked_gray(const Sketch& sketch) {
  cv::Mat1f gray(gray_side, gray_side);
  std::uint32_t pending = 0;
  int bits = 0;
  std::size_t at = 0;
  const float middle = static_cast<float>(sketch.step - 1) / 2;  // of the levels of one value
  for (float& level : gray) {
    if (bits < value_bits) {
      pending |= static_cast<std::uint32_t>(sketch.gray[at++]) << bits;
      bits += 8;
    }
    const std::uint32_t value = pending & ((1U << value_bits) - 1);
    pending >>= value_bits, bits -= value_bits;
    level = static_cast<float>(sketch.darkest + sketch.step * value) + middle;
  }
  return gray;
}

}  // namespace

static_assert(std::is_trivially_copyable_v<Sketch>);

Sketch sketch_of(const cv::Mat& bgr) {
  Sketch sketch;
  sketch.width = bgr.cols, sketch.height = bgr.rows;
  cv::Mat half = bgr, small, gray, colour;
  while (half.cols % 2 == 0 && half.rows % 2 == 0 && std::min(half.cols, half.rows) >= least_side) {
    cv::resize(half, small, {half.cols / 2, half.rows / 2}, 0, 0, cv::INTER_AREA);
    half = small, small = cv::Mat();
  }
  cv::resize(half, small, {gray_side, gray_side}, 0, 0, cv::INTER_AREA);
  cv::cvtColor(small, gray, cv::COLOR_BGR2GRAY);
  pack_gray(gray, sketch);
  cv::cvtColor(small, colour, cv::COLOR_BGR2YCrCb);
  cv::resize(colour, colour, {colour_side, colour_side}, 0, 0, cv::INTER_AREA);
  std::size_t at = 0;
  for (int y = 0; y < colour_side; ++y)
    for (int x = 0; x < colour_side; ++x)
      for (int c = 1; c <= 2; ++c)
        sketch.colour[at++] = static_cast<std::int8_t>(colour.at<cv::Vec3b>(y, x)[c] - 128);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const cv::Mat1f band = band_of(gray_of(sketch, cuts[i]));
    if (i == 0) sketch.plain = informative_blocks(band) < least_blocks ? 1 : 0;
    if (sketch.plain != 0) return sketch;
    sketch.directions[i] = direction_of(structure_of(band));
  }
  return sketch;
}

Sketch read_sketch(const std::filesystem::path& image) {
  const ReducedPicture picture = read_reduced_picture(image, enough_px);
  Sketch sketch = sketch_of(picture.bgr);
  sketch.width = picture.width, sketch.height = picture.height;
  return sketch;
}

cv::Mat1f gray_of(const Sketch& sketch, double cut) {
  return cut_square(unpacked_gray(sketch), cut);
}

}  // namespace yolov7::dataset::similarity
