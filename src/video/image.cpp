// Images that FFmpeg's decoders know and image/codec does not. Each is one packet for one decoder:
// no demuxer and no protocol of FFmpeg sees a byte.
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "image/codec/codec.hpp"
#include "image/codec/exif.hpp"
#include "video/ffmpeg.hpp"
#include "video/heif.hpp"

namespace yolov7::video {
namespace {

using namespace std::string_view_literals;

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

/// TGA has no mark at its beginning: every field of its head must make sense, and an image that is
/// not compressed must be there.
bool is_tga(std::string_view bytes) {
  if (bytes.size() < 18) return false;
  const unsigned map = byte_at(bytes, 1), type = byte_at(bytes, 2), depth = byte_at(bytes, 16);
  const std::size_t width = byte_at(bytes, 12) | byte_at(bytes, 13) << 8,
                    height = byte_at(bytes, 14) | byte_at(bytes, 15) << 8;
  const bool mapped = type == 1 || type == 9, packed = type > 8;
  if (type == 0 || (type > 3 && type < 9) || type > 11 || map > 1 || (mapped && map == 0))
    return false;
  if (depth != 8 && depth != 15 && depth != 16 && depth != 24 && depth != 32) return false;
  return width > 0 && height > 0 &&
         (packed || (bytes.size() - 18) / ((depth + 7) / 8) / width >= height);
}

AVCodecID codec_of(std::string_view bytes) {
  if (bytes.starts_with("GIF8"sv)) return AV_CODEC_ID_GIF;
  if (bytes.starts_with("8BPS"sv)) return AV_CODEC_ID_PSD;
  if (bytes.starts_with("\xff\x4f\xff\x51"sv) || bytes.starts_with("\0\0\0\x0cjP  \r\n\x87\n"sv))
    return AV_CODEC_ID_JPEG2000;
  if (bytes.starts_with("\xff\x0a"sv) || bytes.starts_with("\0\0\0\x0cJXL \r\n\x87\n"sv))
    return AV_CODEC_ID_JPEGXL;
  if (bytes.size() > 2 && bytes[0] == 'P' && std::strchr(" \t\r\n#", bytes[2]) != nullptr) {
    if (bytes[1] == '1' || bytes[1] == '4') return AV_CODEC_ID_PBM;
    if (bytes[1] == '2' || bytes[1] == '5') return AV_CODEC_ID_PGM;
    if (bytes[1] == '3' || bytes[1] == '6') return AV_CODEC_ID_PPM;
    if (bytes[1] == '7') return AV_CODEC_ID_PAM;
  }
  return is_tga(bytes) ? AV_CODEC_ID_TARGA : AV_CODEC_ID_NONE;
}

void check_size(std::uint64_t width, std::uint64_t height, const std::string& source,
                const DecodeLimits& limits) {
  const auto side = static_cast<std::uint64_t>(limits.side);
  if (width > side || height > side || width * height > limits.pixels)
    throw Error(fmt::format(
        "{}: expected an image of at most {} px per side and {} pixels, found {} x {} px", source,
        limits.side, limits.pixels, width, height));
}

/// Where FFmpeg would hide damage, it is asked to give up.
Owned<AVFrame> decode_one(AVCodecID id, std::string_view configuration, std::string_view data,
                          const std::string& source, const DecodeLimits& limits) {
  const AVCodec* codec = avcodec_find_decoder(id);
  if (codec == nullptr)
    throw Error(fmt::format("{}: expected a kind of image that this FFmpeg decodes, found {}",
                            source, avcodec_get_name(id)));
  if (data.size() > limits.file_bytes || configuration.size() > limits.file_bytes)
    throw Error(fmt::format("{}: expected at most {} bytes, found {}", source, limits.file_bytes,
                            data.size()));
  Owned<AVCodecContext> decoder(avcodec_alloc_context3(codec));
  decoder->max_pixels = static_cast<std::int64_t>(limits.pixels);
  decoder->thread_count = 1;
  decoder->err_recognition = AV_EF_EXPLODE | AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
  if (!configuration.empty()) {
    decoder->extradata =
        static_cast<std::uint8_t*>(av_mallocz(configuration.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    if (decoder->extradata == nullptr) throw std::bad_alloc();
    std::memcpy(decoder->extradata, configuration.data(), configuration.size());
    decoder->extradata_size = static_cast<int>(configuration.size());
  }
  checked(avcodec_open2(decoder.get(), codec, nullptr), source, "a decoder that opens");
  Owned<AVPacket> packet(av_packet_alloc());
  checked(av_new_packet(packet.get(), static_cast<int>(data.size())), source, "memory");
  std::memcpy(packet->data, data.data(), data.size());
  packet->flags |= AV_PKT_FLAG_KEY;
  Owned<AVFrame> frame(av_frame_alloc());
  const std::string what = fmt::format("a whole {} image", avcodec_get_name(id));
  checked(avcodec_send_packet(decoder.get(), packet.get()), source, what.c_str());
  int code = avcodec_receive_frame(decoder.get(), frame.get());
  if (code == AVERROR(EAGAIN)) {
    avcodec_send_packet(decoder.get(), nullptr);
    code = avcodec_receive_frame(decoder.get(), frame.get());
  }
  checked(code, source, what.c_str());
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0)
    throw Error(fmt::format("{}: expected {}, found damage in it", source, what));
  return frame;
}

cv::Mat part(const HeifPart& one, const HeifImage& image, const std::string& source,
             const DecodeLimits& limits) {
  const Owned<AVFrame> frame = decode_one(one.av1 ? AV_CODEC_ID_AV1 : AV_CODEC_ID_HEVC,
                                          one.configuration, one.data, source, limits);
  if (image.matrix) frame->colorspace = static_cast<AVColorSpace>(*image.matrix);
  if (image.full_range)
    frame->color_range = *image.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  return Converter().bgr(*frame, source);
}

/// The parts side by side; what hangs over at the right and at the bottom is cut off.
cv::Mat assembled(const HeifImage& image, const std::string& source, const DecodeLimits& limits) {
  const int width = static_cast<int>(image.width), height = static_cast<int>(image.height);
  cv::Mat whole;
  cv::Size tile;
  for (std::size_t i = 0; i < image.parts.size(); ++i) {
    const cv::Mat one = part(image.parts[i], image, source, limits);
    if (i == 0) {
      tile = one.size();
      if (std::uint64_t(tile.width) * image.columns < image.width ||
          std::uint64_t(tile.height) * image.rows < image.height)
        throw Error(fmt::format("{}: expected parts that fill {} x {} px, found {} x {} of {} x {}",
                                source, width, height, image.columns, image.rows, tile.width,
                                tile.height));
      whole.create(height, width, CV_8UC3);
    }
    if (one.size() != tile)
      throw Error(fmt::format("{}: expected parts of one size, found two", source));
    const auto column = static_cast<std::int64_t>(i % image.columns),
               row = static_cast<std::int64_t>(i / image.columns);
    if (column * tile.width >= width || row * tile.height >= height) continue;
    const cv::Rect place = cv::Rect(static_cast<int>(column) * tile.width,
                                    static_cast<int>(row) * tile.height, tile.width, tile.height) &
                           cv::Rect(0, 0, width, height);
    one(cv::Rect({0, 0}, place.size())).copyTo(whole(place));
  }
  return whole;
}

cv::Mat cropped(const cv::Mat& picture, const HeifStep& step, const std::string& source) {
  // Compared before they become whole numbers, which may be too small for what a file says.
  const double width = std::round(step.width), height = std::round(step.height),
               x = std::round(step.x + (picture.cols - step.width) / 2),
               y = std::round(step.y + (picture.rows - step.height) / 2);
  if (!(width >= 1 && height >= 1 && x >= 0 && y >= 0 && x + width <= picture.cols &&
        y + height <= picture.rows))
    throw Error(fmt::format(
        "{}: expected a crop inside {} x {} px, found {:.0f} x {:.0f} at {:.0f}, {:.0f}", source,
        picture.cols, picture.rows, width, height, x, y));
  return picture(cv::Rect(static_cast<int>(x), static_cast<int>(y), static_cast<int>(width),
                          static_cast<int>(height)))
      .clone();
}

cv::Mat decode_heif(std::string_view bytes, const std::string& source, const DecodeLimits& limits) {
  const HeifImage image = read_heif(bytes, source);
  check_size(image.width, image.height, source, limits);
  cv::Mat picture = assembled(image, source, limits);
  // The EXIF values that do the same: 8, 3, 6 turn counter-clockwise; 4 and 2 mirror.
  static constexpr int turns[] = {1, 8, 3, 6}, mirrors[] = {4, 2};
  for (const HeifStep& step : image.steps) {
    if (step.kind == HeifStep::Kind::crop)
      picture = cropped(picture, step, source);
    else
      picture = apply_orientation(
          picture, step.kind == HeifStep::Kind::turn ? turns[step.amount] : mirrors[step.amount]);
  }
  return picture;
}

}  // namespace

cv::Mat decode_image(std::string_view bytes, const std::string& source,
                     const DecodeLimits& limits) {
  route_messages();
  if (is_heif(bytes)) return decode_heif(bytes, source, limits);
  const AVCodecID id = codec_of(bytes);
  if (id == AV_CODEC_ID_NONE)
    throw Error(source +
                ": expected an image of a known kind (JPEG, PNG, BMP, WebP, TIFF, GIF, HEIC, AVIF, "
                "JPEG 2000, JPEG XL, PNM, TGA, PSD), found something else");
  const Owned<AVFrame> frame = decode_one(id, {}, bytes, source, limits);
  check_size(static_cast<std::uint64_t>(frame->width), static_cast<std::uint64_t>(frame->height),
             source, limits);
  return Converter().bgr(*frame, source);
}

}  // namespace yolov7::video
