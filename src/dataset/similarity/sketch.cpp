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

}  // namespace

static_assert(std::is_trivially_copyable_v<Sketch>);

Sketch sketch_of(const cv::Mat& bgr) {
  Sketch sketch;
  sketch.width = bgr.cols, sketch.height = bgr.rows;
  cv::Mat small, gray, colour;
  cv::resize(bgr, small, {gray_side, gray_side}, 0, 0, cv::INTER_AREA);
  cv::cvtColor(small, gray, cv::COLOR_BGR2GRAY);
  std::copy_n(gray.ptr(), sketch.gray.size(), sketch.gray.begin());
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
  const cv::Mat stored(gray_side, gray_side, CV_8U, const_cast<std::uint8_t*>(sketch.gray.data()));
  cv::Mat1f gray;
  stored.convertTo(gray, CV_32F);
  return cut_square(gray, cut);
}

}  // namespace yolov7::dataset::similarity
