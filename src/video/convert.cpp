#include <fmt/format.h>

#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "video/ffmpeg.hpp"

namespace yolov7::video {
namespace {

bool full_by_format(AVPixelFormat format) {
  return format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVJ422P ||
         format == AV_PIX_FMT_YUVJ444P;
}

}  // namespace

cv::Mat Converter::bgr(const AVFrame& frame, const std::string& source) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  context_.reset(sws_getCachedContext(context_.release(), frame.width, frame.height, format,
                                      frame.width, frame.height, AV_PIX_FMT_BGR24,
                                      SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr,
                                      nullptr, nullptr));
  if (!context_)
    throw Error(fmt::format("{}: expected a pixel format that can be converted, found {}",
                            shown(source), frame.format));
  const int* table = sws_getCoefficients(
      frame.colorspace == AVCOL_SPC_UNSPECIFIED ? SWS_CS_DEFAULT : frame.colorspace);
  const bool full = frame.color_range == AVCOL_RANGE_JPEG || full_by_format(format);
  sws_setColorspaceDetails(context_.get(), table, full ? 1 : 0, table, 1, 0, 1 << 16, 1 << 16);
  cv::Mat picture(frame.height, frame.width, CV_8UC3);
  std::uint8_t* rows[] = {picture.data};
  const int strides[] = {static_cast<int>(picture.step)};
  sws_scale(context_.get(), frame.data, frame.linesize, 0, frame.height, rows, strides);
  return picture;
}

}  // namespace yolov7::video
