#include "bindings/images.hpp"

#include <opencv2/imgproc.hpp>

#include "api/video_library.hpp"
#include "bindings/handles.hpp"
#include "core/log.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::bindings {
namespace {

int channels_of(int format) {
  switch (format) {
    case YOLOV7_BGR:
    case YOLOV7_RGB: return 3;
    case YOLOV7_GRAY: return 1;
    case YOLOV7_BGRA:
    case YOLOV7_RGBA: return 4;
    default:
      throw usage_error(
          fmt::format("format: expected 0 to 4 (yolov7_pixel_format), found {}", format));
  }
}

/// Into memory that yolov7_image_free() frees.
void hand_out(const cv::Mat& bgr, yolov7_image& image) {
  auto* const pixels = new unsigned char[bgr.total() * 3];
  cv::Mat rows(bgr.rows, bgr.cols, CV_8UC3, pixels);
  bgr.copyTo(rows);
  image = {pixels, bgr.cols, bgr.rows, 0, YOLOV7_BGR};
}

cv::Mat told(const yolov7::ReducedPicture& picture, const std::string& name) {
  if (!picture.rows.whole())
    yolov7::log::warning(fmt::format("{}: {}", name, describe(picture.rows)));
  return picture.bgr;
}

}  // namespace

cv::Mat bgr_of(const yolov7_image& image) {
  if (image.pixels == nullptr) throw usage_error("pixels: expected an image, found NULL");
  if (image.width < 1 || image.height < 1 || image.width > 65535 || image.height > 65535)
    throw usage_error(fmt::format("image: expected 1 to 65535 pixels a side, found {} x {}",
                                  image.width, image.height));
  const int channels = channels_of(image.format);
  const std::size_t row =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(channels);
  if (image.stride != 0 && image.stride < row)
    throw usage_error(fmt::format("stride: expected 0 or at least the {} bytes of a row, found {}",
                                  row, image.stride));
  // OpenCV has no type for pixels that are only read.
  const cv::Mat given(image.height, image.width, CV_8UC(channels),
                      const_cast<unsigned char*>(image.pixels),
                      image.stride == 0 ? row : image.stride);
  if (image.format == YOLOV7_BGR) return given;
  const int conversion = image.format == YOLOV7_RGB    ? cv::COLOR_RGB2BGR
                         : image.format == YOLOV7_GRAY ? cv::COLOR_GRAY2BGR
                         : image.format == YOLOV7_BGRA ? cv::COLOR_BGRA2BGR
                                                       : cv::COLOR_RGBA2BGR;
  cv::Mat bgr;
  cv::cvtColor(given, bgr, conversion);
  return bgr;
}

cv::Mat read(const char* path) { return told(yolov7::read_reduced_picture(path, 0), path); }

cv::Mat decoded(const void* bytes, std::size_t length, const char* name) {
  if (bytes == nullptr) throw usage_error("bytes: expected an image file, found NULL");
  const std::string source = text_or(name, "image");
  return told(yolov7::decode_reduced_picture({static_cast<const char*>(bytes), length}, source, 0),
              source);
}

}  // namespace yolov7::bindings

using namespace yolov7::bindings;

int yolov7_image_read(const char* path, yolov7_image* image, yolov7_error** error) {
  return guarded(error, [&] {
    yolov7::api::decode_further_images();
    hand_out(read(&required(path, "path")), required(image, "image"));
  });
}

int yolov7_image_decode(const void* bytes, size_t length, const char* name, yolov7_image* image,
                        yolov7_error** error) {
  return guarded(error, [&] {
    yolov7::api::decode_further_images();
    hand_out(decoded(bytes, length, name), required(image, "image"));
  });
}

void yolov7_image_free(yolov7_image* image) {
  if (image == nullptr) return;
  delete[] image->pixels;
  image->pixels = nullptr;
}

int yolov7_image_write(const char* path, const yolov7_image* image, yolov7_error** error) {
  return guarded(error, [&] {
    yolov7::write_picture(&required(path, "path"), bgr_of(required(image, "image")));
  });
}
