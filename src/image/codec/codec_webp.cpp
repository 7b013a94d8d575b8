#include "image/codec/codec_webp.hpp"

#include <fmt/format.h>
#include <webp/decode.h>
#include <webp/encode.h>

#include <algorithm>
#include <opencv2/core.hpp>

#include "image/codec/exif.hpp"

namespace yolov7::webp {
namespace {

std::uint32_t little_endian(std::string_view bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int k = count; k-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(k)]);
  return value;
}

const std::uint8_t* data_of(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

// Of the EXIF chunk, which may stand behind the picture; 1 where there is none.
int orientation_of(std::string_view bytes) {
  for (std::size_t at = 12; bytes.size() >= at + 8;) {
    const std::size_t length = little_endian(bytes, at + 4, 4);
    if (length > bytes.size() - at - 8) return 1;
    if (bytes.substr(at, 4) == "EXIF") return exif_orientation(bytes.substr(at + 8, length));
    at += 8 + length + (length & 1);
  }
  return 1;
}

}  // namespace

StoredHeader read_header(std::string_view bytes, const std::string& source) {
  StoredHeader header;
  header.orientation = orientation_of(bytes);
  // The canvas of the extended form is read by hand: libwebp answers an enormous one with
  // "corrupt".
  if (bytes.size() >= 30 && bytes.substr(12, 4) == "VP8X") {
    header.width = little_endian(bytes, 24, 3) + 1;
    header.height = little_endian(bytes, 27, 3) + 1;
    return header;
  }
  int width = 0, height = 0;
  if (!WebPGetInfo(data_of(bytes), bytes.size(), &width, &height))
    picture_error(source, "truncated or corrupt WebP: no readable header");
  header.width = static_cast<std::uint64_t>(width);
  header.height = static_cast<std::uint64_t>(height);
  return header;
}

cv::Mat decode(std::string_view bytes, const std::string& source) {
  const std::uint64_t promised = std::uint64_t{little_endian(bytes, 4, 4)} + 8;
  if (promised > bytes.size())
    picture_error(source,
                  fmt::format("truncated WebP: {} bytes, expected {}", bytes.size(), promised));
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(data_of(bytes), bytes.size(), &features);
  if (status != VP8_STATUS_OK)
    picture_error(source, fmt::format("truncated or corrupt WebP: header status {}",
                                      static_cast<int>(status)));
  if (features.has_animation)
    picture_error(source, "animated WebP is not supported: expected one image");
  cv::Mat picture(features.height, features.width, CV_8UC3);
  const std::size_t size = picture.total() * picture.elemSize();
  if (!WebPDecodeBGRInto(data_of(bytes), bytes.size(), picture.data, size,
                         static_cast<int>(picture.step[0])))
    picture_error(source, "truncated or corrupt WebP: the image data do not decode");
  return picture;
}

std::string encode(const cv::Mat& bgr, int quality) {
  std::uint8_t* bytes = nullptr;
  const std::size_t size =
      WebPEncodeBGR(bgr.data, bgr.cols, bgr.rows, static_cast<int>(bgr.step[0]),
                    static_cast<float>(quality), &bytes);
  std::string result(reinterpret_cast<const char*>(bytes), bytes ? size : 0);
  WebPFree(bytes);
  if (result.empty())
    throw Error(fmt::format("cannot encode a WebP of {} x {} px (at most {} px per side)", bgr.cols,
                            bgr.rows, WEBP_MAX_DIMENSION));
  return result;
}

}  // namespace yolov7::webp
