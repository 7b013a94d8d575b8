#include "dataset/similarity/sketch.hpp"

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <type_traits>

#include "dataset/similarity/halved.hpp"

namespace yolov7::dataset::similarity {
namespace {

/// With fewer blocks that are more than noise (of 64) an image is called plain.
constexpr int least_blocks = 4;
/// A JPEG is decoded at a fraction of its size while its long side keeps so many px.
constexpr int enough_px = 160;

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

Sketch sketch_of(const PicturePlanes& planes) {
  Sketch sketch;
  sketch.width = planes.width, sketch.height = planes.height;
  pack_gray(square_of(planes.luma, gray_side), sketch);
  const cv::Mat1b red = square_of(planes.red, colour_side),
                  blue = square_of(planes.blue, colour_side);
  for (std::size_t i = 0; i < red.total(); ++i) {
    sketch.colour[2 * i] = static_cast<std::int8_t>(red.ptr()[i] - 128);
    sketch.colour[2 * i + 1] = static_cast<std::int8_t>(blue.ptr()[i] - 128);
  }
  const cv::Mat1f gray = unpacked_gray(sketch);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const cv::Mat1f band = band_of(cut_square(gray, cuts[i]));
    if (i == 0) sketch.plain = informative_blocks(band) < least_blocks ? 1 : 0;
    if (sketch.plain != 0) return sketch;
    sketch.directions[i] = direction_of(structure_of(band));
  }
  return sketch;
}

Sketch sketch_of(const cv::Mat& bgr) { return sketch_of(planes_of(bgr)); }

Sketch read_sketch(const std::filesystem::path& image) {
  return sketch_of(read_planes(image, enough_px));
}

cv::Mat1f gray_of(const Sketch& sketch, double cut) {
  return cut_square(unpacked_gray(sketch), cut);
}

}  // namespace yolov7::dataset::similarity
