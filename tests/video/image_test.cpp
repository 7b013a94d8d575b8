// Images that are not those of image/codec: made by hand, or by FFmpeg's encoders inside a
// container made by hand.
#include <gtest/gtest.h>
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include "core/error.hpp"
#include "core/file.hpp"
#include "image/codec/codec.hpp"
#include "tests/video/video_fixture.hpp"

using namespace yolov7;
using namespace yolov7::testing;
using namespace std::string_literals;

namespace {

cv::Mat decode(const std::string& bytes, const DecodeLimits& limits = {}) {
  return yolov7_video_library()->images.decode(bytes, "p", limits);
}
std::string failure(const std::string& bytes, const DecodeLimits& limits = {}) {
  try {
    decode(bytes, limits);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
cv::Vec3b at(const cv::Mat& picture, int x, int y) { return picture.at<cv::Vec3b>(y, x); }

std::string be(std::uint64_t value, int width) {
  std::string out;
  for (int k = width; k-- > 0;) out += static_cast<char>(value >> (8 * k));
  return out;
}
std::string box(const std::string& type, const std::string& content) {
  return be(content.size() + 8, 4) + type + content;
}

struct Coded {
  std::string type, configuration, data;  // type of the item; hvcC or av1C as a whole box
};

/// One frame, by an encoder and the mp4 muxer, which makes the configuration.
Coded coded(const cv::Mat& bgr, const char* encoder_name) {
  const test::ScratchFolder scratch;
  const std::string path = (scratch / "a.mp4").string();
  const AVCodec* encoder = avcodec_find_encoder_by_name(encoder_name);
  if (encoder == nullptr) return {};
  AVFormatContext* out = nullptr;
  avformat_alloc_output_context2(&out, nullptr, nullptr, path.c_str());
  AVCodecContext* context = avcodec_alloc_context3(encoder);
  context->width = bgr.cols, context->height = bgr.rows;
  context->pix_fmt = AV_PIX_FMT_YUV420P;
  context->time_base = {1, 25};
  context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  av_opt_set(context->priv_data, "cpu-used", "8", 0);
  av_opt_set(context->priv_data, "x265-params",
             "log-level=none:bframes=0:frame-threads=1:pools=none", 0);
  EXPECT_GE(avcodec_open2(context, encoder, nullptr), 0);
  AVStream* stream = avformat_new_stream(out, nullptr);
  avcodec_parameters_from_context(stream->codecpar, context);
  avio_open(&out->pb, path.c_str(), AVIO_FLAG_WRITE);
  EXPECT_GE(avformat_write_header(out, nullptr), 0);
  AVFrame* frame = av_frame_alloc();
  frame->format = context->pix_fmt, frame->width = bgr.cols, frame->height = bgr.rows;
  av_frame_get_buffer(frame, 0);
  SwsContext* scale = sws_getContext(bgr.cols, bgr.rows, AV_PIX_FMT_BGR24, bgr.cols, bgr.rows,
                                     AV_PIX_FMT_YUV420P, SWS_BILINEAR, nullptr, nullptr, nullptr);
  const std::uint8_t* rows[] = {bgr.data};
  const int strides[] = {static_cast<int>(bgr.step)};
  sws_scale(scale, rows, strides, 0, bgr.rows, frame->data, frame->linesize);
  sws_freeContext(scale);
  frame->pts = 0;
  avcodec_send_frame(context, frame);
  avcodec_send_frame(context, nullptr);
  AVPacket* packet = av_packet_alloc();
  while (avcodec_receive_packet(context, packet) == 0) EXPECT_GE(av_write_frame(out, packet), 0);
  av_write_trailer(out);
  avio_closep(&out->pb);
  av_packet_free(&packet);
  av_frame_free(&frame);
  avcodec_free_context(&context);
  avformat_free_context(out);
  const std::string bytes = file::read(path);
  const auto cut_out = [&](const std::string& type) {
    const std::size_t name = bytes.find(type);
    std::size_t size = 0;
    for (std::size_t k = name - 4; k < name; ++k)
      size = size << 8 | static_cast<unsigned char>(bytes[k]);
    return bytes.substr(name - 4, size);
  };
  const bool av1 = bytes.find("av1C") != std::string::npos;
  return {av1 ? "av01" : "hvc1", cut_out(av1 ? "av1C" : "hvcC"), cut_out("mdat").substr(8)};
}

/// A container with these parts; with more than one the primary item is a grid of one row.
/// `steps`: boxes of transformations.
std::string heif(const std::vector<Coded>& parts, int width, int height,
                 const std::vector<std::string>& steps) {
  const bool grid = parts.size() > 1;
  const std::size_t items = parts.size() + (grid ? 1 : 0);
  const std::string full(4, '\0');
  std::string infos, properties = parts[0].configuration, uses, data, idat;
  properties += box(
      "ispe", full + be(static_cast<unsigned>(width), 4) + be(static_cast<unsigned>(height), 4));
  for (const std::string& step : steps) properties += step;
  const std::size_t primary = grid ? items : 1;
  std::string places(2,
                     '\x44');  // offsets and lengths of four bytes; base offset of four, no index
  places[1] = '\x40';
  places += be(items, 2);
  std::string meta;
  for (int pass = 0; pass < 2; ++pass) {  // the second knows how long the head is
    const std::size_t start = 24 + meta.size() + 8;
    infos.clear(), uses.clear(), data.clear();
    std::string extents;
    for (std::size_t i = 1; i <= items; ++i) {
      const bool whole = grid && i == items;
      const std::string content = whole ? "\0\0\0"s + static_cast<char>(parts.size() - 1) +
                                              be(static_cast<unsigned>(width), 2) +
                                              be(static_cast<unsigned>(height), 2)
                                        : parts[i - 1].data;
      infos += box(
          "infe", "\2\0\0\0"s + be(i, 2) + be(0, 2) + (whole ? "grid" : parts[i - 1].type) + "\0"s);
      std::string indices = whole ? "" : "\x81"s;  // the configuration is the first
      if (i == primary) {
        indices += "\x02"s;
        for (std::size_t k = 0; k < steps.size(); ++k) indices += static_cast<char>(0x83 + k);
      }
      uses += be(i, 2) + be(indices.size(), 1) + indices;
      extents += be(i, 2) + be(0, 2) + be(0, 4) + be(1, 2) + be(start + data.size(), 4) +
                 be(content.size(), 4);
      data += content;
    }
    std::string reference;
    if (grid) {
      for (std::size_t i = 1; i < items; ++i) reference += be(i, 2);
      reference = box("iref", full + box("dimg", be(items, 2) + be(items - 1, 2) + reference));
    }
    meta =
        box("meta",
            full + box("pitm", full + be(primary, 2)) + box("iinf", full + be(items, 2) + infos) +
                box("iloc", full + places + extents) + reference +
                box("iprp", box("ipco", properties) + box("ipma", full + be(items, 4) + uses)));
  }
  return box("ftyp", "heic" + be(0, 4) + "mif1heic") + meta + box("mdat", data);
}

}  // namespace

TEST(FurtherImages, PnmAndTgaToTheLevel) {
  const std::string pixels("\x01\x02\x03\xff\x00\x10\x20\x30\x40\x7f\x80\x81", 12);
  const cv::Mat ppm = decode("P6\n2 2\n255\n" + pixels);
  ASSERT_EQ(ppm.size(), cv::Size(2, 2));
  EXPECT_EQ(at(ppm, 0, 0), cv::Vec3b(3, 2, 1)) << "R G B there, B G R here";
  EXPECT_EQ(at(ppm, 1, 1), cv::Vec3b(0x81, 0x80, 0x7f));
  const auto tga = [&](char descriptor) {
    return "\0\0\2\0\0\0\0\0\0\0\0\0\2\0\2\0\x18"s + descriptor + pixels;
  };
  EXPECT_EQ(at(decode(tga(0x20)), 0, 0), cv::Vec3b(1, 2, 3)) << "from above";
  EXPECT_EQ(at(decode(tga(0)), 0, 1), cv::Vec3b(1, 2, 3)) << "from below";
}

TEST(FurtherImages, TheFirstImageOfAGif) {
  // 2 × 2 pixels of the colours 0 1 2 3, as codes of 3 bits, of 4 where the table is full.
  const auto frame = [](std::vector<unsigned> colours) {
    std::string bits;
    const unsigned codes[] = {4, colours[0], colours[1], colours[2], colours[3], 5};
    const int widths[] = {3, 3, 3, 3, 4, 4};
    unsigned value = 0;
    int held = 0;
    for (int i = 0; i < 6; ++i) {
      value |= codes[i] << held;
      held += widths[i];
      for (; held >= 8; held -= 8, value >>= 8) bits += static_cast<char>(value);
    }
    if (held > 0) bits += static_cast<char>(value);
    return ",\0\0\0\0\2\0\2\0\0\2"s + static_cast<char>(bits.size()) + bits + "\0"s;
  };
  const std::string palette("\xff\0\0\0\xff\0\0\0\xff\x0a\x14\x1e", 12);
  const cv::Mat picture =
      decode("GIF89a\2\0\2\0\x81\0\0"s + palette + frame({0, 1, 2, 3}) + frame({3, 3, 3, 3}) + ";");
  ASSERT_EQ(picture.size(), cv::Size(2, 2));
  EXPECT_EQ(at(picture, 0, 0), cv::Vec3b(0, 0, 255));
  EXPECT_EQ(at(picture, 1, 0), cv::Vec3b(0, 255, 0));
  EXPECT_EQ(at(picture, 0, 1), cv::Vec3b(255, 0, 0));
  EXPECT_EQ(at(picture, 1, 1), cv::Vec3b(30, 20, 10));
}

TEST(FurtherImages, HeicAndAvifWithTheirSteps) {
  const cv::Mat frame = numbered_frame(0b1010'0110'1100'0101);
  for (const char* encoder : {"libx265", "libaom-av1"}) {
    const Coded one = coded(frame, encoder);
    if (one.data.empty()) GTEST_SKIP() << "this FFmpeg has no " << encoder;
    const auto number = [&](const std::vector<std::string>& steps) {
      return decode(heif({one}, 256, 64, steps));
    };
    EXPECT_EQ(number_of(number({})), 0b1010'0110'1100'0101u) << encoder;
    cv::Mat back;
    // irot 1 turns counter-clockwise; so turned clockwise it is as it was.
    cv::rotate(number({box("irot", "\1"s)}), back, cv::ROTATE_90_CLOCKWISE);
    EXPECT_EQ(number_of(back), 0b1010'0110'1100'0101u) << encoder;
    cv::flip(number({box("imir", "\0"s)}), back, 0);
    EXPECT_EQ(number_of(back), 0b1010'0110'1100'0101u) << encoder;
    cv::flip(number({box("imir", "\1"s)}), back, 1);
    EXPECT_EQ(number_of(back), 0b1010'0110'1100'0101u) << encoder;
    // The left half: half the width, whose centre lies a quarter of the width to the left.
    const cv::Mat left = number(
        {box("clap", be(128, 4) + be(1, 4) + be(64, 4) + be(1, 4) +
                         be(static_cast<std::uint32_t>(-64), 4) + be(1, 4) + be(0, 4) + be(1, 4))});
    ASSERT_EQ(left.size(), cv::Size(128, 64));
    // Its centre lies 2147483647 px to the right, so its left side at 2147483647 + (256 - 128) / 2.
    const std::string far =
        failure(heif({one}, 256, 64,
                     {box("clap", be(128, 4) + be(1, 4) + be(64, 4) + be(1, 4) + be(0x7fffffff, 4) +
                                      be(1, 4) + be(0, 4) + be(1, 4))}));
    EXPECT_NE(far.find("a crop inside 256 x 64 px, found 128 x 64 at 2147483711, 0"),
              std::string::npos)
        << far;
    EXPECT_LT(
        cv::norm(left, decode(heif({one}, 256, 64, {}))(cv::Rect(0, 0, 128, 64)), cv::NORM_INF), 1);
  }
}

TEST(FurtherImages, AHeicOfParts) {
  const Coded left = coded(numbered_frame(0x1234), "libx265"),
              right = coded(numbered_frame(0xBEEF), "libx265");
  if (left.data.empty()) GTEST_SKIP() << "this FFmpeg has no libx265";
  // Narrower than both together: what hangs over is cut off.
  const cv::Mat whole = decode(heif({left, right}, 500, 64, {}));
  ASSERT_EQ(whole.size(), cv::Size(500, 64));
  EXPECT_EQ(number_of(whole(cv::Rect(0, 0, 256, 64))), 0x1234u);
  EXPECT_GT(cv::mean(whole(cv::Rect(256 + 8, 8, 16, 16)))[0], 200) << "the lowest bit of 0xBEEF";
  EXPECT_LT(cv::mean(whole(cv::Rect(256 + 4 * 32 + 8, 8, 16, 16)))[0], 50) << "bit 4 is not set";
}

// Item 1 is the whole file, item 2 a grid of 64 x 64 times item 1.
TEST(FurtherImages, AGridWhosePartsAreAllTheWholeFileIsDamage) {
  const std::string full(4, '\0');
  std::string parts;
  for (int i = 0; i < 64 * 64; ++i) parts += be(1, 2);
  const std::string grid = "\0\0"s + be(63, 1) + be(63, 1) + be(64, 2) + be(64, 2);
  const auto info = [](int item, const std::string& type) {
    return box("infe", "\2\0\0\0"s + be(static_cast<unsigned>(item), 2) + be(0, 2) + type + "\0"s);
  };
  // iloc of version 1: offsets and lengths of four bytes, no base; length 0: to the end.
  const std::string places = "\1\0\0\0\x44\0"s + be(2, 2) +                                     //
                             be(1, 2) + be(0, 2) + be(0, 2) + be(1, 2) + be(0, 4) + be(0, 4) +  //
                             be(2, 2) + be(1, 2) + be(0, 2) + be(1, 2) + be(0, 4) +
                             be(grid.size(), 4);
  const std::string meta =
      full + box("pitm", full + be(2, 2)) +
      box("iinf", full + be(2, 2) + info(1, "hvc1") + info(2, "grid")) + box("iloc", places) +
      box("iref", full + box("dimg", be(2, 2) + be(64 * 64, 2) + parts)) + box("idat", grid);
  const std::string heic = box("ftyp", "heic" + be(0, 4) + "mif1heic") + box("meta", meta);
  EXPECT_NE(failure(heic).find("cut or damaged"), std::string::npos) << failure(heic);
}

TEST(FurtherImages, DamageAndLimitsAreErrors) {
  const std::string ppm = "P6\n200 200\n255\n" + std::string(200 * 200 * 3, 'x');
  EXPECT_EQ(failure(ppm), "");
  EXPECT_NE(failure(ppm.substr(0, 60'000)), "") << "cut";
  DecodeLimits limits;
  limits.pixels = 200 * 200 - 1;
  EXPECT_NE(failure(ppm, limits), "");
  limits = {};
  limits.side = 199;
  EXPECT_NE(failure(ppm, limits).find("199"), std::string::npos);
  EXPECT_NE(failure("hello world, this is text").find("p: expected an image of a known kind"),
            std::string::npos);
  const Coded one = coded(numbered_frame(5), "libx265");
  if (one.data.empty()) GTEST_SKIP() << "this FFmpeg has no libx265";
  const std::string heic = heif({one}, 256, 64, {});
  for (std::size_t length = 16; length < heic.size(); length += 7)
    EXPECT_NE(failure(heic.substr(0, length)), "") << length;
  limits = {};
  limits.pixels = 256 * 64 - 1;
  EXPECT_NE(failure(heic, limits).find("16383 pixels"), std::string::npos) << failure(heic, limits);
}
